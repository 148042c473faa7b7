/* 8259A pair, from its data sheet (Intel 231468). */

#include "fake.h"

static struct dev *pic_dev(struct fake *f)
{
    return dev_find(f->m, "pic");
}

static void irq(struct fake *f, unsigned n, bool level)
{
    dev_irq(pic_dev(f), n, level);
}

static void pic_program(struct fake *f, u8 icw4)
{
    outb(f, 0x20, 0x11);
    outb(f, 0xa0, 0x11);
    outb(f, 0x21, 0x08);
    outb(f, 0xa1, 0x70);
    outb(f, 0x21, 0x04);
    outb(f, 0xa1, 0x02);
    outb(f, 0x21, icw4);
    outb(f, 0xa1, icw4);
}

static u8 isr(struct fake *f)
{
    outb(f, 0x20, 0x0b);
    return inb(f, 0x20);
}

static u8 irr(struct fake *f)
{
    outb(f, 0x20, 0x0a);
    return inb(f, 0x20);
}

static void edge_and_priority(void **state)
{
    struct fake *f = *state;
    pic_program(f, 1);
    irq(f, 4, true);
    irq(f, 1, true);
    assert_true(machine_intr(f->m));
    assert_int_equal(irr(f), 0x12);
    assert_int_equal(machine_intr_ack(f->m), 0x09); /* 1 before 4 */
    assert_int_equal(isr(f), 0x02);
    assert_false(machine_intr(f->m)); /* 4 is lower than what is in service */
    irq(f, 0, true);
    assert_true(machine_intr(f->m)); /* 0 is higher */
    assert_int_equal(machine_intr_ack(f->m), 0x08);
    outb(f, 0x20, 0x20); /* non-specific EOI: the highest in service */
    assert_int_equal(isr(f), 0x02);
    outb(f, 0x20, 0x20);
    assert_int_equal(machine_intr_ack(f->m), 0x0c);
    outb(f, 0x20, 0x64); /* specific EOI */
    assert_int_equal(isr(f), 0);
    assert_false(machine_intr(f->m)); /* the lines stay up, but an edge counts once */
    irq(f, 4, false);
    irq(f, 4, true);
    assert_true(machine_intr(f->m));
}

static void mask(void **state)
{
    struct fake *f = *state;
    pic_program(f, 1);
    outb(f, 0x21, 0x10);
    assert_int_equal(inb(f, 0x21), 0x10);
    irq(f, 4, true);
    assert_false(machine_intr(f->m));
    outb(f, 0x21, 0x00);
    assert_int_equal(machine_intr_ack(f->m), 0x0c);
}

static void cascade(void **state)
{
    struct fake *f = *state;
    pic_program(f, 1);
    irq(f, 14, true);
    assert_int_equal(irr(f), 0x04);
    assert_int_equal(machine_intr_ack(f->m), 0x76);
    assert_int_equal(isr(f), 0x04);
    irq(f, 8, true); /* higher within the slave, but the master sees the same level: no nesting */
    assert_false(machine_intr(f->m));
    outb(f, 0x20, 0x62);
    assert_true(machine_intr(f->m));
    assert_int_equal(machine_intr_ack(f->m), 0x70);
    irq(f, 3, true); /* lower than the slave's input 2 */
    assert_false(machine_intr(f->m));
    outb(f, 0xa0, 0x20);
    outb(f, 0xa0, 0x20);
    outb(f, 0x20, 0x20);
    assert_int_equal(machine_intr_ack(f->m), 0x0b);
}

static void special_fully_nested(void **state)
{
    struct fake *f = *state;
    pic_program(f, 1);
    pic_program(f, 0x11);
    irq(f, 14, true);
    assert_int_equal(machine_intr_ack(f->m), 0x76);
    irq(f, 8, true);
    assert_true(machine_intr(f->m));
    assert_int_equal(machine_intr_ack(f->m), 0x70);
}

static void spurious(void **state)
{
    struct fake *f = *state;
    pic_program(f, 1);
    irq(f, 3, true);
    irq(f, 3, false); /* gone before the acknowledge */
    assert_int_equal(machine_intr_ack(f->m), 0x0f);
    assert_int_equal(isr(f), 0); /* IRQ 7's vector without its ISR bit */
    irq(f, 12, true);
    assert_true(machine_intr(f->m));
    outb(f, 0xa1, 0xff); /* masked before the acknowledge: the slave's request falls too */
    assert_int_equal(machine_intr_ack(f->m), 0x0f);
}

static void level_triggered(void **state)
{
    struct fake *f = *state;
    pic_program(f, 1);
    outb(f, 0x4d0, 0xff);
    outb(f, 0x4d1, 0xff);
    assert_int_equal(inb(f, 0x4d0), 0xf8); /* 0 to 2, 8 and 13 are always edge */
    assert_int_equal(inb(f, 0x4d1), 0xde);
    irq(f, 11, true);
    assert_int_equal(machine_intr_ack(f->m), 0x73);
    outb(f, 0xa0, 0x20);
    outb(f, 0x20, 0x20);
    assert_true(machine_intr(f->m)); /* still up: again */
    assert_int_equal(machine_intr_ack(f->m), 0x73);
    irq(f, 11, false);
    outb(f, 0xa0, 0x20);
    outb(f, 0x20, 0x20);
    assert_false(machine_intr(f->m));
}

static void rotation(void **state)
{
    struct fake *f = *state;
    pic_program(f, 1);
    irq(f, 3, true);
    machine_intr_ack(f->m);
    outb(f, 0x20, 0xa0); /* rotate on non-specific EOI: 3 becomes the lowest, 4 the highest */
    irq(f, 0, true);
    irq(f, 4, true);
    assert_int_equal(machine_intr_ack(f->m), 0x0c);
    outb(f, 0x20, 0xe6); /* rotate on specific EOI of 6: 7 is the highest */
    outb(f, 0x20, 0x20);
    irq(f, 7, true);
    assert_int_equal(machine_intr_ack(f->m), 0x0f);
    assert_int_equal(isr(f), 0x80);
    outb(f, 0x20, 0x20);
    outb(f, 0x20, 0xc7); /* set priority: 7 lowest again */
    irq(f, 6, true);
    assert_int_equal(machine_intr_ack(f->m), 0x08);
}

static void automatic_eoi(void **state)
{
    struct fake *f = *state;
    pic_program(f, 3);
    irq(f, 5, true);
    assert_int_equal(machine_intr_ack(f->m), 0x0d);
    assert_int_equal(isr(f), 0);
    outb(f, 0x20, 0x80); /* rotate in automatic EOI */
    irq(f, 1, true);
    machine_intr_ack(f->m);
    irq(f, 0, true);
    irq(f, 6, true);
    assert_int_equal(machine_intr_ack(f->m), 0x0e); /* 1 is lowest, so 6 comes before 0 */
}

static void special_mask(void **state)
{
    struct fake *f = *state;
    pic_program(f, 1);
    irq(f, 2 + 1, true);
    machine_intr_ack(f->m);
    irq(f, 5, true);
    assert_false(machine_intr(f->m));
    outb(f, 0x21, 0x08);
    outb(f, 0x20, 0x68); /* set special mask mode: lower levels pass */
    assert_true(machine_intr(f->m));
    assert_int_equal(machine_intr_ack(f->m), 0x0d);
    outb(f, 0x20, 0x20); /* ends 5: the masked 3 is passed over */
    assert_int_equal(isr(f), 0x08);
    outb(f, 0x20, 0x48);
    outb(f, 0x20, 0x20);
    assert_int_equal(isr(f), 0);
}

static void poll(void **state)
{
    struct fake *f = *state;
    pic_program(f, 1);
    outb(f, 0x20, 0x0c);
    assert_int_equal(inb(f, 0x20), 0x00);
    irq(f, 6, true);
    outb(f, 0x20, 0x0c);
    assert_int_equal(inb(f, 0x20), 0x86);
    assert_int_equal(isr(f), 0x40);
    assert_false(machine_intr(f->m));
}

static void init_sequence(void **state)
{
    struct fake *f = *state;
    pic_program(f, 1);
    outb(f, 0x21, 0xff);
    irq(f, 4, true);
    outb(f, 0x20, 0x11); /* ICW1 clears IMR and forgets edges */
    assert_false(machine_intr(f->m));
    outb(f, 0x21, 0x23); /* only bits 7:3 are the vector's */
    outb(f, 0x21, 0x04);
    outb(f, 0x21, 0x01);
    assert_int_equal(inb(f, 0x21), 0x00);
    assert_int_equal(irr(f), 0);
    irq(f, 1, true);
    assert_int_equal(machine_intr_ack(f->m), 0x21);
    outb(f, 0x20, 0x12); /* single, no ICW4: ready after ICW2 */
    outb(f, 0x21, 0x40);
    outb(f, 0x21, 0x55);
    assert_int_equal(inb(f, 0x21), 0x55);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(edge_and_priority), FAKE_TEST(mask),
        FAKE_TEST(cascade),           FAKE_TEST(special_fully_nested),
        FAKE_TEST(spurious),          FAKE_TEST(level_triggered),
        FAKE_TEST(rotation),          FAKE_TEST(automatic_eoi),
        FAKE_TEST(special_mask),      FAKE_TEST(poll),
        FAKE_TEST(init_sequence),
    };
    return cmocka_run_group_tests_name("dev-pic", tests, NULL, NULL);
}
