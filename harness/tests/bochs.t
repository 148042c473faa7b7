#!/bin/bash
# `penumbra run --engine bochs` with a stand-in for Bochs: what it is given, and how its ends are told.
# shellcheck source=harness/tests/lib.sh
. "$(dirname "$0")/lib.sh"
export PENUMBRA_TOP=$dir FAKE FAKE_SEEN=$dir/seen TMPDIR=$dir
guest good
mkdir "$dir/bin" "$dir/seen"
ln -s "$top/harness/tests/fake-bochs" "$dir/bin/bochs-bin"
PATH=$dir/bin:$PATH
head -c 100000 /dev/urandom >"$dir/build/hv.elf"

fake() { # fake MODE STATUS ARGUMENT...
    FAKE=$1
    local want=$2
    shift 2
    run "$want" "$penumbra" run -e bochs -g good "$@"
}

seen() { grep -qF -- "$2" "$dir/seen/$1" || { cat "$dir/seen/$1" >>"$dir/err"; return 1; }; }

fake off 0 -o "$dir/a.tap" && says "2 points" && grep -q '^end: poweroff' "$dir/a.run.yml" &&
    grep -q '^ticks: 700' "$dir/a.run.yml" && grep -q '^time_unit: instructions' "$dir/a.run.yml"
point $? "native: a complete run, its ticks and its unit of time"
seen bochsrc "model=core2_penryn_t9600," && seen bochsrc "guest=64, host=64" &&
    seen bochsrc "ata0-master: type=disk, mode=flat, path=disk0" && seen debugger "sb 1000000000000"
point $? "native: the default processor and budget, the guest's disk"
! ls -d "$dir"/penumbra.* >/dev/null 2>&1
point $? "the working folder is gone"

fake hvm 0 -s hvm --cpu bx_generic --ticks 5000 --hv "shadow=none audit=1" -o "$dir/b.tap" &&
    grep -q '^@hv end' "$dir/b.records"
point $? "hvm: the hypervisor's record says how it ended"
seen bochsrc "model=bx_generic," && seen debugger "sb 5000" && seen bochsrc "guest=160, host=160" &&
    seen bochsrc "ata0-master: type=disk, mode=flat, path=boot" &&
    seen bochsrc "ata0-slave: type=disk, mode=flat, path=disk0" &&
    seen core.cfg "multiboot (hd0)2048+196 'mem=64M' 'console=com1' 'log=com2' 'disk0=host:1' 'shadow=none' 'audit=1'"
point $? "hvm: words, processor, budget and both disks"
cmp -n 100000 -i 1048576:0 "$dir/seen/boot" "$dir/build/hv.elf" &&
    cmp -i $(((2048 + 196) * 512)):0 -n 262144 "$dir/seen/boot" /usr/share/seabios/bios-256k.bin &&
    cmp -n 440 "$dir/seen/boot" /usr/lib/grub/i386-pc/boot.img
point $? "the boot disk holds what its configuration says"
fake hvm 2 -s hvm --hv "x='" -o "$dir/c.tap" && says "a character that GRUB cannot be given"
point $? "a word that cannot be quoted"
fake hvm 2 -s hvm --hypervisor "$dir/none" -o "$dir/c.tap" && says "$dir/none: No such file"
point $? "a hypervisor that is not there"

fake config 2 -s hvm -o "$dir/c.tap" && says "the hypervisor refuses: x=1: a known word expected"
point $? "the hypervisor's refusal is shown"
fake triple 3 -o "$dir/c.tap" && says "ended with 'triple-fault'" && says "EIP=c151ceb9" &&
    grep -q 'no resolution' "$dir/c.engine.log.partial"
point $? "a triple fault, with the CPU's state"
fake ticks 3 -o "$dir/c.tap" && says "ticks were used up (--ticks)" && says "rip: 00000000_c1000042"
point $? "the budget is used up: where the CPU was"
fake hang 4 --timeout 3 -o "$dir/c.tap" && says "nothing came from it any more" && says "c1000099"
point $? "the watchdog has the debugger say where the CPU was"
sleep 0.2
! ls -d "$dir"/penumbra.* >/dev/null 2>&1
point $? "nothing is left of it"
finish
