/*
 * Table 3: two-operand arithmetic on locals (AIM9).
 *
 * A turn is 12 dependent operations on one accumulator, which after a turn has
 * its old value again: that is the check. An empty asm statement after each
 * operation keeps the compiler from fusing or dropping any of them, at no cost
 * in instructions; the operands come from memory the compiler cannot see
 * through, so none is a constant. tests/loops.t counts the instructions.
 */
#include "core/bench.h"

enum { TURN_OPS = 12, TURNS = 20000 };

/* Where an accumulator of the type lives. */
#define GPR "+r"
#define SSE "+x"

#define OP(reg, acc, expression)                                                                   \
    do {                                                                                           \
        (acc) = (__typeof__(acc))(expression);                                                     \
        __asm__ volatile("" : reg(acc));                                                           \
    } while (0)

/* There, back, back and there again: 0, x, 0, -x or 1, x, 1, 1/x. */
#define CYCLE(reg, acc, op, p, n)                                                                  \
    OP(reg, acc, (acc)op(p));                                                                      \
    OP(reg, acc, (acc)op(n));                                                                      \
    OP(reg, acc, (acc)op(n));                                                                      \
    OP(reg, acc, (acc)op(p))

#define DEFINE_CYCLE(kind, type, reg, op, start, first, second)                                    \
    __attribute__((noipa)) double arith_##kind(uint64_t turns);                                    \
    __attribute__((noipa)) double arith_##kind(uint64_t turns)                                     \
    {                                                                                              \
        static volatile type in[3] = {start, first, second};                                       \
        type acc = in[0], p = in[1], n = in[2];                                                    \
        for (size_t turn = (size_t)turns; turn > 0; turn--) {                                      \
            CYCLE(reg, acc, op, p, n);                                                             \
            CYCLE(reg, acc, op, p, n);                                                             \
            CYCLE(reg, acc, op, p, n);                                                             \
        }                                                                                          \
        return (double)acc;                                                                        \
    }

/* acc = x*y / acc takes acc from x to y and the next from y to x, both exactly. */
#define TO_AND_FRO(reg, acc, product)                                                              \
    OP(reg, acc, (product) / (acc));                                                               \
    OP(reg, acc, (product) / (acc))

/* Divisions by divisors that vary and are none of the easy ones. */
#define DEFINE_DIV(kind, type, reg, x, y1, y2, y3)                                                 \
    __attribute__((noipa)) double arith_##kind(uint64_t turns);                                    \
    __attribute__((noipa)) double arith_##kind(uint64_t turns)                                     \
    {                                                                                              \
        static volatile type in[4] = {x, (x) * (y1), (x) * (y2), (x) * (y3)};                      \
        type acc = in[0], a = in[1], b = in[2], c = in[3];                                         \
        for (size_t turn = (size_t)turns; turn > 0; turn--) {                                      \
            TO_AND_FRO(reg, acc, a);                                                               \
            TO_AND_FRO(reg, acc, b);                                                               \
            TO_AND_FRO(reg, acc, c);                                                               \
            TO_AND_FRO(reg, acc, a);                                                               \
            TO_AND_FRO(reg, acc, b);                                                               \
            TO_AND_FRO(reg, acc, c);                                                               \
        }                                                                                          \
        return (double)acc;                                                                        \
    }

DEFINE_CYCLE(add_double, double, SSE, +, 0.0, 3.14159, -3.14159)
DEFINE_CYCLE(add_float, float, SSE, +, 0.0f, 3.5f, -3.5f)
DEFINE_CYCLE(add_long, long, GPR, +, 0, 3, -3)
DEFINE_CYCLE(add_int, int, GPR, +, 0, 3, -3)
DEFINE_CYCLE(add_short, short, GPR, +, 0, 3, -3)
/* AIM9 multiplies doubles by 3.14159 and its inverse; 4 and 1/4 return exactly. */
DEFINE_CYCLE(mul_double, double, SSE, *, 3.14159, 4.0, 0.25)
DEFINE_CYCLE(mul_float, float, SSE, *, 3.5f, 4.0f, 0.25f)
DEFINE_CYCLE(mul_long, long, GPR, *, 12345, 1, 1)
DEFINE_CYCLE(mul_int, int, GPR, *, 12345, 1, 1)
DEFINE_CYCLE(mul_short, short, GPR, *, 12345, 1, 1)
DEFINE_DIV(div_double, double, SSE, 12345.0, 678.0, 543.0, 871.0)
DEFINE_DIV(div_float, float, SSE, 1234.0f, 567.0f, 731.0f, 913.0f)
DEFINE_DIV(div_long, long, GPR, 1234567, 678, 543, 871)
DEFINE_DIV(div_int, int, GPR, 1234567, 678, 543, 871)
DEFINE_DIV(div_short, short, GPR, 123, 67, 89, 113)
/* AIM9's own operands: dividers leave early on them. */
DEFINE_CYCLE(div_double_by1, double, SSE, /, 3.14159, 4.0, 0.25)
DEFINE_CYCLE(div_float_by1, float, SSE, /, 3.5f, 4.0f, 0.25f)
DEFINE_CYCLE(div_long_by1, long, GPR, /, 1234567, 1, 1)
DEFINE_CYCLE(div_int_by1, int, GPR, /, 1234567, 1, 1)
DEFINE_CYCLE(div_short_by1, short, GPR, /, 1234, 1, 1)

static const struct kernel {
    double (*turns)(uint64_t turns);
    double start; /* what the accumulator begins and ends with */
} kernels[] = {
    {arith_add_double, 0},        {arith_add_float, 0},
    {arith_add_long, 0},          {arith_add_int, 0},
    {arith_add_short, 0},         {arith_mul_double, 3.14159},
    {arith_mul_float, 3.5},       {arith_mul_long, 12345},
    {arith_mul_int, 12345},       {arith_mul_short, 12345},
    {arith_div_double, 12345},    {arith_div_float, 1234},
    {arith_div_long, 1234567},    {arith_div_int, 1234567},
    {arith_div_short, 123},       {arith_div_double_by1, 3.14159},
    {arith_div_float_by1, 3.5},   {arith_div_long_by1, 1234567},
    {arith_div_int_by1, 1234567}, {arith_div_short_by1, 1234},
};

static double result;

static void arith_iter(struct bench_run *run, uint64_t n)
{
    result = kernels[run->bench->param].turns(n * TURNS);
}

static void arith_verify(struct bench_run *run)
{
    double start = kernels[run->bench->param].start;
    if (result != start)
        bench_mismatch(run, start, result);
    result = -1;
}

#define ARITH(index, id, text)                                                                     \
    {                                                                                              \
        .name = "aim9." id, .table = "3", .unit = "ops/s", .what = text,                           \
        .ops = (double)TURNS * TURN_OPS, .iter = arith_iter, .verify = arith_verify,               \
        .param = index                                                                             \
    }

static const struct bench arith[] = {
    ARITH(0, "add_double", "additions of double"),
    ARITH(1, "add_float", "additions of float"),
    ARITH(2, "add_long", "additions of long (the ABI's)"),
    ARITH(3, "add_int", "additions of int"),
    ARITH(4, "add_short", "additions of short"),
    ARITH(5, "mul_double", "multiplications of double"),
    ARITH(6, "mul_float", "multiplications of float"),
    ARITH(7, "mul_long", "multiplications of long (the ABI's)"),
    ARITH(8, "mul_int", "multiplications of int"),
    ARITH(9, "mul_short", "multiplications of short"),
    ARITH(10, "div_double", "divisions of double by varying divisors"),
    ARITH(11, "div_float", "divisions of float by varying divisors"),
    ARITH(12, "div_long", "divisions of long (the ABI's) by varying divisors"),
    ARITH(13, "div_int", "divisions of int by varying divisors"),
    ARITH(14, "div_short", "divisions of short by varying divisors"),
    ARITH(15, "div_double_by1", "divisions of double by 4 and 1/4, AIM9's operands"),
    ARITH(16, "div_float_by1", "divisions of float by 4 and 1/4, AIM9's operands"),
    ARITH(17, "div_long_by1", "divisions of long by 1, AIM9's operand"),
    ARITH(18, "div_int_by1", "divisions of int by 1, AIM9's operand"),
    ARITH(19, "div_short_by1", "divisions of short by 1, AIM9's operand"),
};

BENCH_TABLE(arith);
