#!/bin/bash
# fetch-source.sh PACKAGE DESTDIR: downloads the sources of a Debian package to
# build/debs/source/PACKAGE, where they stay as Debian publishes them, and
# unpacks them, Debian's patches applied, into DESTDIR, which is replaced.
set -euo pipefail

[ $# -eq 2 ] || { echo "usage: ${0##*/} PACKAGE DESTDIR" >&2; exit 2; }
package=$1
dest=$2

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../build}
kept=$build/debs/source/$package
mkdir -p "$kept" "$(dirname "$dest")"
exec 8>"$kept/.lock"
flock 8

download() {
    local try
    for try in 1 2 3; do
        (cd "$kept" && "$here/apt-private.sh" source \
            apt-get -qq source --download-only "$package" >.log 2>&1) && return
        echo "${0##*/}: download of $package failed, try $try" >&2
        rm -f "$build/debs/apt/source/updated"
    done
    cat "$kept/.log" >&2
    echo "${0##*/}: the sources of '$package' cannot be had from this machine's Debian sources" >&2
    return 1
}

find_dsc() { find "$kept" -maxdepth 1 -name '*.dsc' | sort | tail -n 1; }

if [ -z "$(find_dsc)" ]; then download; fi
rm -rf "$dest"
# apt has checked what it downloaded against Debian's signature
dpkg-source --no-check --extract "$(find_dsc)" "$dest" >"$kept/.log" 2>&1 ||
    { cat "$kept/.log" >&2; exit 1; }
