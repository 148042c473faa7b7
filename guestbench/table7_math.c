/*
 * Table 7: num_rtns_1 and trig_rtns (AIM9): the mathematics library of musl.
 * Compiled without builtins, so that each routine is a call.
 */
#include <math.h>
#include <stdlib.h>

#include "core/bench.h"
#include "core/random.h"

enum { NUMBERS = 10000, GROUPS = 100, DENORMAL_EACH = 100 };
#define SMALLEST_DENORMAL 0x1p-1074

/* What one group of 16 calls returned. */
struct group {
    double exp, floor, log10, ceil, log, modf, modf_whole, frexp, ldexp, fmod, fabs, pow, sqrt;
    int exponent, abs, random;
    long labs;
};

static double numbers[NUMBERS + 1]; /* the last one repeats the first */
static double units[NUMBERS];
static size_t next_number;
static struct group groups[GROUPS];

static double random_between(uint64_t *state, double low, double high)
{
    return low + (high - low) * (double)(random_next(state) >> 11) * 0x1p-53;
}

static void numbers_setup(struct bench_run *run)
{
    uint64_t state = run->config->seed;
    for (int i = 0; i < NUMBERS; i++) {
        numbers[i] = random_between(&state, -10, 10);
        if (i % DENORMAL_EACH == DENORMAL_EACH - 1)
            numbers[i] = SMALLEST_DENORMAL;
    }
    numbers[NUMBERS] = numbers[0];
}

/* The logarithms and the base of pow are the absolute value: of a negative one they have none. */
__attribute__((noipa)) void math_group(struct group *group, const double *number);

void math_group(struct group *group, const double *number)
{
    double x = number[0];
    group->fabs = fabs(x);
    group->exp = exp(x);
    group->floor = floor(x);
    group->log10 = log10(group->fabs);
    group->ceil = ceil(x);
    group->log = log(group->fabs);
    group->modf = modf(x, &group->modf_whole);
    group->frexp = frexp(x, &group->exponent);
    group->ldexp = ldexp(group->frexp, group->exponent);
    group->abs = abs((int)x);
    group->fmod = fmod(x, number[1]);
    group->pow = pow(group->fabs, number[1]);
    group->sqrt = sqrt(group->fabs);
    srand((unsigned)(int)x);
    group->random = rand();
    group->labs = labs((long)x);
}

static void num_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (; n > 0; n--) {
        for (size_t i = 0; i < GROUPS; i++)
            math_group(&groups[i], &numbers[next_number + i]);
        next_number = (next_number + GROUPS) % NUMBERS;
    }
}

static void expect(struct bench_run *run, double expected, double got, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        bench_mismatch(run, expected, got);
}

static void expect_power(struct bench_run *run, double power, double logarithm)
{
    if (logarithm > 710)
        expect(run, 1, isinf(power), 0);
    else if (logarithm < -746)
        expect(run, 0, power, 0);
    else
        expect(run, 1, power / exp(logarithm), 1e-9);
}

/* By identities that the functions must fulfil, among themselves and with the arithmetic. */
static void verify_group(struct bench_run *run, const struct group *group, const double *number)
{
    double x = number[0], size = x < 0 ? -x : x, scale = 1 + (size > 1 ? size : 1);
    int whole = (int)x;
    expect(run, size, group->fabs, 0);
    expect(run, x, log(group->exp), 1e-12 * scale);
    expect(run, whole - (whole > x), group->floor, 0);
    expect(run, whole + (whole < x), group->ceil, 0);
    expect(run, group->log, group->log10 * 2.302585092994045684, 1e-12 * fabs(group->log));
    expect(run, whole, group->modf_whole, 0);
    expect(run, x - whole, group->modf, 0);
    expect(run, 0.75, fabs(group->frexp), 0.25);
    expect(run, x, group->ldexp, 0);
    expect(run, whole < 0 ? -whole : whole, group->abs, 0);
    expect(run, whole < 0 ? -whole : whole, (double)group->labs, 0);
    expect(run, 0, group->fmod, fabs(number[1]));
    expect(run, size, group->sqrt * group->sqrt, 1e-15 * size + SMALLEST_DENORMAL);
    expect_power(run, group->pow, number[1] * group->log);
    srand((unsigned)whole);
    expect(run, rand(), group->random, 0);
}

static void num_verify(struct bench_run *run)
{
    size_t first = (next_number + NUMBERS - GROUPS) % NUMBERS;
    for (size_t i = 0; i < GROUPS; i++) {
        verify_group(run, &groups[i], &numbers[first + i]);
        groups[i] = (struct group){0};
    }
}

static struct trig_sums {
    double circle, tanh, hyperbola;
} trig_sums, trig_wanted;

/* The sums that the nested functions must give, without them: by exp and algebra. */
static void trig_setup(struct bench_run *run)
{
    uint64_t state = run->config->seed;
    trig_wanted = (struct trig_sums){0};
    for (int i = 0; i < NUMBERS; i++) {
        units[i] = random_between(&state, -1, 1);
        double square = exp(2 * units[i]), tangent = (square - 1) / (square + 1);
        trig_wanted.circle += units[i];
        trig_wanted.tanh += tangent;
        /* the argument of the complex number 1 + i tanh x */
        trig_wanted.hyperbola += asin(tangent / sqrt(1 + tangent * tangent));
    }
}

__attribute__((noipa)) void math_trig(struct bench_run *run, uint64_t n);

void math_trig(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (; n > 0; n--) {
        trig_sums = (struct trig_sums){0};
        for (int i = 0; i < NUMBERS; i++) {
            double x = units[i];
            trig_sums.circle += cos(acos(sin(asin(x))));
            trig_sums.tanh += tanh(tan(atan(x)));
            trig_sums.hyperbola += atan2(sinh(x), cosh(x));
        }
    }
}

static void trig_verify(struct bench_run *run)
{
    expect(run, trig_wanted.circle, trig_sums.circle, 1e-8);
    expect(run, trig_wanted.tanh, trig_sums.tanh, 1e-8);
    expect(run, trig_wanted.hyperbola, trig_sums.hyperbola, 1e-8);
}

static const struct bench math[] = {
    {.name = "aim9.num_rtns_1",
     .table = "7",
     .unit = "groups/s",
     .what = "groups of 16 calls of numeric functions",
     .ops = GROUPS,
     .setup = numbers_setup,
     .iter = num_iter,
     .verify = num_verify},
    {.name = "aim9.trig_rtns",
     .table = "7",
     .unit = "groups/s",
     .what = "groups of 10 calls of trigonometric functions",
     .ops = NUMBERS,
     .setup = trig_setup,
     .iter = math_trig,
     .verify = trig_verify},
};

BENCH_TABLE(math);
