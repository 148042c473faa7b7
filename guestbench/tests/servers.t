#!/bin/bash
# Benchmarks of several processes (databases, web servers, compilers): killed
# helpers, and machines that lack something.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
. guestbench/tests/lib.sh

ok "without a C compiler" run "$amd64" --only='compile.*' --dir="$work/dir" --tcc=/no/such
ok "  compile.tcc is skipped with its name" has 'compile.tcc # SKIP there is no /no/such'
ok "  and compile.gcc without a tool chain" has 'compile.gcc # SKIP no tool chain was given'
ok "a compiler that fails" status 1 run "$amd64" --only=compile.tcc --dir="$work/dir" --tcc=/bin/false
ok "  is told with its status" point compile.tcc 'the compiler ended with 1'
ok "a compiler that does nothing" status 1 run "$amd64" --only=compile.tcc --dir="$work/dir" --tcc=/bin/true
ok "  has built nothing" point compile.tcc 'printed nothing'

ok "updates of a database" run "$amd64" --only=db.oltp --dir="$work/dir"
if ! grep -q 'db.oltp # SKIP' "$work/out.tap"; then
    ok "  survive a killed server" has 'survived_kill: [5-9][0-9]'
fi

# helper_killed TEST WHICH: kills a helper of a running benchmark (head: its first, tail: its last).
helper_killed() {
    local runner bench
    "$amd64" run --seconds=1 --samples=2 --timeout=30 --only="$1,web.medium" --dir="$work/dir" \
        >"$work/out.tap" &
    runner=$!
    for _ in {1..100}; do
        sleep 0.1
        bench=$(pgrep -P $runner | tail -n 1) || continue
        if [ "$(pgrep -P "$bench" | wc -l)" -gt 10 ]; then break; fi
    done
    kill -KILL "$(pgrep -P "$bench" | "$2" -n 1)"
    ! wait $runner
}
for test in db.ir web.low; do
    for which in head tail; do
        ok "$test: its $which process is killed" helper_killed $test $which
        ok "  it fails" has "^not ok .* $test"
        ok "  and the next one runs" has "^ok .* web.medium"
    done
done
ok "no helper is left behind" fails '' pgrep -f "^$amd64 run --seconds=1 --samples=2"

small_processes() { (ulimit -v 65536; run "$amd64" --only='db.*,web.*,compile.tcc' --dir="$work/dir" \
    --tcc="$B/tcc-amd64"); }
ok "servers and compilers in 64 MiB" small_processes

isolated() { unshare "$1" true 2>/dev/null; }
if isolated -n; then
    no_loopback() { unshare -n "$amd64" run --seconds=0.001 --samples=2 --dir="$work/dir" \
        --only='web.*,db.ir' >"$work/out.tap"; }
    ok "without loopback" no_loopback
    ok "  web servers are skipped" eval "[ \$(grep -c 'SKIP the loopback' $work/out.tap) = 3 ]"
    ok "  a database is not" has '^ok .* db.ir$'
fi
if isolated -m; then
    no_proc() { unshare -m sh -c "umount -l /proc && exec $amd64 run --seconds=0.001 --samples=2 \
        --dir=$work/dir --tcc=$B/tcc-amd64 --only='db.*,web.low,compile.tcc'" >"$work/out.tap"; }
    ok "without /proc" no_proc
    ok "  compilers run" has '^ok .* compile.tcc$'
    ok "  and web servers" has '^ok .* web.low$'
    full_disk() { unshare -m sh -c "mount -t tmpfs -o size=32k none $work/dir &&
        exec $amd64 run --seconds=0.001 --samples=2 --table=db,web,compile --tcc=$B/tcc-amd64 \
        --dir=$work/dir" >"$work/out.tap"; }
    ok "on a full disk" status 1 full_disk
    ok "  a database has no room" point db.ir 'errno: 28'
    ok "  updates want a disk" has 'db.oltp # SKIP the directory is on tmpfs'
    ok "  a web server's files have no room" has 'web.high # SKIP the directory has room for'
    ok "  nor have sources" has 'compile.tcc # SKIP the directory has room for'
fi
finish
