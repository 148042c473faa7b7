#!/bin/bash
# The tiny guests print the same TAP natively and under the hypervisor in QEMU, with
# shadow optimisations on and off, and cause the exits that they say.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
. tests/qemu.sh
. tests/exits.sh
. tests/tiny.sh
. tests/bochs.sh
. tests/nmi.sh

# native_run BITS: the guest in plain QEMU; its console in $work/native$1.
native_run() {
    qemu_native "$work/native$1" -drive "file=$work/native$1.img,format=raw,if=ide,snapshot=on"
}

# hvm_run NAME BITS WORD...: under the hypervisor; console $work/NAME.console, records $work/NAME.records.
hvm_run() {
    local name=$1 bits=$2
    shift 2
    ends poweroff qemu_hv "$name" "mem=64M watchdog=60 $*" "$work/tiny$bits.img disk0"
}

# same BITS NAME: but for task switches, which this CPU does not let the hypervisor see (docs/caveats.md).
same() { diff <(grep -v ': task switch: ' "$work/native$1.tap") <(grep -v ': task switch: ' "$work/$2.console.tap"); }

for bits in 32 64; do
    tests/guests/mkdisk.sh build/tiny$bits.elf "$work/native$bits.img" native=emulator
    tests/guests/mkdisk.sh build/tiny$bits.elf "$work/tiny$bits.img" tasks=no
    native_run $bits &
done
wait
for bits in 32 64; do
    ok "$bits-bit guest natively" all_pass qemu "$work/native$bits"
done

# nmi_run BITS: the tests of NMIs, natively and under the hypervisor.
nmi_run() {
    nmi_native_disk build/tiny$1.elf "$work/nmi-native$1.img" native=emulator &&
        nmi_disk build/tiny$1.elf "$work/nmi$1.img" && nmi_iso 4 "$work/nmi$1.iso" "$work/nmi$1.img" &&
        qemu_native "$work/nmi-native$1" "${nmi_qemu[@]}" \
            -drive "file=$work/nmi-native$1.img,format=raw,if=ide,snapshot=on" &&
        ends poweroff qemu_machine nmi$1 "${nmi_qemu[@]}" -cdrom "$work/nmi$1.iso"
}

for bits in 32 64; do
    ok "$bits-bit guest and NMIs: it ends" nmi_run $bits
    ok "$bits-bit guest and NMIs natively: passes" all_pass qemu "$work/nmi-native$bits"
    ok "$bits-bit guest and NMIs under the hypervisor: passes" all_pass svm "$work/nmi$bits.console"
    ok "$bits-bit guest and NMIs under the hypervisor: they came" nmi_served "$work/nmi$bits.records"
    cat "$work/native$bits" "$work/nmi-native$bits" >"$work/all-native$bits"
done
tiny_save qemu "$work/all-native32" "$work/all-native64"
ok "natively as documented" documented qemu

# NAME, guests and options of each run; exit counts hold for the default ones.
runs=("default 32,64" "none 32,64 shadow=none" "nostore 32 shadow=-store,-cr0" "unsync 64 shadow=none,cache,unsync"
    "audit 32,64 audit=64")
for run in "${runs[@]}"; do
    read -r name guests words <<<"$run"
    for bits in ${guests/,/ }; do
        # shellcheck disable=SC2086
        hvm_run "$name$bits" $bits $words >"$work/$name$bits.status" 2>&1 &
    done
    wait
    for bits in ${guests/,/ }; do
        ok "$bits-bit guest under the hypervisor${words:+, $words}: power-off" no_text "$work/$name$bits.status"
        ok "$bits-bit guest under the hypervisor${words:+, $words}: passes" all_pass svm "$work/$name$bits.console"
        ok "$bits-bit guest under the hypervisor${words:+, $words}: same output" same $bits "$name$bits"
        [ "$name" != default ] || ok "$bits-bit guest: exits" exits_as_said svm "$work/$name$bits.records" "$work/$name$bits.console.tap"
    done
    [ "$name" = default ] || continue
    for bits in 32 64; do
        cat "$work/default$bits.console" "$work/nmi$bits.console" >"$work/all$bits"
    done
    tiny_save svm "$work/all32" "$work/all64"
    ok "under the hypervisor as documented" documented svm
done

# exits_of NAME REASON TEST: how many exits the test caused.
exits_of() {
    local id
    id=$(sed -n "s/^ok \([0-9]*\) - $3\r*\$/\1/p" "$work/$1.console")
    sed -n "s/^@hv exit mark=$id reason=$2 count=\([0-9]*\).*/\1/p" "$work/$1.records"
}
is "without cr0 each read and write of CR0 exits" "$(exits_of nostore32 cr0 '2-level: 100 CLTS and 100 times CR0.TS set')" 500
finish
