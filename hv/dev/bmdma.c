/* The bus-master IDE engine (82371SB data sheet, 2.7 and 3.5): walks the descriptor table and moves
 * data between a drive and guest memory, in the exit that starts it where the backing is memory. */

#include "dev/ata.h"
#include "lib/string.h"

/* BMICX */
#define BM_START 0x01
#define BM_TO_MEMORY 0x08
/* BMISX */
#define BM_ACTIVE 0x01
#define BM_ERROR 0x02
#define BM_INTERRUPT 0x04
#define BM_DRIVES_CAPABLE 0x60

#define PRD_EOT 0x80000000u
/* A table lies within 64 KiB, so it has no more entries than this. */
#define MAX_ENTRIES (64 * KiB / 8)

void bmdma_reset(struct ata_channel *c)
{
    c->bm = (struct bmdma){0};
}

static void bus_error(struct bmdma *bm)
{
    bm->status = (bm->status & ~BM_ACTIVE) | BM_ERROR;
    bm->left = 0;
}

/* Makes sure that the present region has bytes left. False: the engine has stopped. */
static bool region_load(struct ata_channel *c)
{
    struct bmdma *bm = &c->bm;
    if (!(bm->status & BM_ACTIVE))
        return false;
    if (bm->left)
        return true;
    void *ctx;
    const struct machine_ops *ops = dev_ops(c->dev, &ctx);
    u32 prd[2];
    if (bm->entries++ >= MAX_ENTRIES || !ops->read(ctx, bm->entry, prd, sizeof(prd))) {
        bus_error(bm);
        return false;
    }
    bm->entry = (bm->entry & 0xffff0000) | ((bm->entry + 8) & 0xffff);
    bm->address = prd[0] & ~1u;
    bm->left = prd[1] & 0xfffe;
    if (!bm->left)
        bm->left = 64 * KiB;
    bm->last = prd[1] & PRD_EOT;
    return true;
}

static void region_advance(struct bmdma *bm, u32 bytes)
{
    bm->address += bytes;
    bm->left -= bytes;
    if (!bm->left && bm->last)
        bm->status &= ~BM_ACTIVE;
}

/* Returns the bytes moved: fewer than n where the table ends or a bus cycle finds no memory. */
static u32 to_memory(struct ata_channel *c, const u8 *from, u32 n)
{
    void *ctx;
    const struct machine_ops *ops = dev_ops(c->dev, &ctx);
    u32 done = 0;
    while (done < n && region_load(c)) {
        u32 bytes = min(n - done, c->bm.left);
        void *p = ops->ptr(ctx, c->bm.address, bytes);
        if (likely(p != NULL)) {
            ops->will_write(ctx, c->bm.address, bytes);
            memcpy(p, from + done, bytes);
        } else if (!ops->write(ctx, c->bm.address, from + done, bytes)) {
            bus_error(&c->bm);
            break;
        }
        done += bytes;
        region_advance(&c->bm, bytes);
    }
    return done;
}

static u32 from_memory(struct ata_channel *c, u8 *to, u32 n)
{
    void *ctx;
    const struct machine_ops *ops = dev_ops(c->dev, &ctx);
    u32 done = 0;
    while (done < n && region_load(c)) {
        u32 bytes = min(n - done, c->bm.left);
        if (!ops->read(ctx, c->bm.address, to + done, bytes)) {
            bus_error(&c->bm);
            break;
        }
        done += bytes;
        region_advance(&c->bm, bytes);
    }
    return done;
}

/* ---- Drive to memory. ---- */

static void dma_in(struct ata_drive *d);

static void dma_in_resume(struct ata_drive *d, enum block_status status)
{
    if (status == BLOCK_OK)
        dma_in(d);
    else
        d->kind->backing_failed(d);
}

static void dma_in(struct ata_drive *d)
{
    for (;;) {
        d->pos += to_memory(d->channel, d->in + d->pos, d->len - d->pos);
        if (d->pos < d->len)
            return; /* the drive keeps asking; the status tells the driver why nothing comes */
        if (!d->sectors) {
            d->kind->dma_end(d);
            return;
        }
        enum block_status status = ata_fetch(d, ATA_BUFFER_SECTORS, dma_in_resume);
        if (status == BLOCK_PENDING)
            return;
        if (status != BLOCK_OK) {
            d->kind->backing_failed(d);
            return;
        }
    }
}

/* ---- Memory to drive. ---- */

static void dma_out(struct ata_drive *d);

static void dma_out_resume(struct ata_drive *d, enum block_status status)
{
    if (status == BLOCK_OK)
        dma_out(d);
    else
        d->kind->backing_failed(d);
}

/* A backing in memory takes whole sectors from the guest's own, without the buffer between.
 * Returns the sectors written; negative: the backing failed. */
static int write_straight(struct ata_drive *d)
{
    if (d->block->poll || d->pos || !region_load(d->channel))
        return 0;
    struct bmdma *bm = &d->channel->bm;
    u32 count = min(bm->left / ATA_SECTOR, d->sectors);
    void *ctx;
    const struct machine_ops *ops = dev_ops(d->channel->dev, &ctx);
    const void *p = count ? ops->ptr(ctx, bm->address, count * ATA_SECTOR) : NULL;
    if (!p)
        return 0;
    if (d->block->write(d->block, d->lba, count, p) != BLOCK_OK)
        return -1;
    d->lba += count;
    d->sectors -= count;
    region_advance(bm, count * ATA_SECTOR);
    return (int)count;
}

static void dma_out(struct ata_drive *d)
{
    while (d->sectors) {
        int straight = write_straight(d);
        if (straight < 0) {
            d->kind->backing_failed(d);
            return;
        }
        if (straight)
            continue;
        u32 count = d->block->poll ? min(d->sectors, ATA_BUFFER_SECTORS) : 1;
        d->pos += from_memory(d->channel, d->buffer + d->pos, count * ATA_SECTOR - d->pos);
        if (d->pos < count * ATA_SECTOR)
            return;
        d->pos = 0;
        enum block_status status = ata_store(d, count, dma_out_resume);
        if (status == BLOCK_PENDING)
            return;
        if (status != BLOCK_OK) {
            d->kind->backing_failed(d);
            return;
        }
    }
    d->kind->dma_end(d);
}

void bmdma_run(struct ata_channel *c)
{
    struct ata_drive *d = c->drive[c->selected];
    if (!d || d->waiting || !(c->bm.status & BM_ACTIVE) || !c->bus_master_on)
        return;
    bool in = c->bm.command & BM_TO_MEMORY;
    if (d->phase == ATA_DMA_IN && in)
        dma_in(d);
    else if (d->phase == ATA_DMA_OUT && !in)
        dma_out(d);
}

/* ---- Registers. ---- */

static u8 read_byte(const struct bmdma *bm, unsigned reg)
{
    switch (reg) {
    case 0: return bm->command;
    case 2: return bm->status;
    case 4:
    case 5:
    case 6:
    case 7: return (u8)(bm->table >> (8 * (reg - 4)));
    default: return 0; /* reserved */
    }
}

u32 bmdma_read(struct ata_channel *c, unsigned reg, unsigned size)
{
    u32 value = 0;
    for (unsigned i = 0; i < size && reg + i < 8; i++)
        value |= (u32)read_byte(&c->bm, reg + i) << (8 * i);
    return value;
}

static void write_command(struct ata_channel *c, u8 value)
{
    struct bmdma *bm = &c->bm;
    u8 old = bm->command;
    bm->command = value & (BM_START | BM_TO_MEMORY);
    if (!(value & BM_START)) {
        bm->status &= ~BM_ACTIVE; /* the state is lost: no resuming */
        bm->left = 0;
    } else if (!(old & BM_START)) {
        bm->entry = bm->table;
        bm->entries = 0;
        bm->left = 0;
        bm->last = false;
        bm->status |= BM_ACTIVE;
        bmdma_run(c);
    }
}

static void write_byte(struct ata_channel *c, unsigned reg, u8 value)
{
    struct bmdma *bm = &c->bm;
    switch (reg) {
    case 0: write_command(c, value); break;
    case 2:
        bm->status &= ~(value & (BM_ERROR | BM_INTERRUPT));
        bm->status = (bm->status & ~BM_DRIVES_CAPABLE) | (value & BM_DRIVES_CAPABLE);
        break;
    case 4: bm->table = (bm->table & ~0xffu) | (value & 0xfc); break;
    case 5:
    case 6:
    case 7: {
        unsigned shift = 8 * (reg - 4);
        bm->table = (bm->table & ~(0xffu << shift)) | (u32)value << shift;
        break;
    }
    default: break; /* reserved */
    }
}

void bmdma_write(struct ata_channel *c, unsigned reg, unsigned size, u32 value)
{
    if (reg == 4 && size == 4) {
        c->bm.table = value & ~3u;
        return;
    }
    for (unsigned i = 0; i < size && reg + i < 8; i++)
        write_byte(c, reg + i, (u8)(value >> (8 * i)));
}
