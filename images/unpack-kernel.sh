#!/bin/bash
# unpack-kernel.sh VMLINUZ OUTPUT: the same 32-bit kernel without its compression, for machines where unpacking takes a
# minute. OUTPUT is the kernel as its own unpacker would leave it in memory, byte for byte, behind VMLINUZ's setup
# sectors: the boot loader puts it where it is linked to run and enters it there (Linux x86 boot protocol 2.10,
# "32-bit boot protocol", which the kernel's own entry keeps to as well). Only GRUB is known to load it: it has to honour
# pref_address and min_alignment.
. "$(dirname "$0")/lib.sh"

[ $# -eq 2 ] || die "usage: unpack-kernel.sh VMLINUZ OUTPUT"
input=$1
output=$2

# number FILE OFFSET BYTES: a little-endian number.
number() { od -An -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '; }

# put OFFSET BYTES NUMBER: writes a little-endian number into the setup sectors.
put() {
    local value=$3 bytes='' i
    for ((i = 0; i < $2; i++)); do
        bytes+=$(printf '\\x%02x' $((value & 255)))
        value=$((value >> 8))
    done
    printf '%b' "$bytes" | dd of="$work/setup" bs=1 seek="$1" conv=notrunc status=none
}

# Fields of the setup header, by their offsets in the boot protocol.
setup_sects=$((0x1f1)) syssize=$((0x1f4)) header=$((0x202)) version=$((0x206)) min_alignment=$((0x235))
xloadflags=$((0x236)) payload_offset=$((0x248)) payload_length=$((0x24c)) pref_address=$((0x258))

# The payload ends with the length of what it unpacks to.
extract() {
    local start length
    start=$(($(number "$input" $payload_offset 4) + setup_bytes))
    length=$(($(number "$input" $payload_length 4) - 4))
    dd if="$input" of="$work/payload" iflag=skip_bytes,count_bytes skip=$start count=$length status=none
    case $(od -An -t x1 -N 4 "$work/payload") in
    " fd 37 7a 58") xz -dc <"$work/payload" ;;
    " 28 b5 2f fd") zstd -qdc <"$work/payload" ;;
    *) die "$input: its kernel is packed neither by xz nor by zstd" ;;
    esac >"$work/vmlinux"
    [ "$(stat -c %s "$work/vmlinux")" -eq "$(number "$input" $((start + length)) 4)" ] ||
        die "$input: unpacks to another length than it says"
}

# Entered at its first byte, at the address the loader prefers: nothing has to be moved.
check_elf() {
    local entry program
    [ "$(head -c 5 "$work/vmlinux" | od -An -t x1)" = " 7f 45 4c 46 01" ] ||
        die "$input holds no 32-bit kernel: a 64-bit one cannot be entered like this"
    entry=$(number "$work/vmlinux" 24 4)
    program=$(number "$work/vmlinux" 28 4)
    [ "$entry" -eq "$(number "$work/vmlinux" $((program + 12)) 4)" ] &&
        [ "$entry" -eq "$(number "$input" $pref_address 8)" ] ||
        die "$input: the kernel is not entered at the start of its first segment"
}

write_setup() {
    head -c $setup_bytes "$input" >"$work/setup"
    put $syssize 4 $((($(stat -c %s "$work/flat") + 15) / 16))
    put $min_alignment 1 32 # 2^32: nowhere else than at pref_address
    put $xloadflags 2 0     # no 64-bit or EFI entry
    put $payload_offset 4 0
    put $payload_length 4 0
}

work=$(mktemp -d -p "$(dirname "$output")")
trap 'rm -rf "$work"' EXIT
[ "$(number "$input" $header 4)" -eq $((0x53726448)) ] && [ "$(number "$input" $version 2)" -ge $((0x20a)) ] ||
    die "$input is no Linux kernel of boot protocol 2.10"
setup_bytes=$((($(number "$input" $setup_sects 1) + 1) * 512))
extract
check_elf
objcopy -O binary "$work/vmlinux" "$work/flat"
write_setup
cat "$work/setup" "$work/flat" >"$work/output"
mv "$work/output" "$output"
