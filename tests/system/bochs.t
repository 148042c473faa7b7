#!/bin/bash
# Engine bochs: Linux comes to user space natively and under the hypervisor on VT-x, and both sides compare.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

runs() { # runs SIDE
    build/penumbra run -q --engine bochs --side "$1" --guest linux-686-unpacked --only aim9.add_int,exit.cpuid \
        --samples 3 --timeout 900 --total-timeout 1500 -o "$work/$1.tap"
}
fact() { sed -n "s/^$2: *//p" "$work/$1.run.yml"; }

# Both at once: their figures do not depend on the load.
runs native >"$work/native.say" 2>&1 &
runs hvm >"$work/hvm.say" 2>&1
hvm=$?
wait $!
is "native: complete" "$? $(grep -v ' points in ' "$work/native.say")" "0 "
is "under the hypervisor: complete" "$hvm $(grep -v ' points in ' "$work/hvm.say")" "0 "
ok "it is VT-x" grep -q '^@hv start .*virt=vmx' "$work/hvm.records"
is "both ended by power-off" "$(fact native end) $(fact hvm end)" "poweroff poweroff"
is "time is counted" "$(fact native time_unit) $(fact hvm time_unit)" "instructions instructions"
ok "the machine's ticks are recorded" test "$(fact native ticks)" -gt 1000000000
is "both have their disk" "$(sed -n 's/^ *dir_device: //p' "$work/native.tap" "$work/hvm.tap" | xargs)" "/dev/sda2 /dev/sda2"
ok "both sides compare" build/penumbra compare "$work/native.tap" "$work/hvm.tap"
build/penumbra exits "$work/native.tap" "$work/hvm.tap" >"$work/exits"
ok "a CPUID is one exit" awk '$1 == "exit.cpuid" && $6 > 0.99 && $6 < 1.2 { found = 1 } END { exit !found }' "$work/exits"
awk '/^ok|^not/ { next } { print "# " $0 }' "$work/exits"
echo "# ticks: native $(fact native ticks), hvm $(fact hvm ticks)"
finish
