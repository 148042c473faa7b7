/* The VGA: registers, planar memory in its modes, mapped text and chain-4 memory, VBE. */

#include "fake.h"

#include "dev/vga.h"

#define VGA_FUNCTION 0x10

static struct vga *vga(struct fake *f)
{
    return dev_find(f->m, "vga")->state;
}

static void seq(struct fake *f, u8 index, u8 value)
{
    machine_out(f->m, 0x3c4, 2, (u32)value << 8 | index);
}

static void gc(struct fake *f, u8 index, u8 value)
{
    machine_out(f->m, 0x3ce, 2, (u32)value << 8 | index);
}

static void crtc(struct fake *f, u8 index, u8 value)
{
    machine_out(f->m, 0x3d4, 2, (u32)value << 8 | index);
}

/* Registers as a VGA BIOS sets them. */
static void mode(struct fake *f, u8 mask, u8 memory, u8 gc5, u8 gc6)
{
    outb(f, 0x3c2, 0x67);
    seq(f, 2, mask);
    seq(f, 4, memory);
    gc(f, 0, 0);
    gc(f, 1, 0);
    gc(f, 3, 0);
    gc(f, 4, 0);
    gc(f, 5, gc5);
    gc(f, 6, gc6);
    gc(f, 7, 0xf);
    gc(f, 8, 0xff);
}

static void mode_text(struct fake *f)
{
    mode(f, 3, 2, 0x10, 0x0e);
    crtc(f, 0x11, 0x8e & 0x7f);
    crtc(f, 0, 0x5f);
    crtc(f, 1, 79);
    crtc(f, 6, 0xbf);
    crtc(f, 7, 0x1f);
    crtc(f, 9, 0x4f);
    crtc(f, 0x10, 0x9c);
    crtc(f, 0x12, 0x8f);
    crtc(f, 0x13, 40);
}

static void mode_planar(struct fake *f)
{
    mode(f, 0xf, 6, 0, 5);
}

/* Memory as the guest sees it: what is mapped, else the device. */
static void poke(struct fake *f, u32 gpa, u8 value)
{
    if (f->kind[gpa >> 14] == MEM_RAM)
        ((u8 *)f->mem[gpa >> 14])[gpa & 0x3fff] = value;
    else
        machine_mmio_write(f->m, gpa, 1, value);
}

static u8 peek(struct fake *f, u32 gpa)
{
    if (f->kind[gpa >> 14] == MEM_RAM)
        return f->mem[gpa >> 14][gpa & 0x3fff];
    return (u8)machine_mmio_read(f->m, gpa, 1);
}

static void registers(void **state)
{
    struct fake *f = *state;
    outb(f, 0x3c2, 0x67);
    assert_int_equal(inb(f, 0x3cc), 0x67);
    seq(f, 2, 0xff);
    assert_int_equal(inb(f, 0x3c5), 0x0f);
    gc(f, 6, 0xff);
    assert_int_equal(inb(f, 0x3cf), 0x0f);
    inb(f, 0x3da); /* resets the flip-flop */
    outb(f, 0x3c0, 0x05);
    outb(f, 0x3c0, 0x2a);
    outb(f, 0x3c0, 0x20);
    inb(f, 0x3da);
    outb(f, 0x3c0, 0x05);
    assert_int_equal(inb(f, 0x3c1), 0x2a);
    assert_int_equal(inb(f, 0x3c0), 0x05);
    crtc(f, 0x11, 0x80); /* registers 0 to 7 are locked, but for line compare */
    crtc(f, 1, 0x55);
    assert_int_equal(inb(f, 0x3d5), 0);
    crtc(f, 7, 0xff);
    assert_int_equal(inb(f, 0x3d5), 0x10);
    crtc(f, 0x11, 0);
    crtc(f, 1, 0x55);
    assert_int_equal(inb(f, 0x3d5), 0x55);
    assert_int_equal(inb(f, 0x3b5), 0xff); /* monochrome: not there */
    outb(f, 0x3c2, 0x66);
    assert_int_equal(inb(f, 0x3d5), 0xff);
    assert_int_equal(inb(f, 0x3b5), 0x55);
}

static void dac(void **state)
{
    struct fake *f = *state;
    outb(f, 0x3c8, 254);
    for (u8 i = 0; i < 9; i++) /* over the end to colour 0 */
        outb(f, 0x3c9, 0xc0 | i);
    outb(f, 0x3c7, 254);
    assert_int_equal(inb(f, 0x3c7), 3);
    for (u8 i = 0; i < 9; i++)
        assert_int_equal(inb(f, 0x3c9), i);
}

static void retrace(void **state)
{
    struct fake *f = *state;
    unsigned frames = 0, blank = 0;
    bool was = false;
    mode_text(f);
    for (unsigned i = 0; i < 100000; i++) { /* a second in steps of 10 us */
        fake_pass(f, 10000);
        u8 s = inb(f, 0x3da);
        frames += (s & 8) && !was;
        was = s & 8;
        blank += s & 1;
        assert_false((s & 8) && !(s & 1)); /* no display in retrace */
    }
    assert_in_range(frames, 69, 71);
    assert_in_range(blank, 20000, 40000);
}

static void text(void **state)
{
    struct fake *f = *state;
    static const char hello[] = "Hello, \xb3 world";
    char screen[4096];
    mode_text(f);
    assert_int_equal(f->kind[0xb8000 >> 14], MEM_RAM);
    assert_int_equal(f->kind[0xa0000 >> 14], MEM_MMIO);
    for (unsigned i = 0; hello[i]; i++) {
        poke(f, 0xb8000 + 160 + 2 * i, (u8)hello[i]);
        poke(f, 0xb8000 + 160 + 2 * i + 1, 0x07);
    }
    machine_screen(f->m, screen, sizeof screen);
    assert_memory_equal(screen, "\nHello, | world\n\n", 17);
    unsigned lines = 0;
    for (const char *p = screen; *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 25);
    crtc(f, 0xd, 80); /* scrolled by one line */
    machine_screen(f->m, screen, sizeof screen);
    assert_memory_equal(screen, "Hello, | world\n", 15);
    machine_screen(f->m, screen, 6);
    assert_string_equal(screen, "Hello");
}

/* A font load goes to plane 2 through A0000h; text stays, and each plane has its own. */
static void font(void **state)
{
    struct fake *f = *state;
    mode_text(f);
    poke(f, 0xb8000, 'A');
    poke(f, 0xb8001, 0x1f);
    seq(f, 2, 4);
    seq(f, 4, 7);
    gc(f, 4, 2);
    gc(f, 5, 0);
    gc(f, 6, 4);
    assert_int_equal(f->kind[0xb8000 >> 14], MEM_MMIO);
    for (unsigned i = 0; i < 32; i++)
        poke(f, 0xa0000 + i, (u8)(0x80 + i));
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(peek(f, 0xa0000 + i), 0x80 + i);
    assert_int_equal(vga(f)->plane[0][0], 'A');
    assert_int_equal(vga(f)->plane[1][0], 0x1f);
    mode(f, 3, 2, 0x10, 0x0e);
    assert_int_equal(peek(f, 0xb8000), 'A');
    assert_int_equal(peek(f, 0xb8001), 0x1f);
    poke(f, 0xb8002, 'B');
    mode_planar(f);
    assert_int_equal(vga(f)->plane[0][2], 'B');
    assert_int_equal(vga(f)->plane[2][5], 0x85);
}

static void planar_writes(void **state)
{
    struct fake *f = *state;
    mode_planar(f);
    poke(f, 0xa0010, 0x3c);
    for (unsigned p = 0; p < 4; p++)
        assert_int_equal(vga(f)->plane[p][0x10], 0x3c);
    seq(f, 2, 5);
    poke(f, 0xa0010, 0xff);
    assert_int_equal(vga(f)->plane[0][0x10], 0xff);
    assert_int_equal(vga(f)->plane[1][0x10], 0x3c);
    seq(f, 2, 0xf);
    gc(f, 0, 0x9); /* set/reset for all planes, bit mask, latches */
    gc(f, 1, 0xf);
    gc(f, 8, 0x0f);
    peek(f, 0xa0010);
    poke(f, 0xa0010, 0);
    assert_int_equal(vga(f)->plane[0][0x10], 0xff);
    assert_int_equal(vga(f)->plane[1][0x10], 0x30);
    assert_int_equal(vga(f)->plane[2][0x10], 0xf0);
    assert_int_equal(vga(f)->plane[3][0x10], 0x3f);
    gc(f, 1, 0);
    gc(f, 8, 0xff);
    gc(f, 3, 0x18 | 4); /* xor, rotated by 4 */
    peek(f, 0xa0010);
    poke(f, 0xa0010, 0xa5);
    assert_int_equal(vga(f)->plane[1][0x10], 0x30 ^ 0x5a);
    gc(f, 3, 0);
    gc(f, 5, 1); /* write mode 1: latches */
    peek(f, 0xa0010);
    poke(f, 0xa0020, 0);
    assert_int_equal(vga(f)->plane[1][0x20], 0x6a);
    gc(f, 5, 2); /* write mode 2: a colour */
    poke(f, 0xa0030, 0x6);
    assert_int_equal(vga(f)->plane[0][0x30], 0);
    assert_int_equal(vga(f)->plane[1][0x30], 0xff);
    assert_int_equal(vga(f)->plane[2][0x30], 0xff);
    gc(f, 5, 3); /* write mode 3: the byte is a mask for set/reset 9 */
    peek(f, 0xa0030);
    poke(f, 0xa0030, 0xf0);
    assert_int_equal(vga(f)->plane[0][0x30], 0xf0);
    assert_int_equal(vga(f)->plane[1][0x30], 0x0f);
    assert_int_equal(vga(f)->plane[3][0x30], 0xf0);
}

static void planar_reads(void **state)
{
    struct fake *f = *state;
    mode_planar(f);
    for (u8 p = 0; p < 4; p++) {
        seq(f, 2, (u8)(1u << p));
        poke(f, 0xa0000, (u8)(0x11u << p));
        gc(f, 4, p);
        assert_int_equal(peek(f, 0xa0000), 0x11u << p);
    }
    gc(f, 5, 8); /* colour compare */
    gc(f, 2, 0x2);
    gc(f, 7, 0xf);
    assert_int_equal(peek(f, 0xa0000), 0x22); /* pixels of colour 2 */
    gc(f, 7, 0);
    assert_int_equal(peek(f, 0xa0000), 0xff);                           /* no plane cares */
    assert_int_equal((u16)machine_mmio_read(f->m, 0xb0000, 2), 0xffff); /* not decoded */
    outb(f, 0x3c2, 0x65);                                               /* RAM off */
    assert_int_equal(peek(f, 0xa0000), 0xff);
}

static void chain4(void **state)
{
    struct fake *f = *state;
    mode(f, 0xf, 0xe, 0x40, 5);
    assert_int_equal(f->kind[0xa0000 >> 14], MEM_RAM);
    for (u32 i = 0; i < 64000; i++)
        poke(f, 0xa0000 + i, (u8)(i * 3));
    gc(f, 8, 0x0f); /* an ALU in between: trapped, the same memory */
    assert_int_equal(f->kind[0xa0000 >> 14], MEM_MMIO);
    for (u32 i = 0; i < 64000; i += 97)
        assert_int_equal(peek(f, 0xa0000 + i), (u8)(i * 3));
    assert_int_equal(vga(f)->plane[1][4], 15);
    peek(f, 0xa0005); /* the latches */
    poke(f, 0xa0005, 0xff);
    assert_int_equal(peek(f, 0xa0005), 0x0f | (15 & 0xf0));
    gc(f, 8, 0xff);
    assert_int_equal(peek(f, 0xa0005), 0x0f);
    assert_int_equal(peek(f, 0xa0006), 18);
}

static u16 dispi_read(struct fake *f, u16 index)
{
    machine_out(f->m, 0x1ce, 2, index);
    return (u16)machine_in(f->m, 0x1cf, 2);
}

static void dispi(struct fake *f, u16 index, u16 value)
{
    machine_out(f->m, 0x1ce, 2, index);
    machine_out(f->m, 0x1cf, 2, value);
}

static void vbe(void **state)
{
    struct fake *f = *state;
    char screen[64];
    mode_text(f);
    poke(f, 0xb8000, 'T');
    dispi(f, DISPI_ID, 0xb0c0);
    assert_int_equal(dispi_read(f, DISPI_ID), 0xb0c0);
    dispi(f, DISPI_ID, 0x1234);
    assert_int_equal(dispi_read(f, DISPI_ID), 0xb0c0);
    assert_int_equal(dispi_read(f, DISPI_MEMORY), 128);
    dispi(f, DISPI_ENABLE, 2);
    assert_int_equal(dispi_read(f, DISPI_XRES), 2560);
    dispi(f, DISPI_ENABLE, 0);
    dispi(f, DISPI_XRES, 800);
    dispi(f, DISPI_YRES, 600);
    dispi(f, DISPI_BPP, 32);
    dispi(f, DISPI_ENABLE, 0x41);
    assert_int_equal(dispi_read(f, DISPI_VIRT_WIDTH), 800);
    assert_int_equal(dispi_read(f, DISPI_VIRT_HEIGHT), 8 * MiB / 3200);
    machine_screen(f->m, screen, sizeof screen);
    assert_string_equal(screen, "[graphics 800x600x32]\n");
    assert_int_equal(f->kind[0xa0000 >> 14], MEM_RAM);
    dispi(f, DISPI_BANK, 5);
    poke(f, 0xa0001, 0x77);
    assert_int_equal(vga(f)->vram[5 * 64 * KiB + 1], 0x77);
    dispi(f, DISPI_BANK, 128); /* beyond the memory: ignored */
    assert_int_equal(dispi_read(f, DISPI_BANK), 5);
    dispi(f, DISPI_ENABLE, 0);
    assert_int_equal(peek(f, 0xb8000), 'T');
    dispi(f, DISPI_XRES, 2560);
    dispi(f, DISPI_YRES, 1600); /* 16 MB: refused */
    dispi(f, DISPI_ENABLE, 1);
    assert_int_equal(dispi_read(f, DISPI_ENABLE), 0);
    assert_int_equal(f->kind[0xb8000 >> 14], MEM_RAM);
}

static void pci(void **state)
{
    struct fake *f = *state;
    assert_int_equal(pci_read(f, VGA_FUNCTION, 0, 4), 0x11111234);
    assert_int_equal(pci_read(f, VGA_FUNCTION, 8, 4) >> 8, 0x030000);
    pci_write(f, VGA_FUNCTION, 0x10, 4, 0xffffffff);
    assert_int_equal(pci_read(f, VGA_FUNCTION, 0x10, 4), 0xff800008);
    pci_write(f, VGA_FUNCTION, 0x10, 4, 0xe0000000);
    assert_int_equal(vga(f)->lfb, 0);
    pci_write(f, VGA_FUNCTION, 4, 2, 2);
    assert_int_equal(vga(f)->lfb, 0xe0000000);
    pci_write(f, VGA_FUNCTION, 0x10, 4, 0); /* on RAM: not decoded */
    assert_int_equal(vga(f)->lfb, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(registers),     FAKE_TEST(dac),          FAKE_TEST(retrace), FAKE_TEST(text),
        FAKE_TEST(planar_writes), FAKE_TEST(planar_reads), FAKE_TEST(font),    FAKE_TEST(chain4),
        FAKE_TEST(vbe),           FAKE_TEST(pci),
    };
    return cmocka_run_group_tests_name("dev-vga", tests, NULL, NULL);
}
