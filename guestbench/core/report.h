/* One result as a TAP point. */
#ifndef GUESTBENCH_REPORT_H
#define GUESTBENCH_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "bench.h"

/* Returns whether the point is ok (or skipped). */
bool report_point(const struct bench *bench, const struct result *result, int id, FILE *out);

#endif
