#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char env_signature[] = "# GRUB Environment Block\n";

static uint32_t le32(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

// The first byte after the last partition of the MBR's table, at offset 1BEh.
static unsigned long long partitions_end(const unsigned char *mbr)
{
    unsigned long long end = 0;
    for (int i = 0; i < 4; i++) {
        const unsigned char *entry = mbr + 0x1be + 16 * i;
        unsigned long long last = (unsigned long long)le32(entry + 8) + le32(entry + 12);
        if (entry[4] && last * image_sector > end)
            end = last * image_sector;
    }
    return end;
}

static int image_open(const char *path, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, st)) {
        if (errno == ENOENT)
            say("image %s is missing (make images builds the guests' images)", path);
        else
            say("image %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    if (S_ISREG(st->st_mode))
        return fd;
    say("image %s is not a regular file", path);
    close(fd);
    return -1;
}

static int check_mbr(const char *path, int fd, unsigned long long size)
{
    unsigned char mbr[image_sector];
    if (pread(fd, mbr, sizeof(mbr), 0) != sizeof(mbr)) {
        say("image %s is truncated: %llu bytes, not even one sector", path, size);
        return -1;
    }
    if (mbr[510] != 0x55 || mbr[511] != 0xaa) {
        say("image %s has no boot sector (bytes 55h AAh at offset 510)", path);
        return -1;
    }
    unsigned long long end = partitions_end(mbr);
    if (end > size) {
        say("image %s is truncated: %llu bytes, its partitions need %llu", path, size, end);
        return -1;
    }
    return 0;
}

int image_check_disk(const char *path, unsigned long long *bytes)
{
    struct stat st;
    int fd = image_open(path, &st);
    if (fd < 0)
        return -1;
    *bytes = (unsigned long long)st.st_size;
    int rc = check_mbr(path, fd, *bytes);
    close(fd);
    return rc;
}

int image_check(const char *path, unsigned long long *bytes)
{
    if (image_check_disk(path, bytes))
        return -1;
    char start[sizeof(env_signature) - 1] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = pread(fd, start, sizeof(start), (off_t)image_env_lba * image_sector);
    close(fd);
    if (n == sizeof(start) && !memcmp(start, env_signature, sizeof(start)))
        return 0;
    say("image %s has no GRUB environment block at sector %d: not a guest image of this project",
        path, image_env_lba);
    return -1;
}

int image_env_block(char block[image_env_bytes], const char *append)
{
    memset(block, '#', image_env_bytes);
    size_t at = sizeof(env_signature) - 1;
    memcpy(block, env_signature, at);
    if (strlen(append) > image_append_max)
        return -1;
    memcpy(block + at, "append=", 7);
    at += 7;
    // GRUB escapes a backslash by another; the words hold no line feed.
    for (const char *p = append; *p; p++) {
        if (at + 3 > image_env_bytes)
            return -1;
        if (*p == '\\')
            block[at++] = '\\';
        block[at++] = *p;
    }
    block[at] = '\n';
    return 0;
}

static int copy_bytes(int in, int out, off_t left)
{
    static char block[1 << 16];
    while (left > 0) {
        ssize_t n = copy_file_range(in, NULL, out, NULL, (size_t)left, 0);
        if (n <= 0)
            break;
        left -= n;
    }
    while (left > 0) {
        ssize_t n = read(in, block, sizeof(block));
        if (n < 0 || write_all(out, block, (size_t)n))
            return -1;
        if (n == 0) {
            errno = EIO;
            return -1;
        }
        left -= n;
    }
    return 0;
}

static int patch(int fd, const char *append)
{
    char block[image_env_bytes];
    if (!*append)
        return 0;
    if (image_env_block(block, append)) {
        say("the words for the guest are longer than %d characters", image_append_max);
        return -1;
    }
    if (pwrite(fd, block, sizeof(block), (off_t)image_env_lba * image_sector) == sizeof(block))
        return 0;
    say("cannot write the job's words into the copy of the image: %s", strerror(errno));
    return -1;
}

int image_copy(const char *from, const char *to, const char *append)
{
    struct stat st;
    int in = image_open(from, &st);
    if (in < 0)
        return -1;
    int out = open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int rc = out < 0 ? -1 : copy_bytes(in, out, st.st_size);
    if (rc)
        say("cannot copy %s to %s: %s", from, to, strerror(errno));
    else
        rc = patch(out, append);
    if (out >= 0 && close(out) && !rc) {
        say("cannot write %s: %s", to, strerror(errno));
        rc = -1;
    }
    close(in);
    return rc;
}
