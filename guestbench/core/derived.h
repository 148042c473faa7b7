/* Points that are not run but computed from others of the same run (bench.mean_of). */
#ifndef GUESTBENCH_DERIVED_H
#define GUESTBENCH_DERIVED_H

#include "bench.h"

/* Keeps the samples of a point that went well, if it is one that others may be computed from. */
void derived_keep(const struct bench *bench, const struct result *result);

/*
 * Computes a point: its sample i is the mean of the sources' samples i. Skipped
 * where a source was not run or did not go well.
 */
void derived_compute(const struct bench *bench, struct result *result);

#endif
