#!/bin/bash
# VT-x of the first generation, in Bochs: SeaBIOS and the tiny guests.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
. tests/qemu.sh
. tests/bochs.sh

# forgive: drops the failures that docs/emulator-differences.md has for Bochs.
forgive() {
    awk -F' *[|] *' '
    FNR == NR { if (NF == 6 && $3 == "bochs") known[$2]; next }
    { sub(/\r$/, "") }
    /^# / && !/^# exits/ { why = why $0 "\n"; next }
    /^not ok / {
        name = $0
        sub(/^not ok [0-9]+ - /, "", name)
        sub(/^(2-level|pae|4-level): /, "", name)
        if (name in known) { sub(/^not /, ""); why = "" }
    }
    { printf "%s%s\n", why, $0; why = "" }
    END { printf "%s", why }
    ' docs/emulator-differences.md -
}

# all_pass BITS: a complete TAP stream without failures, and the guest ended the machine by itself.
all_pass() {
    local out=$work/tiny$1
    forgive <"$out/com1" >"$out/tap"
    if [ "$(cat "$out/status")" != 0 ] || ! grep -q "end end=poweroff" "$out/com2" ||
        ! grep -q '^1\.\.[1-9]' "$out/tap" || grep -E '^(not ok|Bail out|# [^e])' "$out/tap"; then
        echo "status $(cat "$out/status")"
        tail -n 15 "$out/tap" "$out/com2"
        return 1
    fi
}

# exits_of BITS ID REASON COUNT: between the marks of test ID; the marks' own five port writes are taken off.
exits_of() {
    local got
    got=$(sed -n "s/^@hv exit mark=$2 reason=$3 count=\([0-9]*\).*/\1/p" "$work/tiny$1/com2" | head -n 1)
    [ "$3" != io ] || got=$((got - 5))
    [ "$got" = "$4" ] || { echo "$3: $got, expected $4"; return 1; }
}

# mark_of BITS REASON: the ID of the test that says it causes 100 or more such exits.
mark_of() { sed -n "s/^# exits \([0-9]*\) $2=[0-9]* .*/\1/p" "$work/tiny$1/com1" | head -n 1; }

for bits in 32 64; do
    tests/guests/mkdisk.sh build/tiny$bits.elf "$work/tiny$bits.img"
    bochs_iso "$work/tiny$bits.iso" "$hv" "mem=64M watchdog=60" "$work/tiny$bits.img" disk0
    { bochs_run tiny$bits "$work/tiny$bits.iso"; echo $? >"$work/tiny$bits/status"; } &
done
wait
for bits in 32 64; do
    ok "$bits-bit guest on VT-x: the backend is vmx" grep -q '@hv start .*virt=vmx' "$work/tiny$bits/com2"
    ok "$bits-bit guest on VT-x: passes" all_pass $bits
    ok "$bits-bit guest on VT-x: 100 CPUID, 100 exits" exits_of $bits "$(mark_of $bits cpuid)" cpuid 100
    ok "$bits-bit guest on VT-x: 200 port accesses, 200 exits" exits_of $bits "$(mark_of $bits io)" io 200
done
finish
