#!/bin/bash
# VT-x in Bochs: SeaBIOS and the tiny guests, on the first generation and on later ones that have more.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
. tests/qemu.sh
. tests/bochs.sh
. tests/exits.sh
. tests/tiny.sh
. tests/nmi.sh

# ended BITS: the guest ended the machine by itself.
ended() {
    [ "$(cat "$work/tiny$1/status")" = 0 ] && grep "end end=poweroff" "$work/tiny$1/com2" ||
        { cat "$work/tiny$1/status"; tail -n 15 "$work/tiny$1/com1" "$work/tiny$1/com2"; return 1; }
}

same() { diff "$work/native$1/com1.tap" "$work/tiny$1/com1.tap"; }

for bits in 32 64; do
    tests/guests/mkdisk.sh build/tiny$bits.elf "$work/native$bits.img"
    { bochs_native native$bits "$work/native$bits.img"; echo $? >"$work/native$bits/status"; } &
done
wait
for bits in 32 64; do
    is "$bits-bit guest in Bochs: its end" "$(cat "$work/native$bits/status")" 0
    ok "$bits-bit guest in Bochs: passes" all_pass bochs "$work/native$bits/com1"
done

# nmi_native BITS, nmi_hvm BITS: the tests of NMIs.
nmi_native() {
    nmi_native_disk build/tiny$1.elf "$work/nmi-native$1.img" && bochs_native nmi-native$1 "$work/nmi-native$1.img"
}
nmi_hvm() {
    nmi_disk build/tiny$1.elf "$work/nmi$1.img" && nmi_iso 15 "$work/nmi$1.iso" "$work/nmi$1.img" &&
        bochs_run nmi$1 "$work/nmi$1.iso" && grep "end end=poweroff" "$work/nmi$1/com2"
}

for bits in 32 64; do
    ok "$bits-bit guest and NMIs in Bochs: its end" nmi_native $bits
    ok "$bits-bit guest and NMIs in Bochs: passes" all_pass bochs "$work/nmi-native$bits/com1"
    cat "$work/native$bits/com1" "$work/nmi-native$bits/com1" >"$work/all-native$bits"
done
tiny_save bochs "$work/all-native32" "$work/all-native64"
ok "in Bochs as documented" documented bochs

for bits in 32 64; do
    tests/guests/mkdisk.sh build/tiny$bits.elf "$work/tiny$bits.img"
    bochs_iso "$work/tiny$bits.iso" "$hv" "mem=64M watchdog=60" "$work/tiny$bits.img" disk0
    { bochs_run tiny$bits "$work/tiny$bits.iso"; echo $? >"$work/tiny$bits/status"; } &
done
wait
for bits in 32 64; do
    ok "$bits-bit guest on VT-x: the backend is vmx" grep -q '@hv start .*virt=vmx' "$work/tiny$bits/com2"
    ok "$bits-bit guest on VT-x: power-off" ended $bits
    ok "$bits-bit guest on VT-x: passes" all_pass vtx "$work/tiny$bits/com1"
    ok "$bits-bit guest on VT-x: same output" same $bits
    ok "$bits-bit guest on VT-x: exits" exits_as_said vmx "$work/tiny$bits/com2" "$work/tiny$bits/com1.tap"
done
for bits in 32 64; do
    ok "$bits-bit guest and NMIs on VT-x: power-off" nmi_hvm $bits
    ok "$bits-bit guest and NMIs on VT-x: passes" all_pass vtx "$work/nmi$bits/com1"
    ok "$bits-bit guest and NMIs on VT-x: they came" nmi_served "$work/nmi$bits/com2"
    cat "$work/tiny$bits/com1" "$work/nmi$bits/com1" >"$work/all$bits"
done
tiny_save vtx "$work/all32" "$work/all64"
ok "on VT-x as documented" documented vtx

# real_passes NAME MODEL: a boot disk that tests real mode, to its end.
real_passes() {
    local dir=$work/$1_$2
    bochs_run "$1_$2" "$work/$1.iso" "$2" 1500000000
    tr -d '\r' <"$dir/com1" | grep -Ev '^ok ' >"$dir/odd"
    if [ "$(cat "$dir/odd")" != "1..$(grep -c '^ok' "$dir/com1")" ] || ! grep -q "end end=reboot" "$dir/com2"; then
        cat "$dir/odd"
        tail -n 15 "$dir/com2"
        return 1
    fi
}

# other_model MODEL BITS: the guest ran there, and passes.
other_model() { grep "end end=poweroff" "$work/$1_$2/com2" && all_pass vtx "$work/$1_$2/com1"; }

bochs_iso "$work/real.iso" "$hv" "mem=64M watchdog=60" build/real.img disk0
nmi_iso 15 "$work/real-nmi.iso" build/real-nmi.img
for model in core2_penryn_t9600 corei5_lynnfield_750 corei7_skylake_x; do
    ok "real mode on $model" real_passes real $model
    ok "real mode and NMIs on $model" real_passes real-nmi $model
done
for model in corei5_lynnfield_750 corei7_skylake_x; do
    for bits in 32 64; do
        bochs_run ${model}_$bits "$work/tiny$bits.iso" $model &
    done
    wait
    for bits in 32 64; do
        ok "$bits-bit guest on $model" other_model $model $bits
    done
done
finish
