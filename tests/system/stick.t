#!/bin/bash
# The stick (images/stick.sh) boots a guest natively and under the hypervisor, by GRUB's menu, in QEMU with SVM. What the
# serial ports said becomes results as on a real machine.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh
. tests/stick.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
down=$'\016' # Ctrl-N

fails_to_make() { fails "$1" images/stick.sh "${@:2}" "$stick_guest" "$work/none"; }
ok "an unknown entry is named" fails_to_make "--default 'xen': expected native, hvm or hvm-com1" --default xen
ok "a word that GRUB would take for its own is named" fails_to_make "--hv 'a;b'" --hv 'a;b'
ok "words that are too long are named" fails_to_make "longer than 800" --append "$(printf 'x%.0s' {1..801})"
ok "a stick is made" stick_make --timeout 2 "$work/stick"

# choose KEYS LOG: sends the keys when GRUB's menu has been drawn on the serial port, whose text comes to LOG.
choose() {
    local i
    for ((i = 0; i < 600; i++)); do
        if grep -aq 'will be executed' "$2"; then break; fi
        sleep 0.2
    done
    printf '%s' "$1"
    exec tail -f /dev/null
}

# machine NAME KEYS [ARG...]: the stick as a disk of QEMU; COM1 in $work/NAME.com1, COM2 in $work/NAME.com2.
machine() {
    local name=$1 keys=$2 rc
    shift 2
    mkfifo "$work/$name.in" "$work/$name.out"
    : >"$work/$name.com1"
    cat "$work/$name.out" >"$work/$name.com1" &
    choose "$keys" "$work/$name.com1" >"$work/$name.in" &
    local chooser=$!
    timeout -k 5 400 qemu-system-x86_64 -accel tcg -machine pc,hpet=off -m 512 -nodefaults -vga std -display none \
        -no-reboot -chardev "pipe,id=c,path=$work/$name" -serial chardev:c -serial "file:$work/$name.com2" \
        -drive "file=$work/stick,format=raw,if=ide,snapshot=on" "$@" </dev/null
    rc=$?
    kill $chooser
    return $rc
}

listen() { stick_listen "$1" "$2" --serial "$work/$2.com1" "${@:3}"; }

ok "the first entry starts by itself: native" machine native '' -cpu max,-apic
ok "its results are read from COM1" listen native native
hvm=(-cpu max -device "isa-debug-exit,iobase=0xf4,iosize=4")
machine hvm "$down"$'\r' "${hvm[@]}"
is "the second is the hypervisor, on SVM, to the guest's power-off" $? 33
ok "its results are read from COM1, its records from COM2" listen hvm hvm --log-serial "$work/hvm.com2"
machine com1 "$down$down"$'\r' "${hvm[@]}"
is "the third has all on one port" $? 33
ok "results and records are read from COM1" listen hvm com1
ok "its records are whole" grep -q '^@hv end end=poweroff' "$work/com1.records"
ok "all ran the same guestbench" stick_same_binary native hvm com1
ok "both sides compare" build/penumbra compare "$work/native.tap" "$work/com1.tap"
finish
