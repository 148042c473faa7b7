#define _GNU_SOURCE
#include "sampler.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "mark.h"
#include "stats.h"
#include "system.h"
#include "tap.h"

static void finish(struct bench_run *run) __attribute__((noreturn));

static void finish(struct bench_run *run)
{
    if (run->bench->teardown)
        run->bench->teardown(run);
    _exit(0);
}

void bench_skip(struct bench_run *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(run->result->message, sizeof run->result->message, format, args);
    va_end(args);
    run->result->status = RESULT_SKIP;
    finish(run);
}

void bench_fail(struct bench_run *run, int error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(run->result->message, sizeof run->result->message, format, args);
    va_end(args);
    run->result->error = error;
    run->result->status = RESULT_FAIL;
    finish(run);
}

void bench_mismatch(struct bench_run *run, double expected, double got)
{
    run->result->expected = expected;
    run->result->got = got;
    run->result->status = RESULT_MISMATCH;
    finish(run);
}

static struct result_fact *new_fact(struct bench_run *run, const char *key)
{
    static struct result_fact spare;
    struct result *result = run->result;
    struct result_fact *fact = &spare;
    if (result->facts < RESULT_MAX_FACTS)
        fact = &result->fact[result->facts++];
    snprintf(fact->key, sizeof fact->key, "%s", key);
    return fact;
}

void bench_fact_number(struct bench_run *run, const char *key, double value, int decimals)
{
    struct result_fact *fact = new_fact(run, key);
    snprintf(fact->value, sizeof fact->value, "%.*f", decimals, value);
}

void bench_fact_text(struct bench_run *run, const char *key, const char *text)
{
    struct result_fact *fact = new_fact(run, key);
    tap_format_text(fact->value, sizeof fact->value, text);
}

/* Times n iterations, unless they do it themselves, and has them verified. Returns ns, never 0. */
static uint64_t time_iterations(struct bench_run *run, uint64_t n)
{
    run->setup_ns = run->own_ns = 0;
    run->own_ops = 0;
    run->done = n;
    bool own_time = run->bench->flags & BENCH_TIMED;
    if (!own_time)
        mark_sample();
    uint64_t start = clock_ns();
    run->bench->iter(run, n);
    uint64_t elapsed = clock_ns() - start;
    if (!own_time)
        mark_sample();
    if (run->own_ns)
        elapsed = run->own_ns;
    if (run->bench->verify)
        run->bench->verify(run);
    return elapsed ? elapsed : 1;
}

/*
 * A trial of n iterations: the shorter of two where it may end the calibration.
 * What disturbs one (a disk that lets it wait) would have all samples too short.
 */
static uint64_t trial(struct bench_run *run, uint64_t n, uint64_t target)
{
    uint64_t first = time_iterations(run, n);
    if (first < target / 4 || (n == 1 && first > 10 * target))
        return first;
    uint64_t second = time_iterations(run, n);
    return first < second ? first : second;
}

/* The first trial decides nothing: what it finds cold makes it a multiple of any other. */
static uint64_t calibrate(struct bench_run *run)
{
    uint64_t n = 1;
    bool done = run->bench->flags & (BENCH_FIXED | BENCH_TIMED);
    uint64_t target = (uint64_t)(run->sample_s * 1e9);
    if (!done)
        time_iterations(run, n);
    while (!done)
        n = stats_calibrate(n, trial(run, n, target), target, &done);
    return n;
}

/* Short samples would differ by whether a lump of work is in them. */
static double least_sample(const struct bench *bench, const struct config *config)
{
    const double least = 0.03;
    bool longer = bench->flags & BENCH_LUMPS && config->sample_s < least && !config->own_seconds;
    return longer ? least : config->sample_s;
}

static double operations(const struct bench_run *run, uint64_t n)
{
    return run->own_ns ? run->own_ops : run->ops * (double)n;
}

/* Unmeasured load, for what takes a while to come to its steady state. */
static void warm_up(struct bench_run *run)
{
    uint64_t end = clock_ns() + (uint64_t)(run->config->warm_s * 1e9);
    while (clock_ns() < end)
        time_iterations(run, 1);
}

static double sample_value(const struct bench_run *run, uint64_t n, uint64_t elapsed_ns)
{
    double seconds = (double)elapsed_ns / 1e9;
    if (run->bench->flags & BENCH_FIXED)
        return seconds / (double)n;
    return operations(run, n) / seconds;
}

static void add_usage(struct result_usage *usage, int who, double sign)
{
    struct rusage now;
    if (getrusage(who, &now) != 0)
        return;
    usage->minflt += (long)sign * now.ru_minflt;
    usage->majflt += (long)sign * now.ru_majflt;
    usage->nvcsw += (long)sign * now.ru_nvcsw;
    usage->nivcsw += (long)sign * now.ru_nivcsw;
    usage->utime_ms += sign * (now.ru_utime.tv_sec * 1e3 + now.ru_utime.tv_usec / 1e3);
    usage->stime_ms += sign * (now.ru_stime.tv_sec * 1e3 + now.ru_stime.tv_usec / 1e3);
}

static void take_samples(struct bench_run *run, uint64_t n, uint64_t started)
{
    struct result *result = run->result;
    double durations[RESULT_MAX_SAMPLES] = {0}, setups[RESULT_MAX_SAMPLES] = {0};
    uint64_t budget = (uint64_t)(run->config->timeout_s * 0.8e9), longest = 0;
    double total = 0;
    while (result->n < run->config->samples) {
        if (result->n > 0 && clock_ns() - started + longest > budget) {
            result_warn(result, "%d of %d samples: the time limit is near", result->n,
                        run->config->samples);
            break;
        }
        uint64_t elapsed = time_iterations(run, n);
        longest = elapsed > longest ? elapsed : longest;
        durations[result->n] = (double)elapsed / 1e9;
        setups[result->n] = (double)run->setup_ns / 1e9;
        total += operations(run, n);
        result->samples[result->n++] = sample_value(run, n, elapsed);
    }
    result->sample_s = stats_median(durations, result->n);
    result->setup_s = stats_median(setups, result->n);
    result->ops_per_iter = total / (double)n / result->n;
}

/* The marked part: samples, and what the kernel counted meanwhile. */
static void measure(struct bench_run *run, uint64_t n, uint64_t started, int id)
{
    struct result *result = run->result;
    long steal = system_steal_ms();
    add_usage(&result->usage, RUSAGE_SELF, -1);
    add_usage(&result->usage, RUSAGE_CHILDREN, -1);
    result->marked = mark_write(MARK_BEGIN, (uint16_t)id);
    take_samples(run, n, started);
    if (result->marked)
        mark_write(MARK_END, (uint16_t)id);
    add_usage(&result->usage, RUSAGE_SELF, 1);
    add_usage(&result->usage, RUSAGE_CHILDREN, 1);
    result->steal_ms = steal < 0 ? -1 : system_steal_ms() - steal;
    result->iters = n;
    result->status = RESULT_OK;
}

/* One CPU for the whole benchmark, so that its processes share it and its caches. */
static void pin_to_one_cpu(void)
{
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed)) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            sched_setaffinity(0, sizeof one, &one);
            return;
        }
    }
}

void sampler_run(const struct bench *bench, const struct config *config, struct result *result,
                 int id)
{
    struct bench_run run = {.bench = bench,
                            .config = config,
                            .result = result,
                            .ops = bench->ops,
                            .sample_s = least_sample(bench, config)};
    uint64_t started = clock_ns();
    pin_to_one_cpu();
    /* 4 KiB faults are what the memory tests count; huge pages would merge 512 into one. */
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    if (bench->setup)
        bench->setup(&run);
    warm_up(&run);
    uint64_t n = config->iters ? config->iters : calibrate(&run);
    uint64_t elapsed = time_iterations(&run, n);
    result->warmup_samples[result->warmups++] = sample_value(&run, n, elapsed);
    measure(&run, n, started, id);
    finish(&run);
}
