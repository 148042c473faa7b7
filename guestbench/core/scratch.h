/* The scratch partition of a guest image. */
#ifndef GUESTBENCH_SCRATCH_H
#define GUESTBENCH_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#define SCRATCH_DIR "/scratch"

/*
 * Mounts partition 2 (ext4) of the boot disk on SCRATCH_DIR and writes the name
 * of partition 1, which nothing writes to, to disk. Waits a little for a disk
 * to appear. Returns false if there is none.
 */
bool scratch_mount(char *disk, size_t size);

#endif
