/*
 * Figure 3: SciMark's five kernels in two sizes and their mean (kernels and
 * checks: scimark_kernels.c, scimark_work.c). An operation is a million
 * floating-point operations, by SciMark's count.
 */
#include "core/bench.h"
#include "core/system.h"
#include "scimark_work.h"

enum { LARGE = 8, SPARE_MIB = 16 };

static struct scimark_work work;

static void scimark_setup(struct bench_run *run)
{
    enum scimark_which which = (enum scimark_which)(run->bench->param & ~LARGE);
    bool large = run->bench->param & LARGE;
    long needed = (long)(scimark_bytes(which, large) >> 20) + SPARE_MIB;
    long available = system_available_mib();
    if (large && available < needed)
        bench_skip(run, "needs %ld MiB of free memory, %ld MiB are available", needed, available);
    if (!scimark_make(&work, which, large))
        bench_fail(run, 0, "no memory for %ld KiB of data",
                   (long)(scimark_bytes(which, large) >> 10));
    run->ops = work.flops / 1e6;
    bench_fact_number(run, "problem_size", (double)work.s.n, 0);
    bench_fact_number(run, "data_kib", (double)work.bytes / 1024, 0);
}

static void scimark_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    work.kernel(&work.s, n);
}

static void scimark_verify(struct bench_run *run)
{
    struct scimark_error error = {0, 0};
    if (!scimark_check(&work, run->done, &error))
        bench_mismatch(run, error.expected, error.got);
}

#define SCIMARK(id, text, index, more)                                                             \
    {                                                                                              \
        .name = "scimark." id, .table = "figure3", .unit = "MFLOPS", .what = text,                 \
        .flags = BENCH_SOURCE | more, .setup = scimark_setup, .iter = scimark_iter,                \
        .verify = scimark_verify, .param = index                                                   \
    }

#define SCIMARK_MEAN(id, text, names, more)                                                        \
    {                                                                                              \
        .name = "scimark." id, .table = "figure3", .unit = "MFLOPS", .what = text, .flags = more,  \
        .mean_of = names                                                                           \
    }

static const struct bench scimark[] = {
    SCIMARK("fft", "FFT of 1024 complex numbers, there and back", SCIMARK_FFT, 0),
    SCIMARK("sor", "successive over-relaxation on 100x100 points", SCIMARK_SOR, 0),
    SCIMARK("mc", "pi by random points", SCIMARK_MC, 0),
    SCIMARK("sparse", "sparse matrix of 5000 entries by a vector", SCIMARK_SPARSE, 0),
    SCIMARK("lu", "LU factors of a 100x100 matrix", SCIMARK_LU, 0),
    SCIMARK_MEAN("composite", "mean of the five",
                 "scimark.fft,scimark.sor,scimark.mc,scimark.sparse,scimark.lu", 0),
    SCIMARK("fft_large", "FFT of 2^20 complex numbers, there and back", SCIMARK_FFT | LARGE,
            BENCH_LONG),
    SCIMARK("sor_large", "over-relaxation on 1000x1000 points", SCIMARK_SOR | LARGE, BENCH_LONG),
    SCIMARK("sparse_large", "sparse matrix of 10^6 entries by a vector", SCIMARK_SPARSE | LARGE,
            BENCH_LONG),
    SCIMARK("lu_large", "LU factors of a 1000x1000 matrix", SCIMARK_LU | LARGE, BENCH_LONG),
    SCIMARK_MEAN("composite_large", "mean of the four large ones and mc",
                 "scimark.fft_large,scimark.sor_large,scimark.mc,scimark.sparse_large,"
                 "scimark.lu_large",
                 BENCH_LONG),
};

BENCH_TABLE(scimark);
