#include "account_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { USERS = 30, FIRST_ID = 1000, LARGEST = 4096 };

/* The number behind the second colon of a line, or -1. */
static long third_field(const char *line, const char *end)
{
    long value = 0;
    const char *at = line;
    for (int colons = 0; colons < 2; colons++) {
        at = memchr(at, ':', (size_t)(end - at));
        if (!at++)
            return -1;
    }
    if (at == end || *at < '0' || *at > '9')
        return -1;
    for (; at < end && *at >= '0' && *at <= '9' && value < 100000000; at++)
        value = value * 10 + *at - '0';
    return value;
}

static const char *line_end(const char *line, const char *end)
{
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    return newline ? newline : end;
}

long account_find_name(const char *text, size_t size, const char *name)
{
    const char *end = text + size, *stop;
    size_t length = strlen(name);
    for (const char *line = text; line < end; line = stop + 1) {
        stop = line_end(line, end);
        if ((size_t)(stop - line) > length && memcmp(line, name, length) == 0 &&
            line[length] == ':')
            return third_field(line, stop);
    }
    return -1;
}

long account_find_id(const char *text, size_t size, long id)
{
    const char *end = text + size, *stop;
    for (const char *line = text; line < end; line = stop + 1) {
        stop = line_end(line, end);
        if (third_field(line, stop) == id)
            return line - text;
    }
    return -1;
}

static long find(const char *text, size_t size, const struct account_key *key)
{
    if (key->name)
        return account_find_name(text, size, key->name);
    return account_find_id(text, size, key->id);
}

long account_lookup_read(const char *path, const struct account_key *key)
{
    char text[LARGEST];
    size_t size = 0;
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    while (size < sizeof text && (got = read(fd, text + size, sizeof text - size)) > 0)
        size += (size_t)got;
    close(fd);
    return find(text, size, key);
}

long account_lookup_mmap(const char *path, const struct account_key *key)
{
    struct stat info;
    long found = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &info) == 0 && info.st_size > 0) {
        size_t size = (size_t)info.st_size;
        char *text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (text != MAP_FAILED) {
            found = find(text, size, key);
            munmap(text, size);
        }
    }
    close(fd);
    return found;
}

static void write_line(FILE *file, const char *name, int id, bool group)
{
    if (group)
        fprintf(file, "%s:x:%d:\n", name, id);
    else
        fprintf(file, "%s:x:%d:%d:Some user:/home/%s:/bin/sh\n", name, id, id, name);
}

bool account_write(const char *path, bool group)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return false;
    write_line(file, "root", 0, group);
    write_line(file, "daemon", 1, group);
    for (int i = 0; i < USERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "user%d", i);
        write_line(file, name, FIRST_ID + i, group);
    }
    bool written = !ferror(file);
    return fclose(file) == 0 && written;
}
