// The files of one run. While it goes on, each is NAME.partial; when the TAP is complete all take
// their names at once, the TAP last. After a failure the .partial files stay, with all that was
// measured, and the files of an earlier run are untouched.
#pragma once
#include "util.h"

enum out_file {
    out_tap,     // STEM.tap: the TAP
    out_console, // STEM.console.log: what else the guest printed
    out_log,     // STEM.hv.log: the hypervisor's log port
    out_records, // STEM.records: its @hv lines alone
    out_engine,  // STEM.engine.log: what the engine itself printed
    out_facts,   // STEM.run.yml: what was run, and how it ended
    out_count
};

struct outset {
    char *path[out_count];
    char *partial[out_count];
    int fd[out_count];
    char *failed; // message of the first write that failed
};

// Opens the files for a TAP at `tap_path`; missing folders are made. 0, or -1 with a message.
int outset_open(struct outset *set, const char *tap_path);

// Appends; 0, or -1 with `failed` set.
int outset_write(struct outset *set, enum out_file which, const char *data, size_t len);

// Ends the run: with `keep` the files take their names. 0, or -1 with a message.
int outset_close(struct outset *set, bool keep);

// STEM of a path that ends in .tap (or else the path itself), with `suffix`. The caller frees it.
char *outset_beside(const char *tap_path, const char *suffix);
