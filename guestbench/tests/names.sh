# Sourced by tests that compare a list of benchmarks with docs/benchmarks.md, from the top.
# shellcheck shell=bash

# documented MARK: the names that stand in code quotes after MARK, a regular expression, sorted; braces abbreviate.
documented() {
    eval "printf '%s\n' $(grep -oE "$1\`[a-z0-9_.,{}-]+\`" docs/benchmarks.md | cut -d'`' -f2 | xargs)" | sort
}
