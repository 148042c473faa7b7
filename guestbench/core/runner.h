/* Runs a list of benchmarks, each in a process of its own, and reports them. */
#ifndef GUESTBENCH_RUNNER_H
#define GUESTBENCH_RUNNER_H

#include <stdio.h>

#include "bench.h"

/* Writes the whole TAP document. Returns how many points were not ok, -1 after a bail-out. */
int runner_run(const struct config *config, const struct bench *const *list, int count, FILE *out);

#endif
