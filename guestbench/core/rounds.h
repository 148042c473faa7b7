/* Samples in several visits of all benchmarks: what a machine does meanwhile is in them then. */
#ifndef GUESTBENCH_ROUNDS_H
#define GUESTBENCH_ROUNDS_H

#include "result.h"

/* How many of `samples` visit `round` of `rounds` takes; the first ones take what is left over. */
int rounds_samples(int samples, int rounds, int round);

/*
 * Adds what a visit found to what the ones before did: samples and counters
 * are those of all, warm-ups of the first, facts of the last. A visit that did
 * not go well is the result.
 */
void rounds_add(struct result *all, const struct result *visit);

#endif
