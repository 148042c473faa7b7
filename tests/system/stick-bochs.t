#!/bin/bash
# The stick (images/stick.sh) in Bochs: a guest boots natively and under the hypervisor on VT-x. What the serial ports said
# becomes results as on a real machine.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
. tests/bochs.sh
. tests/stick.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Where the kernel is entered (its boot protocol's pref_address), and user space.
kernel_entry=$(od -An -t u8 -j $((0x258)) -N 8 build/images/stage/linux-image-686/vmlinuz-unpacked)
user_entry=$(readelf -h build/guestbench-i386 | sed -n 's/.*Entry point address: *//p')

# boot_ticks SIDE: from the one to the other.
boot_ticks() { bochs_stop_ticks "$1" | awk '{ at[NR] = $1 } END { print at[2] - at[1] }'; }

# at_most_twice NATIVE HVM
at_most_twice() { echo "native $1, hvm $2"; [ "$1" -gt 0 ] && [ "$2" -gt 0 ] && [ "$2" -le $((2 * $1)) ]; }

# boots SIDE: to the guest's power-off, by the menu's entry that starts by itself.
boots() {
    BOCHS_MEMORY=512 BOCHS_SECONDS=900 BOCHS_STOPS="$kernel_entry $user_entry" \
        bochs_machine "$1" core2_penryn_t9600 12000000000 /usr/share/bochs/BIOS-bochs-latest \
        /usr/share/vgabios/vgabios.bin "ata0-master: type=disk, path=$work/$1.stick, mode=volatile" \
        "boot: disk"
    echo $? >"$work/$1/status"
}

for side in native hvm; do
    ok "a stick that starts $side is made" stick_make --default $side --timeout 0 "$work/$side.stick"
done
for side in native hvm; do
    boots $side &
done
wait
for side in native hvm; do
    is "$side: to the guest's power-off" "$(cat "$work/$side/status")" 0
done
ok "native: its results are read from COM1" stick_listen native native --serial "$work/native/com1"
ok "hvm: its results are read from COM1, its records from COM2" stick_listen hvm hvm --serial "$work/hvm/com1" \
    --log-serial "$work/hvm/com2"
ok "it is VT-x" grep -q '^@hv start .*virt=vmx' "$work/hvm.records"
ok "both ran the same guestbench" stick_same_binary native hvm
ok "both sides compare" build/penumbra compare "$work/native.tap" "$work/hvm.tap"
native=$(boot_ticks native) hvm=$(boot_ticks hvm)
ok "from the kernel's entry to user space in at most twice the native ticks" at_most_twice "$native" "$hvm"
echo "# ticks of the boot: native $native, hvm $hvm"
finish
