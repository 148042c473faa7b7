/* PIIX4 power management, as firmware and ACPI drive it, and the 8237 registers. */

#include "fake.h"

#define PM 0x0b
#define BASE 0xb000

static void enable(struct fake *f)
{
    pci_write(f, PM, 0x40, 4, BASE | 1);
    pci_write(f, PM, 0x80, 1, 1);
}

/* The slave PIC's request for IRQ 9 is the SCI. */
static bool sci(struct fake *f)
{
    outb(f, 0xa0, 0x0a);
    return inb(f, 0xa0) & 0x02;
}

static void configuration(void **state)
{
    struct fake *f = *state;
    assert_int_equal(pci_read(f, PM, 0, 4), 0x71138086);
    assert_int_equal(pci_read(f, PM, 0x3d, 1), 1);
    assert_int_equal(pci_read(f, PM, 0x58, 4) & 1 << 25, 1 << 25); /* SMM is not for the firmware */
    assert_int_equal(machine_in(f->m, BASE, 4), 0xffffffff);
    pci_write(f, PM, 0x40, 4, 0xffffffff);
    assert_int_equal(pci_read(f, PM, 0x40, 4), 0xffc1);
    enable(f);
    assert_int_equal(machine_in(f->m, BASE, 4), 0);
    pci_write(f, PM, 0x40, 4, 0x4001);
    assert_int_equal(machine_in(f->m, BASE, 4), 0xffffffff);
    assert_int_equal(machine_in(f->m, 0x4000, 4), 0);
    pci_write(f, PM, 0x80, 1, 0);
    assert_int_equal(machine_in(f->m, 0x4000, 4), 0xffffffff);
}

static void timer(void **state)
{
    struct fake *f = *state;
    enable(f);
    fake_pass(f, FAKE_HZ);
    assert_int_equal(machine_in(f->m, BASE + 8, 4), 3579545);
    assert_int_equal(machine_in(f->m, BASE + 9, 1), 3579545 >> 8 & 0xff);
    fake_pass(f, 4 * FAKE_HZ);
    assert_int_equal(machine_in(f->m, BASE + 8, 4), 5 * 3579545 & 0xffffff); /* 24 bits */
}

static void timer_overflow(void **state)
{
    struct fake *f = *state;
    enable(f);
    machine_out(f->m, BASE, 2, 0xffff);
    assert_true(machine_next_deadline(f->m) == ~0ull);
    machine_out(f->m, BASE + 2, 2, 0x0001);
    assert_true(machine_next_deadline(f->m) == ~0ull); /* not without SCI_EN */
    outb(f, 0xb2, 0xf1);                               /* ACPI on, by the SMI command port */
    assert_int_equal(machine_in(f->m, BASE + 4, 2) & 1, 1);
    assert_int_equal(machine_next_deadline(f->m), ((1ull << 23) * FAKE_HZ + 3579544) / 3579545);
    assert_false(sci(f));
    fake_pass(f, machine_next_deadline(f->m) - 1);
    assert_false(sci(f));
    fake_pass(f, 1);
    assert_true(sci(f));
    assert_int_equal(machine_in(f->m, BASE, 2), 1);
    machine_out(f->m, BASE, 2, 1);
    assert_false(sci(f));
    assert_true(machine_next_deadline(f->m) > f->now);
    outb(f, 0xb2, 0xf0);
    assert_int_equal(machine_in(f->m, BASE + 4, 2) & 1, 0);
    assert_true(machine_next_deadline(f->m) == ~0ull);
    fake_pass(f, 10 * FAKE_HZ);
    assert_int_equal(machine_in(f->m, BASE, 2) & 1, 1); /* the status comes all the same */
    assert_int_equal(inb(f, 0xb2), 0xf0);
    outb(f, 0xb3, 0x12);
    assert_int_equal(inb(f, 0xb3), 0x12);
}

static void power_off(void **state)
{
    struct fake *f = *state;
    enable(f);
    machine_out(f->m, BASE + 4, 2, 0x0400); /* type without SLP_EN */
    assert_int_equal(f->end, 0);
    machine_out(f->m, BASE + 4, 2, 0x2400); /* suspend to RAM is not there */
    assert_int_equal(f->end, 0);
    assert_int_equal(machine_in(f->m, BASE + 4, 2) & 0x2000, 0); /* SLP_EN reads as zero */
    machine_out(f->m, BASE + 4, 2, 0x2001);
    assert_int_equal(f->end, VM_POWEROFF);
}

static void power_off_in_bytes(void **state)
{
    struct fake *f = *state;
    enable(f);
    machine_out(f->m, BASE + 5, 1, 0x20);
    assert_int_equal(f->end, VM_POWEROFF);
}

static void general_purpose(void **state)
{
    struct fake *f = *state;
    enable(f);
    assert_int_equal(machine_in(f->m, 0xafe0, 4), 0);
    machine_out(f->m, 0xafe2, 2, 0x1234);
    assert_int_equal(machine_in(f->m, 0xafe2, 2), 0x1234);
    assert_int_equal(machine_in(f->m, BASE + 0x0e, 2), 0x1234);
    assert_false(sci(f));
}

static void smbus(void **state)
{
    struct fake *f = *state;
    pci_write(f, PM, 0x90, 4, 0xb101);
    pci_write(f, PM, 0xd2, 1, 9);
    pci_write(f, PM, 0x04, 2, 1);
    assert_int_equal(inb(f, 0xb100), 0);
    outb(f, 0xb104, 0xa1);
    assert_int_equal(inb(f, 0xb104), 0xa1);
    outb(f, 0xb102, 0x48);
    assert_int_equal(inb(f, 0xb100), 0x04); /* nobody answers */
    outb(f, 0xb100, 0x04);
    assert_int_equal(inb(f, 0xb100), 0x00);
}

static void dma_registers(void **state)
{
    struct fake *f = *state;
    outb(f, 0x0d, 0);
    assert_int_equal(inb(f, 0x0f), 0xff);
    outb(f, 0x04, 0x34);
    outb(f, 0x04, 0x12);
    outb(f, 0x05, 0xff);
    outb(f, 0x05, 0x01);
    assert_int_equal(inb(f, 0x04), 0x34);
    assert_int_equal(inb(f, 0x04), 0x12);
    assert_int_equal(inb(f, 0x05), 0xff);
    outb(f, 0x0c, 0); /* the flip-flop back to the low byte */
    assert_int_equal(inb(f, 0x05), 0xff);
    outb(f, 0x0a, 0x02);
    assert_int_equal(inb(f, 0x0f), 0xfb);
    outb(f, 0xcc, 0x78); /* second controller: word channels, registers two ports apart */
    outb(f, 0xcc, 0x56);
    assert_int_equal(inb(f, 0xcc), 0x78);
    assert_int_equal(inb(f, 0xcc), 0x56);
    outb(f, 0xd2, 0x04);
    assert_int_equal(inb(f, 0xd0), 0x10);
    outb(f, 0xda, 0);
    assert_int_equal(inb(f, 0xd0), 0x00);
    outb(f, 0x81, 0x5a);
    outb(f, 0x8f, 0xa5);
    assert_int_equal(inb(f, 0x81), 0x5a);
    assert_int_equal(inb(f, 0x8f), 0xa5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(configuration),
        FAKE_TEST(timer),
        FAKE_TEST(timer_overflow),
        FAKE_TEST(power_off),
        FAKE_TEST(power_off_in_bytes),
        FAKE_TEST(general_purpose),
        FAKE_TEST(smbus),
        FAKE_TEST(dma_registers),
    };
    return cmocka_run_group_tests_name("dev-pm", tests, NULL, NULL);
}
