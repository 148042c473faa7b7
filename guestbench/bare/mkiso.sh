#!/bin/bash
# mkiso.sh OUTPUT 686|amd64 [WORD...]: a CD, also good for a USB stick, whose menu has both kernels of the bare
# benchmark; the one named starts after MENU_SECONDS (2). The words go to
# the kernel (docs/bare.md).
set -euo pipefail
if [ $# -lt 2 ] || [[ ! $2 =~ ^(686|amd64)$ ]]; then
    echo "usage: mkiso.sh OUTPUT 686|amd64 [WORD...]" >&2
    exit 2
fi
output=$1
default=$2
shift 2
build=$(cd "$(dirname "$0")/../.." && pwd)/build

tree=$(mktemp -d)
trap 'rm -rf "$tree" "$tree.log"' EXIT
mkdir -p "$tree/boot/grub"
{
    echo "serial --unit=0 --speed=115200"
    echo "terminal_input console serial"
    echo "terminal_output console serial"
    echo "set timeout=${MENU_SECONDS:-2}"
    echo "set default=bare-$default"
    for name in 686 amd64; do
        cp "$build/bare-$name.elf" "$tree/boot/"
        echo "menuentry bare-$name { multiboot /boot/bare-$name.elf $* ; boot ; }"
    done
} >"$tree/boot/grub/grub.cfg"
grub-mkrescue -d /usr/lib/grub/i386-pc --fonts= --locales= --themes= --compress=no -o "$output" "$tree" \
    --install-modules="normal multiboot serial terminal iso9660 part_msdos biosdisk" >"$tree.log" 2>&1 ||
    { cat "$tree.log" >&2; exit 1; }
