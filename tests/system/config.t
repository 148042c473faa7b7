#!/bin/bash
# Bad input to the hypervisor: end code config, and one line that names the thing.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
. tests/qemu.sh

# refuses NAME TEXT COMMAND...: a machine called NAME ends with config, and its one error line has TEXT.
refuses() {
    local name=$1 text=$2
    shift 2
    ends config "$@" || return
    tr -d '\r' <"$work/$name.records" >"$work/$name.lines"
    [ "$(grep -c '^error: ' "$work/$name.lines")" = 1 ] && grep '^error: ' "$work/$name.lines" | grep -qF -- "$text" ||
        { cat "$work/$name.lines"; return 1; }
}

# words WORDS TEXT: the command line is refused.
words() { ok "$1" refuses words "$2" qemu_hv words "$1"; }

words "colour=red" "colour=red"
words "mem=64M fast" "fast: name=value expected"
words "mem=64X" "mem=64X: 1M to 3G"
words "mem=-1M" "mem=-1M: 1M to 3G"
words "mem=99999999999999999999M" "mem=99999999999999999999M: 1M to 3G"
words "mem=0M" "mem=0M: 1M to 3G"
words "mem=2G" "mem=2048M: the machine has no such piece of memory"
words "mem=64M shadow=store,lightning" "shadow=lightning"
words "mem=64M audit=often" "audit=often: a whole number up to 1000000000 expected"
words "mem=64M console=com3" "console=com3: com1, com2 or none expected"
words "mem=64M console=com1 log=com1 boot=tape" "boot=tape: disk or cdrom expected"
words "mem=64M disk0=tape" "disk0=tape: module, none or host:0 to host:3 expected"
words "mem=64M disk7=module" "disk7=module"
words "mem=64M disk0=module" "module disk0 is missing"
words "mem=64M cdrom=module" "module cdrom is missing"
words "mem=64M disk0=host:0" "host disk 0 is missing"

ok "no modules" refuses none "module seabios is missing" qemu_machine none -kernel "$hv" -append "mem=64M"
head -c 1000 /dev/zero >"$work/odd"
ok "a disk of 1000 bytes" refuses odd "module disk0 has 1000 bytes: a multiple of 512 expected" \
    qemu_hv odd "mem=64M" "$work/odd disk0"
head -c 1234 /dev/urandom >"$work/bios"
ok "a firmware of 1234 bytes" refuses bios "firmware of 1234 bytes: expected whole pages" \
    qemu_machine bios -kernel "$hv" -append "mem=64M" -initrd "$work/bios seabios"
QEMU_CPU=max,-svm ok "a CPU without SVM" refuses nosvm "SVM" qemu_hv nosvm "mem=64M"
QEMU_CPU=max,-nx ok "a CPU without NX" refuses nonx "no-execute" qemu_hv nonx "mem=64M"
long=$(printf 'shadow=all %.0s' {1..400})
ok "a command line that is too long" refuses long "command line: longer than" qemu_hv long "$long"
finish
