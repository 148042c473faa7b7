// What `run` and `boot` have in common: the options that describe a machine, and the private
// working folder with the copy of the image.
#pragma once
#include "engine.h"

#include <argp.h>

struct machine_options {
    const char *engine, *guest, *image, *hypervisor, *hv, *append, *memory, *cpu;
    unsigned long long ticks;
    const char *serial, *log_serial;
    enum side side;
    bool no_icount, keep;
    struct words qemu_args;
};

// argp child parser of the options above; its input is a struct machine_options.
extern const struct argp machine_argp;
void machine_defaults(struct machine_options *options);

struct prepared {
    const struct engine *engine;
    struct guest *guest;
    struct job job;
    char *dir, *hypervisor;
    bool keep;
};

// Finds engine and guest, checks the image, copies it with `append` among its words. 0, or -1 with
// a message. `guest_image` asks for an image of this project.
int machine_prepare(struct prepared *prepared, const struct machine_options *options,
                    const char *append, bool guest_image);

// Removes the working folder, unless it is to be kept.
void machine_clean(struct prepared *prepared);
