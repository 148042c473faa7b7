# Sourced by the tests of the whole system: QEMU natively and as the machine
# below the hypervisor. Output goes to files in $work.
# shellcheck shell=bash

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

hv=${HV:-build/hv.elf}
seabios=/usr/share/seabios/bios-256k.bin
vgabios=/usr/share/seabios/vgabios-stdvga.bin
qemu_common=(-accel "tcg,tb-size=256" -nodefaults -display none -no-reboot -rtc "base=2026-01-01T00:00:00,clock=vm")

# qemu_native CONSOLE ARG...
qemu_native() {
    local console=$1
    shift
    timeout -k 5 300 qemu-system-x86_64 "${qemu_common[@]}" -machine pc,hpet=off -cpu max -m 64 -vga std \
        -icount shift=0,sleep=off -serial "file:$console" "$@" </dev/null
}

# qemu_machine NAME ARG...: a machine that can run the hypervisor, with com1 in $work/NAME.console and com2 in
# $work/NAME.records.
qemu_machine() {
    local name=$1
    shift
    timeout -k 5 "${QEMU_TIMEOUT:-300}" qemu-system-x86_64 "${qemu_common[@]}" -machine pc,hpet=off \
        -cpu "${QEMU_CPU:-max}" -m "${QEMU_MEMORY:-256}" -icount shift=0,sleep=off -serial "file:$work/$name.console" \
        -serial "file:$work/$name.records" -device isa-debug-exit,iobase=0xf4,iosize=4 "$@" </dev/null
}

# qemu_hv NAME WORDS [MODULE...] [-ARG...]: the hypervisor with firmware and these modules, and more words for QEMU.
qemu_hv() {
    local name=$1 words=$2 modules="$seabios seabios,$vgabios vgabios"
    shift 2
    while [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; do
        modules+=",$1"
        shift
    done
    qemu_machine "$name" -kernel "$hv" -append "$words" -initrd "$modules" "$@"
}

# ends NAME COMMAND...: the command's status is that of the machine's end NAME (docs/reference.md).
ends() {
    local name=$1 want status
    shift
    case $name in
    poweroff) want=33 ;;
    reboot) want=35 ;;
    triple-fault) want=37 ;;
    hang) want=39 ;;
    config) want=41 ;;
    *) echo "unknown end $name"; return 1 ;;
    esac
    "$@"
    status=$?
    [ $status = $want ] || { echo "status $status, expected $want ($name)"; return 1; }
}

# no_text FILE: it is empty.
no_text() { [ ! -s "$1" ] || { cat "$1"; return 1; }; }
