/*
 * Table 4: function calls with 0, 1, 2 and 15 arguments (AIM9), through a
 * pointer that is chosen at run time.
 */
#include "core/bench.h"
#include "table4_callees.h"

enum { CALLS = 512000, UNROLLED = 16 };

static long sum, step = 1;
static volatile int use_decoy;
static struct callees callees;

static void calls_setup(struct bench_run *run)
{
    (void)run;
    callees = use_decoy ? callees_decoy : callees_real;
    callees_sum = &sum;
    callees_step = &step;
    sum = 0;
}

#define CALL4(call)                                                                                \
    call;                                                                                          \
    call;                                                                                          \
    call;                                                                                          \
    call

#define CALL16(call)                                                                               \
    CALL4(call);                                                                                   \
    CALL4(call);                                                                                   \
    CALL4(call);                                                                                   \
    CALL4(call)

#define DEFINE_CALLS(name, member, per_turn, calls)                                                \
    __attribute__((noipa)) void name(struct bench_run *run, uint64_t n);                           \
    __attribute__((noipa)) void name(struct bench_run *run, uint64_t n)                            \
    {                                                                                              \
        __typeof__(callees.member) function = callees.member;                                      \
        long one = 1;                                                                              \
        (void)run;                                                                                 \
        __asm__ volatile("" : "+r"(function), "+r"(one));                                          \
        for (size_t i = (size_t)n * (CALLS / (per_turn)); i > 0; i--) {                            \
            calls;                                                                                 \
        }                                                                                          \
    }

DEFINE_CALLS(calls_none, none, UNROLLED, CALL16(function()))
DEFINE_CALLS(calls_one, one, UNROLLED, CALL16(function(one)))
DEFINE_CALLS(calls_two, two, UNROLLED, CALL16(function(one, one)))

#define P &one
DEFINE_CALLS(calls_fifteen, fifteen, 1, function(P, P, P, P, P, P, P, P, P, P, P, P, P, P, P))

/* param is what one call adds. The sum may wrap, the expectation wraps alike. */
static void calls_verify(struct bench_run *run)
{
    unsigned long expected = (unsigned long)run->done * CALLS * (unsigned long)run->bench->param;
    if ((unsigned long)sum != expected)
        bench_mismatch(run, (double)expected, (double)(unsigned long)sum);
    sum = 0;
}

#define CALLS_BENCH(id, text, function, adds)                                                      \
    {                                                                                              \
        .name = "aim9." id, .table = "4", .unit = "calls/s", .what = text, .ops = CALLS,           \
        .setup = calls_setup, .iter = function, .verify = calls_verify, .param = adds              \
    }

static const struct bench calls[] = {
    CALLS_BENCH("fun_cal", "calls without arguments", calls_none, 1),
    CALLS_BENCH("fun_cal1", "calls with one argument", calls_one, 1),
    CALLS_BENCH("fun_cal2", "calls with two arguments", calls_two, 2),
    CALLS_BENCH("fun_cal15", "calls with 15 arguments", calls_fifteen, 2),
};

BENCH_TABLE(calls);
