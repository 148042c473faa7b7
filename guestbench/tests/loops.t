#!/bin/bash
# No benchmark's loop was optimized away or thinned out: the machine code of each
# loop has as many instructions of the measured kind as the source says.
cd "$(dirname "$0")/../.." || exit 1
. ci/tests/tap.sh

B=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# in_loop FILE FUNCTION REGEX: how many instructions of the function match and
# lie between a backward jump and its target.
in_loop() {
    objdump -d --no-show-raw-insn --disassemble="$2" "$1" | awk -F'\t' -v regex="$3" '
        /^ *[0-9a-f]+:\t/ {
            address = $1
            gsub(/[ :]/, "", address)
            number[address] = ++count
            counts[count] = $2 ~ regex
            split($2, word, /[ \t]+/)
            if ($2 ~ /^j/ && word[2] in number)
                for (i = number[word[2]]; i <= count; i++)
                    in_a_loop[i] = 1
        }
        END {
            for (i = 1; i <= count; i++)
                total += in_a_loop[i] && counts[i]
            print total + 0
        }'
}

# The loop of 12 operations that a compiler may drop: the check must see that it is gone.
cat >"$work/gone.c" <<'C'
void gone(unsigned long turns, const double *in);
void kept(unsigned long turns, const double *in);
void gone(unsigned long turns, const double *in)
{
    for (double a = 0; turns > 0; turns--)
        a += in[0];
}
void kept(unsigned long turns, const double *in)
{
    double a = 0;
    for (; turns > 0; turns--) {
        a += in[0];
        __asm__ volatile("" : "+x"(a));
    }
}
C
gcc -O2 -c -o "$work/gone.o" "$work/gone.c"
is "a dropped loop is noticed" "$(in_loop "$work/gone.o" gone '^addsd')" 0
is "a kept loop is seen" "$(in_loop "$work/gone.o" kept '^addsd')" 1

check() { is "$1 $2: $4 in the loop" "$(in_loop "$B/guestbench-$1" "$2" "$3")" "$4"; }

# all_in ARCH FUNCTION REGEX: how many instructions of the function match.
all_in() {
    objdump -d --no-show-raw-insn --disassemble="$2" "$B/guestbench-$1" |
        awk -F'\t' -v regex="$3" '/^ *[0-9a-f]+:\t/ { total += $2 ~ regex } END { print total + 0 }'
}

numeric='exp|floor|log10|ceil|log|modf|frexp|ldexp|abs|fmod|fabs|pow|sqrt|srand|rand|labs'
for arch in i386 amd64; do
    check $arch arith_add_double '^addsd' 12
    check $arch arith_add_float '^addss' 12
    check $arch arith_mul_double '^mulsd' 12
    check $arch arith_mul_float '^mulss' 12
    check $arch arith_div_double '^divsd' 12
    check $arch arith_div_float '^divss' 12
    check $arch arith_div_double_by1 '^divsd' 12
    check $arch arith_div_float_by1 '^divss' 12
    for type in long int short; do
        check $arch arith_add_$type '^add[lqw]? +%' 12
        check $arch arith_mul_$type '^imul' 12
        check $arch arith_div_$type '^idiv' 12
        check $arch arith_div_${type}_by1 '^idiv' 12
    done
    check $arch calls_none '^call +\*' 16
    check $arch calls_one '^call +\*' 16
    check $arch calls_two '^call +\*' 16
    check $arch calls_fifteen '^call +\*' 1
    check $arch cpuid_iter '^cpuid' 1
    check $arch pio_in_iter '^in +' 1
    check $arch pio_out_iter '^(in|out) +' 2
    check $arch math_trig '^call .*<(sin|asin|cos|acos|tan|atan|tanh|sinh|cosh|atan2)>' 10
    check $arch string_classes '^call .*<is' 11
    is "$arch math_group: 16 calls" "$(all_in $arch math_group "^call .*<($numeric)>")" 16
    is "$arch jmp_descend calls itself" "$(all_in $arch jmp_descend '^call .*<jmp_descend>')" 1
    for function in array_solve matrix_transform; do
        ok "$arch $function multiplies" test "$(all_in $arch $function '^mul[sp]d')" -ge 1
    done
    ok "$arch bits_flip: bit by bit" \
        test "$(in_loop "$B/guestbench-$arch" bits_flip '^(or|and|xor|not|bt[src])')" -ge 3
    check $arch scimark_sor '^mulsd' 2
    check $arch scimark_sparse '^mulsd' 1
    ok "$arch scimark_mc scales and squares both numbers" \
        test "$(in_loop "$B/guestbench-$arch" scimark_mc '^mulsd')" -ge 4
    ok "$arch scimark_fft multiplies and adds" \
        test "$(in_loop "$B/guestbench-$arch" scimark_fft '^(mul|add|sub)[sp]d')" -ge 20
    ok "$arch scimark_lu multiplies" \
        test "$(in_loop "$B/guestbench-$arch" scimark_lu '^mul[sp]d')" -ge 2
    # copies of them run elsewhere (jvmlike)
    for kernel in fft sor mc sparse lu; do
        is "$arch scimark_$kernel: no calls, nothing by distance" \
            "$(all_in $arch scimark_$kernel '^call|\(%rip\)|jmp +\*')" 0
    done
    # one store a 128 bytes, in a loop or all 32 in a row
    stores=$(in_loop "$B/guestbench-$arch" page_iter '^movb +\$0x1,')
    ok "$arch page_iter: stores into the page ($stores)" test "$stores" -ge 1
done
finish
