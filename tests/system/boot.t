#!/bin/bash
# What the firmware of the guest boots from: nothing, a CD, a disk of the machine below.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
. tests/qemu.sh

says() { grep -- "$2" "$work/$1" || { tail -n 30 "$work/$1"; return 1; }; }

# tiny_iso FILE WORD...: a CD whose GRUB boots the 32-bit tiny guest with the words.
tiny_iso() {
    local iso=$1 tree=$work/tree
    shift
    mkdir -p "$tree/boot/grub"
    cp build/tiny32.elf "$tree/boot/kernel"
    printf 'multiboot /boot/kernel %s\nboot\n' "$*" >"$tree/boot/grub/grub.cfg"
    grub-mkrescue -d /usr/lib/grub/i386-pc --fonts= --locales= --themes= --compress=no -o "$iso" "$tree" \
        --install-modules="normal multiboot iso9660 biosdisk" 2>&1
}

ok "SeaBIOS without media waits" ends hang qemu_hv nothing "mem=64M watchdog=5"
ok "SeaBIOS shows its boot prompt" says nothing.records "SeaBIOS (version"
ok "SeaBIOS finds nothing to boot" says nothing.records "No bootable device"

ok "a CD is made" tiny_iso "$work/cd.iso" only=100_CPUID
ok "a guest boots from its CD" ends poweroff qemu_hv cd "mem=64M watchdog=60" "$work/cd.iso cdrom"
ok "it runs its test" says cd.console "^ok [0-9]* - 100 CPUID"

# The tiny guest's test of REP OUTSW writes LBA 4000.
tests/guests/mkdisk.sh build/tiny32.elf "$work/disk.img" only=REP_OUTSW_of_a_sector
ok "a guest boots from a disk of the machine below" ends poweroff qemu_hv host "mem=64M watchdog=60 disk0=host:0" \
    -drive "file=$work/disk.img,format=raw,if=ide"
ok "it writes the disk" says host.console "^ok [0-9]* - REP OUTSW"
expected=$(for ((i = 0; i < 512; i++)); do printf %02x $((i * 3 & 255)); done)
is "the write is on the disk" "$(dd if="$work/disk.img" bs=512 skip=4000 count=1 status=none | od -An -vtx1 | tr -d ' \n')" \
    "$expected"
finish
