// Engines: what a machine runs on. An engine is one entry of engine_table.
#pragma once
#include "guests.h"

enum side { side_native, side_hvm };

// How the harness is wired to the machine; descriptors are inherited under their numbers.
struct wires {
    int console;      // the guest's COM1
    int log;          // the hypervisor's log port
    int monitor;      // the engine's own control channel
    bool interactive; // the console is this terminal instead
    bool log_is_file; // `log` is an open file, not a socket
};

// What is to run. `dir` is the private working folder: it holds disk0, the copy of the image, and
// an engine that counts instructions leaves the counts at the marks in `insns`, one a line.
struct job {
    enum side side;
    const struct guest *guest;
    unsigned long long image_bytes;
    const char *hypervisor; // path of hv.elf
    const char *dir;
    const char *hv_words; // added to the hypervisor's command line
    bool exact;           // instruction-counted time, where the engine can
    struct words extra;   // engine arguments as given
    struct wires wires;
};

// How a machine ended, after docs/reference.md "How a machine ends".
struct ending {
    char name[24]; // poweroff, reboot, ..., or "stopped" and "error"
    int code;      // of the table, or -1
    bool clean;    // the guest switched itself off
};

struct engine {
    const char *name, *summary;
    // Looks at what is installed. 0 if it works; `found` says what was seen, `missing` what lacks.
    int (*probe)(struct buf *found, struct buf *missing);
    // Prepares the working folder and builds the command. 0, or -1 with a message.
    int (*command)(const struct job *job, struct words *argv);
    struct ending (*ending)(enum side side, int wait_status);
    // Asks the running machine where its CPU is; NULL where the engine cannot say.
    char *(*where)(int monitor_fd);
};

extern const struct engine engine_tcg;
extern const struct engine *const engine_table[];
extern const size_t engine_table_n;

const char *side_name(enum side side);
bool side_parse(const char *text, enum side *side);

// The engine of that name, or for "auto" the first whose probe is good. NULL with a message.
const struct engine *engine_choose(const char *name);
