#!/bin/bash
# `penumbra run` with a stand-in for QEMU: complete, cut, hanging and interrupted runs, full disks.
# shellcheck source=harness/tests/lib.sh
. "$(dirname "$0")/lib.sh"
export PENUMBRA_TOP=$dir FAKE_ARGS=$dir/args FAKE_CHILD=$dir/child FAKE TMPDIR=$dir
guest good
mkdir "$dir/bin"
ln -s "$top/harness/tests/fake-qemu" "$dir/bin/qemu-system-x86_64"
PATH=$dir/bin:$PATH
: >"$dir/build/hv.elf"

fake() { # fake MODE STATUS ARGUMENT...
    FAKE=$1
    local want=$2
    shift 2
    run "$want" "$penumbra" run -g good "$@"
}

fake complete 0 -o "$dir/out/a.tap" && says "3 points" && says "aim9.t3"
point $? "a complete run"
[ "$(head -1 "$dir/out/a.tap")" = "TAP version 13" ] && [ "$(tail -1 "$dir/out/a.tap")" = "  ..." ] &&
    ! ls "$dir"/out/*.partial >/dev/null 2>&1
point $? "its TAP is whole and no partial file stays"
grep -q 'Power down' "$dir/out/a.console.log" && grep -q 'end: poweroff' "$dir/out/a.run.yml" &&
    grep -q 'engine_version: "QEMU emulator version 0.fake"' "$dir/out/a.run.yml"
point $? "console log and facts lie beside it"
! ls -d "$dir"/penumbra.* >/dev/null 2>&1
point $? "the working folder is gone"
grep -q -- '-apic' "$FAKE_ARGS" && grep -q 'hpet=off' "$FAKE_ARGS" && grep -q 'sleep=off' "$FAKE_ARGS"
point $? "native: no APIC, no HPET, counted time"

cp "$dir/out/a.tap" "$dir/before"
fake cut 3 -o "$dir/out/a.tap" && says "switched off before its TAP was complete" &&
    says "2 of 3 points are kept in" && says "last test point: aim9.t2"
point $? "a guest that stops early"
cmp -s "$dir/before" "$dir/out/a.tap" && grep -q 'aim9.t2' "$dir/out/a.tap.partial"
point $? "the earlier result is untouched, the half one kept"
run 2 "$penumbra" compare "$dir/out/a.tap" "$dir/out/a.tap.partial" && says "cut off: 2 of 3 points"
point $? "compare refuses the half one"
fake cut 3 -q -o "$dir/out/a.tap" && [ -s "$dir/out/a.tap.partial.old" ]
point $? "a second half result does not overwrite the first"

fake not-ok 1 -o "$dir/out/b.tap" && says "1 not ok" && [ -s "$dir/out/b.tap" ]
point $? "not ok points: status 1, result kept"
fake silent 3 -o "$dir/out/c.tap" && says "sent no TAP" && says "GRUB loading."
point $? "a guest without TAP"
fake broken 3 -o "$dir/out/d.tap" && says "the engine failed" &&
    grep -q 'no such device' "$dir/out/d.engine.log.partial"
point $? "an engine that fails"

fake hang-children 4 --timeout 1 -o "$dir/out/e.tap" && says "the watchdog ended the machine" &&
    says "RIP=00000000deadbeef" && says "CR3=0000000000123000" && says "last test point: aim9.t2" &&
    says "last line of the console: stuck here" && says "2 of 3 points are kept"
point $? "the watchdog says where the guest was"
sleep 0.2
! grep -q '^State:.[^ZX]' "/proc/$(cat "$FAKE_CHILD")/status" 2>/dev/null
point $? "and ends the engine's own children"
sleep 1000 &
bystander=$!
fake hang 4 --total-timeout 1 --timeout 0 -o "$dir/out/f.tap" && says "total time was over" &&
    kill -0 $bystander
point $? "a limit on the whole run; nobody else is killed"
kill $bystander

FAKE=hang "$penumbra" run -g good -o "$dir/out/g.tap" >"$dir/out/log" 2>"$dir/err" &
pid=$!
for _ in $(seq 100); do
    grep -q aim9.t2 "$dir/out/g.tap.partial" 2>/dev/null && break
    sleep 0.1
done
kill -INT $pid
wait $pid
[ $? = 130 ] && says "interrupted" && grep -q aim9.t2 "$dir/out/g.tap.partial" &&
    ! ls -d "$dir"/penumbra.* >/dev/null 2>&1
point $? "Ctrl-C: status 130, what was measured is kept, nothing else stays"

# A file size limit stands for the full disk: writes beyond it fail.
FAKE=many
(
    trap '' XFSZ
    ulimit -f 16
    "$penumbra" run -q -g good --qemu-arg x -o "$dir/out/h.tap" >/dev/null 2>"$dir/err.full"
    echo $? >"$dir/status"
)
mv "$dir/err.full" "$dir/err"
[ "$(cat "$dir/status")" = 2 ] && says "cannot"
point $? "results that cannot be written: status 2 and a message"

fake config 2 -s hvm --hv shadow=foo -o "$dir/out/i.tap" &&
    says "the hypervisor refuses: shadow=foo: sync, prefetch, all or none expected"
point $? "the hypervisor's refusal is shown"
grep -q 'shadow=foo' "$FAKE_ARGS" && grep -qx 'seabios,vgabios,disk0' "$FAKE_ARGS" &&
    grep -qx 'max' "$FAKE_ARGS"
point $? "hvm: words and modules reach the hypervisor"
fake panic 3 -s hvm -o "$dir/out/j.tap" && says "the machine ended with 'panic'" && says "rip=ffff"
point $? "a panic of the hypervisor"
fake hvm 0 -s hvm -o "$dir/out/k.tap" && [ "$(wc -l <"$dir/out/k.records")" = 2 ] &&
    grep -q 'some text' "$dir/out/k.hv.log"
point $? "hvm: records and log beside the TAP"
fake complete 0 --set standard --only 'a*,b' --seed 7 --samples 3 --append "extra=1" --keep \
    -o "$dir/out/l.tap"
grep -aq 'append=guestbench.set=standard guestbench.side=native guestbench.only=a\*,b guestbench.samples=3 guestbench.seed=7 extra=1' \
    "$dir"/penumbra.*/disk0
point $? "the job's words are in the kept copy of the image"
! grep -aq guestbench "$dir/build/images/good.img"
point $? "and not in the image itself"
finish
