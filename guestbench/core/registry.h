/* The list of all benchmarks and the choice among them. */
#ifndef GUESTBENCH_REGISTRY_H
#define GUESTBENCH_REGISTRY_H

#include "bench.h"

enum { REGISTRY_MAX = 256 };

/* All benchmarks in the order of their tables. Returns their number. */
int registry_all(const struct bench *list[REGISTRY_MAX]);

/*
 * Those that config asks for. Returns their number, or -1 with a message if a
 * table or a glob selects nothing.
 */
int registry_select(const struct config *config, const struct bench *list[REGISTRY_MAX],
                    char *error, size_t size);

#endif
