# Sourced by tests that compare the exits which a tiny guest says it causes with the hypervisor's records.
# shellcheck shell=bash

# exits_as_said BACKEND RECORDS TAP: each `# exits ID name=N ...` line holds of the records' counts between that
# test's marks. all is every exit but intr; the marks' own five port writes are taken off. What follows `vmx:` in a
# line holds on that backend in place of what is before it.
exits_as_said() {
    awk -v backend="$1" '
    function value(pair) { sub(/^[^=]*=/, "", pair); return pair }
    FNR == NR {
        if ($1 != "@hv" || $2 != "exit")
            next
        id = value($3); reason = value($4); n = value($5)
        if (reason == "io")
            n -= 5
        count[id, reason] = n
        if (reason != "intr")
            all[id] += n
        seen[id] = 1
        next
    }
    $1 == "#" && $2 == "exits" {
        id = $3
        lines++
        if (!(id in seen)) {
            print "test " id ": no counts"
            bad = 1
        }
        for (i = 4; i <= NF; i++)
            if ($i == "vmx:")
                break
        first = backend == "vmx" && i < NF ? i + 1 : 4
        last = backend == "vmx" && i < NF ? NF : i - 1
        for (i = first; i <= last; i++) {
            split($i, w, /[<>]?=/)
            op = substr($i, length(w[1]) + 1, length($i) - length(w[1]) - length(w[2]))
            got = w[1] == "all" ? all[id] + 0 : count[id, w[1]] + 0
            if ((op == "=" && got != w[2]) || (op == "<=" && got > w[2] + 0) || (op == ">=" && got < w[2] + 0)) {
                print "test " id ": " $i " expected, but " w[1] " is " got
                bad = 1
            }
        }
    }
    END { if (!lines) print "no test says what exits it causes"; exit bad || !lines }
    ' "$2" "$3"
}
