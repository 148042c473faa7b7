// A small disk from which GRUB starts the hypervisor, for engines that have no loader of their own.
#pragma once
#include "engine.h"

// Makes `name` in the job's working folder: GRUB, the hypervisor with the words `words`, and the
// firmware of its guest. 0, or -1 with a message.
int bootdisk_make(const struct job *job, const char *name, const char *words);

// GRUB's commands that load `n` files which lie one after the other from sector `lba` on; the first is
// the hypervisor. False where a word cannot be quoted.
struct bootdisk_file {
    const char *path, *module; // NULL for the hypervisor
    size_t sectors;
};
bool bootdisk_config(struct buf *out, const struct bootdisk_file *files, size_t n, size_t lba,
                     const char *words);

// NULL where GRUB is installed, else what lacks.
const char *bootdisk_lacks(void);
