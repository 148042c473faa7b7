/* The ATA disk by ATA/ATAPI-6 and the bus master by the PIIX3 data sheet. */

#include "disk.h"

#include "dev/ata.h"
#include "dev/block_mem.h"

#define P 0x1f0 /* the first channel */
#define LBA 0xe0
#define READY (ATA_DRDY | ATA_DSC)

static const u8 *sector(u32 lba)
{
    return disk0.data + lba * 512;
}

static void identify_words(struct fake *f, u16 *w)
{
    outb(f, P + 6, 0xa0);
    outb(f, P + 7, 0xec);
    assert_int_equal(inb(f, P + 7), READY | ATA_DRQ);
    for (unsigned i = 0; i < 256; i++)
        w[i] = (u16)machine_in(f->m, P, 2);
    assert_int_equal(inb(f, P + 7), READY);
}

static void identify(void **state)
{
    struct fake *f = *state;
    u16 w[256];
    identify_words(f, w);
    assert_int_equal(w[0], 0x0040);
    assert_int_equal(w[1], DISK_SECTORS / (16 * 63));
    assert_int_equal(w[3], 16);
    assert_int_equal(w[6], 63);
    assert_int_equal(w[27], 'T' << 8 | 'E');
    assert_int_equal(w[31], 'K' << 8 | ' ');
    assert_int_equal(w[60] | (u32)w[61] << 16, DISK_SECTORS);
    assert_int_equal(w[100] | (u32)w[101] << 16, DISK_SECTORS);
    assert_int_equal(w[83] & 0xc400, 0x4400); /* valid, 48-bit */
    assert_int_equal(w[93] & 0xdf61, 0x4041); /* alone: device 0 answers for device 1 */
    u8 sum = 0;
    for (unsigned i = 0; i < 256; i++)
        sum = (u8)(sum + w[i] + (w[i] >> 8));
    assert_int_equal(w[255] & 0xff, 0xa5);
    assert_int_equal(sum, 0);
}

/* How SeaBIOS and others find drives: echo of registers, device 0 answering for device 1. */
static void presence(void **state)
{
    struct fake *f = *state;
    for (u8 device = 0xa0; device <= 0xb0; device += 0x10) {
        outb(f, P + 6, device);
        assert_int_equal(inb(f, P + 6), device);
        outb(f, P + 2, 0x55);
        outb(f, P + 3, 0xaa);
        assert_int_equal(inb(f, P + 2), 0x55);
        assert_int_equal(inb(f, P + 3), 0xaa);
    }
    assert_int_equal(inb(f, P + 7), 0); /* device 1's status */
    outb(f, P + 7, 0xec);               /* nobody takes the command */
    assert_int_equal(inb(f, P + 7), 0);
    outb(f, P + 6, 0xa0);
    assert_int_equal(inb(f, P + 7), READY);
}

static void decode(void **state)
{
    struct fake *f = *state;
    assert_int_equal(pci_read(f, IDE_FUNCTION, 0, 4), 0x70108086);
    assert_int_equal(pci_read(f, IDE_FUNCTION, 8, 4), 0x01018000);
    pci_write(f, IDE_FUNCTION, 0x20, 4, 0xffffffff);
    assert_int_equal(pci_read(f, IDE_FUNCTION, 0x20, 4), 0xfffffff1);
    pci_write(f, IDE_FUNCTION, 0x20, 4, 0xd000);
    outb(f, 0xd002, 0x60);
    assert_int_equal(inb(f, 0xd002), 0x60);
    assert_int_equal(inb(f, BM + 2), 0xff);
    pci_write(f, IDE_FUNCTION, 0x42, 2, 0); /* the second channel off */
    assert_int_equal(inb(f, 0x177), 0xff);
    assert_int_equal(inb(f, P + 7), READY);
    pci_write(f, IDE_FUNCTION, 4, 2, 0);
    assert_int_equal(inb(f, P + 7), 0xff);
    assert_int_equal(inb(f, 0xd002), 0xff);
}

static void read_pio(void **state)
{
    struct fake *f = *state;
    u8 buf[1024];
    command28(f, P, LBA, 100, 2, 0x20);
    assert_true(irq_line(f, 14));
    assert_int_equal(inb(f, 0x3f6), READY | ATA_DRQ); /* does not clear the interrupt */
    assert_true(irq_line(f, 14));
    assert_int_equal(inb(f, P + 7), READY | ATA_DRQ);
    assert_false(irq_line(f, 14));
    /* A string asks for both sectors and gets the DRQ block's one. */
    assert_int_equal(machine_in_string(f->m, P, 2, buf, 512), 256);
    assert_true(irq_line(f, 14));
    assert_int_equal(inb(f, P + 7), READY | ATA_DRQ);
    assert_int_equal(machine_in_string(f->m, P, 4, buf + 512, 128), 128);
    assert_memory_equal(buf, sector(100), 1024);
    assert_int_equal(inb(f, P + 7), READY);
    assert_false(irq_line(f, 14)); /* none at a read's end */
    assert_int_equal(inb(f, P + 3), 101);
}

static void write_pio(void **state)
{
    struct fake *f = *state;
    u8 buf[1024];
    memset(buf, 0x5a, sizeof buf);
    command28(f, P, LBA, 7, 2, 0x30);
    assert_false(irq_line(f, 14)); /* no interrupt before the first block */
    assert_int_equal(inb(f, P + 7), READY | ATA_DRQ);
    assert_int_equal(machine_out_string(f->m, P, 2, buf, 256), 256);
    assert_true(irq_line(f, 14));
    assert_int_equal(inb(f, P + 7), READY | ATA_DRQ);
    for (unsigned i = 0; i < 128; i++)
        machine_out(f->m, P, 4, 0x5a5a5a5a);
    assert_int_equal(inb(f, P + 7), READY);
    assert_memory_equal(sector(7), buf, 1024);
    assert_int_equal(disk0.writes, 2);
}

static void multiple(void **state)
{
    struct fake *f = *state;
    u8 buf[16 * 512];
    outb(f, P + 2, 0); /* MULTIPLE mode off */
    outb(f, P + 7, 0xc6);
    assert_int_equal(inb(f, P + 7), READY);
    command28(f, P, LBA, 0, 3, 0xc4);
    assert_int_equal(inb(f, P + 7), READY | ATA_ERR);
    assert_int_equal(inb(f, P + 1), ATA_ABRT);
    outb(f, P + 2, 3); /* no power of two */
    outb(f, P + 7, 0xc6);
    assert_int_equal(inb(f, P + 7), READY | ATA_ERR);
    outb(f, P + 2, 16);
    outb(f, P + 7, 0xc6);
    assert_int_equal(inb(f, P + 7), READY);
    command28(f, P, LBA, 50, 20, 0xc4);
    assert_int_equal(machine_in_string(f->m, P, 4, buf, 4096), 16 * 128);
    assert_memory_equal(buf, sector(50), 16 * 512);
    assert_int_equal(machine_in_string(f->m, P, 4, buf, 4096), 4 * 128); /* the short last block */
    assert_memory_equal(buf, sector(66), 4 * 512);
    assert_int_equal(inb(f, P + 7), READY);
    memset(buf, 0xa5, sizeof buf);
    command28(f, P, LBA, 10, 17, 0xc5);
    assert_int_equal(machine_out_string(f->m, P, 4, buf, 2048), 2048);
    assert_int_equal(machine_out_string(f->m, P, 4, buf, 128), 128);
    assert_int_equal(inb(f, P + 7), READY);
    assert_memory_equal(sector(10), buf, 16 * 512);
    assert_int_equal(disk0.writes, 2);
}

static void chs(void **state)
{
    struct fake *f = *state;
    u8 buf[512];
    outb(f, P + 6, 0xa0 | 3); /* head 3 */
    outb(f, P + 2, 1);
    outb(f, P + 3, 5);
    outb(f, P + 4, 2);
    outb(f, P + 5, 0);
    outb(f, P + 7, 0x20);
    assert_int_equal(machine_in_string(f->m, P, 2, buf, 256), 256);
    assert_memory_equal(buf, sector((2 * 16 + 3) * 63 + 4), 512);
    outb(f, P + 2, 1);
    outb(f, P + 3, 0); /* there is no sector 0 */
    outb(f, P + 7, 0x20);
    assert_int_equal(inb(f, P + 7), READY | ATA_ERR);
    assert_int_equal(inb(f, P + 1), ATA_IDNF);
    outb(f, P + 6, 0xa0 | 7); /* 8 heads of 32 sectors */
    outb(f, P + 2, 32);
    outb(f, P + 7, 0x91);
    assert_int_equal(inb(f, P + 7), READY);
    outb(f, P + 2, 1);
    outb(f, P + 3, 32);
    outb(f, P + 4, 1);
    outb(f, P + 7, 0x20);
    assert_int_equal(machine_in_string(f->m, P, 2, buf, 256), 256);
    assert_memory_equal(buf, sector((8 + 7) * 32 + 31), 512);
    outb(f, P + 3, 33);
    outb(f, P + 7, 0x20);
    assert_int_equal(inb(f, P + 1), ATA_IDNF);
}

static void range(void **state)
{
    struct fake *f = *state;
    command28(f, P, LBA, DISK_SECTORS - 1, 2, 0x20);
    assert_int_equal(inb(f, P + 7), READY | ATA_ERR);
    assert_int_equal(inb(f, P + 1), ATA_IDNF);
    command48(f, P, 1ull << 47, 1, 0x24);
    assert_int_equal(inb(f, P + 1), ATA_IDNF);
    command28(f, P, LBA, DISK_SECTORS - 256, 0, 0x40); /* 0 is 256 */
    assert_int_equal(inb(f, P + 7), READY);
    command48(f, P, 0, 0, 0x42); /* 65536, too many */
    assert_int_equal(inb(f, P + 1), ATA_IDNF);
    command28(f, P, LBA, 0, 1, 0xfe); /* no such command */
    assert_int_equal(inb(f, P + 7), READY | ATA_ERR);
    assert_int_equal(inb(f, P + 1), ATA_ABRT);
}

static void native_max(void **state)
{
    struct fake *f = *state;
    u16 w[256];
    command28(f, P, LBA, 0, 0, 0xf8);
    u32 last =
        inb(f, P + 3) | inb(f, P + 4) << 8 | inb(f, P + 5) << 16 | (inb(f, P + 6) & 15) << 24;
    assert_int_equal(last, DISK_SECTORS - 1);
    command28(f, P, LBA, 999, 0, 0xf9);
    assert_int_equal(inb(f, P + 7), READY);
    command28(f, P, LBA, 1999, 0, 0xf9); /* not right after READ NATIVE MAX */
    assert_int_equal(inb(f, P + 1), ATA_ABRT);
    command28(f, P, LBA, 1000, 1, 0x40);
    assert_int_equal(inb(f, P + 1), ATA_IDNF);
    identify_words(f, w);
    assert_int_equal(w[60], 1000);
    command48(f, P, 0, 0, 0x27);
    outb(f, 0x3f6, ATA_HOB);
    assert_int_equal(inb(f, P + 3), 0);
    outb(f, P + 1, 0); /* clears HOB */
    assert_int_equal(inb(f, P + 3), (u8)(DISK_SECTORS - 1));
}

static void features_and_power(void **state)
{
    struct fake *f = *state;
    u16 w[256];
    outb(f, P + 1, 3);
    outb(f, P + 2, 0x42); /* ultra DMA 2 */
    outb(f, P + 7, 0xef);
    assert_int_equal(inb(f, P + 7), READY);
    identify_words(f, w);
    assert_int_equal(w[88], 0x043f);
    assert_int_equal(w[63], 0x0007);
    outb(f, P + 1, 3);
    outb(f, P + 2, 0x23);
    outb(f, P + 7, 0xef);
    assert_int_equal(inb(f, P + 7), READY | ATA_ERR);
    outb(f, P + 1, 0x82); /* write cache off: flushes now and after each write */
    outb(f, P + 7, 0xef);
    assert_int_equal(disk0.flushes, 1);
    identify_words(f, w);
    assert_int_equal(w[85] & 0x20, 0);
    command28(f, P, LBA, 1, 1, 0x30);
    u8 buf[512] = {0};
    machine_out_string(f->m, P, 2, buf, 256);
    assert_int_equal(disk0.flushes, 2);
    outb(f, P + 7, 0xe0);
    outb(f, P + 7, 0xe5);
    assert_int_equal(inb(f, P + 2), 0x00);
    outb(f, P + 7, 0xe1);
    outb(f, P + 7, 0xe5);
    assert_int_equal(inb(f, P + 2), 0x80);
    outb(f, P + 7, 0xe6); /* asleep: only a reset helps */
    outb(f, P + 7, 0xec);
    assert_int_equal(inb(f, P + 7) & ATA_DRQ, 0);
    outb(f, 0x3f6, ATA_SRST);
    outb(f, 0x3f6, 0);
    outb(f, P + 7, 0xec);
    assert_int_equal(inb(f, P + 7) & ATA_DRQ, ATA_DRQ);
}

static void reset_and_diagnostic(void **state)
{
    struct fake *f = *state;
    command28(f, P, LBA, 3, 1, 0x20);
    assert_true(irq_line(f, 14));
    outb(f, 0x3f6, ATA_SRST);
    assert_int_equal(inb(f, P + 7), ATA_BSY);
    assert_false(irq_line(f, 14));
    outb(f, 0x3f6, 0);
    assert_int_equal(inb(f, P + 7), READY);
    assert_int_equal(inb(f, P + 1), 1);
    assert_int_equal(inb(f, P + 2), 1);
    assert_int_equal(inb(f, P + 3), 1);
    assert_int_equal(inb(f, P + 4), 0);
    assert_int_equal(inb(f, P + 5), 0);
    outb(f, P + 6, 0xb0); /* EXECUTE DEVICE DIAGNOSTIC goes to both */
    outb(f, P + 7, 0x90);
    assert_true(irq_line(f, 14));
    assert_int_equal(inb(f, P + 1), 1);
    outb(f, 0x3f6, ATA_NIEN);
    outb(f, P + 7, 0xe5);
    assert_false(irq_line(f, 14));
    outb(f, 0x3f6, 0); /* the pending interrupt shows */
    assert_true(irq_line(f, 14));
}

static void errors(void **state)
{
    struct fake *f = *state;
    u8 buf[1024] = {0};
    disk0.bad = 201;
    command28(f, P, LBA, 200, 2, 0x20);
    assert_int_equal(machine_in_string(f->m, P, 2, buf, 256), 256);
    assert_int_equal(inb(f, P + 7), READY | ATA_ERR);
    assert_int_equal(inb(f, P + 1), ATA_UNC);
    assert_int_equal(inb(f, P + 3), 201);
    command28(f, P, LBA, 200, 2, 0x30);
    machine_out_string(f->m, P, 2, buf, 256);
    machine_out_string(f->m, P, 2, buf, 256);
    assert_int_equal(inb(f, P + 7), READY | ATA_ERR);
    assert_int_equal(inb(f, P + 1), ATA_ABRT);
    prd_put(f, 0x1000, 0, 0x8000, 1024, true);
    command28(f, P, LBA, 200, 2, 0xc8);
    bm_start(f, BM, 0x1000, true);
    assert_int_equal(inb(f, P + 7), READY | ATA_ERR);
    assert_int_equal(inb(f, P + 1), ATA_UNC);
    assert_int_equal(inb(f, BM + 2) & 5, 5); /* interrupt, and the table not used up */
    command28(f, P, LBA, 200, 2, 0x40);
    assert_int_equal(inb(f, P + 1), ATA_UNC);
    disk0.bad_flush = true;
    outb(f, P + 7, 0xe7);
    assert_int_equal(inb(f, P + 7), READY | ATA_ERR);
    assert_int_equal(inb(f, P + 1), ATA_ABRT);
    disk0.block.read_only = true;
    command28(f, P, LBA, 0, 1, 0x30);
    assert_int_equal(inb(f, P + 1), ATA_ABRT);
}

static void buffers(void **state)
{
    struct fake *f = *state;
    u8 out[512], in[512];
    memset(out, 0x3c, sizeof out);
    outb(f, P + 7, 0xe8);
    assert_int_equal(machine_out_string(f->m, P, 2, out, 256), 256);
    outb(f, P + 7, 0xe4);
    assert_int_equal(machine_in_string(f->m, P, 2, in, 256), 256);
    assert_memory_equal(in, out, 512);
    /* Data without DRQ: reads are ones, writes go nowhere, strings end. */
    assert_int_equal(machine_in(f->m, P, 2), 0xffff);
    assert_int_equal(machine_in_string(f->m, P, 2, in, 256), 256);
    assert_int_equal(machine_out_string(f->m, P, 2, in, 256), 256);
    assert_int_equal(inb(f, P + 7), READY);
}

/* ---- The bus master. ---- */

static void dma_read(void **state)
{
    struct fake *f = *state;
    prd_put(f, 0x1000, 0, 0x10000, 512 + 100, false);
    prd_put(f, 0x1000, 1, 0x20002, 4096 - 612, true);
    command28(f, P, LBA, 300, 8, 0xc8);
    assert_int_equal(inb(f, P + 7), READY | ATA_DRQ); /* waits for the host */
    bm_start(f, BM, 0x1000, true);
    assert_int_equal(inb(f, BM + 2), 4);
    assert_true(irq_line(f, 14));
    assert_int_equal(inb(f, P + 7), READY);
    assert_false(irq_line(f, 14));
    assert_memory_equal(f->ram + 0x10000, sector(300), 612);
    assert_memory_equal(f->ram + 0x20002, sector(300) + 612, 4096 - 612);
    assert_int_equal(f->ram[0x10000 + 612], 0);
    outb(f, BM, 0);
    outb(f, BM + 2, 4);
    assert_int_equal(inb(f, BM + 2), 0);
}

static void dma_write_unaligned(void **state)
{
    struct fake *f = *state;
    for (unsigned i = 0; i < 8192; i++)
        f->ram[0x30000 + i] = (u8)(i ^ i >> 8);
    prd_put(f, 0x2000, 0, 0x30000, 700, false);
    prd_put(f, 0x2000, 1, 0x30000 + 700, 8192 - 700, true);
    bm_start(f, BM, 0x2000, false); /* the engine first, then the command */
    assert_int_equal(inb(f, BM + 2), 1);
    command48(f, P, 900, 16, 0x35);
    assert_int_equal(inb(f, BM + 2), 4);
    assert_int_equal(inb(f, P + 7), READY);
    assert_memory_equal(sector(900), f->ram + 0x30000, 8192);
}

static void dma_table(void **state)
{
    struct fake *f = *state;
    /* Longer than the transfer: interrupt and active. */
    prd_put(f, 0x1000, 0, 0x10000, 0, true); /* 0 is 64 KiB */
    command28(f, P, LBA, 0, 4, 0xc8);
    bm_start(f, BM, 0x1000, true);
    assert_int_equal(inb(f, BM + 2), 5);
    outb(f, BM, 8);
    assert_int_equal(inb(f, BM + 2), 4);
    /* Shorter: neither, and the drive still asks. */
    prd_put(f, 0x1000, 0, 0x10000, 1024, true);
    command28(f, P, LBA, 0, 4, 0xc8);
    bm_start(f, BM, 0x1000, true);
    assert_int_equal(inb(f, BM + 2), 0);
    assert_int_equal(inb(f, P + 7), READY | ATA_DRQ);
    outb(f, 0x3f6, ATA_SRST);
    outb(f, 0x3f6, 0);
    /* No memory there: error. */
    prd_put(f, 0x1000, 0, 0xf0000000, 4096, true);
    command28(f, P, LBA, 0, 4, 0xc8);
    bm_start(f, BM, 0x1000, true);
    assert_int_equal(inb(f, BM + 2), 2);
    command28(f, P, LBA, 0, 4, 0xc8);
    bm_start(f, BM, 0xf0000000, true);
    assert_int_equal(inb(f, BM + 2), 2);
    /* A table without an end, of the smallest regions: bounded. */
    for (unsigned i = 0; i < 8192; i++)
        prd_put(f, 0x100000, i, 0x10000, 2, false);
    command28(f, P, LBA, 0, 0, 0xc8);
    bm_start(f, BM, 0x100000, true);
    assert_int_equal(inb(f, BM + 2), 2);
}

static void dma_direction_and_master(void **state)
{
    struct fake *f = *state;
    prd_put(f, 0x1000, 0, 0x10000, 512, true);
    command28(f, P, LBA, 0, 1, 0xca);
    bm_start(f, BM, 0x1000, true); /* the wrong way */
    assert_int_equal(inb(f, BM + 2), 1);
    assert_int_equal(disk0.writes, 0);
    outb(f, BM, 0);
    pci_write(f, IDE_FUNCTION, 4, 2, 1); /* no bus master */
    command28(f, P, LBA, 9, 1, 0xc8);
    bm_start(f, BM, 0x1000, true);
    assert_int_equal(inb(f, BM + 2), 1);
    pci_write(f, IDE_FUNCTION, 4, 2, 5);
    assert_int_equal(inb(f, BM + 2), 4);
    assert_memory_equal(f->ram + 0x10000, sector(9), 512);
}

/* ---- Backings that answer later. ---- */

static void settle(struct fake *f)
{
    for (unsigned i = 0; i < 64 && (inb(f, 0x3f6) & ATA_BSY); i++)
        machine_poll(f->m);
}

static void late(void **state)
{
    struct fake *f = *state;
    static u8 buf[512];
    disk_late(&disk0);
    command28(f, P, LBA, 5, 1, 0x20);
    assert_int_equal(inb(f, P + 7), ATA_BSY | READY);
    assert_false(irq_line(f, 14));
    outb(f, P + 3, 77); /* registers are closed while busy */
    settle(f);
    assert_true(irq_line(f, 14));
    assert_int_equal(inb(f, P + 3), 5);
    machine_in_string(f->m, P, 2, buf, 256);
    assert_memory_equal(buf, sector(5), 512);

    for (unsigned i = 0; i < 32; i++)
        prd_put(f, 0x1000, i, 0x100000 + i * 0x10000, 0, i == 31);
    command48(f, P, 1000, 4096, 0x25); /* many pieces */
    bm_start(f, BM, 0x1000, true);
    assert_int_equal(inb(f, BM + 2), 1);
    settle(f);
    assert_int_equal(inb(f, BM + 2), 4);
    assert_memory_equal(f->ram + 0x100000, sector(1000), 0x200000);
    assert_int_equal(disk0.reads, 1 + 4096 / 256);

    command48(f, P, 20000, 4096, 0x35);
    bm_start(f, BM, 0x1000, false);
    settle(f);
    assert_int_equal(inb(f, BM + 2), 4);
    assert_memory_equal(f->ram + 0x100000, sector(20000), 0x200000);
    outb(f, P + 7, 0xe7);
    assert_int_equal(inb(f, P + 7), ATA_BSY | READY);
    settle(f);
    assert_int_equal(disk0.flushes, 1);
    assert_int_equal(inb(f, P + 7), READY);
}

static void late_reset(void **state)
{
    struct fake *f = *state;
    disk_late(&disk0);
    prd_put(f, 0x1000, 0, 0x10000, 512, true);
    command28(f, P, LBA, 5, 1, 0xc8);
    bm_start(f, BM, 0x1000, true);
    outb(f, 0x3f6, ATA_SRST);
    outb(f, 0x3f6, 0);
    assert_int_equal(inb(f, P + 7) & ATA_BSY, ATA_BSY); /* until the backing lets go */
    outb(f, P + 7, 0xec);
    settle(f);
    assert_int_equal(inb(f, P + 7), READY);
    assert_int_equal(f->ram[0x10000], 0);
    disk0.bad = 6;
    command28(f, P, LBA, 6, 1, 0xc8);
    settle(f);
    bm_start(f, BM, 0x1000, true);
    settle(f);
    assert_int_equal(inb(f, P + 1), ATA_UNC);
}

static void memory_backing(void **state)
{
    u8 *data = malloc(64 * 512);
    struct block_mem b;
    u8 buf[1024];
    (void)state;
    for (unsigned i = 0; i < 64 * 512; i++)
        data[i] = (u8)(i >> 4);
    block_mem_init(&b, data, 64 * 512 + 100, false);
    assert_int_equal(b.block.sectors, 64);
    assert_int_equal(b.block.read(&b.block, 62, 2, buf), BLOCK_OK);
    assert_memory_equal(buf, data + 62 * 512, 1024);
    assert_int_equal(b.block.read(&b.block, 63, 2, buf), BLOCK_ERROR);
    assert_int_equal(b.block.read(&b.block, ~0ull, 2, buf), BLOCK_ERROR);
    assert_ptr_equal(b.block.direct(&b.block, 3, 4), data + 3 * 512);
    assert_null(b.block.direct(&b.block, 64, 1));
    assert_int_equal(b.block.write(&b.block, 0, 2, buf), BLOCK_OK);
    assert_memory_equal(data, buf, 1024);
    b.block.read_only = true;
    assert_int_equal(b.block.write(&b.block, 0, 1, buf), BLOCK_ERROR);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IDE_TEST(identify),   IDE_TEST(presence),
        IDE_TEST(decode),     IDE_TEST(read_pio),
        IDE_TEST(write_pio),  IDE_TEST(multiple),
        IDE_TEST(chs),        IDE_TEST(range),
        IDE_TEST(native_max), IDE_TEST(features_and_power),
        IDE_TEST(errors),     IDE_TEST(reset_and_diagnostic),
        IDE_TEST(buffers),    IDE_TEST(dma_read),
        IDE_TEST(dma_table),  IDE_TEST(dma_write_unaligned),
        IDE_TEST(late),       IDE_TEST(dma_direction_and_master),
        IDE_TEST(late_reset), cmocka_unit_test(memory_backing),
    };
    return cmocka_run_group_tests_name("dev-ata", tests, NULL, NULL);
}
