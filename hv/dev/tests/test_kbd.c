/* 8042, keyboard and mouse, port 92h, marks and the debug port. */

#include "fake.h"

#include "dev/kbd.h"

static void pic_open(struct fake *f)
{
    static const u8 sequence[][2] = {{0x20, 0x11}, {0xa0, 0x11}, {0x21, 8}, {0xa1, 0x70},
                                     {0x21, 4},    {0xa1, 2},    {0x21, 3}, {0xa1, 3}};
    for (unsigned i = 0; i < array_size(sequence); i++)
        outb(f, sequence[i][0], sequence[i][1]);
}

static void command(struct fake *f, u8 command, int data)
{
    outb(f, 0x64, command);
    if (data >= 0)
        outb(f, 0x60, (u8)data);
}

/* The next byte, which must be there: from the mouse or not. */
static u8 data(struct fake *f, bool mouse)
{
    u8 status = inb(f, 0x64);
    assert_int_equal(status & 0x21, mouse ? 0x21 : 0x01);
    return inb(f, 0x60);
}

static void none(struct fake *f)
{
    assert_int_equal(inb(f, 0x64) & 0x01, 0);
}

static void controller(void **state)
{
    struct fake *f = *state;
    none(f);
    command(f, 0xaa, -1);
    assert_int_equal(data(f, false), 0x55);
    assert_int_equal(inb(f, 0x64) & 0x04, 0x04); /* SYS */
    command(f, 0xab, -1);
    assert_int_equal(data(f, false), 0x00);
    command(f, 0xa9, -1);
    assert_int_equal(data(f, false), 0x00);
    command(f, 0x60, 0x47);
    command(f, 0x20, -1);
    assert_int_equal(data(f, false), 0x47);
    command(f, 0x65, 0x99); /* controller RAM */
    command(f, 0x25, -1);
    assert_int_equal(data(f, false), 0x99);
    command(f, 0xd2, 0x31);
    assert_int_equal(data(f, false), 0x31);
    command(f, 0xd3, 0x32);
    assert_int_equal(data(f, true), 0x32);
    none(f);
    outb(f, 0x64, 0xff); /* pulses nothing */
    assert_int_equal(inb(f, 0x64) & 0x08, 0x08);
    assert_int_equal(f->end, 0);
}

/* As SeaBIOS sets the keyboard up, then as its interrupt handler works. */
static void keyboard(void **state)
{
    struct fake *f = *state;
    pic_open(f);
    command(f, 0x60, 0x20);
    outb(f, 0x60, 0xff);
    assert_int_equal(data(f, false), 0xfa);
    assert_int_equal(data(f, false), 0xaa);
    outb(f, 0x60, 0xf5);
    assert_int_equal(data(f, false), 0xfa);
    assert_false(kbd_keys(f->m, (const u8 *)"\x1c", 1)); /* scanning is off */
    outb(f, 0x60, 0xf0);
    assert_int_equal(data(f, false), 0xfa);
    outb(f, 0x60, 0x02);
    assert_int_equal(data(f, false), 0xfa);
    outb(f, 0x60, 0xf0);
    inb(f, 0x60);
    outb(f, 0x60, 0x00);
    assert_int_equal(data(f, false), 0xfa);
    assert_int_equal(data(f, false), 0x02);
    outb(f, 0x60, 0xf4);
    assert_int_equal(data(f, false), 0xfa);
    outb(f, 0x60, 0xee);
    assert_int_equal(data(f, false), 0xee);
    outb(f, 0x60, 0x01);
    assert_int_equal(data(f, false), 0xfe);
    assert_false(machine_intr(f->m));

    command(f, 0x60, 0x61); /* interrupt and translation */
    assert_true(kbd_keys(f->m, (const u8 *)"\x1c\xf0\x1c\xe0\x75", 5));
    static const u8 expected[] = {0x1e, 0x9e, 0xe0, 0x48}; /* A down, A up, cursor up */
    for (unsigned i = 0; i < array_size(expected); i++) {
        assert_true(machine_intr(f->m));
        assert_int_equal(machine_intr_ack(f->m), 0x09);
        assert_int_equal(data(f, false), expected[i]);
    }
    assert_false(machine_intr(f->m));
    none(f);
    outb(f, 0x60, 0xf2); /* identity, translated */
    assert_int_equal(data(f, false), 0xfa);
    assert_int_equal(data(f, false), 0xab);
    assert_int_equal(data(f, false), 0x41);
}

static void disabled_and_displaced(void **state)
{
    struct fake *f = *state;
    command(f, 0x60, 0x20);
    kbd_keys(f->m, (const u8 *)"\x1c\x32", 2);
    command(f, 0x20, -1); /* an answer does not lose the key in the buffer */
    assert_int_equal(data(f, false), 0x20);
    assert_int_equal(data(f, false), 0x1c);
    command(f, 0xad, -1);
    inb(f, 0x60);
    kbd_keys(f->m, (const u8 *)"\x21", 1);
    none(f);
    command(f, 0xae, -1);
    assert_int_equal(data(f, false), 0x21);
    while (kbd_keys(f->m, (const u8 *)"\x1c", 1)) /* the queue ends */
        ;
}

static void mouse(void **state)
{
    struct fake *f = *state;
    pic_open(f);
    command(f, 0x60, 0x02);
    command(f, 0xd4, 0xff);
    assert_true(machine_intr(f->m));
    assert_int_equal(machine_intr_ack(f->m), 0x74);
    assert_int_equal(data(f, true), 0xfa);
    assert_int_equal(data(f, true), 0xaa);
    assert_int_equal(data(f, true), 0x00);
    command(f, 0xd4, 0xf2);
    assert_int_equal(data(f, true), 0xfa);
    assert_int_equal(data(f, true), 0x00);
    command(f, 0xd4, 0xf3);
    assert_int_equal(data(f, true), 0xfa);
    command(f, 0xd4, 40);
    assert_int_equal(data(f, true), 0xfa);
    command(f, 0xd4, 0xf4);
    assert_int_equal(data(f, true), 0xfa);
    command(f, 0xd4, 0xe9);
    static const u8 status[] = {0xfa, 0x20, 2, 40};
    for (unsigned i = 0; i < array_size(status); i++)
        assert_int_equal(data(f, true), status[i]);
    command(f, 0xa7, -1);
    none(f);
}

static void a20(void **state)
{
    struct fake *f = *state;
    command(f, 0xd0, -1);
    assert_int_equal(data(f, false) & 0x03, 0x03);
    command(f, 0xd1, 0xdd);
    assert_false(f->a20);
    assert_int_equal(inb(f, 0x92), 0x00);
    outb(f, 0x92, 0x02);
    assert_true(f->a20);
    command(f, 0xd0, -1);
    assert_int_equal(data(f, false) & 0x02, 0x02);
    command(f, 0xdd, -1);
    assert_false(f->a20);
    command(f, 0xdf, -1);
    assert_true(f->a20);
    assert_int_equal(f->end, 0);
}

static void resets(void **state)
{
    struct fake *f = *state;
    outb(f, 0x70, 0x0f);
    outb(f, 0x71, 0x0a); /* back from protected mode by 40h:67h */
    outb(f, 0x64, 0xfe);
    assert_int_equal(f->inits, 1);
    outb(f, 0x92, 0x03);
    assert_int_equal(f->inits, 2);
    assert_int_equal(f->end, 0);
    outb(f, 0x70, 0x0f);
    outb(f, 0x71, 0x00);
    outb(f, 0x92, 0x03); /* bit 0 has not risen */
    assert_int_equal(f->end, 0);
    outb(f, 0x64, 0xfe);
    assert_int_equal(f->end, VM_REBOOT);
    f->end = 0;
    command(f, 0xd1, 0x02);
    assert_int_equal(f->end, VM_REBOOT);
}

static void mark(struct fake *f, u8 kind, u16 id, u8 spoil)
{
    u8 bytes[] = {0x50, kind, (u8)id, (u8)(id >> 8), (u8)(0xff ^ kind ^ id ^ id >> 8 ^ spoil)};
    for (unsigned i = 0; i < sizeof bytes; i++)
        outb(f, 0xed, bytes[i]);
}

static void marks(void **state)
{
    struct fake *f = *state;
    outb(f, 0xed, 0x00); /* what others write there is nothing */
    mark(f, 1, 0x5050, 0);
    assert_int_equal(f->marks, 1);
    assert_int_equal(f->mark_kind, 1);
    assert_int_equal(f->mark_id, 0x5050);
    mark(f, 2, 7, 1);
    assert_int_equal(f->marks, 1);
    mark(f, 2, 7, 0);
    assert_int_equal(f->marks, 2);
    assert_int_equal(f->mark_id, 7);
    mark(f, 4, 7, 0); /* no such kind */
    assert_int_equal(f->marks, 2);
    assert_int_equal(inb(f, 0xed), 0xff);
}

static void debug_port(void **state)
{
    struct fake *f = *state;
    assert_int_equal(inb(f, 0x402), 0xe9);
    machine_out_string(f->m, 0x402, 1, "SeaBIOS\nx", 9);
    assert_int_equal(f->logs, 1);
    assert_string_equal(f->last_log, "SeaBIOS");
    for (unsigned i = 0; i < 1000; i++)
        outb(f, 0x402, 'a');
    assert_true(f->logs > 5);
    outb(f, 0x80, 0x42);
    assert_int_equal(inb(f, 0x80), 0x42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(controller), FAKE_TEST(keyboard),   FAKE_TEST(disabled_and_displaced),
        FAKE_TEST(mouse),      FAKE_TEST(a20),        FAKE_TEST(resets),
        FAKE_TEST(marks),      FAKE_TEST(debug_port),
    };
    return cmocka_run_group_tests_name("dev-kbd", tests, NULL, NULL);
}
