#!/bin/bash
# tcc.sh SOURCEDIR: Debian's sources of tcc into SOURCEDIR, with the one file that
# its configure script would write.
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: ${0##*/} SOURCEDIR" >&2; exit 2; }
top=$(cd "$(dirname "$0")/.." && pwd)
"$top/ci/fetch-source.sh" tcc "$1"
printf '#define TCC_VERSION "%s"\n#define CONFIG_TCCDIR "/lib/tcc"\n' "$(cat "$1/VERSION")" >"$1/config.h"
touch "$1/tcc.c"
