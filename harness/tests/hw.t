#!/bin/bash
# `penumbra run --engine hw`: captured files, a live port, one port for console and records.
# shellcheck source=harness/tests/lib.sh
. "$(dirname "$0")/lib.sh"
export PENUMBRA_TOP=$dir
guest good

point_text() { printf 'ok %s - aim9.t%s\r\n  ---\r\n  unit: "ops/s"\r\n  better: higher\r\n  samples:\r\n    - 1.0\r\n  ...\r\n' "$1" "$1"; }
tap_text() {
    printf '\033[HGNU GRUB\r\nTAP version 13\r\n1..2\r\nok 1 - env\r\n  ---\r\n  schema: "vmcmp/1"\r\n  ...\r\n'
    point_text 2
}
end_text() { printf '@hv end end=%s code=%s tsc=5\r\n' "$1" "$2"; }
hw() { # hw STATUS ARGUMENT...
    local want=$1
    shift
    run "$want" "$penumbra" run -e hw -g good "$@"
}

{ tap_text; printf 'reboot: Power down\r\n'; } >"$dir/com1"
hw 0 --serial "$dir/com1" -o "$dir/a.tap" && says "2 points" && grep -q 'end: poweroff' "$dir/a.run.yml" &&
    grep -q 'time_unit: nanoseconds' "$dir/a.run.yml" && grep -q 'Power down' "$dir/a.console.log"
point $? "native: a captured file"
{ echo '@hv start version=1'; end_text poweroff 16; } >"$dir/com2"
hw 0 -s hvm --serial "$dir/com1" --log-serial "$dir/com2" -o "$dir/b.tap" && [ "$(wc -l <"$dir/b.records")" = 2 ]
point $? "hvm: console and records from two files"
{ printf 'text@hv start version=1\r\n'; tap_text | sed 's/ok 2 - aim/ok 2 - a@hv mark id=2 at=begin tsc=1\nim/'; end_text poweroff 16; } >"$dir/mixed"
hw 0 -s hvm --serial "$dir/mixed" -o "$dir/c.tap" && [ "$(wc -l <"$dir/c.records")" = 3 ] &&
    cmp "$dir/a.tap" "$dir/c.tap"
point $? "hvm: both on one port"
run 0 "$penumbra" compare --force "$dir/a.tap" "$dir/c.tap"
point $? "they compare"

head -c 140 "$dir/com1" >"$dir/cut"
hw 3 --serial "$dir/cut" -o "$dir/d.tap" && says "what the serial port said ends too early" && says "last test point: aim9.t2"
point $? "a file that ends too early"
{ tap_text | head -n 4; end_text panic 22; } >"$dir/panic"
hw 3 -s hvm --serial "$dir/panic" -o "$dir/d.tap" && says "ended with 'panic'"
point $? "a panic of the hypervisor"
{ echo 'error: CPU without VT-x or SVM'; end_text config 20; } >"$dir/refusal"
hw 2 -s hvm --serial "$dir/com1.none" --log-serial "$dir/refusal" -o "$dir/d.tap" && says "com1.none: No such file"
point $? "a port that is not there"
: >"$dir/silent"
hw 2 -s hvm --serial "$dir/silent" --log-serial "$dir/refusal" -o "$dir/d.tap" &&
    says "the hypervisor refuses: CPU without VT-x or SVM"
point $? "the hypervisor's refusal is shown"

mkfifo "$dir/port"
{ sleep 0.5; tap_text; sleep 0.5; end_text poweroff 16; sleep 20; } >"$dir/port" &
hw 0 -s hvm --serial "$dir/port" -o "$dir/e.tap" && cmp "$dir/a.tap" "$dir/e.tap" && grep -q "^wall_s: [0-4]\." "$dir/e.run.yml"
point $? "a live port: the run is over at the record of the end"
kill $! 2>/dev/null
mkfifo "$dir/quiet"
sleep 20 >"$dir/quiet" &
hw 4 --timeout 1 --serial "$dir/quiet" -o "$dir/f.tap" && says "nothing came from it"
point $? "a live port that says nothing"
kill $! 2>/dev/null
finish
