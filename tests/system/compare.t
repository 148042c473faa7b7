#!/bin/bash
# The main job: the quick set natively and under the hypervisor, compared.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh

out=build/tests/compare
rm -rf "$out"
mkdir -p "$out"

run() { build/penumbra run --side "$1" --guest linux-686 --set quick --timeout 600 -o "$out/$1.tap" 2>&1; }
# value TEST FIELD: from the comparison.
value() { jq -r --arg name "$1" --arg field "$2" '.tests[] | select(.name == $name) | .[$field]' "$out/compare.json"; }
# loss_at_most TEST LOSS: exact counts under -icount, so a limit is no timed test.
loss_at_most() {
    local loss
    loss=$(value "$1" loss)
    echo "$1: loss $loss, at most $2 expected"
    awk -v l="$loss" -v m="$2" 'BEGIN { exit !(l != "" && l + 0 <= m) }'
}

ok "the quick set runs natively" run native
ok "the quick set runs under the hypervisor" run hvm
ok "prove takes the native result" prove --exec cat "$out/native.tap"
ok "prove takes the hvm result" prove --exec cat "$out/hvm.tap"
ok "they compare" build/penumbra compare --json -o "$out/compare.json" "$out/native.tap" "$out/hvm.tap"
is "both sides have every test" "$(jq '[.tests[] | select(.native == null or .hvm == null)] | length' "$out/compare.json")" 0
ok "a table for people" build/penumbra compare "$out/native.tap" "$out/hvm.tap"

# What the README promises, in instructions (native/hvm ratio r is loss 1 - 1/r).
ok "page_test within 1.9 times native" loss_at_most aim9.page_test 0.4737
ok "fork_test within 2.8" loss_at_most aim9.fork_test 0.6429
ok "exec_test within 2.8" loss_at_most aim9.exec_test 0.6429
ok "shell_rtns_1 within 2.2" loss_at_most aim9.shell_rtns_1 0.5455
ok "MemoryMotion within 1.9" loss_at_most mm.memorymotion 0.9
ok "pipe_ctx within 1.35" loss_at_most ipc.pipe_ctx 0.2593
ok "add_int within 0.7 %" loss_at_most aim9.add_int 0.007
ok "fun_cal within 0.7 %" loss_at_most aim9.fun_cal 0.007
ok "brk_test within 0.7 %" loss_at_most aim9.brk_test 0.007
finish
