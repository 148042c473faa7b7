#!/bin/bash
# Bad input at the command line: a clear message that names the thing, the right exit status.
# shellcheck source=harness/tests/lib.sh
. "$(dirname "$0")/lib.sh"
export PENUMBRA_TOP=$dir
guest good

bad() { # bad STATUS TEXT ARGUMENT...
    local want=$1 text=$2
    shift 2
    run "$want" "$penumbra" "$@" && says "$text"
    point $? "$*: $text"
}

bad 2 "a command is missing"
bad 2 "unknown command 'fly'" fly
bad 2 "unrecognized option '--fly'" run --fly
bad 2 "-o FILE is missing" run
bad 2 "unknown guest 'nobody'; known guests: good" run -g nobody -o "$dir/x.tap"
bad 2 "unknown engine 'warp'; engines: auto kvm tcg bochs hw" run -g good -e warp -o "$dir/x.tap"
bad 2 "unknown side 'left'; sides: native hvm" run -s left -o "$dir/x.tap"
bad 2 "unknown set 'huge'; sets: quick standard paper" run --set huge -o "$dir/x.tap"
bad 2 "--timeout: 'soon' is not a number of seconds" run --timeout soon -o "$dir/x.tap"
bad 2 "--samples: '-3' is not a whole number" run --samples=-3 -o "$dir/x.tap"
bad 2 "--memory: '64X' is not a size" run --memory 64X -o "$dir/x.tap"
bad 2 "--only: 'a b' is not one word" run --only "a b" -o "$dir/x.tap"
bad 2 "unexpected argument 'more'" run -o "$dir/x.tap" more
bad 2 "image $dir/none is missing" run -g good --image "$dir/none" -o "$dir/x.tap"
truncate -s 1M "$dir/cut.img"
dd if="$dir/build/images/good.img" of="$dir/cut.img" bs=1M count=1 conv=notrunc status=none
bad 2 "image $dir/cut.img is truncated: 1048576 bytes, its partitions need 1052672" \
    run -g good --image "$dir/cut.img" -o "$dir/x.tap"
: >"$dir/empty.img"
bad 2 "empty.img is truncated: 0 bytes" run -g good --image "$dir/empty.img" -o "$dir/x.tap"
truncate -s 2M "$dir/blank.img"
bad 2 "blank.img has no boot sector" boot "$dir/blank.img"
bad 2 "hypervisor $dir/none.elf: No such file" run -g good -s hvm --hypervisor "$dir/none.elf" \
    -o "$dir/x.tap"
bad 2 "is not a regular file" run -g good -o "$dir"
bad 2 "longer than 800" run -g good --append "$(printf 'a%.0s' {1..801})" -o "$dir/x.tap"
bad 2 "a guest or an image file is missing" boot
for engine in "tcg" "kvm" "auto"; do
    run 2 env PATH="$dir" "$penumbra" run -g good -e $engine -o "$dir/x.tap" &&
        says "qemu-system-x86_64 is not installed (Debian package qemu-system-x86)"
    point $? "engine $engine without QEMU"
done
for engine in bochs auto; do
    run 2 env PATH="$dir" "$penumbra" run -g good -e $engine -o "$dir/x.tap" &&
        says "bochs-bin is not installed (Debian packages bochs and bochs-term)"
    point $? "engine $engine without Bochs"
done
bad 2 "unknown CPU model 'z80'; Bochs has: bx_generic " run -g good -e bochs --cpu z80 -o "$dir/x.tap"
bad 2 "engine tcg has no --cpu" run -g good -e tcg --cpu core2_penryn_t9600 -o "$dir/x.tap"
bad 2 "engine tcg has no --ticks" run -g good -e tcg --ticks 5 -o "$dir/x.tap"
bad 2 "engine bochs has no --qemu-arg" run -g good -e bochs --qemu-arg x -o "$dir/x.tap"
bad 2 "engine bochs has no --no-icount" run -g good -e bochs --no-icount -o "$dir/x.tap"
bad 2 "engine hw needs --serial" run -g good -e hw -o "$dir/x.tap"
bad 2 "serial port $dir/none: No such file" run -g good -e hw --serial "$dir/none" -o "$dir/x.tap"
bad 2 "engine tcg has no --serial" run -g good -e tcg --serial /dev/null -o "$dir/x.tap"
bad 2 "engine hw has no console on a terminal" boot -e hw good
bad 2 "--ticks: '1e9' is not a number" run -g good -e bochs --ticks 1e9 -o "$dir/x.tap"
bad 2 "engine bochs has no console on a terminal; engines that have: kvm tcg" boot -e bochs good

run 0 "$penumbra" guests && grep -q '^good .*64M  built' "$dir/stdout"
point $? "guests lists what is described"

tap "$dir/n.tap" aa 100 101 102 103 104 105 106
tap "$dir/h.tap" aa 50 51 52 53 54 55 56
tap "$dir/other.tap" bb 50 51 52 53 54 55 56
head -c -20 "$dir/h.tap" >"$dir/short.tap"
sed 's,vmcmp/1,vmcmp/9,' "$dir/h.tap" >"$dir/schema.tap"
head -c 3000 /dev/urandom >"$dir/random.tap"
bad 2 "two TAP files are wanted" compare "$dir/n.tap"
bad 2 "unexpected argument" compare "$dir/n.tap" "$dir/h.tap" "$dir/h.tap"
bad 2 "$dir/none.tap: No such file" compare "$dir/n.tap" "$dir/none.tap"
bad 2 "$dir: Is a directory" compare "$dir" "$dir/h.tap"
bad 2 "$dir/short.tap:18: cut off" compare "$dir/n.tap" "$dir/short.tap"
bad 2 "schema is 'vmcmp/9'; 'vmcmp/1' was expected" compare "$dir/n.tap" "$dir/schema.tap"
bad 2 "$dir/random.tap" compare "$dir/random.tap" "$dir/h.tap"
bad 3 "binary_sha256 differs: native aa, hvm bb" compare "$dir/n.tap" "$dir/other.tap"
bad 2 "--max-loss: 'much' is not a percentage" compare --max-loss much "$dir/n.tap" "$dir/h.tap"
bad 2 "only one of --json" compare --json --csv "$dir/n.tap" "$dir/h.tap"
bad 2 "--figure: '2' is none of 3, 4 and 5" compare --figure 2 "$dir/n.tap" "$dir/h.tap"
bad 2 "--gnuplot: --figure says which" compare --gnuplot "$dir/n.tap" "$dir/h.tap"
bad 2 "figure 5: none of its tests is in both files" compare --figure 5 "$dir/n.tap" "$dir/h.tap"
bad 2 "only one of --json" compare --json --aa "$dir/n.tap" "$dir/h.tap"
bad 2 "cannot write /dev/full: No space left" compare -o /dev/full "$dir/n.tap" "$dir/h.tap"

run 0 "$penumbra" compare --force "$dir/n.tap" "$dir/other.tap"
point $? "--force compares different binaries"
run 1 "$penumbra" compare --aa "$dir/n.tap" "$dir/h.tap"
point $? "--aa: status 1 where a test differs"
run 0 "$penumbra" compare --aa "$dir/n.tap" "$dir/n.tap" && grep -q 'tests show no difference$' "$dir/stdout"
point $? "--aa: a run is like itself"
run 1 "$penumbra" compare --max-loss 10 "$dir/n.tap" "$dir/h.tap"
point $? "a loss over --max-loss: 1"
run 0 "$penumbra" compare --max-loss 90 "$dir/n.tap" "$dir/h.tap"
point $? "a loss under --max-loss: 0"
run 1 "$penumbra" compare --tap --max-loss 10 -o "$dir/c.tap" "$dir/n.tap" "$dir/h.tap" &&
    grep -q '^not ok 1 - aim9.page_test' "$dir/c.tap"
point $? "--tap has a failing point"
run 0 "$penumbra" compare --json "$dir/n.tap" "$dir/h.tap" && grep -q '"name": "aim9.page_test"' "$dir/stdout"
point $? "--json"
run 0 "$penumbra" exits "$dir/n.tap" "$dir/h.tap" && grep -q 'aim9.page_test' "$dir/stdout"
point $? "exits"
"$penumbra" compare "$dir/n.tap" "$dir/h.tap" >/dev/full 2>"$dir/err"
[ $? = 2 ] && says "cannot write standard output"
point $? "a full standard output is reported"
echo kept >"$dir/report.txt"
run 2 "$penumbra" compare -o "$dir/report.txt" "$dir/n.tap" "$dir/short.tap"
[ "$(cat "$dir/report.txt")" = kept ]
point $? "a failed comparison leaves the report that was there"
echo '@hv exit mark' >"$dir/h.records"
bad 2 "$dir/h.records:1: " compare "$dir/n.tap" "$dir/h.tap"
finish
