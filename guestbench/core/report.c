#include "report.h"

#include <string.h>

#include "stats.h"
#include "tap.h"

static void report_failure(const struct result *result, FILE *out)
{
    tap_block_begin(out);
    if (result->status == RESULT_MISMATCH) {
        tap_text(out, "error", "wrong result");
        tap_real(out, "expected", result->expected, 6);
        tap_real(out, "got", result->got, 6);
    } else {
        tap_text(out, "error", result->message);
        tap_integer(out, "errno", result->error);
        tap_text(out, "message", result->error ? strerror(result->error) : result->message);
    }
    tap_block_end(out);
}

static void report_warnings(const struct result *result, const struct stats *stats, FILE *out)
{
    int count = result->warnings + (stats->trend ? 1 : 0);
    if (count == 0) {
        tap_raw(out, "warnings", "[]");
        return;
    }
    fputs("  warnings:\n", out);
    for (int i = 0; i < result->warnings; i++) {
        char text[200];
        tap_format_text(text, sizeof text, result->warning[i]);
        fprintf(out, "    - %s\n", text);
    }
    if (stats->trend)
        fputs("    - \"the samples show a trend\"\n", out);
}

static void report_usage(const struct result *result, FILE *out)
{
    const struct result_usage *usage = &result->usage;
    tap_integer(out, "minflt", usage->minflt);
    tap_integer(out, "majflt", usage->majflt);
    tap_integer(out, "nvcsw", usage->nvcsw);
    tap_integer(out, "nivcsw", usage->nivcsw);
    tap_real(out, "utime_ms", usage->utime_ms, 3);
    tap_real(out, "stime_ms", usage->stime_ms, 3);
    if (result->steal_ms >= 0)
        tap_integer(out, "steal_ms", result->steal_ms);
}

/* Operations are whole but for those counted in millions. */
static void report_operations(FILE *out, const char *key, double operations)
{
    tap_real(out, key, operations,
             operations < 1e6 && (double)(long)operations != operations ? 6 : 0);
}

static void report_samples(const struct bench *bench, const struct result *result,
                           const struct stats *stats, FILE *out)
{
    tap_text(out, "unit", bench->unit);
    tap_text(out, "better", bench->flags & BENCH_FIXED ? "lower" : "higher");
    tap_measure(out, "value", stats->median);
    tap_text(out, "stat", "median");
    tap_integer(out, "n", result->n);
    tap_measures(out, "samples", result->samples, result->n);
    tap_measures(out, "warmup_samples", result->warmup_samples, result->warmups);
    tap_measure(out, "mad", stats->mad);
    tap_measure(out, "ci_lo", stats->ci_lo);
    tap_measure(out, "ci_hi", stats->ci_hi);
    tap_real(out, "ci_level", stats->ci_level, 4);
    if (bench->mean_of)
        return;
    tap_real(out, "sample_s", result->sample_s, 9);
    report_operations(out, "ops_per_iter", result->ops_per_iter);
    tap_integer(out, "iters", (long long)result->iters);
    /* what the counters between the two marks are to be divided by */
    report_operations(out, "ops", result->ops_per_iter * (double)result->iters * result->n);
    if (bench->aim9_ops > 0)
        tap_real(out, "aim9_ops_per_iter", bench->aim9_ops, 0);
    if (result->setup_s > 0)
        tap_real(out, "set_up_s", result->setup_s, 9);
}

static void report_success(const struct bench *bench, const struct result *result, int id,
                           FILE *out)
{
    struct stats stats;
    char paper[32];
    int figure;
    stats_compute(result->samples, result->n, &stats);
    tap_block_begin(out);
    report_samples(bench, result, &stats, out);
    if (!bench->mean_of)
        report_usage(result, out);
    tap_integer(out, "outliers", stats.outliers);
    report_warnings(result, &stats, out);
    if (bench->table[1] == '\0') {
        snprintf(paper, sizeof paper, "table %s", bench->table);
        tap_text(out, "paper", paper);
    } else if (sscanf(bench->table, "figure%d", &figure) == 1) {
        snprintf(paper, sizeof paper, "figure %d", figure);
        tap_text(out, "paper", paper);
    }
    if (bench->mean_of)
        tap_text(out, "mean_of", bench->mean_of);
    if (result->marked)
        tap_integer(out, "mark", id);
    for (int i = 0; i < result->facts; i++)
        tap_raw(out, result->fact[i].key, result->fact[i].value);
    /* more than 1 % stolen: the sample says nothing about this machine */
    double stolen = (double)result->steal_ms / 1e3;
    if (result->steal_ms > 0 && stolen > 0.01 * result->sample_s * result->n)
        tap_raw(out, "tainted", "true");
    tap_block_end(out);
}

bool report_point(const struct bench *bench, const struct result *result, int id, FILE *out)
{
    if (result->status == RESULT_SKIP) {
        tap_skip(out, id, bench->name, result->message);
        return true;
    }
    bool good = result->status == RESULT_OK && result->n > 0;
    tap_point(out, good ? "ok" : "not ok", id, bench->name);
    if (good)
        report_success(bench, result, id, out);
    else
        report_failure(result, out);
    return good;
}
