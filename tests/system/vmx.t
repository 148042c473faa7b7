#!/bin/bash
# VT-x in Bochs: of the first generation SeaBIOS and the tiny guests, of later ones a few of their tests.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
. tests/qemu.sh
. tests/bochs.sh
. tests/exits.sh

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

for bits in 32 64; do
    tests/guests/mkdisk.sh build/tiny$bits.elf "$work/tiny$bits.img"
    bochs_iso "$work/tiny$bits.iso" "$hv" "mem=64M watchdog=60" "$work/tiny$bits.img" disk0
    { bochs_run tiny$bits "$work/tiny$bits.iso"; echo $? >"$work/tiny$bits/status"; } &
done
wait
for bits in 32 64; do
    ok "$bits-bit guest on VT-x: the backend is vmx" grep -q '@hv start .*virt=vmx' "$work/tiny$bits/com2"
    ok "$bits-bit guest on VT-x: passes" all_pass $bits
    ok "$bits-bit guest on VT-x: exits" exits_as_said vmx "$work/tiny$bits/com2" "$work/tiny$bits/tap"
done

# real_passes MODEL: the boot disk that tests real mode, to its end.
real_passes() {
    bochs_run real_$1 "$work/real.iso" "$1" 1000000000
    tr -d '\r' <"$work/real_$1/com1" | grep -Ev '^ok ' >"$work/real_$1/odd"
    if [ "$(cat "$work/real_$1/odd")" != "1..$(grep -c '^ok' "$work/real_$1/com1")" ] ||
        ! grep -q "end end=reboot" "$work/real_$1/com2"; then
        cat "$work/real_$1/odd"
        tail -n 15 "$work/real_$1/com2"
        return 1
    fi
}

# one_passes MODEL: a 64-bit guest that runs one test.
one_passes() {
    bochs_run one_$1 "$work/one.iso" "$1" 1000000000
    grep "^ok [0-9]* - 100 CPUID" "$work/one_$1/com1" && grep "end end=poweroff" "$work/one_$1/com2"
}

bochs_iso "$work/real.iso" "$hv" "mem=64M watchdog=60" build/real.img disk0
tests/guests/mkdisk.sh build/tiny64.elf "$work/one.img" only=100_CPUID
bochs_iso "$work/one.iso" "$hv" "mem=64M watchdog=60" "$work/one.img" disk0
for model in core2_penryn_t9600 corei5_lynnfield_750 corei7_skylake_x; do
    ok "real mode on $model" real_passes $model
done
for model in corei5_lynnfield_750 corei7_skylake_x; do
    ok "64-bit guest on $model" one_passes $model
done
finish
