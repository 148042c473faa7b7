/*
 * What a benchmark is and what it may ask of the runner.
 *
 * A benchmark is one entry of an array in the file of its table; BENCH_TABLE
 * registers the array. Nothing else has to be edited to add one.
 */
#ifndef GUESTBENCH_BENCH_H
#define GUESTBENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "result.h"

struct bench_run;

enum bench_flag {
    BENCH_FIXED = 1,   /* fixed work: the result is seconds an iteration, lower is better */
    BENCH_DISK = 2,    /* works in a directory below --dir, skipped without one */
    BENCH_TMP = 4,     /* works in a directory below --tmp */
    BENCH_EXTRA = 8,   /* run only when asked for by table or name */
    BENCH_LONG = 16,   /* same, in the quick set */
    BENCH_SOURCE = 32, /* another benchmark is computed from it */
    BENCH_TIMED = 64,  /* iter works for a time of its own: one iteration, no calibration */
    BENCH_LUMPS =
        128, /* some work comes in lumps (waits, what is freed late): no samples below 30 ms */
};

struct bench {
    const char *name;  /* TAP id, with its group as prefix */
    const char *table; /* what --table selects it by */
    const char *unit;
    const char *what;  /* one line for people: the operation */
    const char *needs; /* of the machine, where flags do not say it; it is skipped without */
    unsigned flags;
    double ops;          /* operations in one iteration; 0: setup sets run->ops */
    double aim9_ops;     /* what AIM9 claims for the same work, where it differs */
    const char *mean_of; /* not run but computed: names of BENCH_SOURCEs, with commas */
    void (*setup)(struct bench_run *run);
    void (*iter)(struct bench_run *run, uint64_t n); /* n iterations; this is what is timed */
    void (*verify)(struct bench_run *run);           /* after each sample, not timed */
    void (*teardown)(struct bench_run *run);         /* also after a failure */
    long param;
    /* Loads that take longer: what goes unmeasured before the samples of the set standard, and one
     * of these; the former in the set paper, and all samples of that together. */
    double standard_warm_s, standard_s, paper_warm_s, paper_measured_s;
};

/* One run of one benchmark, inside its child process. */
struct bench_run {
    const struct bench *bench;
    const struct config *config;
    struct result *result;
    double ops;
    double sample_s;   /* least duration of a sample; setup may change it */
    uint64_t setup_ns; /* part of the timed interval that only prepared the work */
    uint64_t done;     /* iterations since the last verify */
    double own_ops;    /* if iter counts and times for itself: operations done, */
    uint64_t own_ns;   /*   and their time; 0 otherwise */
};

struct bench_table {
    const struct bench *benches;
    size_t count;
};

#define BENCH_TABLE(array)                                                                         \
    static const struct bench_table array##_entry                                                  \
        __attribute__((section("bench_tables"), used)) = {array, sizeof array / sizeof array[0]}

/* These three end the benchmark's process, after its teardown. */

/* The machine lacks what the benchmark needs. */
void bench_skip(struct bench_run *run, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
/* Something went wrong; error is an errno value or 0. */
void bench_fail(struct bench_run *run, int error, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));
/* The benchmark computed something else than it should have. */
void bench_mismatch(struct bench_run *run, double expected, double got) __attribute__((noreturn));

/* Adds a key to the point's YAML block. */
void bench_fact_number(struct bench_run *run, const char *key, double value, int decimals);
void bench_fact_text(struct bench_run *run, const char *key, const char *text);

#endif
