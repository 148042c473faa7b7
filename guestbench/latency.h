/* A histogram of durations: 8 buckets an octave, so that a percentile is right within 1/8. */
#ifndef GUESTBENCH_LATENCY_H
#define GUESTBENCH_LATENCY_H

#include <stdint.h>

enum { LATENCY_BUCKETS = 8 * 46 }; /* up to 2^48 ns, 78 hours */

struct latency {
    uint32_t count[LATENCY_BUCKETS];
    uint64_t total;
    uint64_t longest_ns;
    double sum_ns;
};

void latency_add(struct latency *latency, uint64_t ns);

/* 0 without durations. */
double latency_mean_ns(const struct latency *latency);
void latency_merge(struct latency *into, const struct latency *from);

/* The upper end of the bucket that holds the given fraction, in ns; 0 without durations. */
uint64_t latency_percentile(const struct latency *latency, double fraction);

#endif
