#!/bin/bash
# The development images boot in plain QEMU, without our hypervisor: each
# kernel reaches user space from the disk on a machine without APIC and HPET.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# machine NAME ARG...: runs a machine until it powers off; its console goes to
# $work/NAME.
machine() {
    local name=$1
    shift
    timeout -k 5 300 qemu-system-x86_64 -accel tcg -machine pc,hpet=off -cpu max,-apic -m 256 \
        -nodefaults -vga std -display none -no-reboot -serial "file:$work/$name" "$@" </dev/null
}

disk() { echo "file=$1,format=raw,if=ide,snapshot=on"; }

# console_has NAME PATTERN: a machine's console has a line that matches.
console_has() { tr -d "\r" <"$work/$1" | grep -- "$2" || { cat "$work/$1"; return 1; }; }

for guest in linux-686 linux-686-pae linux-amd64 linux-686-unpacked; do
    cp "build/images/$guest-dev.img" "$work/disk.img"
    grub-editenv "$work/env" create
    grub-editenv "$work/env" set append="test.word=42"
    dd if="$work/env" of="$work/disk.img" bs=512 seek=2040 conv=notrunc status=none
    ok "$guest boots from its disk and powers off" machine $guest -drive "$(disk "$work/disk.img")"
    ok "$guest runs on the TSC with its scratch disk" console_has $guest "^GUEST-OK Linux 6.* clocksource=tsc "
    ok "$guest sees the words of the environment block" console_has $guest "GUEST-OK .* test.word=42"
done

ok "a CD is made" images/mkiso.sh --dev guest linux-686 "$work/cd.iso"
ok "linux-686 boots from the CD and powers off" machine cd -cdrom "$work/cd.iso" -boot d \
    -drive "$(disk build/images/linux-686-dev.img)"
ok "it reaches user space" console_has cd "^GUEST-OK Linux 6"

# The kernel's first block, wherever the file system put it, is overwritten.
cp build/images/linux-686-dev.img "$work/disk.img"
dd if="$work/disk.img" of="$work/fs" bs=512 skip=2048 status=none
block=$(PATH=$PATH:/sbin debugfs -R "bmap /vmlinuz 0" "$work/fs" 2>/dev/null)
dd if=/dev/zero of="$work/disk.img" bs=4096 seek=$((256 + block)) count=1 conv=notrunc status=none
ok "with a broken kernel the machine ends" machine broken -drive "$(disk "$work/disk.img")"
ok "and says why" console_has broken "the kernel or its initramfs cannot be loaded"
finish
