#!/bin/bash
# mkdisk.sh KERNEL OUTPUT [WORD...]: a raw disk whose GRUB carries the
# Multiboot kernel inside its core image and boots it with the words, and with
# those of the environment block (docs/reference.md, "Guest image"). GRUB_BEFORE_BOOT: commands before the last one, of
# the modules in GRUB_MODULES.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: mkdisk.sh KERNEL OUTPUT [WORD...]" >&2; exit 2; }
kernel=$1
output=$2
shift 2

grub_dir=/usr/lib/grub/i386-pc
env_lba=2040
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp "$kernel" "$work/kernel"
tar -C "$work" --format=ustar --owner=0 --group=0 --mtime=@0 -cf "$work/memdisk" kernel
cat >"$work/config" <<CFG
load_env -f (hd0)$env_lba+2 append
multiboot (memdisk)/kernel $* \$append
${GRUB_BEFORE_BOOT-}
boot
CFG
# shellcheck disable=SC2086
grub-mkimage -O i386-pc -d $grub_dir -o "$work/core" -p '(memdisk)' -m "$work/memdisk" \
    -c "$work/config" biosdisk memdisk tar multiboot boot loadenv ${GRUB_MODULES-}
[ "$(stat -c %s "$work/core")" -le $(((env_lba - 1) * 512)) ] || { echo "$kernel: too large" >&2; exit 1; }
grub-editenv "$work/env" create
# boot.img loads the core image from sector 1 on. BIOSes want a partition
# table that is not empty: LBA 2048 to the end, type DAh (no file system).
{
    head -c 440 $grub_dir/boot.img
    printf 'bare\0\0\x80\xfe\xff\xff\xda\xfe\xff\xff\0\x08\0\0\0\x08\0\0'
    head -c 48 /dev/zero
    printf '\x55\xaa'
    cat "$work/core"
} >"$work/disk"
dd if="$work/env" of="$work/disk" bs=512 seek=$env_lba conv=notrunc status=none
truncate -s 2M "$work/disk"
mv "$work/disk" "$output"
