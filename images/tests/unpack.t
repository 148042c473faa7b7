#!/bin/bash
# images/unpack-kernel.sh: what it writes is the kernel that Debian's file holds, where that wants to be.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
packed=build/images/stage/linux-image-686/vmlinuz
unpacked=$work/unpacked

# number FILE OFFSET BYTES: a little-endian number.
number() { od -An -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '; }

# The xz stream is found by its signature here, not by the setup header.
elf_of() {
    local start
    start=$(LC_ALL=C grep -abom 1 -P '\xfd7zXZ\x00' "$1" | cut -d: -f1)
    tail -c +$((start + 1)) "$1" | xz -dc --single-stream
}

# segments_same ELF: every PT_LOAD of the ELF file lies in the unpacked kernel as far from its start as from 16 MiB.
segments_same() {
    local offset address size count=0
    while read -r _ offset _ address size _; do
        cmp -n $((size)) -i $((offset)):$((setup + address - 0x1000000)) "$1" "$unpacked" || return 1
        count=$((count + 1))
    done < <(readelf -lW "$1" | grep '^ *LOAD')
    [ $count -ge 2 ]
}

ok "Debian's 32-bit kernel is unpacked" images/unpack-kernel.sh $packed "$unpacked"
elf_of $packed >"$work/vmlinux" 2>/dev/null
setup=$((($(number "$unpacked" 497 1) + 1) * 512))
ok "its segments are Debian's, byte for byte" segments_same "$work/vmlinux"
is "the loader is told to put it at 16 MiB" "$(number "$unpacked" $((0x258)) 8)" $((0x1000000))
is "and nowhere else" "$(number "$unpacked" $((0x235)) 1)" 32
is "the length it gives is its own" $((($(stat -c %s "$unpacked") - setup + 15) / 16)) "$(number "$unpacked" $((0x1f4)) 4)"
ok "the setup code is Debian's" cmp -i $((0x268)) -n $((setup - 0x268)) $packed "$unpacked"

ok "what is no kernel is named" fails "setup.sh is no Linux kernel" images/unpack-kernel.sh ci/setup.sh "$work/none"
head -c 3000000 $packed >"$work/cut"
ok "a kernel that is cut off" fails "" images/unpack-kernel.sh "$work/cut" "$work/none"
ok "a 64-bit kernel" fails "build/images/stage/linux-image-cloud-amd64/vmlinuz" \
    images/unpack-kernel.sh build/images/stage/linux-image-cloud-amd64/vmlinuz "$work/none"
ok "nothing is left of what failed" test ! -e "$work/none"
finish
