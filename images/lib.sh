# Sourced by the image scripts: where things are, and the fields of a guest.
# shellcheck shell=bash

set -euo pipefail
export LC_ALL=C TZ=UTC0

images_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$images_dir")
BUILD=$(mkdir -p "${BUILD:-$top/build}" && cd "${BUILD:-$top/build}" && pwd)
export BUILD

# One date for everything in an image, so that the same inputs give the same bytes.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1735689600}
PATH=$PATH:/usr/sbin:/sbin

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# guest_field GUEST KEY [DEFAULT]: the value of a key in images/guests/GUEST.yml.
guest_field() {
    local file=$images_dir/guests/$1.yml value
    [ -f "$file" ] || die "guest '$1' is unknown: expected one of $(guest_names)"
    value=$(sed -n "s/^$2:[[:space:]]*//p" "$file")
    value=${value:-${3:-}}
    [ -n "$value" ] || die "$file: key '$2' is missing"
    value=${value#\"}
    echo "${value%\"}"
}

# Writes the bytes of the numbers in hexadecimal.
bytes() { printf '%b' "$(printf '\\x%s' "$@")"; }

le32() { bytes "$(printf %02x $(($1 & 255)))" "$(printf %02x $(($1 >> 8 & 255)))" \
    "$(printf %02x $(($1 >> 16 & 255)))" "$(printf %02x $(($1 >> 24 & 255)))"; }

# partition_entry FLAG TYPE START LENGTH: an entry of the partition table, in
# sectors. The CHS fields say "use the LBA" (FE FF FF).
partition_entry() {
    bytes "$1" fe ff ff "$2" fe ff ff
    le32 "$3"
    le32 "$4"
}

# kernel_file GUEST KERNELDIR: the kernel in the guest's form.
kernel_file() {
    case $(guest_field "$1" kernel_form packed) in
    packed) echo "$2/vmlinuz" ;;
    unpacked) echo "$2/vmlinuz-unpacked" ;;
    *) die "guest '$1': kernel_form: expected packed or unpacked" ;;
    esac
}

guest_names() {
    local file names=()
    for file in "$images_dir"/guests/*.yml; do
        file=${file##*/}
        names+=("${file%.yml}")
    done
    echo "${names[*]}"
}
