#!/bin/bash
# The hypervisor boots by GRUB's multiboot from an ISO, and a guest under it.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

console_has() { tr -d "\r" <"$work/$1" | grep -- "$2" || { tail -n 40 "$work/$1"; return 1; }; }

ok "an ISO is made" images/mkiso.sh --dev hv linux-686 "$work/hv.iso" watchdog=100
timeout -k 5 400 qemu-system-x86_64 -accel tcg -machine pc,hpet=off -cpu max -m 512 -nodefaults \
    -vga std -display none -no-reboot -cdrom "$work/hv.iso" -boot d -serial "file:$work/com1" \
    -serial "file:$work/com2" -device isa-debug-exit,iobase=0xf4,iosize=4 </dev/null
is "the machine ends with the guest's power-off" $? 33
ok "the hypervisor has its words from GRUB" console_has com2 \
    '^@hv start .*cmdline="mem=256M console=com1 log=com2 watchdog=100"'
ok "the guest reaches user space" console_has com1 "^GUEST-OK Linux 6"
ok "the end is recorded" console_has com2 "^@hv end end=poweroff "
finish
