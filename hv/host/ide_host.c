/* The IDE disks of the machine below (ATA/ATAPI-6; 82371SB data sheet, 2.7; PCI IDE Controller
 * Specification 1.0 for native mode). */

#include "host/ide_host.h"
#include "host/cpu.h"
#include "host/io.h"
#include "host/log.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define SECTOR 512u

/* Command block registers. */
enum { REG_DATA, REG_ERROR, REG_COUNT, REG_LOW, REG_MID, REG_HIGH, REG_DEVICE, REG_STATUS };

enum { BSY = 0x80, DF = 0x20, DRQ = 0x08, ERR = 0x01 };
enum { SRST = 0x04 };
enum { BM_START = 0x01, BM_TO_MEMORY = 0x08, BM_ERROR = 0x02, BM_INTERRUPT = 0x04 };
enum {
    READ_DMA = 0xc8,
    READ_DMA_EXT = 0x25,
    WRITE_DMA = 0xca,
    WRITE_DMA_EXT = 0x35,
    FLUSH = 0xe7,
    FLUSH_EXT = 0xea,
    IDENTIFY = 0xec,
};

/* TSC cycles, for processors of about 1 to 4 GHz: a request may take 17 to 69 s (disks spin up), a
 * register 0.3 to 1 s. */
#define REQUEST_CYCLES (1ull << 36)
#define REGISTER_CYCLES (1ull << 30)

#define BUSES 8u
#define MAX_CHANNELS 8u
#define REGION 0x10000u /* a descriptor's region crosses no 64 KiB boundary */
#define MAX_REGIONS 257u
#define MAX_SECTORS ((MAX_REGIONS - 1) * REGION / SECTOR)

struct disk;

/* A cable: one request at a time for both its disks. */
struct channel {
    u16 base, control, bm;
    u8 irq;
    struct disk *owner; /* whose request is under way */
};

enum kind { NOTHING, READ, WRITE, FLUSH_CACHE };

struct disk {
    u32 prd[MAX_REGIONS][2]; /* first, for its alignment: one page */
    struct block block;
    struct channel *channel;
    u8 device; /* 0: master, 10h: slave */
    bool ext, has_flush;
    char model[41], serial[21];
    enum kind kind; /* the request that waits or is under way */
    u64 lba;
    u32 count;
    u64 deadline; /* TSC; ~0: not started */
};

/* The machine's hardware, not a VM's: found once, at the first open. */
static struct channel channels[MAX_CHANNELS];
static unsigned channel_count;
static bool scanned;

/* ---- PCI (mechanism #1). ---- */

static u32 pci_read(u32 function, u8 offset)
{
    out32(0xcf8, 0x80000000u | function << 8 | offset);
    return in32(0xcfc);
}

static void pci_write(u32 function, u8 offset, u32 value)
{
    out32(0xcf8, 0x80000000u | function << 8 | offset);
    out32(0xcfc, value);
}

static void channel_add(u32 function, unsigned i, u32 bm, bool native)
{
    if (channel_count == MAX_CHANNELS)
        return;
    struct channel *c = &channels[channel_count++];
    *c = (struct channel){
        .base = i ? 0x170 : 0x1f0, .control = i ? 0x376 : 0x3f6, .irq = (u8)(14 + i)};
    if (native) {
        c->base = (u16)(pci_read(function, (u8)(0x10 + 8 * i)) & ~3u);
        c->control = (u16)((pci_read(function, (u8)(0x14 + 8 * i)) & ~3u) + 2);
        c->irq = (u8)pci_read(function, 0x3c);
    }
    c->bm = (u16)(bm + 8 * i);
}

static void function_probe(u32 function)
{
    u32 class = pci_read(function, 0x08) >> 8;
    u32 bm = pci_read(function, 0x20);
    /* Mass storage, IDE, with a bus master whose ports are set up. */
    if (class >> 8 != 0x0101 || !(class & 0x80) || !(bm & 1) || !(bm & 0xfff0))
        return;
    pci_write(function, 0x04, (pci_read(function, 0x04) & 0xffff) | 5);
    channel_add(function, 0, bm & 0xfff0, class & 1);
    channel_add(function, 1, bm & 0xfff0, class & 4);
}

static void scan(void)
{
    scanned = true;
    for (u32 slot = 0; slot < BUSES * 32; slot++) {
        u32 first = slot << 3;
        if (pci_read(first, 0) == ~0u)
            continue;
        unsigned functions = pci_read(first, 0x0c) & 0x800000 ? 8 : 1;
        for (u32 f = 0; f < functions; f++)
            if (pci_read(first + f, 0) != ~0u)
                function_probe(first + f);
    }
}

/* ---- Registers. ---- */

static void settle(const struct channel *c)
{
    for (unsigned i = 0; i < 4; i++) /* 400 ns until the status is valid (9.5) */
        in8(c->control);
}

/* Waits for BSY to clear; returns the alternate status, or FFh. */
static u8 wait_ready(const struct channel *c)
{
    u64 end = rdtsc() + REGISTER_CYCLES;
    settle(c);
    for (;;) {
        u8 status = in8(c->control);
        if (!(status & BSY))
            return status;
        if (rdtsc() > end)
            return 0xff;
    }
}

static bool select(const struct channel *c, u8 device)
{
    out8(c->base + REG_DEVICE, device);
    return wait_ready(c) != 0xff;
}

static void channel_reset(const struct channel *c)
{
    out8(c->bm, 0);
    out8(c->control, SRST);
    settle(c);
    out8(c->control, 0);
    wait_ready(c);
    in8(c->base + REG_STATUS);
}

/* ---- Requests. ---- */

static void fill_prd(struct disk *d, u64 address, u32 bytes)
{
    unsigned i = 0;
    while (bytes) {
        u32 n = min(bytes, REGION - (u32)(address % REGION));
        d->prd[i][0] = (u32)address;
        d->prd[i][1] = (n & 0xffff) | (n == bytes ? 0x80000000u : 0);
        address += n;
        bytes -= n;
        i++;
    }
}

static void write_address(const struct disk *d, u32 count, u64 lba)
{
    u16 base = d->channel->base;
    if (d->ext) {
        out8(base + REG_COUNT, (u8)(count >> 8));
        out8(base + REG_LOW, (u8)(lba >> 24));
        out8(base + REG_MID, (u8)(lba >> 32));
        out8(base + REG_HIGH, (u8)(lba >> 40));
    }
    out8(base + REG_COUNT, (u8)count);
    out8(base + REG_LOW, (u8)lba);
    out8(base + REG_MID, (u8)(lba >> 8));
    out8(base + REG_HIGH, (u8)(lba >> 16));
}

/* Gives the request to the drive. False: the drive does not answer. */
static bool start(struct disk *d)
{
    struct channel *c = d->channel;
    u8 high = d->ext ? 0 : (u8)(d->lba >> 24 & 0xf);
    d->deadline = rdtsc() + REQUEST_CYCLES;
    if (!select(c, 0xe0 | d->device | high))
        return false;
    out8(c->control, 0);
    if (d->kind == FLUSH_CACHE) {
        out8(c->base + REG_STATUS, d->ext ? FLUSH_EXT : FLUSH);
        return true;
    }
    u8 direction = d->kind == READ ? BM_TO_MEMORY : 0;
    out32(c->bm + 4, (u32)(u64)d->prd);
    out8(c->bm, direction);
    out8(c->bm + 2, (in8(c->bm + 2) & 0x60) | BM_ERROR | BM_INTERRUPT);
    write_address(d, d->count, d->lba);
    if (d->kind == READ)
        out8(c->base + REG_STATUS, d->ext ? READ_DMA_EXT : READ_DMA);
    else
        out8(c->base + REG_STATUS, d->ext ? WRITE_DMA_EXT : WRITE_DMA);
    out8(c->bm, direction | BM_START);
    return true;
}

static enum block_status finish(struct disk *d, enum block_status status)
{
    if (status == BLOCK_ERROR) {
        log_line("disk %s: request %d at sector %lu of %u failed", d->model, (int)d->kind, d->lba,
                 d->count);
        channel_reset(d->channel);
    }
    d->kind = NOTHING;
    d->channel->owner = NULL;
    return status;
}

/* Starts the request if the cable is free. */
static enum block_status proceed(struct disk *d)
{
    if (d->channel->owner)
        return BLOCK_PENDING;
    d->channel->owner = d;
    return start(d) ? BLOCK_PENDING : finish(d, BLOCK_ERROR);
}

static enum block_status disk_poll(struct block *b)
{
    struct disk *d = container_of(b, struct disk, block);
    struct channel *c = d->channel;
    if (d->kind == NOTHING)
        return BLOCK_ERROR;
    if (c->owner != d)
        return proceed(d);
    bool dma = d->kind != FLUSH_CACHE;
    u8 bm = in8(c->bm + 2);
    bool ended = dma ? bm & (BM_INTERRUPT | BM_ERROR) : !(in8(c->control) & BSY);
    if (!ended)
        return rdtsc() > d->deadline ? finish(d, BLOCK_ERROR) : BLOCK_PENDING;
    if (dma)
        out8(c->bm, 0);
    u8 status = in8(c->base + REG_STATUS); /* and the drive takes its interrupt back */
    out8(c->bm + 2, (bm & 0x60) | BM_ERROR | BM_INTERRUPT);
    bool bad = (status & (BSY | DF | DRQ | ERR)) || (dma && (bm & BM_ERROR));
    return finish(d, bad ? BLOCK_ERROR : BLOCK_OK);
}

static enum block_status request(struct disk *d, enum kind kind, u64 lba, u32 count,
                                 const void *buf)
{
    u64 address = (u64)buf;
    if (d->kind != NOTHING || count > (d->ext ? MAX_SECTORS : 256u) || (address & 1) ||
        address + (u64)count * SECTOR > 4 * GiB)
        return BLOCK_ERROR;
    d->kind = kind;
    d->lba = lba;
    d->count = count;
    fill_prd(d, address, count * SECTOR);
    return proceed(d);
}

static enum block_status disk_read(struct block *b, u64 lba, u32 count, void *buf)
{
    return request(container_of(b, struct disk, block), READ, lba, count, buf);
}

static enum block_status disk_write(struct block *b, u64 lba, u32 count, const void *buf)
{
    return request(container_of(b, struct disk, block), WRITE, lba, count, buf);
}

static enum block_status disk_flush(struct block *b)
{
    struct disk *d = container_of(b, struct disk, block);
    return d->has_flush ? request(d, FLUSH_CACHE, 0, 0, NULL) : BLOCK_OK;
}

/* ---- Finding disks. ---- */

/* IDENTIFY DEVICE by PIO. False: no ATA disk there. */
static bool identify(const struct channel *c, u8 device, u16 *words)
{
    out8(c->control, 0x02); /* no interrupt */
    if (in8(c->control) == 0xff || !select(c, 0xa0 | device))
        return false;
    out8(c->base + REG_COUNT, 0x55); /* is anything there? */
    out8(c->base + REG_LOW, 0xaa);
    if (in8(c->base + REG_COUNT) != 0x55 || in8(c->base + REG_LOW) != 0xaa)
        return false;
    out8(c->base + REG_STATUS, IDENTIFY);
    u8 status = wait_ready(c);
    if (status == 0xff || (status & (ERR | DF)) || !(status & DRQ)) {
        in8(c->base + REG_STATUS);
        return false;
    }
    in16_string(c->base + REG_DATA, words, SECTOR / 2);
    in8(c->base + REG_STATUS);
    return true;
}

static void text_get(char *text, const u16 *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        text[2 * i] = (char)(words[i] >> 8);
        text[2 * i + 1] = (char)words[i];
    }
    unsigned n = 2 * count;
    while (n && (text[n - 1] == ' ' || !text[n - 1]))
        n--;
    text[n] = 0;
}

static void disk_init(struct disk *d, struct channel *c, u8 device, const u16 *w)
{
    u32 lba28 = w[60] | (u32)w[61] << 16;
    d->channel = c;
    d->device = device;
    d->ext = (w[83] & 0xc400) == 0x4400;
    d->has_flush = (w[83] & 0xd000) == 0x5000;
    text_get(d->serial, w + 10, 10);
    text_get(d->model, w + 27, 20);
    d->block = (struct block){
        .sectors = d->ext ? w[100] | (u64)w[101] << 16 | (u64)w[102] << 32 : lba28,
        .read = disk_read,
        .write = disk_write,
        .flush = disk_flush,
        .poll = disk_poll,
        .model = d->model,
        .serial = d->serial,
    };
}

/* Lets the line through the 8259s, so that it wakes a sleeping processor. */
static void irq_enable(u8 irq)
{
    if (irq > 15)
        return;
    if (irq >= 8) {
        out8(0xa1, in8(0xa1) & (u8) ~(1u << (irq - 8)));
        irq = 2;
    }
    out8(0x21, in8(0x21) & (u8) ~(1u << irq));
}

struct block *ide_host_open(unsigned n, void *(*alloc)(void *ctx, u64 size), void *ctx, char *why,
                            size_t why_size)
{
    u16 words[SECTOR / 2] = {0};
    unsigned found = 0;
    if (!scanned)
        scan();
    for (unsigned i = 0; i < channel_count * 2; i++) {
        struct channel *c = &channels[i / 2];
        u8 device = i % 2 ? 0x10 : 0;
        if (!identify(c, device, words) || found++ != n)
            continue;
        if (!(words[49] & 0x0100) || !(words[49] & 0x0200)) {
            fmt_snprintf(why, why_size, "host disk %u has no DMA with LBA", n);
            return NULL;
        }
        struct disk *d = alloc(ctx, sizeof(*d));
        if (!d) {
            fmt_snprintf(why, why_size, "no memory left for host disk %u", n);
            return NULL;
        }
        disk_init(d, c, device, words);
        irq_enable(c->irq);
        return &d->block;
    }
    fmt_snprintf(why, why_size, "host disk %u is missing: %u found on %u IDE channels", n, found,
                 channel_count);
    return NULL;
}
