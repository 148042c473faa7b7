// Guests are data: one small YAML file each in images/guests.
#pragma once
#include "facts.h"

struct guest {
    char *name, *description, *arch, *cmdline, *image, *hv, *expect;
    unsigned long long memory_bytes;
};

// Reads DIR/NAME.yml. NULL with a message on standard error that names what is wrong, and for an
// unknown guest the known ones.
struct guest *guest_load(const char *dir, const char *name);

// A guest for a bare image file, for `penumbra boot FILE`.
struct guest *guest_for_image(const char *path);
void guest_free(struct guest *guest);

// The names in DIR, sorted.
void guest_names(const char *dir, struct words *out);

// images/guests under top_dir(); the caller frees it.
char *guest_dir(void);
