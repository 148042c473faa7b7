#!/bin/bash
# kernel.sh ARCH PACKAGE DEST: fetches the Debian kernel that PACKAGE
# (linux-image-686, ...) depends on. DEST gets vmlinuz, as Debian ships it,
# modules/NN-name.ko in the order of loading, and package and release.
. "$(dirname "$0")/lib.sh"

[ $# -eq 3 ] || die "usage: kernel.sh ARCH PACKAGE DEST"
arch=$1
package=$2
dest=$3

# What a guest needs beyond its kernel: the PIIX IDE disk and CD drive, and
# their file systems. crc32c is asked for by name, not by a symbol.
wanted=(crc32c_generic ext4 ata_piix sd_mod sr_mod isofs)

# The package that holds the kernel: its name has the ABI number (6.1.0-50).
resolve_package() {
    "$top/ci/apt-private.sh" "$arch" apt-cache depends --important "$1" |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1
}

# Prints the files of a module and of what it depends on, dependencies first.
module_files() {
    local name=${1//-/_} file dependency
    if grep -qE "/${name//_/[-_]}\.ko$" "$modules/modules.builtin"; then return; fi
    file=$(find "$modules/kernel" -name "${name//_/[-_]}.ko" | head -n 1)
    [ -n "$file" ] || die "$real_package has no module $1"
    for dependency in $(modinfo -F depends "$file" | tr ',' ' '); do
        module_files "$dependency"
    done
    echo "$file"
}

copy_modules() {
    local module file number=0
    mkdir -p "$dest/modules"
    rm -f "$dest"/modules/*.ko
    for module in "${wanted[@]}"; do module_files "$module"; done | awk '!seen[$0]++' |
        while read -r file; do
            install -m 644 "$file" "$dest/modules/$(printf %02d $number)-${file##*/}"
            number=$((number + 1))
        done
}

mkdir -p "$dest"
exec 7>"$dest/lock"
flock 7
if [ "$dest/complete" -nt "$0" ]; then exit; fi
real_package=$(resolve_package "$package")
[ -n "$real_package" ] || die "package $package ($arch) names no kernel image"
release=${real_package#linux-image-}
tree=$BUILD/debs/kernels-$arch
modules=$tree/lib/modules/$release
"$top/ci/fetch-debs.sh" "$arch" "$tree" "$real_package"
install -m 644 "$tree/boot/vmlinuz-$release" "$dest/vmlinuz"
copy_modules
sed 's/_[^_]*\.deb$//; s/%3a/:/; s/_/ /' "$tree/.unpacked/$real_package" >"$dest/package"
echo "$release" >"$dest/release"
touch "$dest/complete"
