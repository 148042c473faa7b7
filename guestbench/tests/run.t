#!/bin/bash
# guestbench as an ordinary command: the whole suite in tiny samples, bad input,
# and machines that lack something.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh

B=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/dir"
amd64=$B/guestbench-amd64

# guestbench prints TAP of its own, which must not look like this test's.
run() { "$1" run --seconds=0.001 --samples=2 --tmp="$work" "${@:2}" >"$work/out.tap"; }
has() { grep -q -- "$1" "$work/out.tap" || { cat "$work/out.tap"; return 1; }; }
point() { grep -A4 -- "- $1\b" "$work/out.tap" | grep -q -- "$2" || { cat "$work/out.tap"; return 1; }; }
status() { "${@:2}"; [ $? -eq "$1" ]; }
prove_accepts() { prove --exec cat "$work/out.tap"; }
points() { grep -cE '^(not )?ok ' "$work/out.tap"; }

whole_suite() {
    run "$B/guestbench-$1" --table=all --dir="$work/dir" || return 1
    [ "$(points)" = $(($("$B/guestbench-$1" list | wc -l) + 1)) ]
}

for arch in i386 amd64; do
    ok "$arch: every benchmark runs" whole_suite $arch
    ok "$arch: prove reads the report" prove_accepts
    ok "$arch: nothing is left behind" rmdir "$work/dir"
    mkdir -p "$work/dir"
    is "$arch: the report has the program's SHA-256" \
        "$(sed -n 's/^  binary_sha256: "*\([0-9a-f]*\)"*/\1/p' "$work/out.tap")" \
        "$(sha256sum <"$B/guestbench-$arch" | cut -d' ' -f1)"
done

is "names are used once" "$($amd64 list | cut -d' ' -f1 | sort | uniq -d)" ""
# by1 and steady variants, exec_test_sh, exec_test_spawn, rss64, *_self and misc_* come on top
paper_tests() { "$amd64" list | awk -v t="$1" '$2 == t { print $1 }' |
    grep -cvE '_(by1|steady|self|sh|spawn|rss64|ids|pw|mmap)$'; }
is "tables 2 to 8 are complete" \
    "$(for t in 2 3 4 5 6 7 8; do paper_tests $t; done | xargs)" "10 15 4 12 7 11 7"

ok "MemoryMotion with one byte a page" run "$amd64" --only=memorymotion_byte
ok "  still has a fault a page" has 'faults_per_page: 1\.0'

order() { run "$amd64" --table=4 --shuffle --seed="$1"; grep '^ok' "$work/out.tap"; }
is "a seed fixes the order" "$(order 7)" "$(order 7)"
ok "another seed gives another order" test "$(order 7)" != "$(order 8)"

usage() { local out; out=$($amd64 "${@:2}" 2>&1); [ $? -eq 2 ] && [[ $out == *"$1"* ]]; }
ok "an unknown option is named, status 2" usage "'--tables'" run --tables=3
ok "an unknown benchmark is named" usage "'page_tset'" run --only=page_tset
ok "an unknown table is named" usage "'9'" run --table=3,9
ok "an unknown command is named" usage "'rnu'" rnu
ok "a report that cannot be written" usage "/no/such/file" run -o /no/such/file
ok "a command is needed" usage "expected run"
ok "--help lists the options" eval "$amd64 --help | grep -q -- --seconds=S"

ok "disk tests without --dir" run "$amd64" --only=disk_rd
ok "  are skipped with the reason" has 'disk_rd # SKIP .*--dir'
ok "a directory that is not there" status 1 run "$amd64" --only=disk_rd,add_int --dir=/no/such
ok "  fails those tests" point aim9.disk_rd 'working directory'
ok "  and only those" has '^ok 2 - aim9.add_int'

little_memory() { (ulimit -v 40000; run "$amd64" --only=memorymotion,fork_test_rss64,add_int); }
ok "too little memory" status 1 little_memory
ok "  fails what needs it" has '^not ok .* mm.memorymotion'
ok "  and lets the rest run" has '^ok .* aim9.add_int'

faults=$B/tests/guestbench-faults.elf
ok "benchmarks that go wrong" status 1 run "$faults" --timeout=0.5
ok "  hang: the watchdog says so" point fault.hang 'no result within 0.5 s'
ok "  hang with a helper" point fault.helper 'no result within 0.5 s'
ok "  killed: the signal is told" point fault.crash 'signal 9'
ok "  silent end: the status is told" point fault.leave 'status 3'
ok "  failure: the errno is told" point fault.fail 'errno: 28'
ok "  skip: the reason is told" has 'fault.skip # SKIP there is no such device'
ok "  mismatch: both values are told" point fault.wrong 'got: 5.0'
ok "  the others run" has '^ok 10 - fault.good'
ok "  no helper is left" fails '' pgrep -f "^$faults"

ok "a benchmark too slow for its samples" run "$faults" --only=slow --timeout=3
ok "  has fewer of them and a warning" has '1 of 2 samples: the time limit is near'

isolated() { unshare "$1" true 2>/dev/null; }
if isolated -n; then
    no_loopback() { unshare -n "$amd64" run --seconds=0.001 --samples=2 \
        --only='tcp_test,udp_test_steady,pipe_cpy' >"$work/out.tap"; }
    ok "without loopback" no_loopback
    ok "  TCP and UDP are skipped" eval "[ \$(grep -c 'SKIP the loopback' $work/out.tap) = 2 ]"
fi
if isolated -m; then
    no_proc() { unshare -m sh -c "umount -l /proc && exec $amd64 run --seconds=0.001 --samples=2 \
        --only='exec_test*,page_test,*_1_self,memorymotion'" >"$work/out.tap"; }
    ok "without /proc" no_proc
    ok "  the suite still starts itself" has '^ok .* aim9.exec_test$'
    full_disk() { unshare -m sh -c "mount -t tmpfs -o size=32k none $work/dir &&
        exec $amd64 run --seconds=0.001 --samples=2 --table=5 --dir=$work/dir" >"$work/out.tap"; }
    ok "on a full disk" status 1 full_disk
    ok "  tests fail with the reason" point aim9.disk_wrt 'errno: 28'
    ok "  and the last one is reached" has ' - aim9.dir_rtns_1'
fi
finish
