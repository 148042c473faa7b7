#!/bin/bash
# mkdisk.sh KERNEL OUTPUT [WORD...]: a raw disk whose GRUB carries the
# Multiboot kernel inside its core image and boots it with the words.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: mkdisk.sh KERNEL OUTPUT [WORD...]" >&2; exit 2; }
kernel=$1
output=$2
shift 2

grub_dir=/usr/lib/grub/i386-pc
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp "$kernel" "$work/kernel"
tar -C "$work" --format=ustar --owner=0 --group=0 --mtime=@0 -cf "$work/memdisk" kernel
printf 'multiboot (memdisk)/kernel %s\nboot\n' "$*" >"$work/config"
grub-mkimage -O i386-pc -d $grub_dir -o "$work/core" -p '(memdisk)' -m "$work/memdisk" \
    -c "$work/config" biosdisk memdisk tar multiboot boot
# boot.img loads the core image from sector 1 on. BIOSes want a partition
# table that is not empty: the marks of one are enough.
{
    head -c 510 $grub_dir/boot.img
    printf '\x55\xaa'
    cat "$work/core"
} >"$work/disk"
truncate -s 2M "$work/disk"
mv "$work/disk" "$output"
