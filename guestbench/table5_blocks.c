/*
 * Table 5: reading, writing and copying files in blocks of 1 KiB (AIM9).
 *
 * All but the sync_* tests work in the page cache, as they do in AIM9. Where a
 * test first writes the file that it then reads, AIM9 has that in the time but
 * not in the count; so has this, and set_up_s tells how much it was.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bench.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/system.h"

enum { BLOCK = 1024, FILL = 'a' };

static const char work[] = "work", common[] = "common";
static char block[BLOCK];
static long blocks;      /* of the file */
static long blocks_done; /* by the last iteration, as the system calls told */
static uint64_t random_state;

static int open_file(struct bench_run *run, const char *name, int flags)
{
    int fd = open(name, flags, 0777);
    if (fd < 0)
        bench_fail(run, errno, "cannot open %s", name);
    return fd;
}

static void close_file(struct bench_run *run, int fd)
{
    if (close(fd) != 0)
        bench_fail(run, errno, "cannot close a file");
}

static void remove_file(struct bench_run *run, const char *name)
{
    if (unlink(name) != 0)
        bench_fail(run, errno, "cannot remove %s", name);
}

static inline void write_block(struct bench_run *run, int fd)
{
    ssize_t length = write(fd, block, BLOCK);
    if (length != BLOCK)
        bench_fail(run, length < 0 ? errno : ENOSPC, "cannot write a block");
    blocks_done++;
}

static inline void read_block(struct bench_run *run, int fd)
{
    ssize_t length = read(fd, block, BLOCK);
    if (length != BLOCK)
        bench_fail(run, length < 0 ? errno : 0, "cannot read a block");
    blocks_done++;
}

static inline void seek_random(struct bench_run *run, int fd)
{
    off_t to = (off_t)random_below(&random_state, (uint32_t)blocks) * BLOCK;
    if (lseek(fd, to, SEEK_SET) != to)
        bench_fail(run, errno, "cannot seek");
}

static void write_sequentially(struct bench_run *run, int fd)
{
    for (long i = 0; i < blocks; i++)
        write_block(run, fd);
}

/* The file that random access tests work on, made anew each time. */
static void make_work_file(struct bench_run *run)
{
    uint64_t start = clock_ns();
    int fd = open_file(run, work, O_WRONLY | O_CREAT | O_TRUNC);
    write_sequentially(run, fd);
    close_file(run, fd);
    run->setup_ns += clock_ns() - start;
    blocks_done = 0;
}

static void setup_sizes(struct bench_run *run)
{
    bool sync = run->bench->param;
    /* AIM9 halves the work of the tests whose name begins with "sync" */
    blocks = sync ? run->config->sync_file_kib / 2 : run->config->file_kib;
    run->ops = (double)blocks;
    random_state = run->config->seed;
    memset(block, FILL, BLOCK);
    bench_fact_number(run, "file_kib", (double)blocks, 0);
}

/* On a file system in memory O_SYNC means nothing. */
static void setup_sync(struct bench_run *run)
{
    char type[32];
    if (!system_fs_type(".", type, sizeof type))
        bench_fail(run, errno, "cannot tell the file system");
    if (strcmp(type, "tmpfs") == 0 || strcmp(type, "ramfs") == 0 || strcmp(type, "overlay") == 0)
        bench_skip(run, "the directory is on %s, where O_SYNC does nothing", type);
    setup_sizes(run);
}

static void make_common_file(struct bench_run *run)
{
    int fd = open_file(run, common, O_WRONLY | O_CREAT | O_TRUNC);
    write_sequentially(run, fd);
    close_file(run, fd);
}

static void setup_common(struct bench_run *run)
{
    setup_sizes(run);
    make_common_file(run);
}

static void setup_sync_common(struct bench_run *run)
{
    setup_sync(run);
    make_common_file(run);
}

/* All blocks were transferred, and a block that was read last holds what was written. */
static void blocks_verify(struct bench_run *run)
{
    if (blocks_done != blocks)
        bench_mismatch(run, (double)blocks, (double)blocks_done);
    long right = 0;
    for (int i = 0; i < BLOCK; i++)
        right += block[i] == FILL;
    if (right != BLOCK)
        bench_mismatch(run, BLOCK, (double)right);
}

static void clear_block(void)
{
    block[0] = block[BLOCK - 1] = 0;
}

static void rr_iter(struct bench_run *run, uint64_t n)
{
    while (n-- > 0) {
        memset(block, FILL, BLOCK);
        make_work_file(run);
        clear_block();
        int fd = open_file(run, work, O_RDONLY);
        remove_file(run, work);
        for (long i = 0; i < blocks; i++) {
            seek_random(run, fd);
            read_block(run, fd);
        }
        close_file(run, fd);
    }
}

static void rewrite_randomly(struct bench_run *run, int sync)
{
    make_work_file(run);
    int fd = open_file(run, work, O_WRONLY | sync);
    if (!sync)
        remove_file(run, work);
    for (long i = 0; i < blocks; i++) {
        seek_random(run, fd);
        write_block(run, fd);
    }
    if (sync)
        remove_file(run, work);
    close_file(run, fd);
}

static void rw_iter(struct bench_run *run, uint64_t n)
{
    while (n-- > 0)
        rewrite_randomly(run, 0);
}

static void sync_rw_iter(struct bench_run *run, uint64_t n)
{
    while (n-- > 0)
        rewrite_randomly(run, O_SYNC);
}

static void rd_iter(struct bench_run *run, uint64_t n)
{
    while (n-- > 0) {
        blocks_done = 0;
        clear_block();
        int fd = open_file(run, common, O_RDONLY);
        lseek(fd, 0, SEEK_SET);
        for (long i = 0; i < blocks; i++)
            read_block(run, fd);
        close_file(run, fd);
    }
}

static void wrt_iter(struct bench_run *run, uint64_t n)
{
    while (n-- > 0) {
        blocks_done = 0;
        int fd = open_file(run, work, O_WRONLY | O_CREAT | O_TRUNC);
        remove_file(run, work);
        write_sequentially(run, fd);
        close_file(run, fd);
    }
}

static void sync_wrt_iter(struct bench_run *run, uint64_t n)
{
    while (n-- > 0) {
        blocks_done = 0;
        int fd = open_file(run, work, O_WRONLY | O_CREAT | O_TRUNC | O_SYNC);
        write_sequentially(run, fd);
        remove_file(run, work);
        close_file(run, fd);
    }
}

static void copy_blocks(struct bench_run *run, int from, int to)
{
    blocks_done = 0;
    clear_block();
    for (long i = 0; i < blocks; i++) {
        read_block(run, from);
        write_block(run, to);
    }
    blocks_done /= 2;
}

static void cp_iter(struct bench_run *run, uint64_t n)
{
    while (n-- > 0) {
        int from = open_file(run, common, O_RDONLY);
        int to = open_file(run, work, O_WRONLY | O_CREAT | O_TRUNC);
        remove_file(run, work);
        lseek(from, 0, SEEK_SET);
        copy_blocks(run, from, to);
        close_file(run, from);
        close_file(run, to);
    }
}

static void sync_cp_iter(struct bench_run *run, uint64_t n)
{
    while (n-- > 0) {
        int from = open_file(run, common, O_RDONLY);
        int to = open_file(run, work, O_WRONLY | O_CREAT | O_TRUNC | O_SYNC);
        copy_blocks(run, from, to);
        remove_file(run, work);
        close_file(run, from);
        close_file(run, to);
    }
}

/* Of those that wait for the disk more is needed: each wait is another. */
#define BLOCKS(id, text, prepare, function, is_sync)                                               \
    {                                                                                              \
        .name = "aim9." id, .table = "5", .unit = "KiB/s", .what = text,                           \
        .flags = BENCH_DISK | ((is_sync) ? BENCH_LUMPS : 0), .setup = prepare, .iter = function,   \
        .verify = blocks_verify, .param = is_sync                                                  \
    }

static const struct bench disk_blocks[] = {
    BLOCKS("disk_rr", "random reads of a file just written", setup_sizes, rr_iter, 0),
    BLOCKS("disk_rw", "random overwrites of a file just written", setup_sizes, rw_iter, 0),
    BLOCKS("disk_rd", "sequential reads", setup_common, rd_iter, 0),
    BLOCKS("disk_wrt", "sequential writes to a file already unlinked", setup_sizes, wrt_iter, 0),
    BLOCKS("disk_cp", "sequential copy to a file already unlinked", setup_common, cp_iter, 0),
    BLOCKS("sync_disk_rw", "random O_SYNC overwrites", setup_sync, sync_rw_iter, 1),
    BLOCKS("sync_disk_wrt", "O_SYNC appends", setup_sync, sync_wrt_iter, 1),
    BLOCKS("sync_disk_cp", "copy by O_SYNC appends", setup_sync_common, sync_cp_iter, 1),
};

BENCH_TABLE(disk_blocks);
