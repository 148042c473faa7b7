#!/bin/bash
# fetch-debs.sh ARCH DESTDIR PACKAGE...: downloads Debian packages of ARCH
# (i386, amd64) and unpacks them into DESTDIR. Nothing is installed. Packages
# are kept in build/debs/cache; a second call with the same packages does
# nothing and needs no network.
set -euo pipefail

[ $# -ge 3 ] || { echo "usage: ${0##*/} ARCH DESTDIR PACKAGE..." >&2; exit 2; }
arch=$1
dest=$2
shift 2

case $arch in
i386 | amd64) ;;
*) echo "${0##*/}: architecture '$arch': expected i386 or amd64" >&2; exit 2 ;;
esac

here=$(cd "$(dirname "$0")" && pwd)
cache=${BUILD:-$here/../build}/debs/cache
mkdir -p "$cache" "$dest/.unpacked"
cache=$(cd "$cache" && pwd)
dest=$(cd "$dest" && pwd)

find_deb() {
    find "$cache" -maxdepth 1 -name "$1_*.deb" \( -name "*_$arch.deb" -o -name '*_all.deb' \) |
        sort | tail -n 1
}

download() {
    local try
    for try in 1 2 3; do
        (cd "$cache" && "$here/apt-private.sh" "$arch" apt-get -qq download "$1") && return
        echo "${0##*/}: download of $1 ($arch) failed, try $try" >&2
        rm -f "${BUILD:-$here/../build}/debs/apt/$arch/updated"
    done
    echo "${0##*/}: package '$1' for $arch cannot be had from this machine's Debian sources" >&2
    return 1
}

fetch() {
    local package=$1 deb
    [ ! -e "$dest/.unpacked/$package" ] || return 0
    deb=$(find_deb "$package")
    if [ -z "$deb" ]; then
        download "$package"
        deb=$(find_deb "$package")
    fi
    dpkg-deb -x "$deb" "$dest"
    basename "$deb" >"$dest/.unpacked/$package"
}

exec 8>"$cache/lock.$arch"
flock 8
for package; do fetch "$package"; done
