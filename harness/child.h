// Child processes: each in a process group of its own, and killed only by that group.
#pragma once
#include "util.h"

#include <sched.h>
#include <sys/types.h>

struct child_spec {
    const struct words *argv;
    const char *dir; // working directory, or NULL
    const int *keep; // descriptors that stay open under their numbers
    size_t n_keep;
    const cpu_set_t *cpus; // of the host, or NULL for all
    int output;            // where standard output and error go, or -1 to inherit
    bool interactive;      // keep standard input and the terminal's process group
};

// Starts a program found by PATH. Its process group is its pid; it is killed when this program
// dies. Returns the pid, or -1 with errno of the failed exec.
pid_t child_start(const struct child_spec *spec);

// Kills the child's process group, SIGTERM first and SIGKILL after `grace_s`, and reaps it. Returns
// the wait status.
int child_stop(pid_t pid, double grace_s);

// Runs a program to its end with its output (both streams) collected. Returns its wait status, or
// -1 with errno where it did not start or did not end in time.
int child_capture(const struct words *argv, struct buf *out, double timeout_s);

// True if PATH has a program of that name.
bool child_in_path(const char *program);
