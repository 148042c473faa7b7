// Statistics of small samples: median, exact intervals, the bootstrap, rank tests.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A sample in ascending order and in the order it was taken.
struct sample {
    double *sorted, *taken;
    size_t n;
};

struct interval {
    double lo, hi;
    double level; // its coverage
};

struct sample sample_make(const double *values, size_t n);
void sample_free(struct sample *sample);

double sample_median(const struct sample *sample);

// Median absolute deviation from the median.
double sample_mad(const struct sample *sample);

// Interval of the median from order statistics: the narrowest symmetric one with at least 95 %
// coverage, or minimum to maximum where none has that (fewer than 6 values).
struct interval sample_median_interval(const struct sample *sample);

// Values whose modified z-score |x - median| / MAD is over 14.826. The MAD is taken as at least
// 0.01 % of the median, so that a spread of a few instructions is none.
size_t sample_outliers(const struct sample *sample);

// Two-sided p of the Mann-Kendall test for a trend over time; exact where no two values are equal,
// else by the normal approximation with tie correction.
double sample_trend_p(const struct sample *sample);

// Exact two-sided p of the Mann-Whitney test, ties by mid-ranks. Over 100 values in all: the normal
// approximation.
double rank_test_p(const struct sample *a, const struct sample *b);

// Loss of `hvm` against `native` as a fraction: of a rate (native - hvm) / native, of a time
// (hvm - native) / native.
double loss_of(double native, double hvm, bool higher_is_better);

// 95 % interval of the loss of medians: percentile bootstrap, `bootstrap_resamples` resamples from
// a fixed seed. With fewer than 6 values on a side, the range from the extremes (level 0).
enum { bootstrap_resamples = 10000, bootstrap_least = 6 };
struct interval loss_interval(const struct sample *native, const struct sample *hvm,
                              bool higher_is_better);

// Holm's correction of n p-values, in place.
void holm_adjust(double *p, size_t n);
