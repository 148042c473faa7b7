#!/bin/bash
# sqlite.sh DESTDIR: puts Debian's SQLite sources together to DESTDIR/sqlite3.c
# and sqlite3.h.
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: ${0##*/} DESTDIR" >&2; exit 2; }
top=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
dest=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$top/ci/fetch-source.sh" sqlite3 "$work/source"
mkdir "$work/build"
(cd "$work/build" && CC=gcc ../source/configure --disable-tcl --disable-readline &&
    make --no-print-directory -j1 sqlite3.c) >"$work/log" 2>&1 </dev/null ||
    { tail -n 20 "$work/log" >&2; echo "${0##*/}: SQLite's sources cannot be put together" >&2; exit 1; }
mv "$work/build/sqlite3.h" "$work/build/sqlite3.c" "$dest/"
