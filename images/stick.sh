#!/bin/bash
# stick.sh [OPTION...] GUEST OUTPUT: one disk image, for a USB stick or a disk of a PC with a BIOS, that boots GUEST
# natively and under the hypervisor, by GRUB's menu. Both run the same kernel, initramfs and guestbench; results go to
# COM1, the hypervisor's records to COM2 or, by the third entry, to COM1 as well.
#   --default native|hvm|hvm-com1  the entry that starts by itself (native)
#   --timeout S                    after that many seconds (5)
#   --append WORDS                 added to the guest kernel's command line, both sides
#   --hv WORDS                     added to the hypervisor's command line
# The guest's disk under the hypervisor is a module that GRUB loads, a copy of the guest's image in partition 3; natively
# it is this disk. Partition 3 has no file system: it is the modules, one after the other.
. "$(dirname "$0")/lib.sh"

default=native timeout=5 append='' hv=''
while [ $# -gt 2 ]; do
    case $1 in
    --default) default=$2 ;;
    --timeout) timeout=$2 ;;
    --append) append=$2 ;;
    --hv) hv=$2 ;;
    *) die "'$1': expected --default, --timeout, --append or --hv" ;;
    esac
    shift 2
done
[ $# -eq 2 ] || die "usage: stick.sh [--default ENTRY] [--timeout S] [--append WORDS] [--hv WORDS] GUEST OUTPUT"
guest=$1
output=$2
[[ $default =~ ^(native|hvm|hvm-com1)$ ]] || die "--default '$default': expected native, hvm or hvm-com1"
[[ $timeout =~ ^[0-9]+$ ]] || die "--timeout '$timeout': expected seconds"
[[ $hv =~ ^[A-Za-z0-9=,.:_\ -]*$ ]] || die "--hv '$hv': a character that GRUB would take for its own"

env_lba=2040
seabios_dir=/usr/share/seabios
memory=$(guest_field "$guest" memory)
image=$BUILD/images/$guest.img
stage=$BUILD/images/stage

need() { [ -f "$1" ] || die "$1 is missing: $2"; }

# patch_env IMAGE WORDS: the words for the kernel's command line, into the image's environment block.
patch_env() {
    [ ${#2} -le 800 ] || die "the words for the guest are longer than 800 characters"
    grub-editenv "$work/env" create
    grub-editenv "$work/env" set "append=$2"
    dd if="$work/env" of="$1" bs=512 seek=$env_lba conv=notrunc status=none
}

hv_entry() {
    cat <<CFG
menuentry "$guest under Penumbra, records on $2" --id $1 {
    echo "Loading the hypervisor and the guest's disk"
    if multiboot /hv.elf mem=$memory console=com1 log=$2 disk0=module $hv; then
        if module (hd0,msdos3)${at[0]} seabios; then
            if module (hd0,msdos3)${at[1]} vgabios; then
                if module (hd0,msdos3)${at[2]} disk0; then boot; fi
            fi
        fi
    fi
    echo "The hypervisor, its firmware or the guest's disk cannot be loaded"
    sleep 5
}
CFG
}

# Natively the guest has as much memory as under the hypervisor.
config() {
    cat <<CFG
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
load_env -f (hd0)$env_lba+2 append
set default=$default
set timeout=$timeout
menuentry "$guest natively" --id native {
    echo "Loading $guest"
    linux /vmlinuz $(guest_field "$guest" cmdline) mem=$memory \$append
    initrd /initrd.img
}
CFG
    hv_entry hvm com2
    hv_entry hvm-com1 com1
}

# place_modules FILE...: puts them together as partition 3, at full sectors; where each is, as GRUB names blocks.
place_modules() {
    local file sectors start=0
    at=()
    : >"$work/modules"
    for file; do
        sectors=$((($(stat -c %s "$file") + 511) / 512))
        at+=("$start+$sectors")
        start=$((start + sectors))
        cat "$file" >>"$work/modules"
        truncate -s $((start * 512)) "$work/modules"
    done
}

# Partition 3 is of the type "no file system" (DAh).
add_partition() {
    local start=$(($(stat -c %s "$work/stick") / 512))
    partition_entry 00 da $start $(($(stat -c %s "$work/modules") / 512)) |
        dd of="$work/stick" bs=1 seek=$((446 + 32)) conv=notrunc status=none
    cat "$work/modules" >>"$work/stick"
}

need "$BUILD/hv.elf" "make all"
need "$image" "build the image of $guest first"
need $seabios_dir/bios-256k.bin "install seabios"
work=$(mktemp -d -p "$BUILD")
trap 'rm -rf "$work"' EXIT
umask 022
mkdir -p "$work/files/boot/grub"
install -m 644 "$BUILD/hv.elf" "$work/files/hv.elf"
install -m 644 "$image" "$work/disk0"
patch_env "$work/disk0" "guestbench.side=hvm $append"
place_modules $seabios_dir/bios-256k.bin $seabios_dir/vgabios-stdvga.bin "$work/disk0"
config >"$work/files/boot/grub/grub.cfg"
"$images_dir/disk.sh" "$guest" "$stage/$(guest_field "$guest" kernel_package)" "$stage/$guest.initrd" "$work/stick" \
    "$work/files"
patch_env "$work/stick" "guestbench.side=native $append"
add_partition
mv "$work/stick" "$output"
