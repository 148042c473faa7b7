#include "stats.h"

#include <math.h>
#include <string.h>

#include "result.h"

/* At most 101 values: insertion sort, so that nothing depends on a libc's qsort. */
static void sort(double *values, int n)
{
    for (int i = 1; i < n; i++) {
        double value = values[i];
        int j = i;
        for (; j > 0 && values[j - 1] > value; j--)
            values[j] = values[j - 1];
        values[j] = value;
    }
}

static double sorted_median(const double *sorted, int n)
{
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

double stats_median(const double *values, int n)
{
    double sorted[RESULT_MAX_SAMPLES];
    memcpy(sorted, values, (size_t)n * sizeof *values);
    sort(sorted, n);
    return sorted_median(sorted, n);
}

/*
 * Distribution-free interval for the median: x(k)..x(n+1-k) covers it with
 * 1 - 2 P(Binomial(n, 1/2) < k). Takes the narrowest with 95 %, or min..max.
 */
static void order_interval(const double *sorted, int n, struct stats *stats)
{
    double term = pow(0.5, n); /* P(Binomial = i), i = 0 */
    double tail = term;
    int k = 1;
    stats->ci_level = 1 - 2 * tail;
    for (int i = 1; i < n / 2; i++) {
        term *= (double)(n - i + 1) / i;
        tail += term;
        if (1 - 2 * tail < 0.95)
            break;
        k = i + 1;
        stats->ci_level = 1 - 2 * tail;
    }
    if (n == 1)
        stats->ci_level = 0;
    stats->ci_lo = sorted[k - 1];
    stats->ci_hi = sorted[n - k];
}

/* Mann-Kendall by the normal approximation with continuity correction; needs 6 samples. */
static bool has_trend(const double *samples, int n)
{
    if (n < 6)
        return false;
    int s = 0;
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++)
            s += (samples[j] > samples[i]) - (samples[j] < samples[i]);
    }
    double variance = n * (n - 1.0) * (2.0 * n + 5) / 18;
    double excess = fabs((double)s) - 1;
    return excess > 0 && excess / sqrt(variance) > 2.576;
}

void stats_compute(const double *samples, int n, struct stats *stats)
{
    double sorted[RESULT_MAX_SAMPLES], deviations[RESULT_MAX_SAMPLES] = {0};
    memcpy(sorted, samples, (size_t)n * sizeof *samples);
    sort(sorted, n);
    stats->median = sorted_median(sorted, n);
    for (int i = 0; i < n; i++)
        deviations[i] = fabs(samples[i] - stats->median);
    stats->mad = stats_median(deviations, n);
    order_interval(sorted, n, stats);
    stats->trend = has_trend(samples, n);
    /* 10 sigma of a normal distribution are 14.826 MAD; a MAD of 0 needs a floor. */
    double floor = fabs(stats->median) * 1e-9;
    double scale = stats->mad > floor ? stats->mad : floor;
    stats->outliers = 0;
    for (int i = 0; i < n; i++)
        stats->outliers += deviations[i] > 14.826 * scale;
}

uint64_t stats_calibrate(uint64_t n, uint64_t elapsed_ns, uint64_t target_ns, bool *done)
{
    const double most = 1e15;
    double ratio = (double)target_ns / (double)(elapsed_ns ? elapsed_ns : 1);
    *done = ratio <= 4;
    double next = (double)n * ratio;
    if (!*done) {
        /* A short trial says little: aim at half the target and grow by 16 at most. */
        double factor = ratio / 2 < 16 ? ratio / 2 : 16;
        next = (double)n * (factor > 2 ? factor : 2);
    }
    if (next > most) {
        *done = true;
        return (uint64_t)most;
    }
    return next < 1 ? 1 : (uint64_t)(next + 0.5);
}
