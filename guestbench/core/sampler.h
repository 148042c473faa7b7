/* Runs one benchmark in the current process: calibration, warm-up, samples. */
#ifndef GUESTBENCH_SAMPLER_H
#define GUESTBENCH_SAMPLER_H

#include "bench.h"

/* Never returns: the process ends with its findings in result. id is the TAP point's number. */
void sampler_run(const struct bench *bench, const struct config *config, struct result *result,
                 int id) __attribute__((noreturn));

#endif
