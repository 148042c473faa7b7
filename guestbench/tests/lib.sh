# Sourced by tests that run guestbench as an ordinary command, from the top, after ci/tests/tap.sh.
# shellcheck shell=bash disable=SC2034

B=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/dir"
amd64=$B/guestbench-amd64

# guestbench prints TAP of its own, which must not look like this test's.
run() { "$1" run --seconds=0.001 --samples=2 --rounds=1 --tmp="$work" "${@:2}" >"$work/out.tap"; }
has() { grep -q -- "$1" "$work/out.tap" || { cat "$work/out.tap"; return 1; }; }
point() { grep -A4 -- "- $1\b" "$work/out.tap" | grep -q -- "$2" || { cat "$work/out.tap"; return 1; }; }
status() { "${@:2}"; [ $? -eq "$1" ]; }
