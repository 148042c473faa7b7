#pragma once

/* The kernel that times what an operating system does to the processor and the machine, with no
 * operating system in between. It shares entry, traps, paging and console with the tiny guests. */

#include "../../tests/guests/core/guest.h"

struct bare {
    const char *name; /* less its group: the paging mode, or event */
    const char *what; /* one operation */
    bool each_mode;   /* once in each paging mode, not once in all */
    u32 ops;          /* in one iteration */
    u32 param;
    void (*setup)(void);
    void (*run)(u32 n);    /* n iterations, timed */
    void (*verify)(u32 n); /* after each n iterations; causes no exit of its own */
    void (*finish)(void);  /* after all samples, outside the marks */
} __attribute__((aligned(8)));

/* Registers a test; the linker gathers the table. */
#define BARE(id, ...)                                                                              \
    static const struct bare entry_##id                                                            \
        __attribute__((section("tests"), used, aligned(8))) = {__VA_ARGS__}

extern const struct bare *current; /* the test that runs */

/* The words for this kernel, as guestbench has them (docs/guestbench.md). */
struct settings {
    char side[16], set[16], only[256], seed[24];
    u32 samples;
    u64 sample_cycles; /* least length of a sample */
    const char *cmdline;
};
enum { SAMPLES_MAX = 31 };

/* Reads them; ends the machine with a message on a bad one. */
void settings_read(struct settings *s, const char *cmdline);
/* Is name one of the comma-separated globs, with or without its group? An empty list has all. */
bool glob_list_matches(const char *list, const char *name);

/* Statistics of n values, 1 to SAMPLES_MAX; all values in thousandths. */
struct stats {
    u64 median, mad, low, high;
    u32 level; /* coverage of low..high for the median, in 1/10000 */
};
void stats_compute(const u64 *samples, u32 n, struct stats *out);
/* Iterations for the next trial, or, with *done, for the samples. */
u32 stats_calibrate(u32 n, u64 elapsed, u64 target, bool *done);

/* What a point is made of. */
struct measured {
    char name[64];
    u32 n, iters;
    u64 sample[SAMPLES_MAX], warmup; /* thousandths of a cycle an operation */
    u64 empty_loop;                  /* the same, an iteration */
};
void report_point(unsigned id, const struct measured *m);
void report_skip(unsigned id, const char *name, const char *why);
void report_env(const struct settings *s, u64 empty_loop);

void run_all(const struct settings *s);
/* The hash of code and constants, as a key of env. */
void image_print_hash(void);

/* Cycles of run(n) of a test. */
u64 run_timed(void (*run)(u32 n), u32 n);

/* The time stamp counter; nothing before it is still to be done. */
static inline u64 clock_cycles(void)
{
    u32 low, high;
    __asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
    return low | (u64)high << 32;
}

/* Features in CPUID 1. */
enum { EDX_SEP = 1 << 11, EDX_PGE = 1 << 13, EDX_PAT = 1 << 16, EDX_SSE2 = 1 << 26 };
static inline bool cpu_has(u32 edx_bit)
{
    return cpuid(1, 0).edx & edx_bit;
}

/* The number of the failed check, for the report. */
struct failure {
    const char *what, *file;
    int line;
    u64 expected, got;
};
const struct failure *run_failure(void);
