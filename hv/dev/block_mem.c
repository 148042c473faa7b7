/* A block backing in memory; every request ends at once. */

#include "dev/block_mem.h"
#include "lib/string.h"

#define SECTOR 512u

static u8 *sector_at(struct block *b, u64 lba, u32 count)
{
    if (lba > b->sectors || count > b->sectors - lba)
        return NULL;
    return container_of(b, struct block_mem, block)->data + lba * SECTOR;
}

static enum block_status mem_read(struct block *b, u64 lba, u32 count, void *buf)
{
    const u8 *p = sector_at(b, lba, count);
    if (!p)
        return BLOCK_ERROR;
    memcpy(buf, p, (size_t)count * SECTOR);
    return BLOCK_OK;
}

static enum block_status mem_write(struct block *b, u64 lba, u32 count, const void *buf)
{
    u8 *p = sector_at(b, lba, count);
    if (!p || b->read_only)
        return BLOCK_ERROR;
    memcpy(p, buf, (size_t)count * SECTOR);
    return BLOCK_OK;
}

static enum block_status mem_flush(struct block *b)
{
    (void)b;
    return BLOCK_OK;
}

static const u8 *mem_direct(struct block *b, u64 lba, u32 count)
{
    return sector_at(b, lba, count);
}

void block_mem_init(struct block_mem *b, void *data, u64 bytes, bool read_only)
{
    *b = (struct block_mem){
        .block = {.sectors = bytes / SECTOR,
                  .read_only = read_only,
                  .read = mem_read,
                  .write = mem_write,
                  .flush = mem_flush,
                  .direct = mem_direct},
        .data = data,
    };
}
