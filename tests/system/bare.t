#!/bin/bash
# The bare benchmark: natively, under the hypervisor and from its CD; what it says is what the harness takes, and its
# events cause the exits that they must.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
. tests/qemu.sh
. guestbench/tests/names.sh

# run GUEST SIDE [OPTION...]
run() {
    local guest=$1 side=$2
    shift 2
    build/penumbra run --quiet --engine tcg --side "$side" --guest "$guest" --samples 3 --timeout 300 "$@" \
        -o "$work/$guest-$side.tap" 2>&1
}

# exits_are GUEST POINT REASON COUNT: COUNT exits for the reason in each operation of the point; the marks' own five
# port writes are taken off.
exits_are() {
    local tap=$work/$1-hvm.tap mark ops got
    mark=$(sed -n "s/^ok \([0-9]*\) - $2$/\1/p" "$tap")
    ops=$(awk -v want="- $2" 'index($0, want) && /^ok/ { in_it = 1 } in_it && $1 == "ops:" { print $2; exit }' "$tap")
    got=$(sed -n "s/^@hv exit mark=$mark reason=$3 count=\([0-9]*\).*/\1/p" "${tap%.tap}.records")
    [ "$3" != io ] || got=$((got - 5))
    [ "${got:-0}" = $((ops * $4)) ] || { echo "$2: ${got:-no} $3 exits in $ops operations, $4 each expected"; return 1; }
}

# no_exits GUEST POINT: but for the marks and interrupts of the machine below.
no_exits() {
    local mark
    mark=$(sed -n "s/^ok \([0-9]*\) - $2$/\1/p" "$work/$1-hvm.tap")
    [ -n "$mark" ] && ! grep "^@hv exit mark=$mark " "$work/$1-hvm.records" | grep -v 'reason=intr \|reason=io count=5 '
}

# The tests of GUEST without their paging modes, but for env.
names() { sed -nE 's/^ok [0-9]* - ((2-level|pae|4-level)\.)?//p' "$work/$1-native.tap" | sed 's/ .*//' | grep -vx env | sort -u; }

skipped() { ! grep -h '# SKIP' "$work/$1"-*.tap; }

for guest in bare-686 bare-amd64; do
    ok "$guest runs natively" run $guest native
    ok "$guest runs under the hypervisor" run $guest hvm
    ok "$guest: prove takes the results" prove --exec cat "$work/$guest-native.tap" "$work/$guest-hvm.tap"
    ok "$guest: nothing is skipped" skipped $guest
    is "$guest: each test has its line, and no other" "$(comm -3 <(names $guest) <(documented '^\| '))" ""
    ok "$guest: the sides compare" build/penumbra compare --json -o "$work/$guest.json" \
        "$work/$guest-native.tap" "$work/$guest-hvm.tap"
    is "$guest: each test is on both sides" \
        "$(jq '.tests | length' "$work/$guest.json")" $(($(grep -c '^ok' "$work/$guest-hvm.tap") - 1))
    ok "$guest: the exits per operation" build/penumbra exits "$work/$guest-native.tap" "$work/$guest-hvm.tap"
    for event in "cpuid cpuid" "rdmsr_pat rdmsr" "wrmsr_pat wrmsr" "in_pic io" "out_pic io" "in_nobody io" \
        "out_nobody io"; do
        # shellcheck disable=SC2086
        ok "$guest: one exit for ${event% *}" exits_are $guest event.$event 1
    done
    for event in rdtsc int_soft cr0_ts empty_loop; do
        ok "$guest: no exit for $event" no_exits $guest event.$event
    done
done
for mode in 686:2-level 686:pae amd64:4-level; do
    ok "${mode#*:}: one guest fault each demand fault" exits_are bare-${mode%:*} ${mode#*:}.demand_fault pf-guest 1
    ok "${mode#*:}: no exit for INVLPG" exits_are bare-${mode%:*} ${mode#*:}.invlpg invlpg 0
done

# from_cd NAME: the CD's kernel NAME natively; complete TAP on the console.
from_cd() {
    MENU_SECONDS=0 guestbench/bare/mkiso.sh "$work/$1.iso" "$1" guestbench.only=cpuid,cr3_*,irq_uart guestbench.samples=1 &&
        qemu_native "$work/cd-$1" -cdrom "$work/$1.iso" &&
        tr -d '\r' <"$work/cd-$1" | sed -n '/^TAP version 13/,$p' | prove --exec cat /dev/stdin
}
for name in 686 amd64; do
    ok "the CD boots bare-$name" from_cd $name
done

# refuses WORD TEXT: the kernel names the bad word and switches off.
refuses() {
    build/penumbra run --quiet --engine tcg --guest bare-686 --append "$1" -o "$work/bad.tap" 2>&1 | grep -F "Bail out! $2"
}
ok "an unknown word" refuses guestbench.colour=red "guestbench.colour: unknown here"
ok "a bad number" refuses guestbench.samples=99 "guestbench.samples=99: a number from 1 to 31 expected"
ok "no such test" refuses guestbench.only=nothing "guestbench.only=nothing: no such test"
finish
