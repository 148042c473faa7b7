#pragma once

/* A machine with an IDE controller, a disk (ata0-master) and a CD (ata1-master), and backings that
 * fail or answer late as a test wants. */

#include "fake.h"

#include "dev/block.h"
#include "dev/machine_internal.h"

#define IDE_FUNCTION 0x09
#define BM 0xc000
#define DISK_SECTORS 40000u
#define CD_BLOCKS 320u

struct disk {
    struct block block;
    u8 *data;
    bool late; /* requests end at the poll after `polls` others */
    unsigned polls;
    u64 bad; /* requests that touch this sector fail; ~0: none */
    bool bad_flush;
    unsigned reads, writes, flushes;
    /* the late request */
    int kind; /* 0: none, 1: read, 2: write, 3: flush */
    u64 lba;
    u32 count;
    void *buf;
};

static struct disk disk0, disk_cd; /* one machine at a time */

static enum block_status disk_now(struct disk *d, int kind, u64 lba, u32 count, void *buf)
{
    assert_true(lba <= d->block.sectors && count <= d->block.sectors - lba);
    if (kind == 3) {
        d->flushes++;
        return d->bad_flush ? BLOCK_ERROR : BLOCK_OK;
    }
    if (d->bad >= lba && d->bad < lba + count)
        return BLOCK_ERROR;
    if (kind == 1)
        memcpy(buf, d->data + lba * 512, count * 512ull);
    else
        memcpy(d->data + lba * 512, buf, count * 512ull);
    d->reads += kind == 1;
    d->writes += kind == 2;
    return BLOCK_OK;
}

static enum block_status disk_ask(struct block *b, int kind, u64 lba, u32 count, void *buf)
{
    struct disk *d = container_of(b, struct disk, block);
    assert_int_equal(d->kind, 0); /* one at a time */
    if (!d->late)
        return disk_now(d, kind, lba, count, buf);
    d->kind = kind;
    d->lba = lba;
    d->count = count;
    d->buf = buf;
    d->polls = 1;
    return BLOCK_PENDING;
}

static enum block_status disk_read(struct block *b, u64 lba, u32 count, void *buf)
{
    return disk_ask(b, 1, lba, count, buf);
}

static enum block_status disk_write(struct block *b, u64 lba, u32 count, const void *buf)
{
    return disk_ask(b, 2, lba, count, (void *)buf);
}

static enum block_status disk_flush(struct block *b)
{
    return disk_ask(b, 3, 0, 0, NULL);
}

static enum block_status disk_poll(struct block *b)
{
    struct disk *d = container_of(b, struct disk, block);
    assert_int_not_equal(d->kind, 0);
    if (d->polls-- > 0)
        return BLOCK_PENDING;
    int kind = d->kind;
    d->kind = 0;
    return disk_now(d, kind, d->lba, d->count, d->buf);
}

static void disk_init(struct disk *d, u64 sectors, bool read_only)
{
    *d = (struct disk){
        .block = {.sectors = sectors,
                  .read_only = read_only,
                  .read = disk_read,
                  .write = disk_write,
                  .flush = disk_flush,
                  .model = read_only ? NULL : "TEST DISK"},
        .data = malloc(sectors * 512),
        .bad = ~0ull,
    };
    for (u64 i = 0; i < sectors * 512; i++)
        d->data[i] = (u8)(i * 7 + i / 512 * 13);
}

/* From now on requests of this backing are PENDING first. */
static __attribute__((unused)) void disk_late(struct disk *d)
{
    d->late = true;
    d->block.poll = disk_poll;
}

/* What firmware does: BAR 4, decode of both channels, I/O and bus master. */
static void ide_enable(struct fake *f)
{
    pci_write(f, IDE_FUNCTION, 0x20, 4, BM);
    pci_write(f, IDE_FUNCTION, 0x40, 4, 0x80008000);
    pci_write(f, IDE_FUNCTION, 4, 2, 5);
}

static __attribute__((unused)) int ide_setup(void **state)
{
    struct fake *f = calloc(1, sizeof *f);
    char text[128];
    f->ram = calloc(1, FAKE_RAM);
    f->rom = calloc(1, FAKE_ROM);
    struct machine_config config = fake_config(f);
    disk_init(&disk0, DISK_SECTORS, false);
    disk_init(&disk_cd, CD_BLOCKS * 4, true);
    config.disk[0] = &disk0.block;
    config.cdrom = &disk_cd.block;
    f->m = machine_create(&config, &fake_ops, f, text, sizeof text);
    if (!f->m)
        fail_msg("%s", text);
    ide_enable(f);
    *state = f;
    return 0;
}

static __attribute__((unused)) int ide_teardown(void **state)
{
    free(disk0.data);
    free(disk_cd.data);
    return fake_teardown(state);
}

#define IDE_TEST(t) cmocka_unit_test_setup_teardown(t, ide_setup, ide_teardown)

/* ---- What a driver does. ---- */

static __attribute__((unused)) bool irq_line(struct fake *f, unsigned irq)
{
    return f->m->irq_drivers[irq] != 0;
}

/* Task file of a 28-bit command at base (1F0h or 170h). */
static __attribute__((unused)) void command28(struct fake *f, u16 base, u8 device, u32 lba,
                                              u8 count, u8 code)
{
    outb(f, base + 6, device | (lba >> 24 & 0xf));
    outb(f, base + 2, count);
    outb(f, base + 3, (u8)lba);
    outb(f, base + 4, (u8)(lba >> 8));
    outb(f, base + 5, (u8)(lba >> 16));
    outb(f, base + 7, code);
}

static __attribute__((unused)) void command48(struct fake *f, u16 base, u64 lba, u16 count, u8 code)
{
    outb(f, base + 6, 0x40);
    outb(f, base + 2, count >> 8);
    outb(f, base + 3, (u8)(lba >> 24));
    outb(f, base + 4, (u8)(lba >> 32));
    outb(f, base + 5, (u8)(lba >> 40));
    outb(f, base + 2, (u8)count);
    outb(f, base + 3, (u8)lba);
    outb(f, base + 4, (u8)(lba >> 8));
    outb(f, base + 5, (u8)(lba >> 16));
    outb(f, base + 7, code);
}

static __attribute__((unused)) void prd_put(struct fake *f, u32 table, unsigned i, u32 address,
                                            u32 count, bool last)
{
    u32 prd[2] = {address, (count & 0xffff) | (last ? 0x80000000u : 0)};
    memcpy(f->ram + table + 8 * i, prd, sizeof prd);
}

/* Starts the bus master of the channel at bm. */
static __attribute__((unused)) void bm_start(struct fake *f, u16 bm, u32 table, bool to_memory)
{
    machine_out(f->m, bm + 4, 4, table);
    outb(f, bm + 2, 6);
    outb(f, bm, to_memory ? 8 : 0);
    outb(f, bm, to_memory ? 9 : 1);
}
