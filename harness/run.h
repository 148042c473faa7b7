// One run of a machine: started, listened to, watched, ended.
#pragma once
#include "engine.h"
#include "outset.h"
#include "stream.h"

struct limits {
    double silence_s; // without a byte from the machine
    double total_s;   // for the whole run; 0 is without end
};

enum run_stop {
    stop_none,    // the machine ended by itself
    stop_silence, // the watchdog: silence
    stop_total,   // the watchdog: total time
    stop_signal,  // the person: Ctrl-C, SIGTERM, SIGHUP
    stop_output,  // the results could not be written
    stop_start,   // the engine did not start
};

struct run_result {
    enum run_stop stop;
    struct ending ending;
    double wall_s;
    unsigned long plan, points, not_ok;
    bool complete;
    char last_point[96], last_console[160];
    char *last_log;    // last line of the hypervisor's log
    char *config_line; // where the hypervisor named a bad input
    char *where;       // the engine's report of a bad end: registers
};

// Runs `job` on `engine` with its output going to `out`. Blocks until the machine is gone.
void run_machine(const struct engine *engine, struct job *job, struct outset *out,
                 const struct limits *limits, bool quiet, struct run_result *result);
void run_result_free(struct run_result *result);
