/* fw_cfg as firmware reads it: by port and by DMA. */

#include "fake.h"

static void selected(struct fake *f, u16 key)
{
    machine_out(f->m, 0x510, 2, key);
}

static u64 item_le(struct fake *f, u16 key, unsigned bytes)
{
    u64 value = 0;
    selected(f, key);
    for (unsigned i = 0; i < bytes; i++)
        value |= (u64)inb(f, 0x511) << (8 * i);
    return value;
}

static u32 be32(const u8 *p)
{
    return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static void be32_put(u8 *p, u32 v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (u8)(v >> (24 - 8 * i));
}

/* The file's key and size from the directory, or 0. */
static u16 find(struct fake *f, const char *name, u32 *size)
{
    u8 dir[4 + 16 * 64] = {0};
    selected(f, 0x19);
    assert_int_equal(machine_in_string(f->m, 0x511, 1, dir, 4), 4);
    u32 count = be32(dir);
    assert_true(count <= 16);
    machine_in_string(f->m, 0x511, 1, dir + 4, count * 64);
    for (u32 i = 0; i < count; i++) {
        const u8 *e = dir + 4 + 64 * i;
        if (!strcmp((const char *)e + 8, name)) {
            *size = be32(e);
            return (u16)(e[4] << 8 | e[5]);
        }
    }
    return 0;
}

static void items(void **state)
{
    struct fake *f = *state;
    assert_int_equal(item_le(f, 0x00, 4), 0x554d4551); /* QEMU */
    assert_int_equal(item_le(f, 0x01, 4), 3);
    assert_int_equal(item_le(f, 0x03, 8), FAKE_RAM);
    assert_int_equal(item_le(f, 0x05, 2), 1);
    assert_int_equal(item_le(f, 0x0f, 2), 1);
    assert_int_equal(item_le(f, 0x0e, 2), 0); /* no boot menu */
    assert_int_equal(item_le(f, 0x8003, 4), 0);
    assert_int_equal(item_le(f, 0xffff, 8), 0);
    item_le(f, 0x00, 4);
    assert_int_equal(inb(f, 0x511), 0); /* past the end */
    outb(f, 0x510, 0x19);               /* a byte selects nothing */
    selected(f, 0);
    assert_int_equal(inb(f, 0x511), 'Q');
}

static void files(void **state)
{
    struct fake *f = *state;
    u32 size = 0;
    u16 key = find(f, "etc/e820", &size);
    assert_true(key >= 0x20);
    assert_int_equal(size, 20);
    u8 e[20];
    selected(f, key);
    machine_in_string(f->m, 0x511, 1, e, 20);
    assert_memory_equal(e, "\0\0\0\0\0\0\0\0\0\0\x40\0\0\0\0\0\1\0\0\0", 20);
    key = find(f, "pci1234,1111.rom", &size);
    assert_true(key != 0);
    assert_int_equal(size, sizeof fake_vga_rom);
    assert_int_equal(item_le(f, key, 2), 0xaa55);
    assert_int_equal(find(f, "etc/table-loader", &size),
                     0); /* the firmware builds its own tables */
}

static u32 dma(struct fake *f, u32 control, u32 length, u64 address)
{
    u8 *d = f->ram + 0x1000;
    be32_put(d, control);
    be32_put(d + 4, length);
    be32_put(d + 8, (u32)(address >> 32));
    be32_put(d + 12, (u32)address);
    machine_out(f->m, 0x518, 4, __builtin_bswap32(0x1000));
    return be32(d);
}

static void dma_transfers(void **state)
{
    struct fake *f = *state;
    assert_int_equal(machine_in(f->m, 0x514, 4), 0x554d4551);
    assert_int_equal(machine_in(f->m, 0x518, 4), 0x47464320); /* " CFG" */
    assert_int_equal(dma(f, 0x0000000a, 4, 0x2000), 0);       /* select 0, read */
    assert_memory_equal(f->ram + 0x2000, "QEMU", 4);
    assert_int_equal(dma(f, 0x00000008, 0, 0), 0);
    assert_int_equal(dma(f, 4, 2, 0), 0); /* skip */
    assert_int_equal(dma(f, 2, 4, 0x3000), 0);
    assert_memory_equal(f->ram + 0x3000, "MU\0\0", 4);
    assert_int_equal(dma(f, 16, 4, 0x3000), 1);           /* writes are refused */
    assert_int_equal(dma(f, 2, 4, 0xfffffff0), 1);        /* no RAM */
    assert_int_equal(dma(f, 2, 0xffffffff, 0x3000), 1);   /* too much */
    assert_int_equal(dma(f, 2, 0x1000, FAKE_RAM - 4), 1); /* over the end */
    assert_int_equal(dma(f, 2, 4, ~0ull - 1), 1);
    machine_out(f->m, 0x514, 4, 0xffffffff); /* a descriptor nowhere */
    machine_out(f->m, 0x518, 4, 0xffffffff);
    assert_int_equal(dma(f, 2, 4, 0x3000), 0); /* the high half was used up */
}

int main(void)
{
    const struct CMUnitTest tests[] = {FAKE_TEST(items), FAKE_TEST(files),
                                       FAKE_TEST(dma_transfers)};
    return cmocka_run_group_tests_name("dev-fw_cfg", tests, NULL, NULL);
}
