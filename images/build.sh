#!/bin/bash
# build.sh [--dev] GUEST: builds build/images/GUEST.img, whose init is
# guestbench; with --dev build/images/GUEST-dev.img, whose init is a script
# that checks the image and powers off.
. "$(dirname "$0")/lib.sh"

suffix=
if [ "${1:-}" = --dev ]; then
    suffix=-dev
    shift
fi
[ $# -eq 1 ] || die "usage: build.sh [--dev] GUEST"
guest=$1

# A Multiboot kernel is its own image: there is nothing to put beside it.
if [ "$(guest_field "$guest" kind linux)" = multiboot ]; then
    [ -z "$suffix" ] || die "guest '$guest' has no development image"
    kernel=$BUILD/$(guest_field "$guest" kernel)
    [ -f "$kernel" ] || die "$kernel is missing: build it first (make all)"
    mkdir -p "$BUILD/images"
    "$top/tests/guests/mkdisk.sh" "$kernel" "$BUILD/images/$guest.img" "$(guest_field "$guest" cmdline)"
    exit
fi

arch=$(guest_field "$guest" arch)
package=$(guest_field "$guest" kernel_package)
case $arch in
i386 | amd64) ;;
*) die "guest '$guest': arch '$arch': expected i386 or amd64" ;;
esac

init=$BUILD/guestbench-$arch
tcc=$BUILD/tcc-$arch
if [ -n "$suffix" ]; then
    init=$images_dir/init-dev.sh
    tcc=
fi
[ -f "$init" ] || die "$init is missing: build it first (make guestbench)"
[ -z "$tcc" ] || [ -f "$tcc" ] || die "$tcc is missing: build it first (make all)"

stage=$BUILD/images/stage
mkdir -p "$stage"
"$images_dir/kernel.sh" "$arch" "$package" "$stage/$package"
form=$(guest_field "$guest" kernel_form packed)
if [ "$form" = unpacked ]; then
    "$images_dir/unpack-kernel.sh" "$stage/$package/vmlinuz" "$stage/$package/vmlinuz-unpacked"
fi
"$images_dir/initramfs.sh" "$guest" "$stage/$package" "$init" "$stage/$guest$suffix.initrd" \
    ${tcc:+"$tcc"}
"$images_dir/disk.sh" "$guest" "$stage/$package" "$stage/$guest$suffix.initrd" \
    "$BUILD/images/$guest$suffix.img"

# tcc's licence asks for its sources to go where the program goes.
if [ -n "$tcc" ]; then
    mkdir -p "$BUILD/images/sources"
    cp -p "$BUILD"/debs/source/tcc/tcc_* "$BUILD/images/sources/"
fi
