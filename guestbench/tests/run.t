#!/bin/bash
# guestbench as an ordinary command: the whole suite in tiny samples, bad input,
# and machines that lack something.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
. guestbench/tests/lib.sh
. guestbench/tests/names.sh

prove_accepts() { prove --exec cat "$work/out.tap"; }
points() { grep -cE '^(not )?ok ' "$work/out.tap"; }

# All of them in one ABI, in the other without those that take long.
short='aim9.*,nbench.*,mm.*,ipc.*,exit.*,disk.[!f]*,fileserver_4,jvmlike.*,scimark.??,scimark.???'
short="$short,netio_lo.*_1k"
whole_suite() {
    if [ "$1" = i386 ]; then
        run "$B/guestbench-$1" --table=all --dir="$work/dir" --tcc="$B/tcc-$1" &&
            [ "$(points)" = $(($("$B/guestbench-$1" list | wc -l) + 1)) ]
    else
        run "$B/guestbench-$1" --only="$short" --dir="$work/dir" && [ "$(points)" -gt 110 ]
    fi
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

is "each benchmark has its paragraph, and no other" \
    "$(comm -3 <($amd64 list | cut -d' ' -f1 | sort) <(documented '\*\*'))" ""
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

ok "three samples in two rounds" run "$amd64" --only=add_int,add_short --samples=3 --rounds=2
is "  are all there" "$(grep -c '^  n: 3$' "$work/out.tap")" "$(($(points) - 1))"
ok "  and prove reads them" prove_accepts
# Interrupted while it calibrates: a trial of two seconds comes after several shorter ones.
interrupted() {
    "$amd64" run --only=add_int --seconds=5 >"$work/out.tap" &
    sleep 1
    kill -TERM $! && wait $!
}
ok "a run that is interrupted bails out" status 255 interrupted
ok "  and says so" has '^Bail out!.*interrupted'

usage() { local out; out=$($amd64 "${@:2}" 2>&1); [ $? -eq 2 ] && [[ $out == *"$1"* ]]; }
ok "an unknown option is named, status 2" usage "'--tables'" run --tables=3
ok "an unknown benchmark is named" usage "'page_tset'" run --only=page_tset
ok "an unknown table is named" usage "'9'" run --table=3,9
ok "an unknown command is named" usage "'rnu'" rnu
ok "a report that cannot be written" usage "/no/such/file" run -o /no/such/file
ok "a command is needed" usage "expected run"
list_is() { is "list $1" "$($amd64 list $1 | awk '{ print $1 }' | xargs)" "$2"; }
list_is "--table=4" "aim9.fun_cal aim9.fun_cal1 aim9.fun_cal2 aim9.fun_cal15"
list_is "--only=tcp_test,brk_*" "aim9.tcp_test aim9.brk_test"
is "list says what a benchmark needs" \
    "$($amd64 list --only=tcp_test,disk_rr,add_int,shell_rtns_1 | awk '{ print $1, $4, $5 }' | xargs)" \
    "aim9.add_int quick - aim9.disk_rr quick --dir aim9.tcp_test quick loopback aim9.shell_rtns_1 quick /bin/sh"
ok "figure3 has MemoryMotion" eval "$amd64 list --table=figure3 | grep -q '^mm.memorymotion '"
is "and not its variants" "$($amd64 list --table=figure3 | grep -c '^mm.')" 1
ok "the seed of an order is told" eval \
    "$amd64 run --only=add_int --samples=1 --seconds=0.001 --shuffle --seed=42 2>&1 >/dev/null | grep -q 'seed 42$'"
ok "a terminal sees how far it is" eval "script -qec '$amd64 run --only=add_int,add_short --samples=1 --seconds=0.001 \
    --output=$work/out.tap' /dev/null | grep -qF '[2/2] aim9.add_'"
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
ok "  what takes long the first time is repeated as often as any other" \
    eval "sed -n '/fault.cold/,\$s/^  iters: //p' $work/out.tap | grep -qx 1000"
ok "  no helper is left" fails '' pgrep -f "^$faults"
ok "in two rounds" status 1 run "$faults" --only=crash,good --rounds=2
is "  what does not work is told once" "$(grep -c '^not ok' "$work/out.tap")" 1
ok "  and the others run in both" has '^  n: 2$'

ok "a benchmark too slow for its samples" run "$faults" --only=slow --timeout=3
ok "  has fewer of them and a warning" has '1 of 2 samples: the time limit is near'

only_mean() { run "$amd64" --only=scimark.composite; }
ok "a mean without its sources" only_mean
ok "  is skipped with the reason" has 'scimark.composite # SKIP needs scimark.fft of the same run'
mean() { run "$amd64" --only='jvmlike.*'; }
ok "a mean with its sources" mean
ok "  comes last" eval "grep '^ok' $work/out.tap | tail -n 1 | grep -q jvmlike.composite"
ok "the quick set leaves the long tests out" eval "$amd64 run --seconds=0.0001 --samples=1 \
    --dir=$work/dir | grep -c -E ' - (scimark.lu_large|disk.fileserver_64|netio_lo.udp_rx_8k)' |
    grep -qx 0"

# A client of the file server is killed in the middle of a sample.
killed_client() {
    local suite bench
    run "$amd64" --only=fileserver_4,add_int --dir="$work/dir" --seconds=3 --samples=1 &
    suite=$!
    for _ in {1..300}; do # until the files are made
        bench=$(pgrep -P "$suite" guestbench) && bench=$(pgrep -P "$bench") &&
            [ "$(pgrep -cP "${bench%%$'\n'*}")" = 4 ] && break
        sleep 0.1
    done
    sleep 0.5
    kill -9 "$(pgrep -P "${bench%%$'\n'*}" | head -n 1)"
    wait "$suite"
}
ok "a client that is killed" status 1 killed_client
ok "  is noticed" point disk.fileserver_4 'a client was killed by signal 9'
ok "  and the rest runs" has '^ok 2 - aim9.add_int'
ok "  and its files are removed" rmdir "$work/dir"
mkdir "$work/dir"

port=$((20000 + $$ % 10000))
"$B/guestbench-i386" --serve --port=$port >/dev/null &
server=$!
peer() { run "$amd64" --only='netio.???_?x_1k' --peer=127.0.0.1 --port=$port; }
for _ in {1..50}; do peer && break; sleep 0.1; done
ok "network tests with a peer of the other ABI" has '^ok 5 - netio.udp_rx_1k$'
ok "  nothing is skipped" eval "! grep -q SKIP $work/out.tap"
ok "  lost datagrams are told" point netio.udp_tx_1k 'unit'
ok "  in percent" has 'lost_percent: '
garbage() { printf 'GET / HTTP/1.0\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxx' >"/dev/tcp/127.0.0.1/$port"; }
ok "a peer survives garbage" garbage
ok "  and serves on" peer
kill $server
ok "a peer that is gone" status 1 peer
ok "  is an error with its reason" point netio.tcp_tx_1k 'Connection refused'
ok "network tests without a peer" run "$amd64" --only=netio.tcp_tx_1k
ok "  are skipped" has 'SKIP needs --peer'
ok "a port out of range" usage "'port'" run --port=70000

isolated() { unshare "$1" true 2>/dev/null; }
if isolated -n; then
    no_loopback() { unshare -n "$amd64" run --seconds=0.001 --samples=2 \
        --only='tcp_test,udp_test_steady,pipe_cpy,netio_lo.*_1k' >"$work/out.tap"; }
    ok "without loopback" no_loopback
    ok "  TCP and UDP are skipped" eval "[ \$(grep -c 'SKIP the loopback' $work/out.tap) = 6 ]"
fi
if isolated -m; then
    no_proc() { unshare -m sh -c "umount -l /proc && exec $amd64 run --seconds=0.001 --samples=2 \
        --only='exec_test*,page_test,*_1_self,memorymotion,sor_large,jvmlike.lu'" >"$work/out.tap"; }
    ok "without /proc" no_proc
    ok "  the suite still starts itself" has '^ok .* aim9.exec_test$'
    ok "  SciMark knows the free memory" has '^ok .* scimark.sor_large$'
    full_disk() { unshare -m sh -c "mount -t tmpfs -o size=32k none $work/dir &&
        exec $amd64 run --seconds=0.001 --samples=2 --table=5 --dir=$work/dir" >"$work/out.tap"; }
    ok "on a full disk" status 1 full_disk
    ok "  tests fail with the reason" point aim9.disk_wrt 'errno: 28'
    ok "  and the last one is reached" has ' - aim9.dir_rtns_1'
    in_memory() { unshare -m sh -c "mount -t tmpfs -o size=32m none $work/dir &&
        exec $amd64 run --only=fileserver_1 --dir=$work/dir" >"$work/out.tap"; }
    ok "a file server in memory" in_memory
    ok "  is skipped" has 'SKIP the directory is on tmpfs, where fsync does nothing'
fi

# On a small ext4, which something else fills meanwhile.
truncate -s 24M "$work/image"
on_ext4() { unshare -m sh -c "mount -o loop $work/image $work/dir && $1" >"$work/out.tap"; }
if mkfs.ext4 -q -O ^has_journal "$work/image" 2>/dev/null && on_ext4 true 2>/dev/null; then
    small="$amd64 run --only=fileserver_1,fileserver_8 --samples=1 --dir=$work/dir"
    ok "a file system too small for 8 clients" on_ext4 "$small --seconds=0.2"
    ok "  has room for one" has '^ok .* disk.fileserver_1$'
    ok "  but not for 8" has 'fileserver_8 # SKIP 8 clients need 26 MiB'
    fill="sleep 1; for i in \$(seq 200); do cat /dev/zero >>$work/dir/filler; sleep 0.01; done"
    ok "a disk that fills up" status 1 on_ext4 "{ ($fill) 2>/dev/null & $small --seconds=3; }"
    ok "  fails the test with the reason" point disk.fileserver_1 'errno: 28'
    ok "  and the next one is reached" has 'fileserver_8 # SKIP'
fi
finish
