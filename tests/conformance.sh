#!/bin/bash
# Writes docs/conformance.md from what the tests of the tiny guests kept.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/tiny.sh
for side in qemu svm bochs vtx; do
    [ -s "$tiny_saved/$side" ] || {
        echo "$tiny_saved/$side is missing: make check TESTS=\"tests/guests/guests.t tests/system/vmx.t\" makes it" >&2
        exit 1
    }
done
{
    cat <<'MD'
# Conformance

Each property is a test of the tiny guests in `tests/guests`, of 32 bits, of 64, or both; those of paging run in every paging
mode. It ran in QEMU 7.2's emulator and in Bochs 2.7 (as a Core 2) alone, and under the hypervisor in each: on the SVM
of the first, on the VT-x of the second.

- `differs`: the emulator's CPU is not the manual's; the last column says what it does, more in
  [emulator-differences.md](emulator-differences.md).
- `-`: the CPU has not what is tested, or (task switches on SVM in QEMU) does not let the hypervisor see it.

NMIs come in runs of their own (`tests/nmi.sh`); the boot disks of `tests/guests/real`, for real mode with and without NMIs, are
not in the table.

A property that the hypervisor breaks is not in this table: it fails `make check`.

This page is written by `make conformance` from the last run; `make check` compares it with what it runs.

| property | guests | QEMU | SVM in QEMU | Bochs | VT-x in Bochs | what the emulator does |
|---|---|---|---|---|---|---|
MD
    awk -F' *[|] *' '
    FILENAME ~ /differences/ { if (NF == 6) why[$2] = $4; next }
    FNR == 1 { side++ }
    {
        if (side == 1) { order[++n] = $1; guests[$1] = $2 }
        result[$1, side] = $3
    }
    END {
        for (i = 1; i <= n; i++) {
            p = order[i]
            text = ""
            for (s = 1; s <= 4; s++) {
                text = text " " result[p, s] " |"
                pass[s] += result[p, s] == "pass"
                differs[s] += result[p, s] == "differs"
                absent[s] += result[p, s] == "-"
            }
            odd = index(text, "differs") ? why[p] : ""
            print "| " p " | " guests[p] " |" text (odd == "" ? "" : " " odd) " |"
        }
        printf "\n| | QEMU | SVM in QEMU | Bochs | VT-x in Bochs |\n|---|---|---|---|---|\n"
        print "| pass |" row(pass)
        print "| differ |" row(differs)
        print "| not there |" row(absent)
    }
    function row(a,   s, t) { for (s = 1; s <= 4; s++) t = t " " a[s] " |"; return t }
    ' "$differences" "$tiny_saved/qemu" "$tiny_saved/svm" "$tiny_saved/bochs" "$tiny_saved/vtx"
} >"$conformance.new"
mv "$conformance.new" "$conformance"
