#define _GNU_SOURCE
#include "workdir.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int workdir_make(const char *base, char path[WORKDIR_MAX])
{
    char absolute[PATH_MAX];
    if (!realpath(base, absolute))
        return -1;
    int length = snprintf(path, WORKDIR_MAX, "%s/guestbench-XXXXXX", absolute);
    if (length >= WORKDIR_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return mkdtemp(path) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    remove(path);
    return 0;
}

void workdir_remove(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
