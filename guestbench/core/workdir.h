/* A benchmark's own directory, removed with all that it holds. */
#ifndef GUESTBENCH_WORKDIR_H
#define GUESTBENCH_WORKDIR_H

enum { WORKDIR_MAX = 512 };

/* Makes a new directory below base; path receives its absolute name. Returns 0 or -1 (errno). */
int workdir_make(const char *base, char path[WORKDIR_MAX]);
void workdir_remove(const char *path);

#endif
