/* Table 2: FP Emulation (Nbench): arithmetic of floating point in software. */
#include <math.h>
#include <string.h>

#include "core/bench.h"
#include "emfloat.h"
#include "nbench_random.h"

enum { OPERANDS = 3000, RANGE = 50000 };

static struct emfloat left[OPERANDS], right[OPERANDS], results[OPERANDS];

/* Of 16 operations 4 add, 4 subtract, 5 multiply and 3 divide. */
static const char operations[16] = "++++----*****///";

/* Nbench's operands: a number by each of two others. */
static void emulation_setup(struct bench_run *run)
{
    struct nbench_random random = NBENCH_RANDOM_START;
    (void)run;
    for (int i = 0; i < OPERANDS; i++) {
        struct emfloat number = emfloat_from(nbench_random_within(&random, RANGE));
        struct emfloat by = emfloat_from(nbench_random_within(&random, RANGE) + 1);
        left[i] = emfloat_divide(&number, &by);
        by = emfloat_from(nbench_random_within(&random, RANGE) + 1);
        right[i] = emfloat_divide(&number, &by);
    }
}

static struct emfloat operate(char operation, const struct emfloat *a, const struct emfloat *b)
{
    struct emfloat negative;
    switch (operation) {
    case '+': return emfloat_add(a, b);
    case '-': negative = emfloat_negative(*b); return emfloat_add(a, &negative);
    case '*': return emfloat_multiply(a, b);
    default: return emfloat_divide(a, b);
    }
}

static void emulation_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (; n > 0; n--) {
        for (int i = 0; i < OPERANDS; i++)
            results[i] = operate(operations[i % 16], &left[i], &right[i]);
    }
}

static long double expected_of(char operation, long double a, long double b)
{
    switch (operation) {
    case '+': return a + b;
    case '-': return a - b;
    case '*': return a * b;
    default: return a / b;
    }
}

/* What Nbench's documentation has for eight operations, cut off after five digits. */
static const struct {
    int at;
    double result;
} published[] = {
    {2, -5.6320},   {6, 0.37543},     {10, 0.93075},   {14, 0.73596},
    {2986, 14.607}, {2990, 0.035078}, {2994, -17.219}, {2998, 8.0716},
};

/* The processor's 80-bit format has as many bits; the last two are left to rounding. */
static void emulation_verify(struct bench_run *run)
{
    for (int i = 0; i < OPERANDS; i++) {
        long double a = emfloat_value(&left[i]), b = emfloat_value(&right[i]);
        long double got = emfloat_value(&results[i]);
        long double expected = expected_of(operations[i % 16], a, b);
        if (!(fabsl(got - expected) <= fabsl(expected) * 0x1p-62L))
            bench_mismatch(run, (double)expected, (double)got);
    }
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        double got = (double)emfloat_value(&results[published[i].at]);
        if (!(fabs(got / published[i].result - 1) < 1e-4))
            bench_mismatch(run, published[i].result, got);
    }
    memset(results, 0, sizeof results);
}

static const struct bench emulation[] = {
    {.name = "nbench.fp_emulation",
     .table = "2",
     .unit = "passes/s",
     .what = "3000 operations of floating point in software",
     .flags = BENCH_EXTRA,
     .ops = 1,
     .setup = emulation_setup,
     .iter = emulation_iter,
     .verify = emulation_verify},
};

BENCH_TABLE(emulation);
