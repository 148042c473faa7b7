#include "latency.h"

enum { BITS = 3, SPLIT = 1 << BITS };

/* Below 8 ns a bucket is 1 ns wide; above, the three bits behind the highest one choose. */
static unsigned bucket_of(uint64_t ns)
{
    unsigned octave = 0;
    while (ns >> (octave + BITS + 1))
        octave++;
    unsigned bucket = (octave << BITS) + (unsigned)(ns >> octave);
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

static uint64_t bucket_end(unsigned bucket)
{
    if (bucket < 2 * SPLIT)
        return bucket;
    unsigned octave = (bucket >> BITS) - 1;
    return ((uint64_t)(bucket - (octave << BITS)) + 1) * ((uint64_t)1 << octave) - 1;
}

void latency_add(struct latency *latency, uint64_t ns)
{
    latency->count[bucket_of(ns)]++;
    latency->total++;
    latency->sum_ns += (double)ns;
    if (ns > latency->longest_ns)
        latency->longest_ns = ns;
}

double latency_mean_ns(const struct latency *latency)
{
    return latency->total ? latency->sum_ns / (double)latency->total : 0;
}

void latency_merge(struct latency *into, const struct latency *from)
{
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        into->count[i] += from->count[i];
    into->total += from->total;
    into->sum_ns += from->sum_ns;
    if (from->longest_ns > into->longest_ns)
        into->longest_ns = from->longest_ns;
}

uint64_t latency_percentile(const struct latency *latency, double fraction)
{
    uint64_t below = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        below += latency->count[i];
        if (below > 0 && (double)below >= fraction * (double)latency->total) {
            uint64_t end = bucket_end(i);
            return end < latency->longest_ns ? end : latency->longest_ns;
        }
    }
    return 0;
}
