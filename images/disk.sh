#!/bin/bash
# disk.sh GUEST KERNELDIR INITRAMFS OUTPUT [FILES]: puts a guest's raw disk
# together, in the layout of docs/reference.md ("Guest image"), without root.
# What is in the folder FILES goes to the boot partition too, last.
. "$(dirname "$0")/lib.sh"
. "$images_dir/grub.sh"

[ $# -eq 4 ] || [ $# -eq 5 ] || die "usage: disk.sh GUEST KERNELDIR INITRAMFS OUTPUT [FILES]"
guest=$1
kernel=$2
initramfs=$3
output=$4
files=${5:-}

env_lba=2040
boot_lba=2048
scratch_mib=${SCRATCH_MIB:-32}
sectors_per_mib=2048

# Everything random in a file system comes from the guest's name.
uuid_of() {
    local hash
    hash=$(echo "$guest $1" | sha256sum)
    echo "${hash:0:8}-${hash:8:4}-4${hash:12:3}-8${hash:15:3}-${hash:18:12}"
}

# put FILE LBA: copies a file into the image at a sector.
put() { dd if="$1" of="$image" bs=512 seek="$2" conv=notrunc,sparse status=none; }

make_mbr() {
    head -c 440 "$grub_dir/boot.img"
    le32 "0x$(uuid_of disk | head -c 8)"
    bytes 00 00
    partition_entry 80 83 $boot_lba $((boot_mib * sectors_per_mib))
    partition_entry 00 83 $scratch_lba $((scratch_mib * sectors_per_mib))
    head -c 32 /dev/zero
    bytes 55 aa
}

# make_fs FILE MIB LABEL OPTION...: an ext4 file system with nothing left to
# be initialized at the first mount.
make_fs() {
    local file=$1 mib=$2 label=$3
    shift 3
    E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -F -t ext4 -b 4096 -m 0 -L "$label" \
        -O ^metadata_csum_seed,^orphan_file,^resize_inode -U "$(uuid_of "$label")" \
        -E "hash_seed=$(uuid_of hash-"$label"),lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0" \
        "$@" "$file" "${mib}M" >/dev/null
}

# mke2fs -d takes owner and change time from the files: set them to constants.
normalize_times() {
    local path field
    for path in $(cd "$work/boot" && find . | sed 's,^\.,,; s,^$,/,'); do
        for field in atime ctime mtime crtime; do
            echo "set_inode_field $path $field @$SOURCE_DATE_EPOCH"
            echo "set_inode_field $path ${field}_extra 0"
        done
        echo "set_inode_field $path uid 0"
        echo "set_inode_field $path gid 0"
    done
}

make_boot_fs() {
    mkdir -p "$work/boot/boot/grub"
    install -m 644 "$vmlinuz" "$work/boot/vmlinuz"
    install -m 644 "$initramfs" "$work/boot/initrd.img"
    grub_config "$guest" '(hd0)'$env_lba+2 >"$work/boot/boot/grub/grub.cfg"
    if [ -n "$files" ]; then cp -r "$files/." "$work/boot"; fi
    find "$work/boot" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    make_fs "$work/boot.fs" "$boot_mib" boot -O ^has_journal -N 64 -d "$work/boot"
    normalize_times | E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH \
        debugfs -w -f - "$work/boot.fs" >"$work/debugfs.log" 2>&1 || die "$(cat "$work/debugfs.log")"
}

assemble() {
    image=$work/image
    truncate -s "$((scratch_lba / sectors_per_mib + scratch_mib))M" "$image"
    make_mbr >"$work/mbr"
    put "$work/mbr" 0
    put "$work/core.img" 1
    put "$work/env" $env_lba
    put "$work/boot.fs" $boot_lba
    put "$work/scratch.fs" $scratch_lba
}

work=$(mktemp -d -p "$(dirname "$output")")
trap 'rm -rf "$work"' EXIT
umask 022
vmlinuz=$(kernel_file "$guest" "$kernel")
payload=$(cat "$vmlinuz" "$initramfs" | wc -c)
if [ -n "$files" ]; then payload=$((payload + $(du -sb "$files" | cut -f 1))); fi
boot_mib=$((payload / 1048576 + 2))
scratch_lba=$((boot_lba + boot_mib * sectors_per_mib))

grub_core "$work/core.img" '(hd0,msdos1)/boot/grub'
[ "$(stat -c %s "$work/core.img")" -le $(((env_lba - 1) * 512)) ] || die "GRUB core image too large"
grub-editenv "$work/env" create
make_boot_fs
make_fs "$work/scratch.fs" "$scratch_mib" scratch -J size=4 -N $((scratch_mib * 128))
assemble
mv "$work/image" "$output"
