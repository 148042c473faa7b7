#include "outset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const suffix_of[out_count] = {
    [out_tap] = ".tap",         [out_console] = ".console.log", [out_log] = ".hv.log",
    [out_records] = ".records", [out_engine] = ".engine.log",   [out_facts] = ".run.yml",
};

char *outset_beside(const char *tap_path, const char *suffix)
{
    size_t len = strlen(tap_path);
    if (len > 4 && !strcmp(tap_path + len - 4, ".tap"))
        len -= 4;
    return xasprintf("%.*s%s", (int)len, tap_path, suffix);
}

static int make_folders(const char *path)
{
    char *copy = xstrdup(path);
    int rc = 0;
    for (char *slash = strchr(copy + 1, '/'); slash && !rc; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0777) && errno != EEXIST)
            rc = -1;
        *slash = '/';
    }
    free(copy);
    return rc;
}

// What an earlier run that failed had measured is kept once more, as NAME.partial.old.
static void keep_old(const char *partial)
{
    struct stat st;
    if (stat(partial, &st) || !st.st_size)
        return;
    char *old = xasprintf("%s.old", partial);
    if (rename(partial, old))
        say("cannot rename %s: %s", partial, strerror(errno));
    free(old);
}

int outset_open(struct outset *set, const char *tap_path)
{
    *set = (struct outset){0};
    for (int i = 0; i < out_count; i++)
        set->fd[i] = -1;
    struct stat st;
    if (!stat(tap_path, &st) && !S_ISREG(st.st_mode)) {
        say("%s is not a regular file; -o wants the name of a file to make", tap_path);
        return -1;
    }
    for (int i = 0; i < out_count; i++) {
        set->path[i] = i == out_tap ? xstrdup(tap_path) : outset_beside(tap_path, suffix_of[i]);
        set->partial[i] = xasprintf("%s.partial", set->path[i]);
    }
    if (make_folders(tap_path)) {
        say("cannot make the folder of %s: %s", tap_path, strerror(errno));
        return -1;
    }
    for (int i = 0; i < out_count; i++) {
        keep_old(set->partial[i]);
        set->fd[i] = open(set->partial[i], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (set->fd[i] < 0) {
            say("cannot write %s: %s", set->partial[i], strerror(errno));
            return -1;
        }
    }
    return 0;
}

static int note_failure(struct outset *set, enum out_file which)
{
    if (!set->failed)
        set->failed = xasprintf("cannot write %s: %s", set->partial[which], strerror(errno));
    return -1;
}

int outset_write(struct outset *set, enum out_file which, const char *data, size_t len)
{
    return write_all(set->fd[which], data, len) ? note_failure(set, which) : 0;
}

static void drop_if_empty(const char *path)
{
    struct stat st;
    if (!stat(path, &st) && !st.st_size)
        unlink(path);
}

static int take_names(struct outset *set)
{
    for (int i = out_count - 1; i >= 0; i--) {
        if (rename(set->partial[i], set->path[i])) {
            say("cannot rename %s: %s", set->partial[i], strerror(errno));
            return -1;
        }
    }
    return 0;
}

int outset_close(struct outset *set, bool keep)
{
    for (int i = 0; i < out_count; i++) {
        if (set->fd[i] < 0)
            continue;
        if (fsync(set->fd[i]) && errno != EINVAL)
            note_failure(set, i);
        if (close(set->fd[i]))
            note_failure(set, i);
    }
    int rc = set->failed ? -1 : 0;
    if (set->failed)
        say("%s; what was written is kept", set->failed);
    if (keep && !rc)
        rc = take_names(set);
    for (int i = 0; i < out_count; i++) {
        if (set->partial[i])
            drop_if_empty(set->partial[i]);
        free(set->path[i]);
        free(set->partial[i]);
    }
    free(set->failed);
    return rc;
}
