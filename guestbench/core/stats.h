/* Order statistics of a benchmark's samples, and the choice of its iterations. */
#ifndef GUESTBENCH_STATS_H
#define GUESTBENCH_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stats {
    double median;
    double mad; /* median absolute deviation from the median */
    double ci_lo, ci_hi;
    double ci_level; /* coverage of ci_lo..ci_hi for the median */
    int outliers;    /* samples more than 10 sigma (by MAD) off the median */
    bool trend;      /* Mann-Kendall, two-sided p < 0.01 */
};

/* Computes all of the above; n is 1 to 101. */
void stats_compute(const double *samples, int n, struct stats *stats);

/* Median of n values (1 to 101), which need not be sorted. */
double stats_median(const double *values, int n);

/*
 * Calibration: n iterations took elapsed_ns, a sample shall last target_ns.
 * Returns the iterations to try or to use next; *done tells which.
 */
uint64_t stats_calibrate(uint64_t n, uint64_t elapsed_ns, uint64_t target_ns, bool *done);

#endif
