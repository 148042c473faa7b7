/* What the process of a benchmark leaves for its parent, in shared memory. */
#ifndef GUESTBENCH_RESULT_H
#define GUESTBENCH_RESULT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RESULT_MAX_SAMPLES = 101,
    RESULT_MAX_FACTS = 12,
    RESULT_MAX_WARNINGS = 4,
};

enum result_status {
    RESULT_NONE, /* the process ended without a word */
    RESULT_OK,
    RESULT_SKIP,
    RESULT_FAIL,
    RESULT_MISMATCH,
};

struct result_usage {
    long minflt, majflt, nvcsw, nivcsw;
    double utime_ms, stime_ms;
};

struct result_fact {
    char key[24];
    char value[104]; /* as it stands in the YAML block */
};

struct result {
    enum result_status status;
    char message[160];
    int error; /* errno value, 0 if there is none */
    double expected, got;

    int n;                              /* valid entries of samples */
    double samples[RESULT_MAX_SAMPLES]; /* operations a second, or seconds */
    int warmups;
    double warmup_samples[2];
    double sample_s; /* median duration of a sample */
    double setup_s;  /* preparation inside the timed intervals, a sample */
    double ops_per_iter;
    uint64_t iters; /* iterations of a sample */
    struct result_usage usage;
    long steal_ms; /* -1: not known */
    bool marked;

    int facts;
    struct result_fact fact[RESULT_MAX_FACTS];
    int warnings;
    char warning[RESULT_MAX_WARNINGS][96];
};

/* Adds a warning; those beyond RESULT_MAX_WARNINGS are dropped. */
void result_warn(struct result *result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
