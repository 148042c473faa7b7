/*
 * Events: one disk request at a time, past the page cache. Reads come from a
 * partition that nothing writes to, writes go to a file on the scratch file
 * system; offsets go round, so that a device's own cache is not all that
 * answers. The pio_* names are the same requests on a disk that is driven
 * without DMA (libata's dma=0); they are other names since they are another
 * benchmark.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/bench.h"
#include "core/system.h"

enum { KIB = 1024, MOST = 128 * KIB, PART = 4 * KIB, SPAN = 8 * KIB * KIB, APPEND = KIB };
enum { PARTS = MOST / PART, MODE_ANY, MODE_PIO };

static char memory[2 * MOST] __attribute__((aligned(PART)));
static char second[MOST] __attribute__((aligned(PART)));
static struct iovec parts[PARTS]; /* of a request */
static int parts_used;
static int fd = -1;
static off_t span, offset, last;
static size_t request;
static uint32_t serial; /* of the last block written */

/* The transfer mode of an ATA disk as libata tells it, or "" without one. */
static void ata_transfer_mode(char *mode, size_t size)
{
    char path[400], class[32];
    DIR *dir = opendir("/sys/class/ata_device");
    mode[0] = '\0';
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strncmp(entry->d_name, "dev", 3) != 0)
            continue;
        snprintf(path, sizeof path, "/sys/class/ata_device/%s/class", entry->d_name);
        if (!system_read_line(path, class, sizeof class) || strncmp(class, "ata", 3) != 0 ||
            strncmp(class, "atapi", 5) == 0)
            continue;
        snprintf(path, sizeof path, "/sys/class/ata_device/%s/xfer_mode", entry->d_name);
        system_read_line(path, mode, size);
        break;
    }
    closedir(dir);
}

static void check_mode(struct bench_run *run, long wanted)
{
    char mode[64];
    ata_transfer_mode(mode, sizeof mode);
    bool pio = strstr(mode, "PIO") != NULL;
    if (wanted == MODE_PIO && !pio)
        bench_skip(run, "the disk does not use PIO (%s); boot with libata.dma=0",
                   mode[0] ? mode : "no ATA disk");
    if (mode[0])
        bench_fact_text(run, "transfer_mode", mode);
}

/*
 * A request is of every other page: pages that are neighbours in the machine's
 * memory are one part of it to the kernel, and how many are would depend on all
 * that ran before.
 */
static void make_request(const struct bench_run *run)
{
    request = strstr(run->bench->name, "128k") ? MOST : PART;
    parts_used = (int)(request / PART);
    memset(memory, 0, sizeof memory);
    for (int i = 0; i < parts_used; i++)
        parts[i] = (struct iovec){memory + (size_t)(2 * i) * PART, PART};
}

/* Is in `second` what the request has? */
static bool same(void)
{
    for (int i = 0; i < parts_used; i++) {
        if (memcmp(parts[i].iov_base, second + (size_t)i * PART, PART) != 0)
            return false;
    }
    return true;
}

static void read_setup(struct bench_run *run)
{
    const char *disk = run->config->disk;
    make_request(run);
    if (!disk)
        bench_skip(run, "no disk was given (--disk)");
    check_mode(run, run->bench->param);
    fd = open(disk, O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (fd < 0 && (errno == EPERM || errno == EACCES || errno == EINVAL))
        bench_skip(run, "%s cannot be read directly: %s", disk, strerror(errno));
    if (fd < 0)
        bench_fail(run, errno, "cannot open %s for direct reads", disk);
    off_t size = lseek(fd, 0, SEEK_END);
    span = (size < SPAN ? size : SPAN) / (off_t)request * (off_t)request;
    if (span <= 0)
        bench_fail(run, 0, "%s is too small", disk);
}

static void read_iter(struct bench_run *run, uint64_t n)
{
    for (; n > 0; n--) {
        ssize_t length = preadv(fd, parts, parts_used, offset);
        if (length != (ssize_t)request)
            bench_fail(run, length < 0 ? errno : 0, "cannot read the disk");
        last = offset;
        offset = (offset + (off_t)request) % span;
    }
}

/* The same place through the page cache, which is another path to the same bytes. */
static void read_verify(struct bench_run *run)
{
    int cached = open(run->config->disk, O_RDONLY | O_CLOEXEC);
    ssize_t length = cached < 0 ? -1 : pread(cached, second, request, last);
    close(cached);
    if (length != (ssize_t)request)
        bench_fail(run, errno, "cannot read the disk a second time");
    if (!same())
        bench_fail(run, 0, "direct and cached reads at byte %lld differ", (long long)last);
}

/* A file whose blocks exist, so that a write changes no metadata. */
static void write_setup(struct bench_run *run)
{
    enum { FILE_BYTES = 1 << 20 };
    make_request(run);
    check_mode(run, run->bench->param);
    fd = open("direct", O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EINVAL)
        bench_skip(run, "the file system has no direct writes");
    if (fd < 0)
        bench_fail(run, errno, "cannot create a file for direct writes");
    for (off_t at = 0; at < FILE_BYTES; at += MOST) {
        if (pwrite(fd, second, MOST, at) != MOST)
            bench_fail(run, errno, "cannot write the file");
    }
    if (fsync(fd) != 0)
        bench_fail(run, errno, "cannot flush the file");
    span = FILE_BYTES;
}

static void write_iter(struct bench_run *run, uint64_t n)
{
    for (; n > 0; n--) {
        serial++;
        memcpy(parts[0].iov_base, &serial, sizeof serial);
        memcpy((char *)parts[parts_used - 1].iov_base + PART - sizeof serial, &serial,
               sizeof serial);
        ssize_t length = pwritev(fd, parts, parts_used, offset);
        if (length != (ssize_t)request)
            bench_fail(run, length < 0 ? errno : 0, "cannot write the disk");
        last = offset;
        offset = (offset + (off_t)request) % span;
    }
}

static void write_verify(struct bench_run *run)
{
    memset(second, 0, request);
    if (pread(fd, second, request, last) != (ssize_t)request)
        bench_fail(run, errno, "cannot read back what was written");
    if (!same())
        bench_fail(run, 0, "what was written at byte %lld reads back differently", (long long)last);
}

static void append_setup(struct bench_run *run)
{
    char type[32];
    if (!system_fs_type(".", type, sizeof type) || strcmp(type, "tmpfs") == 0 ||
        strcmp(type, "ramfs") == 0)
        bench_skip(run, "the directory is not on a disk");
    check_mode(run, MODE_ANY);
    fd = open("append", O_WRONLY | O_CREAT | O_APPEND | O_SYNC | O_CLOEXEC, 0600);
    if (fd < 0)
        bench_fail(run, errno, "cannot create a file");
}

static void append_iter(struct bench_run *run, uint64_t n)
{
    for (; n > 0; n--) {
        ssize_t length = write(fd, second, APPEND);
        if (length != APPEND)
            bench_fail(run, length < 0 ? errno : ENOSPC, "cannot append");
    }
}

/* The file begins anew with each sample, so that a long run does not fill the disk. */
static void append_verify(struct bench_run *run)
{
    off_t expected = (off_t)run->done * APPEND, size = lseek(fd, 0, SEEK_END);
    if (size != expected)
        bench_mismatch(run, (double)expected, (double)size);
    if (ftruncate(fd, 0) != 0)
        bench_fail(run, errno, "cannot empty the file");
}

#define READ(id, text, mode)                                                                       \
    {                                                                                              \
        .name = "disk." id, .table = "events", .unit = "requests/s", .what = text,                 \
        .needs = (mode) == MODE_PIO ? "--disk,PIO" : "--disk", .flags = BENCH_EXTRA, .ops = 1,     \
        .setup = read_setup, .iter = read_iter, .verify = read_verify, .param = mode               \
    }

#define WRITE(id, text, mode)                                                                      \
    {                                                                                              \
        .name = "disk." id, .table = "events", .unit = "requests/s", .what = text,                 \
        .flags = BENCH_EXTRA | BENCH_DISK, .ops = 1, .setup = write_setup, .iter = write_iter,     \
        .verify = write_verify, .param = mode                                                      \
    }

static const struct bench disk_events[] = {
    READ("direct_read_4k", "reads of 4 KiB, O_DIRECT", MODE_ANY),
    READ("direct_read_128k", "reads of 128 KiB, O_DIRECT", MODE_ANY),
    WRITE("direct_write_4k", "overwrites of 4 KiB, O_DIRECT", MODE_ANY),
    WRITE("direct_write_128k", "overwrites of 128 KiB, O_DIRECT", MODE_ANY),
    {.name = "disk.sync_append_1k",
     .table = "events",
     .unit = "requests/s",
     .what = "appends of 1 KiB, O_SYNC",
     .flags = BENCH_EXTRA | BENCH_DISK,
     .ops = 1,
     .setup = append_setup,
     .iter = append_iter,
     .verify = append_verify},
    READ("pio_read_4k", "reads of 4 KiB, O_DIRECT, without DMA", MODE_PIO),
    WRITE("pio_write_4k", "overwrites of 4 KiB, O_DIRECT, without DMA", MODE_PIO),
};

BENCH_TABLE(disk_events);
