/* Point 1 of every report: what the benchmarks ran on. */
#ifndef GUESTBENCH_ENV_H
#define GUESTBENCH_ENV_H

#include <stdint.h>
#include <stdio.h>

#include "config.h"

/* As init: remembers the time stamp counter at the start of user space. */
void env_set_boot_tsc(uint64_t tsc);

void env_report(const struct config *config, FILE *out);

#endif
