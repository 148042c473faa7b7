#!/bin/bash
# The layout of a guest image, as docs/reference.md says, read with other
# tools than those that wrote it.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
export PATH=$PATH:/usr/sbin:/sbin
image=build/images/linux-686-dev.img
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# number OFFSET BYTES: a little-endian number in the image.
number() { od -An -v -t "u$2" -j "$1" -N "$2" "$image" | tr -d ' '; }

sectors() { dd if="$image" bs=512 skip="$1" count="$2" status=none; }

# in_fs PARTITION REQUEST: what debugfs answers.
in_fs() { debugfs -R "$2" "$work/$1" 2>/dev/null; }

extract() {
    start[$1]=$(number $((446 + 16 * ($1 - 1) + 8)) 4)
    size[$1]=$(number $((446 + 16 * ($1 - 1) + 12)) 4)
    sectors "${start[$1]}" "${size[$1]}" >"$work/$1"
}

declare -a start size
extract 1
extract 2

is "the boot sector is signed" "$(number 510 2)" $((0xaa55))
ok "it has GRUB's code" cmp -n 440 "$image" /usr/lib/grub/i386-pc/boot.img
is "partition 1 starts at 2048" "${start[1]}" 2048
is "it is active and of type Linux" "$(number 446 1) $(number 450 1)" "$((0x80)) $((0x83))"
is "partition 2 follows" "${start[2]}" $((2048 + size[1]))
is "it ends with the disk" $(((start[2] + size[2]) * 512)) "$(stat -c %s "$image")"
is "there is no third" "$(number 482 4) $(number 486 4) $(number 498 4)" "0 0 0"
ok "the image is at most 80 MiB" test "$(stat -c %s "$image")" -le $((80 << 20))

is "GRUB's block list starts at sector 2" "$(number $((512 + 500)) 4)" 2
core_sectors=$((1 + $(number $((512 + 508)) 2)))
ok "its core image ends before the environment block" test $((1 + core_sectors)) -le 2040
is "nothing but zeros is between them" \
    "$(sectors $((1 + core_sectors)) $((2039 - core_sectors)) | tr -d '\0' | wc -c)" 0
sectors 2040 2 >"$work/env"
is "the environment block is GRUB's" "$(head -n 1 "$work/env")" "# GRUB Environment Block"
ok "GRUB's own tool writes to it" grub-editenv "$work/env" set "append=$(printf '%0800d' 1)"
is "800 characters fit" "$(stat -c %s "$work/env")" 1024

for n in 1 2; do ok "file system $n is clean" e2fsck -fn "$work/$n"; done
ok "partition 1 has no journal" sh -c "! dumpe2fs -h '$work/1' 2>&1 | grep -q has_journal"
ok "partition 2 has one" sh -c "dumpe2fs -h '$work/2' 2>&1 | grep -q has_journal"
free_kib=$(dumpe2fs -h "$work/2" 2>/dev/null | awk '/^Free blocks/{f=$3} /^Block size/{b=$3} END{print f * b / 1024}')
ok "partition 2 has room for the disk tests (20 MiB)" test "$free_kib" -ge 20480

release=$(cat build/images/stage/linux-image-686/release)
in_fs 1 "dump /vmlinuz $work/vmlinuz"
ok "the kernel is Debian's, byte for byte" \
    cmp "$work/vmlinuz" "build/debs/kernels-i386/boot/vmlinuz-$release"
in_fs 1 "cat /boot/grub/grub.cfg" >"$work/grub.cfg"
ok "the command line is the guest's, and the words are added" grep -qF \
    "linux /vmlinuz $(sed -n 's/^cmdline: //p' images/guests/linux-686.yml) \$append" "$work/grub.cfg"

in_fs 1 "dump /initrd.img $work/initrd"
mkdir "$work/root"
(cd "$work/root" && zstd -dc ../initrd | cpio -i --quiet --no-absolute-filenames)
ok "/init can be run" test -x "$work/root/init"
is "/bin/sh is busybox" "$(readlink "$work/root/bin/sh")" busybox
ok "busybox is a static i386 program" sh -c \
    "LC_ALL=C od -An -t u1 -j 4 -N 1 '$work/root/bin/busybox' | grep -qw 1"
ok "/etc/guest names the guest" has_line "$work/root/etc/guest" name=linux-686
ok "and its kernel" has_line "$work/root/etc/guest" "kernel_release=$release"

# Every symbol's module comes before those that need it.
modules_in_order() {
    local file need seen=" "
    for file in "$work"/root/modules/*.ko; do
        for need in $(modinfo -F depends "$file" | tr ',-' ' _'); do
            case $seen in *" $need "*) ;; *) echo "$file needs $need"; return 1 ;; esac
        done
        need=$(basename "$file" .ko)
        need=${need#*-}
        seen+="${need//-/_} "
    done
    for need in ext4 ata_piix sd_mod crc32c_generic; do
        case $seen in *" $need "*) ;; *) echo "$need is missing"; return 1 ;; esac
    done
}
ok "the modules load in order of their numbers" modules_in_order

sum=$(sha256sum <"$image")
ok "the image can be built again" images/build.sh --dev linux-686
is "the same inputs give the same bytes" "$(sha256sum <"$image")" "$sum"
finish
