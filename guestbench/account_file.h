/* Files in the form of passwd(5) and group(5), and two ways to look a line up in them. */
#ifndef GUESTBENCH_ACCOUNT_FILE_H
#define GUESTBENCH_ACCOUNT_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* The third field of the first line that begins with "name:", or -1. */
long account_find_name(const char *text, size_t size, const char *name);

/* The offset of the first line whose third field is id, or -1. */
long account_find_id(const char *text, size_t size, long id);

/* What to look for: a name or, where that is NULL, an id. */
struct account_key {
    const char *name;
    long id;
};

/*
 * Both open path, look the key up and close it: by reads into a buffer, or by
 * fstat and a mapping that is removed again. They return what the functions
 * above do, or -1 with errno for trouble with the file.
 */
long account_lookup_read(const char *path, const struct account_key *key);
long account_lookup_mmap(const char *path, const struct account_key *key);

/* Writes lines of root (0), daemon and user0 to user29, of which user N has 1000 + N. */
bool account_write(const char *path, bool group);

#endif
