#!/bin/bash
# mkiso.sh hv GUEST OUTPUT [WORD...]: an ISO, also good for a USB stick, that
# boots the hypervisor with GUEST's disk; the words are added to its command
# line. mkiso.sh guest GUEST OUTPUT [WORD...]: a CD that boots GUEST's kernel
# and initramfs themselves; the words are added to the kernel's command line.
# With --dev first, the development image's initramfs and disk are taken.
. "$(dirname "$0")/lib.sh"
. "$images_dir/grub.sh"

suffix=
if [ "${1:-}" = --dev ]; then
    suffix=-dev
    shift
fi
[ $# -ge 3 ] || die "usage: mkiso.sh [--dev] hv|guest GUEST OUTPUT [WORD...]"
kind=$1
guest=$2
output=$3
shift 3
words=$*

seabios_dir=/usr/share/seabios

need() { [ -f "$1" ] || die "$1 is missing: $2"; }

add() { install -m 644 "$1" "$tree/$2"; }

add_kernel() {
    local stage=$BUILD/images/stage
    need "$stage/$guest$suffix.initrd" "build the image of $guest first"
    add "$(kernel_file "$guest" "$stage/$(guest_field "$guest" kernel_package)")" vmlinuz
    add "$stage/$guest$suffix.initrd" initrd.img
}

linux_entry() {
    cat <<CFG
menuentry "$guest" {
    linux /vmlinuz $(guest_field "$guest" cmdline) $1
    initrd /initrd.img
}
CFG
}

# hv_entry TITLE WORDS: modules are known by the first word of their line.
hv_entry() {
    cat <<CFG
menuentry "$1" {
    multiboot /boot/hv.elf mem=$(guest_field "$guest" memory) $2 $words
    module /boot/bios.bin seabios
    module /boot/vgabios.bin vgabios
    module /boot/disk0.img disk0
}
CFG
}

menu_start() {
    cat <<CFG
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=$1
CFG
}

make_hv_tree() {
    need "$BUILD/hv.elf" "make all"
    need "$BUILD/images/$guest$suffix.img" "build the image of $guest first"
    need $seabios_dir/bios-256k.bin "install seabios"
    add "$BUILD/hv.elf" boot/hv.elf
    add $seabios_dir/bios-256k.bin boot/bios.bin
    add $seabios_dir/vgabios-stdvga.bin boot/vgabios.bin
    add "$BUILD/images/$guest$suffix.img" boot/disk0.img
    add_kernel
    {
        menu_start 2
        hv_entry "$guest under Penumbra" "console=com1 log=com2"
        hv_entry "$guest under Penumbra, no records (one serial port)" "console=com1 log=none"
        linux_entry ""
    } >"$tree/boot/grub/grub.cfg"
}

make_guest_tree() {
    add_kernel
    { menu_start 0; linux_entry "$words"; } >"$tree/boot/grub/grub.cfg"
}

tree=$(mktemp -d -p "$BUILD")
trap 'rm -rf "$tree"' EXIT
umask 022
chmod 755 "$tree"
mkdir -p "$tree/boot/grub"
case $kind in
hv) make_hv_tree ;;
guest) make_guest_tree ;;
*) die "'$kind': expected hv or guest" ;;
esac
grub-mkrescue -d "$grub_dir" --fonts= --locales= --themes= --compress=no -o "$output" "$tree" \
    --install-modules="normal linux multiboot serial terminal iso9660 part_msdos biosdisk echo halt" \
    >"$tree.log" 2>&1 ||
    { cat "$tree.log" >&2; rm -f "$tree.log" "$output"; exit 1; }
rm -f "$tree.log"
