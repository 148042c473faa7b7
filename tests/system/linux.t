#!/bin/bash
# The three Linux guests reach user space under the hypervisor and run a benchmark there, also with the shadow
# optimisations off and with the audit on.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# runs NAME GUEST WORDS
runs() {
    build/penumbra run --side hvm --guest "$2" --only aim9.page_test,aim9.fork_test --samples 3 --timeout 300 \
        ${3:+--hv "$3"} -o "$work/$1.tap" 2>&1
}
# passed NAME: both points are there.
passed() { grep -c '^ok [0-9]* - aim9' "$work/$1.tap" | grep -x 2; }

for guest in linux-686 linux-686-pae linux-amd64; do
    ok "$guest runs under the hypervisor" runs $guest $guest
    ok "$guest: both benchmarks pass" passed $guest
done
ok "linux-686 runs without shadow optimisations" runs none linux-686 shadow=none
ok "its benchmarks pass" passed none
ok "linux-686-pae runs under the audit" runs audit linux-686-pae audit=5000
ok "its benchmarks pass" passed audit
finish
