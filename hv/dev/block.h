#pragma once

/* A disk's or CD's backing, in 512-byte sectors (a CD's 2048-byte blocks are 4 of them). */

#include "lib/types.h"

enum block_status {
    BLOCK_OK = 0,
    BLOCK_PENDING, /* under way: `done` will be called from machine_poll */
    BLOCK_ERROR,   /* the backing failed: an ATA error to the guest */
};

struct block {
    u64 sectors;
    bool read_only;
    /* One transfer. lba + count is checked by the caller. buf is host memory. A request that is
     * under way ends by done(arg, status); one at a time for each block. flush: all finished writes
     * are on stable storage when it ends. */
    enum block_status (*read)(struct block *b, u64 lba, u32 count, void *buf);
    enum block_status (*write)(struct block *b, u64 lba, u32 count, const void *buf);
    enum block_status (*flush)(struct block *b);
    /* For PENDING ones: asks whether it has ended. NULL: never PENDING. */
    enum block_status (*poll)(struct block *b);
    /* A pointer to the medium itself for reads without a copy, or NULL where it is not in memory. */
    const u8 *(*direct)(struct block *b, u64 lba, u32 count);
    /* A TSC-independent identity for IDENTIFY DEVICE. */
    const char *model, *serial;
};
