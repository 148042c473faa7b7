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

/*
 * Mounts it anew, if scratch_mount() has mounted it and dir is on it: its
 * journal and its cache are empty then, whatever ran before. Where a process
 * still has files open there it stays as it is. Returns -1 if it is lost.
 */
int scratch_renew(const char *dir);

#endif
