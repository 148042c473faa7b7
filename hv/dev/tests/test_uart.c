/* 16550A from its data sheet (PC16550D). */

#include "fake.h"

static void pic_open(struct fake *f)
{
    outb(f, 0x20, 0x11);
    outb(f, 0x21, 0x08);
    outb(f, 0x21, 0x04);
    outb(f, 0x21, 0x01);
    outb(f, 0x4d0, 0x10); /* level: machine_intr shows the line */
}

static void type(struct fake *f, const char *text)
{
    f->in_at = 0;
    f->in_count = (unsigned)strlen(text);
    memcpy(f->in, text, f->in_count);
    machine_poll(f->m);
}

static void registers(void **state)
{
    struct fake *f = *state;
    assert_int_equal(inb(f, 0x3fa), 0x01);
    assert_int_equal(inb(f, 0x3fd), 0x60);
    assert_int_equal(inb(f, 0x3fe) & 0xf0, 0xb0);
    outb(f, 0x3ff, 0xa5);
    assert_int_equal(inb(f, 0x3ff), 0xa5);
    outb(f, 0x3fb, 0x80);
    outb(f, 0x3f8, 0x01);
    outb(f, 0x3f9, 0x02);
    assert_int_equal(inb(f, 0x3f8), 0x01);
    assert_int_equal(inb(f, 0x3f9), 0x02);
    outb(f, 0x3fb, 0x03);
    assert_int_equal(inb(f, 0x3f9), 0x00);
    outb(f, 0x3f9, 0xff);
    assert_int_equal(inb(f, 0x3f9), 0x0f);
    outb(f, 0x3fc, 0xff);
    assert_int_equal(inb(f, 0x3fc), 0x1f);
    outb(f, 0x3fa, 0x01);
    assert_int_equal(inb(f, 0x3fa) & 0xc0, 0xc0); /* it has a FIFO */
}

static void transmit(void **state)
{
    struct fake *f = *state;
    pic_open(f);
    outb(f, 0x3f8, 'h');
    outb(f, 0x3f8, 'i');
    assert_memory_equal(f->out, "hi", 2);
    assert_false(machine_intr(f->m));
    outb(f, 0x3fc, 0x08);
    outb(f, 0x3f9, 0x02);
    assert_true(machine_intr(f->m));
    assert_int_equal(inb(f, 0x3fa), 0x02);
    assert_false(machine_intr(f->m)); /* the read took it */
    assert_int_equal(inb(f, 0x3fa), 0x01);
    outb(f, 0x3f8, '!');
    assert_true(machine_intr(f->m));
    outb(f, 0x3fc, 0x00); /* OUT2 takes the line off */
    assert_false(machine_intr(f->m));
    assert_int_equal(machine_out_string(f->m, 0x3f8, 1, "string", 6), 6);
    assert_memory_equal(f->out, "hi!string", 9);
}

static void receive(void **state)
{
    struct fake *f = *state;
    pic_open(f);
    outb(f, 0x3fc, 0x08);
    outb(f, 0x3f9, 0x01);
    type(f, "ab"); /* no FIFO: one at a time, none lost */
    assert_true(machine_intr(f->m));
    assert_int_equal(inb(f, 0x3fa), 0x04);
    assert_int_equal(inb(f, 0x3fd) & 0x01, 0x01);
    assert_int_equal(inb(f, 0x3f8), 'a');
    assert_int_equal(inb(f, 0x3f8), 'b');
    assert_int_equal(inb(f, 0x3fd) & 0x01, 0x00);
    assert_false(machine_intr(f->m));
    outb(f, 0x3fa, 0x81); /* FIFO, trigger at 8 */
    type(f, "1234567");
    assert_int_equal(inb(f, 0x3fa), 0xcc); /* below it: character timeout */
    type(f, "8");
    assert_int_equal(inb(f, 0x3fa), 0xc4);
    for (int c = '1'; c <= '8'; c++)
        assert_int_equal(inb(f, 0x3f8), c);
    assert_int_equal(inb(f, 0x3fa), 0xc1);
    type(f, "0123456789abcdefgh"); /* more than fits waits outside */
    for (const char *p = "0123456789abcdefgh"; *p; p++)
        assert_int_equal(inb(f, 0x3f8), *p);
    type(f, "x");
    outb(f, 0x3fa, 0x83); /* clear */
    assert_int_equal(inb(f, 0x3fd) & 0x01, 0x00);
}

static void loopback(void **state)
{
    struct fake *f = *state;
    pic_open(f);
    outb(f, 0x3fc, 0x10);
    inb(f, 0x3fe);
    assert_int_equal(inb(f, 0x3fe), 0x00);
    outb(f, 0x3fc, 0x1a); /* RTS, OUT2: CTS, DCD */
    assert_int_equal(inb(f, 0x3fe), 0x99);
    assert_int_equal(inb(f, 0x3fe), 0x90);
    outb(f, 0x3fc, 0x15); /* DTR, OUT1: DSR, RI; RI counts as it falls */
    assert_int_equal(inb(f, 0x3fe), 0x60 | 0x0b);
    outb(f, 0x3fc, 0x10);
    assert_int_equal(inb(f, 0x3fe), 0x06);
    outb(f, 0x3f8, 0x5a);
    assert_int_equal(f->out_count, 0);
    assert_int_equal(inb(f, 0x3f8), 0x5a);
    outb(f, 0x3f8, 1);
    outb(f, 0x3f8, 2); /* overrun without FIFO */
    assert_int_equal(inb(f, 0x3fd), 0x63);
    assert_int_equal(inb(f, 0x3fd), 0x61); /* the read cleared it */
    assert_int_equal(inb(f, 0x3f8), 2);
    outb(f, 0x3fb, 0x43); /* break */
    assert_int_equal(inb(f, 0x3fd), 0x71);
    assert_int_equal(inb(f, 0x3f8), 0);
}

static void priorities(void **state)
{
    struct fake *f = *state;
    pic_open(f);
    outb(f, 0x3fc, 0x10);
    outb(f, 0x3f9, 0x0f);
    outb(f, 0x3fc, 0x12); /* delta CTS */
    outb(f, 0x3f8, 1);
    outb(f, 0x3f8, 2);
    assert_int_equal(inb(f, 0x3fa), 0x06);
    inb(f, 0x3fd);
    assert_int_equal(inb(f, 0x3fa), 0x04);
    inb(f, 0x3f8);
    assert_int_equal(inb(f, 0x3fa), 0x02);
    assert_int_equal(inb(f, 0x3fa), 0x00);
    inb(f, 0x3fe);
    assert_int_equal(inb(f, 0x3fa), 0x01);
    assert_false(machine_intr(f->m)); /* not on the bus in loopback */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(registers), FAKE_TEST(transmit),   FAKE_TEST(receive),
        FAKE_TEST(loopback),  FAKE_TEST(priorities),
    };
    return cmocka_run_group_tests_name("dev-uart", tests, NULL, NULL);
}
