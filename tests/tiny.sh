# Sourced by the tests that run the tiny guests: what their TAP must be, on which of four sides.
# shellcheck shell=bash

differences=docs/emulator-differences.md
conformance=docs/conformance.md
tiny_saved=build/conformance

# sides_of SIDE: the words in the `side` column of docs/emulator-differences.md that hold for it.
sides_of() {
    case $1 in
    qemu) echo "native both alone" ;;
    svm) echo "svm both svm-timing" ;;
    bochs) echo "bochs-native bochs alone" ;;
    vtx) echo "vtx bochs" ;;
    esac
}

# forgive SIDE: drops the failures that docs/emulator-differences.md has for that side.
forgive() {
    awk -v sides="$(sides_of "$1")" '
    BEGIN { n = split(sides, word, " "); for (i = 1; i <= n; i++) here[word[i]] }
    FNR == NR {
        if (split($0, cell, / *\| */) == 6)
            known[cell[2]] = cell[3]
        next
    }
    { sub(/\r$/, "") }
    /^# / && !/^# exits/ { why = why $0 "\n"; next }
    /^(not )?ok / {
        name = $0
        sub(/^(not )?ok [0-9]+ - /, "", name)
        sub(/^(2-level|pae|4-level): /, "", name)
        sub(/ # SKIP .*/, "", name)
        if (name in known) {
            if (known[name] in here && sub(/^not /, ""))
                why = ""
            sub(/ # SKIP .*/, "")
        }
    }
    { printf "%s%s\n", why, $0; why = "" }
    END { printf "%s", why }
    ' "$differences" -
}

# all_pass SIDE FILE: a complete TAP stream without failures; FILE.tap is the stream less the known differences.
all_pass() {
    forgive "$1" <"$2" >"$2.tap"
    shift
    grep -q '^1\.\.[1-9]' "$1.tap" && ! grep -E '^(not ok|Bail out|# [^e])' "$1.tap" || { cat "$1.tap"; return 1; }
}

# tiny_column SIDE FILE32 FILE64: a line `property|guests|result` for each property. A property that is tested in several
# paging modes or in both guests differs if one differs, and is skipped if all are. A test that the emulator would not
# survive is skipped there, and differs; so does one that fails by chance.
tiny_column() {
    awk -v sides="$(sides_of "$1")" '
    BEGIN { n_sides = split(sides, word, " "); for (i = 1; i <= n_sides; i++) here[word[i]] }
    FNR == 1 { file++; bits = file == 2 ? "32" : "64" }
    file == 1 { if (split($0, cell, / *\| */) == 6 && cell[3] in here) known[cell[2]] = cell[3]; next }
    { sub(/\r$/, "") }
    /^(not )?ok / {
        result = /^not/ ? "differs" : / # SKIP / ? "-" : "pass"
        sub(/^(not )?ok [0-9]+ - /, "")
        sub(/^(2-level|pae|4-level): /, "")
        sub(/ # SKIP .*/, "")
        if ($0 in known && (result == "-" || known[$0] ~ /timing/))
            result = "differs"
        if (!($0 in all)) {
            order[++n] = $0
            all[$0] = result
        } else if (result == "differs" || all[$0] == "-") {
            all[$0] = result
        }
        if (guests[$0] !~ bits)
            guests[$0] = guests[$0] (guests[$0] == "" ? "" : ", ") bits
    }
    END { for (i = 1; i <= n; i++) print order[i] "|" guests[order[i]] "|" all[order[i]] }
    ' "$differences" "$2" "$3"
}

# tiny_save SIDE FILE32 FILE64: keeps the column for `make conformance`.
tiny_save() {
    mkdir -p "$tiny_saved"
    tiny_column "$1" "$2" "$3" >"$tiny_saved/$1"
}

# documented SIDE: docs/conformance.md has the column that tiny_save kept.
documented() {
    awk -F' *[|] *' -v side="$1" '
    BEGIN { column = side == "qemu" ? 4 : side == "svm" ? 5 : side == "bochs" ? 6 : 7 }
    NF == 9 && $2 != "property" && $2 !~ /^-/ { print $2 "|" $3 "|" $column }
    ' "$conformance" | diff - "$tiny_saved/$1" || { echo "docs/conformance.md is not what ran: make conformance"; return 1; }
}
