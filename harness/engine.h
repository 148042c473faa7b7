// Engines: what a machine runs on. An engine is one entry of engine_table.
#pragma once
#include "guests.h"

#include <sys/types.h>

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
    const char *hv_words;            // added to the hypervisor's command line
    const char *cpu;                 // model, for an engine that has several; NULL is the default
    unsigned long long ticks;        // budget, for an engine that counts them; 0 is the default
    const char *serial, *log_serial; // for an engine that only listens
    bool exact;                      // instruction-counted time, where the engine can
    struct words extra;              // engine arguments as given
    struct wires wires;
};

// What is left of a machine that is gone.
struct remains {
    enum side side;
    int wait_status;
    const char *dir;    // the working folder
    bool complete;      // the TAP is
    const char *hv_end; // `end=` of the hypervisor's last record; NULL without one
};

// How a machine ended, after docs/reference.md "How a machine ends".
struct ending {
    char name[24];            // poweroff, reboot, ..., or "stopped" and "error"
    int code;                 // of the table, or -1
    bool clean;               // the guest switched itself off
    unsigned long long ticks; // instructions and idle time, where the engine counts them; else 0
    char *report;             // what the engine left about a bad end, or NULL; the caller frees it
};

struct engine {
    const char *name, *summary;
    bool is_auto;        // `auto` may take it
    bool counts;         // its time can be counted instructions
    bool clocks;         // its time can be the host's
    bool has_terminal;   // the guest's console can be this terminal
    bool pipes;          // its ports are pipes that it opens by /dev/fd, not sockets
    bool qemu_arguments; // job.extra is passed on
    bool one_cpu;        // its threads share one CPU of the host while its time is counted
    // Looks at what is installed for that side; side_hvm needs at least what side_native does. 0 if it
    // works; `found` says what was seen, `missing` what lacks.
    int (*probe)(enum side side, struct buf *found, struct buf *missing);
    // Checks a CPU model. 0, or -1 with a message. NULL: the engine has one CPU and counts no ticks.
    int (*check_cpu)(const char *model);
    // Opens what the machine says; `log` is -1 where it comes on the console. The engine then starts
    // nothing and has no `command`. 0, or -1 with a message.
    int (*open)(const struct job *job, int *console, int *log);
    // Prepares the working folder and builds the command. 0, or -1 with a message.
    int (*command)(const struct job *job, struct words *argv);
    struct ending (*ending)(const struct remains *remains);
    // Asks the running machine where its CPU is; NULL where the engine cannot say, or says it in
    // what it leaves.
    char *(*where)(pid_t pid, int monitor_fd);
};

extern const struct engine engine_tcg, engine_kvm, engine_bochs, engine_hw;
extern const struct engine *const engine_table[];
extern const size_t engine_table_n;

const char *side_name(enum side side);
bool side_parse(const char *text, enum side *side);

// The code of an end of the hypervisor (docs/reference.md, "How a machine ends"), or -1, and back.
int end_code(const char *name);
const char *end_name(int code);

// The engine of that name, or for "auto" the first that works for both sides. NULL with a message.
const struct engine *engine_choose(const char *name, enum side side);

// Links `from` into the working folder as `name`. 0, or -1 with a message.
int job_link(const struct job *job, const char *from, const char *name);

// The firmware that both a native machine in Bochs and every guest of the hypervisor start with.
extern const char firmware_bios[], firmware_vga[];
