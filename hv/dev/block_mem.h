#pragma once

/* A disk or CD in memory: nothing outlives the run. */

#include "dev/block.h"

struct block_mem {
    struct block block;
    u8 *data;
};

/* The bytes at data are the medium, whole sectors of them. The block lives as long as *b does. */
void block_mem_init(struct block_mem *b, void *data, u64 bytes, bool read_only);
