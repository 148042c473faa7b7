# Shell tests: TAP by `t DESCRIPTION COMMAND...`, a private folder in $dir.
# shellcheck shell=bash
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$top/ci/tests/tap.sh"
export penumbra=$top/build/penumbra
dir=$(mktemp -d "${TMPDIR:-/tmp}/penumbra-test.XXXXXX")
trap 'rm -rf "$dir"' EXIT
points=0 failed=0

point() { # point STATUS DESCRIPTION
    points=$((points + 1))
    if [ "$1" = 0 ]; then
        echo "ok $points - $2"
    else
        echo "not ok $points - $2"
        failed=$((failed + 1))
        cat "$dir/err" "$dir/stdout" 2>/dev/null | explain "$2"
    fi
}

# run STATUS COMMAND...: runs it with output in $dir/out and $dir/err; true if its status is STATUS.
run() {
    local want=$1
    shift
    "$@" >"$dir/stdout" 2>"$dir/err"
    status=$?
    [ "$status" = "$want" ] || { echo "status $status, expected $want" >>"$dir/err"; return 1; }
}

# says TEXT: the last command's message has TEXT.
says() { grep -qF -- "$1" "$dir/err" || { echo "expected: $1" >>"$dir/err"; return 1; }; }

finish() {
    echo "1..$points"
    exit $((failed > 0))
}

# tap FILE HASH SAMPLES...: a result with one test.
tap() {
    local file=$1 hash=$2
    shift 2
    {
        printf 'TAP version 13\n1..2\nok 1 - env\n  ---\n  schema: "vmcmp/1"\n'
        printf '  binary_sha256: "%s"\n  ...\nok 2 - aim9.page_test\n  ---\n' "$hash"
        printf '  unit: "ops/s"\n  better: higher\n  samples:\n'
        printf '    - %s.0\n' "$@"
        printf '  ...\n'
    } >"$file"
}

# image FILE: a disk of 1 MiB and 8 sectors with a boot signature, one partition and an environment block.
image() {
    truncate -s $((2056 * 512)) "$1"
    printf '\x83\0\0\0\0\x08\0\0\x08\0\0\0' | dd of="$1" bs=1 seek=450 conv=notrunc status=none
    printf '\x55\xaa' | dd of="$1" bs=1 seek=510 conv=notrunc status=none
    printf '# GRUB Environment Block\n' | dd of="$1" bs=512 seek=2040 conv=notrunc status=none
}

# guest NAME: describes a guest with its image below $PENUMBRA_TOP.
guest() {
    mkdir -p "$dir/images/guests" "$dir/build/images"
    printf 'name: %s\narch: i386\ncmdline: console=ttyS0\nmemory: 64M\nimage: %s.img\n' "$1" "$1" \
        >"$dir/images/guests/$1.yml"
    image "$dir/build/images/$1.img"
}
