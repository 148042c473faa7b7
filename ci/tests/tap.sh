# Sourced by the shell tests: TAP points.
# shellcheck shell=bash

tap_count=0
tap_failed=0

# explain NAME: stdin is why that point failed; to stderr, which prove shows.
explain() { { echo "failed: $1"; tail -n 40; } | sed 's/^/# /' >&2; }

# ok NAME COMMAND...: a point that passes if the command succeeds; what the
# command printed is shown when it does not.
ok() {
    local name=$1 output
    shift
    tap_count=$((tap_count + 1))
    if output=$("$@" 2>&1); then
        echo "ok $tap_count - $name"
    else
        tap_failed=1
        echo "not ok $tap_count - $name"
        printf '%s\n' "$output" | explain "$name"
    fi
}

# is NAME GOT EXPECTED: a point that passes if the two texts are equal.
is() {
    tap_count=$((tap_count + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $tap_count - $1"
    else
        tap_failed=1
        echo "not ok $tap_count - $1"
        printf 'got:      %s\nexpected: %s\n' "$2" "$3" | explain "$1"
    fi
}

# fails TEXT COMMAND...: succeeds if the command fails and its output has TEXT.
fails() {
    local text=$1 output
    shift
    if output=$("$@" 2>&1); then
        echo "succeeded: $*"
        return 1
    fi
    printf '%s\n' "$output"
    case $output in *"$text"*) ;; *) return 1 ;; esac
}

has_line() { grep -qxF -- "$2" "$1" || { cat "$1"; return 1; }; }

finish() {
    echo "1..$tap_count"
    exit $tap_failed
}
