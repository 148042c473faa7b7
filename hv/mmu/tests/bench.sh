#!/bin/sh
# Runs the benchmark program $1 under callgrind and prints instructions per call of its op_ functions.
set -eu

command -v valgrind >/dev/null || { echo "bench-mmu: needs the package valgrind" >&2; exit 1; }
out=$(mktemp)
trap 'rm -f "$out"' EXIT
valgrind -q --tool=callgrind --compress-strings=no --compress-pos=no --callgrind-out-file="$out" "$1"
awk -F= '
    /^cfn=op_/ { name = $2; next }
    /^calls=/ && name { split($2, n, " "); calls[name] += n[1]; cost = name; name = ""; next }
    cost { split($0, f, " "); sum[cost] += f[2]; cost = "" }
    END { for (i in calls) printf "%-16s %8d calls %8.1f instructions each\n", i, calls[i], sum[i] / calls[i] }
' "$out" | sort
