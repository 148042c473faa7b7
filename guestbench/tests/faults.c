/* Benchmarks that go wrong, for tests/run.t: linked with the core in place of the real ones. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../core/bench.h"
#include "../core/clock.h"

static uint64_t calls;

static void good_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (; n > 0; n--) {
        uint64_t end = clock_ns() + 1000;
        while (clock_ns() < end)
            ;
    }
}

static void hang_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    (void)n;
    for (;;)
        pause();
}

/* A helper that outlives the benchmark and will not go by itself. */
static void helper_setup(struct bench_run *run)
{
    (void)run;
    if (fork() == 0) {
        signal(SIGTERM, SIG_IGN);
        for (;;)
            pause();
    }
}

static void crash_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    (void)n;
    raise(SIGKILL);
}

static void leave_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    (void)n;
    _exit(3);
}

static void fail_iter(struct bench_run *run, uint64_t n)
{
    (void)n;
    bench_fail(run, ENOSPC, "cannot write the %s", "file");
}

static void skip_setup(struct bench_run *run)
{
    bench_skip(run, "there is no such device");
}

/* Goes wrong in the samples only, after calibration went well. */
static void wrong_verify(struct bench_run *run)
{
    if (++calls > 4)
        bench_mismatch(run, 4, (double)calls);
}

static void slow_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    usleep((useconds_t)(n * 600000));
}

/* Tells its time itself: a microsecond an operation, but for the first. */
static void cold_iter(struct bench_run *run, uint64_t n)
{
    run->own_ns = calls++ ? n * 1000 : 50000000;
    run->own_ops = (double)n;
}

static const struct bench faults[] = {
    {.name = "fault.hang",
     .table = "9",
     .unit = "ops/s",
     .what = "never returns",
     .ops = 1,
     .iter = hang_iter},
    {.name = "fault.helper",
     .table = "9",
     .unit = "ops/s",
     .what = "never returns, nor its child",
     .ops = 1,
     .setup = helper_setup,
     .iter = hang_iter},
    {.name = "fault.crash",
     .table = "9",
     .unit = "ops/s",
     .what = "is killed",
     .ops = 1,
     .iter = crash_iter},
    {.name = "fault.leave",
     .table = "9",
     .unit = "ops/s",
     .what = "ends silently",
     .ops = 1,
     .iter = leave_iter},
    {.name = "fault.fail",
     .table = "9",
     .unit = "ops/s",
     .what = "fails",
     .ops = 1,
     .iter = fail_iter},
    {.name = "fault.skip",
     .table = "9",
     .unit = "ops/s",
     .what = "is skipped",
     .ops = 1,
     .setup = skip_setup,
     .iter = good_iter},
    {.name = "fault.wrong",
     .table = "9",
     .unit = "ops/s",
     .what = "computes nonsense",
     .ops = 1,
     .iter = good_iter,
     .verify = wrong_verify},
    {.name = "fault.slow",
     .table = "9",
     .unit = "ops/s",
     .what = "is stopped early",
     .ops = 1,
     .iter = slow_iter},
    {.name = "fault.good",
     .table = "9",
     .unit = "ops/s",
     .what = "works",
     .ops = 1,
     .iter = good_iter},
    {.name = "fault.cold",
     .table = "9",
     .unit = "ops/s",
     .what = "takes long the first time",
     .ops = 1,
     .iter = cold_iter},
};

BENCH_TABLE(faults);
