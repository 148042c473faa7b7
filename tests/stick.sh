# Sourced by tests of the stick (images/stick.sh). Output goes to files in $work, the caller's.
# shellcheck shell=bash disable=SC2154

stick_guest=linux-686-unpacked # its kernel takes the fewest instructions to boot

# stick_make [OPTION...] OUTPUT: a stick that runs two short benchmarks.
stick_make() {
    images/stick.sh "${@:1:$#-1}" --append "guestbench.only=add_int,exit.cpuid guestbench.samples=3" "$stick_guest" "${!#}"
}

# stick_listen SIDE NAME ARG...: what was captured becomes $work/NAME.tap.
stick_listen() {
    build/penumbra run -q --engine hw --side "$1" --guest "$stick_guest" -o "$work/$2.tap" "${@:3}"
}

# stick_same_binary NAME...: the results are of one guestbench.
stick_same_binary() {
    [ "$(for name; do grep binary_sha256 "$work/$name.tap"; done | sort -u | wc -l)" = 1 ]
}
