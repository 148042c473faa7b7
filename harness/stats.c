#include "stats.h"
#include "util.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct sample sample_make(const double *values, size_t n)
{
    struct sample s = {.n = n};
    s.sorted = xcalloc(n, sizeof(double));
    s.taken = xcalloc(n, sizeof(double));
    if (n) {
        memcpy(s.sorted, values, n * sizeof(double));
        memcpy(s.taken, values, n * sizeof(double));
        qsort(s.sorted, n, sizeof(double), by_value);
    }
    return s;
}

void sample_free(struct sample *sample)
{
    free(sample->sorted);
    free(sample->taken);
    *sample = (struct sample){0};
}

static double median_of_sorted(const double *v, size_t n)
{
    if (!n)
        return NAN;
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

double sample_median(const struct sample *sample)
{
    return median_of_sorted(sample->sorted, sample->n);
}

double sample_mad(const struct sample *sample)
{
    double median = sample_median(sample);
    double *away = xcalloc(sample->n, sizeof(double));
    for (size_t i = 0; i < sample->n; i++)
        away[i] = fabs(sample->sorted[i] - median);
    qsort(away, sample->n, sizeof(double), by_value);
    double mad = median_of_sorted(away, sample->n);
    free(away);
    return mad;
}

// P(at most k of n fair coins are heads).
static double binomial_below(size_t n, size_t k)
{
    double term = pow(0.5, (double)n), sum = 0;
    for (size_t i = 0; i <= k; i++) {
        sum += term;
        term *= (double)(n - i) / (double)(i + 1);
    }
    return sum;
}

struct interval sample_median_interval(const struct sample *sample)
{
    size_t n = sample->n;
    if (!n)
        return (struct interval){NAN, NAN, 0};
    // x[k]..x[n-1-k] misses the median when at most k values are on one side of it.
    size_t k = 0;
    while (2 * (k + 1) < n && 1 - 2 * binomial_below(n, k + 1) >= 0.95)
        k++;
    return (struct interval){sample->sorted[k], sample->sorted[n - 1 - k],
                             n < 2 ? 0 : 1 - 2 * binomial_below(n, k)};
}

size_t sample_outliers(const struct sample *sample)
{
    double median = sample_median(sample);
    double mad = fmax(sample_mad(sample), fabs(median) * 1e-4);
    size_t count = 0;
    for (size_t i = 0; i < sample->n; i++)
        count += fabs(sample->sorted[i] - median) > 14.826 * mad;
    return count;
}

static double normal_two_sided(double z)
{
    return erfc(fabs(z) / sqrt(2));
}

// P(|S| >= |s|) with S the pairs in order less the pairs out of order, over all orders of n values.
// The number of orders with j inversions grows by one value at a time.
static double kendall_exact(size_t n, double s)
{
    size_t most = n * (n - 1) / 2;
    double *share = xcalloc(most + 1, sizeof(double)), *next = xcalloc(most + 1, sizeof(double));
    share[0] = 1;
    for (size_t i = 2; i <= n; i++) {
        for (size_t j = 0; j <= i * (i - 1) / 2; j++) {
            next[j] = 0;
            for (size_t moved = 0; moved < i && moved <= j; moved++)
                next[j] += share[j - moved] / (double)i;
        }
        double *swap = share;
        share = next;
        next = swap;
    }
    double p = 0;
    for (size_t j = 0; j <= most; j++)
        if (fabs((double)most - 2 * (double)j) >= fabs(s) - 1e-9)
            p += share[j];
    free(share);
    free(next);
    return fmin(p, 1);
}

static double tie_sum(const double *sorted, size_t n, double (*of)(double))
{
    double sum = 0;
    for (size_t i = 0; i < n;) {
        size_t j = i;
        while (j < n && sorted[j] == sorted[i])
            j++;
        sum += of((double)(j - i));
        i = j;
    }
    return sum;
}

static double kendall_term(double t)
{
    return t * (t - 1) * (2 * t + 5);
}

double sample_trend_p(const struct sample *sample)
{
    size_t n = sample->n;
    double s = 0;
    bool ties = false;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            double d = sample->taken[j] - sample->taken[i];
            s += (d > 0) - (d < 0);
            ties |= d == 0;
        }
    }
    if (n < 3)
        return 1;
    if (!ties && n <= 60)
        return kendall_exact(n, s);
    double variance = (kendall_term((double)n) - tie_sum(sample->sorted, n, kendall_term)) / 18;
    if (variance <= 0 || s == 0)
        return 1;
    return normal_two_sided((fabs(s) - 1) / sqrt(variance));
}

// Twice the mid-rank of each of the sorted values: a whole number also with ties.
static void double_ranks(const double *sorted, size_t n, size_t *rank2)
{
    for (size_t i = 0; i < n;) {
        size_t j = i;
        while (j < n && sorted[j] == sorted[i])
            j++;
        for (size_t k = i; k < j; k++)
            rank2[k] = i + j + 1;
        i = j;
    }
}

// P of a rank sum at least as far from its mean as the one observed, over all choices of n of the
// total.
static double rank_exact(const size_t *rank2, size_t total, size_t n, double observed2)
{
    size_t most = 0;
    for (size_t i = 0; i < total; i++)
        most += rank2[i];
    size_t width = most + 1;
    double *ways = xcalloc((n + 1) * width, sizeof(double));
    ways[0] = 1;
    for (size_t i = 0; i < total; i++)
        for (size_t k = n < i + 1 ? n : i + 1; k >= 1; k--)
            for (size_t sum = most; sum >= rank2[i]; sum--)
                ways[k * width + sum] += ways[(k - 1) * width + sum - rank2[i]];
    double mean2 = (double)n * (double)(total + 1);
    double all = 0, far = 0;
    for (size_t sum = 0; sum < width; sum++) {
        all += ways[n * width + sum];
        if (fabs((double)sum - mean2) >= fabs(observed2 - mean2) - 1e-9)
            far += ways[n * width + sum];
    }
    free(ways);
    return far / all;
}

static double cube_less(double t)
{
    return t * t * t - t;
}

static double rank_normal(const double *sorted, size_t total, size_t n, double observed2)
{
    double a = (double)n, b = (double)(total - n), t = (double)total;
    double ties = tie_sum(sorted, total, cube_less);
    double variance = a * b / 12 * (t + 1 - ties / (t * (t - 1)));
    double away = fabs(observed2 / 2 - a * (t + 1) / 2);
    return variance > 0 ? normal_two_sided(fmax(away - 0.5, 0) / sqrt(variance)) : 1;
}

double rank_test_p(const struct sample *a, const struct sample *b)
{
    size_t total = a->n + b->n;
    if (!a->n || !b->n)
        return 1;
    double *all = xcalloc(total, sizeof(double));
    size_t *rank2 = xcalloc(total, sizeof(size_t));
    memcpy(all, a->sorted, a->n * sizeof(double));
    memcpy(all + a->n, b->sorted, b->n * sizeof(double));
    qsort(all, total, sizeof(double), by_value);
    double_ranks(all, total, rank2);
    double observed2 = 0;
    for (size_t i = 0, at = 0; i < a->n; i++) {
        while (all[at] < a->sorted[i])
            at++;
        observed2 += (double)rank2[at];
    }
    double p = total <= 100 ? rank_exact(rank2, total, a->n, observed2)
                            : rank_normal(all, total, a->n, observed2);
    free(all);
    free(rank2);
    return fmin(p, 1);
}

double loss_of(double native, double hvm, bool higher_is_better)
{
    return (higher_is_better ? native - hvm : hvm - native) / native;
}

// splitmix64; a fixed start makes every report reproducible.
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double resampled_median(const struct sample *s, double *scratch, uint64_t *random)
{
    for (size_t i = 0; i < s->n; i++)
        scratch[i] = s->sorted[next_random(random) % s->n];
    qsort(scratch, s->n, sizeof(double), by_value);
    return median_of_sorted(scratch, s->n);
}

static struct interval loss_range(const struct sample *native, const struct sample *hvm,
                                  bool higher)
{
    if (!native->n || !hvm->n)
        return (struct interval){NAN, NAN, 0};
    double native_lo = native->sorted[0], native_hi = native->sorted[native->n - 1];
    double hvm_lo = hvm->sorted[0], hvm_hi = hvm->sorted[hvm->n - 1];
    double a = higher ? loss_of(native_lo, hvm_hi, true) : loss_of(native_hi, hvm_lo, false);
    double b = higher ? loss_of(native_hi, hvm_lo, true) : loss_of(native_lo, hvm_hi, false);
    return (struct interval){a, b, 0};
}

struct interval loss_interval(const struct sample *native, const struct sample *hvm,
                              bool higher_is_better)
{
    if (native->n < bootstrap_least || hvm->n < bootstrap_least)
        return loss_range(native, hvm, higher_is_better);
    double *losses = xcalloc(bootstrap_resamples, sizeof(double));
    double *scratch = xcalloc(native->n > hvm->n ? native->n : hvm->n, sizeof(double));
    uint64_t random = 42;
    for (size_t i = 0; i < bootstrap_resamples; i++) {
        double n = resampled_median(native, scratch, &random);
        double h = resampled_median(hvm, scratch, &random);
        losses[i] = loss_of(n, h, higher_is_better);
    }
    qsort(losses, bootstrap_resamples, sizeof(double), by_value);
    struct interval interval = {losses[bootstrap_resamples / 40],
                                losses[bootstrap_resamples - 1 - bootstrap_resamples / 40], 0.95};
    free(losses);
    free(scratch);
    return interval;
}

void holm_adjust(double *p, size_t n)
{
    double *sorted = xcalloc(n, sizeof(double)), *adjusted = xcalloc(n, sizeof(double));
    memcpy(sorted, p, n * sizeof(double));
    qsort(sorted, n, sizeof(double), by_value);
    double least = 0;
    for (size_t i = 0; i < n; i++) {
        least = fmax(least, fmin(1, sorted[i] * (double)(n - i)));
        adjusted[i] = least;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (p[i] == sorted[j]) {
                // Equal p-values take the first place's factor, as Holm's step-down gives them.
                p[i] = adjusted[j];
                break;
            }
    free(sorted);
    free(adjusted);
}
