/* The CD drive by ATA/ATAPI-6's PACKET protocol, SFF-8020i and MMC-2. */

#include "disk.h"

#include "dev/ata.h"

#define P 0x170
#define READY (ATA_DRDY | ATA_DSC)
#define CHECK (READY | ATA_ERR)

/* Sends a packet; returns the status after it. */
static u8 packet(struct fake *f, const u8 *cdb, u16 limit, u8 feature)
{
    outb(f, P + 6, 0xa0);
    outb(f, P + 1, feature);
    outb(f, P + 4, (u8)limit);
    outb(f, P + 5, (u8)(limit >> 8));
    outb(f, P + 7, 0xa0);
    assert_int_equal(inb(f, P + 7), READY | ATA_DRQ);
    assert_int_equal(inb(f, P + 2), 1); /* command, to the device */
    assert_int_equal(machine_out_string(f->m, P, 2, cdb, 6), 6);
    return inb(f, P + 7);
}

/* Reads all DRQ blocks; returns the bytes, with the least and most of a block. */
static u32 collect(struct fake *f, u8 *to, u32 *most)
{
    u32 n = 0;
    *most = 0;
    while (inb(f, P + 7) & ATA_DRQ) {
        assert_int_equal(inb(f, P + 2), 2); /* data, to the host */
        u32 bytes = inb(f, P + 4) | (u32)inb(f, P + 5) << 8;
        assert_true(bytes > 0);
        for (u32 i = 0; i < bytes; i += 2) {
            u16 w = (u16)machine_in(f->m, P, 2);
            memcpy(to + n + i, &w, bytes - i < 2 ? 1 : 2);
        }
        n += bytes;
        *most = bytes > *most ? bytes : *most;
    }
    assert_int_equal(inb(f, P + 2), 3); /* status */
    return n;
}

static u32 reply(struct fake *f, const u8 *cdb, u8 *to)
{
    u32 most;
    packet(f, cdb, 0xfffe, 0);
    return collect(f, to, &most);
}

static void sense(struct fake *f, u8 key, u8 asc)
{
    u8 r[18] = {0};
    static const u8 cdb[12] = {0x03, 0, 0, 0, 18};
    assert_int_equal(reply(f, cdb, r), 18);
    assert_int_equal(r[0], 0x70);
    assert_int_equal(r[2], key);
    assert_int_equal(r[12], asc);
}

/* Takes the unit attention that a reset leaves. */
static void ready(struct fake *f)
{
    static const u8 tur[12] = {0};
    assert_int_equal(packet(f, tur, 0, 0), CHECK);
    assert_int_equal(inb(f, P + 1), SENSE_ATTENTION << 4 | ATA_ABRT);
    sense(f, SENSE_ATTENTION, ASC_RESET);
    assert_int_equal(packet(f, tur, 0, 0), READY);
    sense(f, 0, 0);
}

static void signature(void **state)
{
    struct fake *f = *state;
    outb(f, 0x376, ATA_SRST);
    outb(f, 0x376, 0);
    assert_int_equal(inb(f, P + 7), 0);
    assert_int_equal(inb(f, P + 4), 0x14);
    assert_int_equal(inb(f, P + 5), 0xeb);
    outb(f, P + 4, 0);
    outb(f, P + 7, 0xec); /* a disk's IDENTIFY: refused with the signature */
    assert_int_equal(inb(f, P + 7), CHECK);
    assert_int_equal(inb(f, P + 1), ATA_ABRT);
    assert_int_equal(inb(f, P + 4), 0x14);
    outb(f, P + 7, 0xa1);
    assert_true(irq_line(f, 15));
    u16 w[256];
    assert_int_equal(machine_in_string(f->m, P, 2, w, 256), 256);
    assert_int_equal(w[0], 0x85c0);
    assert_int_equal(w[49] & 0x0300, 0x0300);
    assert_int_equal(inb(f, P + 7), READY);
    outb(f, P + 7, 0x08); /* DEVICE RESET */
    assert_false(irq_line(f, 15));
    assert_int_equal(inb(f, P + 7), 0);
    assert_int_equal(inb(f, P + 5), 0xeb);
}

static void read_blocks(void **state)
{
    struct fake *f = *state;
    static u8 buf[100 * 2048];
    u32 most;
    ready(f);
    static const u8 read3[12] = {0x28, 0, 0, 0, 0, 7, 0, 0, 3};
    packet(f, read3, 2048, 0);
    assert_int_equal(collect(f, buf, &most), 3 * 2048);
    assert_int_equal(most, 2048);
    assert_memory_equal(buf, disk_cd.data + 7 * 2048, 3 * 2048);
    packet(f, read3, 3001, 0); /* odd limits: even blocks but for the last */
    assert_int_equal(collect(f, buf, &most), 3 * 2048);
    assert_int_equal(most, 3000);
    assert_memory_equal(buf, disk_cd.data + 7 * 2048, 3 * 2048);
    static const u8 read100[12] = {0xa8, 0, 0, 0, 0, 1, 0, 0, 0, 100};
    packet(f, read100, 0xffff, 0); /* more than the drive's buffer */
    assert_int_equal(collect(f, buf, &most), 100 * 2048);
    assert_int_equal(most, 0xfffe);
    assert_memory_equal(buf, disk_cd.data + 2048, 100 * 2048);
    static const u8 beyond[12] = {0x28, 0, 0, 0, 1, 63, 0, 0, 2};
    assert_int_equal(packet(f, beyond, 2048, 0), CHECK);
    sense(f, SENSE_ILLEGAL, ASC_LBA);
    assert_int_equal(packet(f, read3, 0, 0), CHECK); /* no byte count */
    disk_cd.bad = 8 * 4;
    assert_int_equal(packet(f, read3, 2048, 0), CHECK);
    sense(f, SENSE_MEDIUM, 0x11);
}

static void read_dma(void **state)
{
    struct fake *f = *state;
    static const u8 read[12] = {0x28, 0, 0, 0, 0, 30, 0, 0, 70};
    ready(f);
    for (unsigned i = 0; i < 3; i++)
        prd_put(f, 0x1000, i, 0x10000 + i * 0x10000, i == 2 ? 70 * 2048 - 0x20000 : 0, i == 2);
    packet(f, read, 0, 1);
    bm_start(f, BM + 8, 0x1000, true);
    assert_int_equal(inb(f, BM + 10), 4);
    assert_true(irq_line(f, 15));
    assert_int_equal(inb(f, P + 7), READY);
    assert_int_equal(inb(f, P + 2), 3);
    assert_memory_equal(f->ram + 0x10000, disk_cd.data + 30 * 2048, 70 * 2048);
    static const u8 inquiry[12] = {0x12, 0, 0, 0, 36};
    prd_put(f, 0x1000, 0, 0x8000, 36, true);
    packet(f, inquiry, 0, 1);
    bm_start(f, BM + 8, 0x1000, true);
    assert_int_equal(inb(f, BM + 10), 4);
    assert_memory_equal(f->ram + 0x8008, "PENUMBRA", 8);
}

static void late_dma(void **state)
{
    struct fake *f = *state;
    static const u8 read[12] = {0x28, 0, 0, 0, 0, 30, 0, 0, 2};
    static u8 buf[4096];
    u32 most;
    ready(f);
    disk_late(&disk_cd);
    assert_int_equal(packet(f, read, 2048, 0), ATA_BSY | READY);
    machine_poll(f->m);
    assert_true(irq_line(f, 15));
    assert_int_equal(collect(f, buf, &most), 4096);
    assert_memory_equal(buf, disk_cd.data + 30 * 2048, 4096);
    assert_int_equal(packet(f, read, 2048, 0), ATA_BSY | READY);
    outb(f, P + 7, 0x08); /* DEVICE RESET while busy */
    for (unsigned i = 0; i < 4; i++)
        machine_poll(f->m);
    assert_int_equal(inb(f, P + 7), 0);
    assert_int_equal(inb(f, P + 4), 0x14);
}

static void tables(void **state)
{
    struct fake *f = *state;
    u8 r[512];
    ready(f);
    static const u8 capacity[12] = {0x25};
    static const u8 last[8] = {0, 0, 1, 63, 0, 0, 8, 0};
    assert_int_equal(reply(f, capacity, r), 8);
    assert_memory_equal(r, last, 8);
    static const u8 toc[12] = {0x43, 0, 0, 0, 0, 0, 0, 0, 100};
    static const u8 toc_is[20] = {0, 18, 1, 1,    0,    0x14, 1, 0, 0, 0,
                                  0, 0,  0, 0x14, 0xaa, 0,    0, 0, 1, 64};
    assert_int_equal(reply(f, toc, r), 20);
    assert_memory_equal(r, toc_is, 20);
    static const u8 toc_msf[12] = {0x43, 2, 0, 0, 0, 0, 0xaa, 0, 100};
    static const u8 msf_is[12] = {0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 6, 20};
    assert_int_equal(reply(f, toc_msf, r), 12);
    assert_memory_equal(r, msf_is, 12);
    static const u8 session[12] = {0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0x40};
    assert_int_equal(reply(f, session, r), 12);
    assert_int_equal(r[1], 10);
    static const u8 raw[12] = {0x43, 0, 2, 0, 0, 0, 0, 1, 0};
    assert_int_equal(reply(f, raw, r), 48);
    assert_int_equal(r[4 + 22 + 3], 0xa2);
    assert_int_equal(r[4 + 22 + 9], 6);
    static const u8 toc3[12] = {0x43, 0, 3, 0, 0, 0, 0, 0, 100};
    assert_int_equal(packet(f, toc3, 512, 0), CHECK);
    sense(f, SENSE_ILLEGAL, ASC_FIELD);
    static const u8 mode[12] = {0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 100};
    assert_int_equal(reply(f, mode, r), 28);
    assert_int_equal(r[1], 26);
    assert_int_equal(r[8], 0x2a);
    static const u8 configuration[12] = {0x46, 0, 0, 0, 0, 0, 0, 0, 200};
    u32 n = reply(f, configuration, r);
    assert_int_equal(r[3], n - 4);
    assert_int_equal(r[7], 8); /* CD-ROM */
    static const u8 short_inquiry[12] = {0x12, 0, 0, 0, 5};
    assert_int_equal(reply(f, short_inquiry, r), 5);
    static const u8 unknown[12] = {0xff};
    assert_int_equal(packet(f, unknown, 512, 0), CHECK);
    sense(f, SENSE_ILLEGAL, 0x20);
    static const u8 read_cd[12] = {0xbe, 0, 0, 0, 0, 5, 0, 0, 1, 0x10};
    static u8 block[2048];
    assert_int_equal(reply(f, read_cd, block), 2048);
    assert_memory_equal(block, disk_cd.data + 5 * 2048, 2048);
}

static void eject(void **state)
{
    struct fake *f = *state;
    u8 r[8] = {0};
    static const u8 prevent[12] = {0x1e, 0, 0, 0, 1}, allow[12] = {0x1e};
    static const u8 out[12] = {0x1b, 0, 0, 0, 2}, in[12] = {0x1b, 0, 0, 0, 3}, tur[12] = {0};
    static const u8 event[12] = {0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8};
    ready(f);
    packet(f, prevent, 0, 0);
    assert_int_equal(packet(f, out, 0, 0), CHECK);
    sense(f, SENSE_ILLEGAL, 0x53);
    assert_int_equal(reply(f, event, r), 8);
    assert_int_equal(r[5], 2);
    packet(f, allow, 0, 0);
    assert_int_equal(packet(f, out, 0, 0), READY);
    assert_int_equal(packet(f, tur, 0, 0), CHECK);
    sense(f, SENSE_NOT_READY, ASC_NO_MEDIUM);
    assert_int_equal(reply(f, event, r), 8);
    assert_int_equal(r[5], 1);
    assert_int_equal(packet(f, in, 0, 0), READY);
    assert_int_equal(packet(f, tur, 0, 0), CHECK);
    sense(f, SENSE_ATTENTION, ASC_CHANGED);
    assert_int_equal(packet(f, tur, 0, 0), READY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IDE_TEST(signature), IDE_TEST(read_blocks), IDE_TEST(read_dma),
        IDE_TEST(late_dma),  IDE_TEST(tables),      IDE_TEST(eject),
    };
    return cmocka_run_group_tests_name("dev-atapi", tests, NULL, NULL);
}
