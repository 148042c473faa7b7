#!/bin/bash
# setup.sh [LIST...]: sees to it that the Debian packages of the lists
# (ci/packages) are installed. Root: installs what is missing. Others: prints
# the command to run and exits 1. Where nothing is missing it does nothing.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
if [ $# -eq 0 ]; then set -- "$here/packages"; fi

command -v dpkg-query >/dev/null ||
    { echo "${0##*/}: this is no Debian machine: install what these lists name: $*" >&2; exit 1; }

mapfile -t wanted < <(sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$@")
mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
        sed -n 's/^installed //p' | sort -u))
if [ ${#missing[@]} -eq 0 ]; then exit; fi

if [ "$(id -u)" -ne 0 ]; then
    echo "${0##*/}: Debian packages are missing. Install them with:" >&2
    echo "  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
fi

export DEBIAN_FRONTEND=noninteractive
install=(apt-get install -y -qq --no-install-recommends "${missing[@]}")
echo "${0##*/}: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The first try fails where the package lists are missing or out of date.
if ! "${install[@]}" >"$log" 2>&1; then
    apt-get -qq update || echo "${0##*/}: apt-get update reported errors, going on" >&2
    "${install[@]}" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
fi
