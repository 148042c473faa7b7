/* Helper processes of a benchmark (servers, clients) and whole messages to and from them. */
#ifndef GUESTBENCH_HELPER_H
#define GUESTBENCH_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/bench.h"

/*
 * Forks a helper, which is killed when the benchmark's process ends. Returns
 * its process id, and 0 in the helper. Ends the benchmark if it cannot fork.
 */
pid_t helper_fork(struct bench_run *run);

/* Kills a helper and waits for its end; pid 0 is none. */
void helper_kill(pid_t pid);

/* All of size bytes or nothing: false at the end of the stream (errno 0) or on an error. */
bool helper_read(int fd, void *data, size_t size);
bool helper_write(int fd, const void *data, size_t size);

/* Zeroed memory that helpers share with the benchmark. Ends the benchmark if there is none. */
void *helper_share(struct bench_run *run, size_t size);

#endif
