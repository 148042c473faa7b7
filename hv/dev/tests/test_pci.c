/* PCI configuration, the 440FX's memory map and the PIIX3's routing and reset. */

#include "fake.h"

#define HOST 0x00
#define ISA 0x08

static void mechanism(void **state)
{
    struct fake *f = *state;
    assert_int_equal(pci_read(f, HOST, 0, 4), 0x12378086);
    assert_int_equal(pci_read(f, HOST, 2, 2), 0x1237);
    assert_int_equal(pci_read(f, HOST, 8, 4), 0x06000002);
    assert_int_equal(pci_read(f, ISA, 0, 4), 0x70008086);
    assert_int_equal(pci_read(f, ISA, 0x0e, 1), 0x80);
    assert_int_equal(pci_read(f, 0x10, 0, 4), 0xffffffff); /* nobody */
    machine_out(f->m, 0xcf8, 4, 0xffffffff);
    assert_int_equal(machine_in(f->m, 0xcf8, 4), 0x80fffffc);
    assert_int_equal(machine_in(f->m, 0xcfc, 4), 0xffffffff); /* bus 255 */
    machine_out(f->m, 0xcf8, 4, 0x00000000);
    assert_int_equal(machine_in(f->m, 0xcfc, 4), 0xffffffff); /* not enabled */
    machine_out(f->m, 0xcf8, 4, 0x80000000);
    machine_out(f->m, 0xcf8, 1, 0x55); /* bytes are no address */
    machine_out(f->m, 0xcf8, 2, 0x5555);
    assert_int_equal(machine_in(f->m, 0xcf8, 4), 0x80000000);
}

static void masks(void **state)
{
    struct fake *f = *state;
    pci_write(f, HOST, 0, 4, 0);
    assert_int_equal(pci_read(f, HOST, 0, 4), 0x12378086);
    pci_write(f, HOST, 4, 2, 0xffff);
    assert_int_equal(pci_read(f, HOST, 4, 2), 0x0146);
    pci_write(f, HOST, 0x59, 1, 0xff);
    assert_int_equal(pci_read(f, HOST, 0x59, 1), 0x30);
    pci_write(f, HOST, 0x5a, 2, 0xffff);
    assert_int_equal(pci_read(f, HOST, 0x5a, 2), 0x3333);
    pci_write(f, HOST, 0x10, 4, 0xffffffff);
    assert_int_equal(pci_read(f, HOST, 0x10, 4), 0); /* no BAR */
    pci_write(f, HOST, 0xfe, 4, 0xffffffff);         /* ends with the dword */
    assert_int_equal(pci_read(f, HOST, 0, 4), 0x12378086);
    for (unsigned i = 0; i < 256; i++)
        pci_write(f, ISA, i, 1, 0xff);
    assert_int_equal(pci_read(f, ISA, 0, 4), 0x70008086);
    assert_int_equal(pci_read(f, ISA, 0x60, 4), 0x8f8f8f8f);
}

static void smram(void **state)
{
    struct fake *f = *state;
    assert_int_equal(pci_read(f, HOST, 0x72, 1), 0x02);
    pci_write(f, HOST, 0x72, 1, 0x4a);
    assert_int_equal(pci_read(f, HOST, 0x72, 1), 0x4a);
    assert_int_equal(f->kind[0xa0000 >> 14], MEM_MMIO);
    pci_write(f, HOST, 0x72, 1, 0x5a); /* D_LCK clears D_OPEN and locks */
    assert_int_equal(pci_read(f, HOST, 0x72, 1), 0x1a);
    pci_write(f, HOST, 0x72, 1, 0x40);
    assert_int_equal(pci_read(f, HOST, 0x72, 1), 0x1a);
}

static void map_at_reset(void **state)
{
    struct fake *f = *state;
    assert_int_equal(f->kind[0], MEM_RAM);
    assert_int_equal(f->kind[0x9c000 >> 14], MEM_RAM);
    assert_int_equal(f->kind[0xb8000 >> 14], MEM_MMIO);
    assert_int_equal(f->kind[0xc0000 >> 14], MEM_MMIO);
    assert_int_equal(f->kind[0xdc000 >> 14], MEM_MMIO);
    /* The ROM's last 128 KiB. */
    assert_int_equal(f->kind[0xe0000 >> 14], MEM_ROM);
    assert_memory_equal(f->mem[0xe0000 >> 14], f->rom + FAKE_ROM - 0x20000, 0x4000);
    assert_int_equal(f->kind[0xfc000 >> 14], MEM_ROM);
    assert_memory_equal(f->mem[0xfc000 >> 14], f->rom + FAKE_ROM - 0x4000, 0x4000);
    assert_int_equal(machine_mmio_read(f->m, 0xc8000, 2), 0xffff);
}

/* As firmware does: shadow, copy, lock. */
static void shadowing(void **state)
{
    struct fake *f = *state;
    pci_write(f, HOST, 0x58, 4, 0x33333000);
    pci_write(f, HOST, 0x5c, 4, 0x33333333);
    for (unsigned i = 0xc0000 >> 14; i < 64; i++) {
        assert_int_equal(f->kind[i], MEM_RAM);
        assert_ptr_equal(f->mem[i], f->ram + (i << 14));
    }
    f->ram[0xe1234] = 0x5a;
    pci_write(f, HOST, 0x5e, 1, 0x31); /* E0000h read only, E4000h open */
    assert_int_equal(f->kind[0xe0000 >> 14], MEM_ROM);
    assert_ptr_equal(f->mem[0xe0000 >> 14], f->ram + 0xe0000);
    assert_int_equal(f->kind[0xe4000 >> 14], MEM_RAM);
    machine_mmio_write(f->m, 0xe1234, 1, 0xff);
    assert_int_equal(f->ram[0xe1234], 0x5a);
    pci_write(f, HOST, 0x59, 1, 0x10);
    assert_int_equal(f->kind[0xf0000 >> 14], MEM_ROM);
    assert_int_equal(f->kind[0xfc000 >> 14], MEM_ROM);
    assert_ptr_equal(f->mem[0xfc000 >> 14], f->ram + 0xfc000);
}

static void write_only(void **state)
{
    struct fake *f = *state;
    pci_write(f, HOST, 0x59, 1, 0x20); /* reads from ROM, writes to RAM */
    assert_int_equal(f->kind[0xf0000 >> 14], MEM_MMIO);
    u32 rom;
    memcpy(&rom, f->rom + FAKE_ROM - 0x10000 + 0x123, 4);
    assert_int_equal(machine_mmio_read(f->m, 0xf0123, 4), rom);
    machine_mmio_write(f->m, 0xf0123, 4, 0x12345678);
    assert_int_equal(machine_mmio_read(f->m, 0xf0123, 4), rom);
    assert_memory_equal(f->ram + 0xf0123, "\x78\x56\x34\x12", 4);
    pci_write(f, HOST, 0x5a, 1, 0x02);                /* C0000h: no ROM behind it */
    machine_mmio_write(f->m, 0xc3ffe, 4, 0x12345678); /* the next segment takes no writes */
    assert_memory_equal(f->ram + 0xc3ffe, "\x78\x56\0\0", 4);
    assert_int_equal(machine_mmio_read(f->m, 0xc3ffe, 4), 0xffffffff);
}

static void routing(void **state)
{
    struct fake *f = *state;
    struct dev *d = dev_find(f->m, "pci");
    outb(f, 0xa0, 0x11);
    outb(f, 0xa1, 0x70);
    outb(f, 0xa1, 0x02);
    outb(f, 0xa1, 0x01);
    outb(f, 0x4d1, 0x0c); /* 10 and 11 are level */
    outb(f, 0xa0, 0x0a);
    dev_pci_irq(d, 3, 0, true);        /* slot 3 INTA#: PIRQC */
    assert_int_equal(inb(f, 0xa0), 0); /* not routed */
    pci_write(f, ISA, 0x62, 1, 11);
    assert_int_equal(inb(f, 0xa0), 0x08);
    dev_pci_irq(d, 2, 1, true); /* slot 2 INTB# shares the line */
    dev_pci_irq(d, 3, 0, false);
    assert_int_equal(inb(f, 0xa0), 0x08);
    dev_pci_irq(d, 2, 1, true); /* said twice, counted once */
    dev_pci_irq(d, 2, 1, false);
    assert_int_equal(inb(f, 0xa0), 0x00);
    dev_pci_irq(d, 1, 0, true); /* PIRQA to 10, PIRQB to 10: wired OR */
    dev_pci_irq(d, 2, 0, true);
    pci_write(f, ISA, 0x60, 2, 0x0a0a);
    assert_int_equal(inb(f, 0xa0), 0x04);
    dev_pci_irq(d, 2, 0, false);
    assert_int_equal(inb(f, 0xa0), 0x04);
    pci_write(f, ISA, 0x60, 1, 0x80);
    assert_int_equal(inb(f, 0xa0), 0x00);
    pci_write(f, ISA, 0x60, 1, 8); /* IRQ 8 cannot be chosen */
    assert_int_equal(inb(f, 0xa0), 0x00);
}

static void reset_control(void **state)
{
    struct fake *f = *state;
    outb(f, 0xcf9, 0x02);
    assert_int_equal(inb(f, 0xcf9), 0x02);
    assert_int_equal(f->end, 0);
    machine_out(f->m, 0xcf8, 4, 0x80000600); /* a dword is the PCI address, not a reset */
    assert_int_equal(f->end, 0);
    outb(f, 0xcf9, 0x06);
    assert_int_equal(f->end, VM_REBOOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(mechanism), FAKE_TEST(masks),      FAKE_TEST(smram),   FAKE_TEST(map_at_reset),
        FAKE_TEST(shadowing), FAKE_TEST(write_only), FAKE_TEST(routing), FAKE_TEST(reset_control),
    };
    return cmocka_run_group_tests_name("dev-pci", tests, NULL, NULL);
}
