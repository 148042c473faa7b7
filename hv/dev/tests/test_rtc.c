/* MC146818A from its data sheet, and the CMOS bytes that firmware reads. */

#include "fake.h"

static u8 cmos(struct fake *f, u8 index)
{
    outb(f, 0x70, index);
    return inb(f, 0x71);
}

static void cmos_put(struct fake *f, u8 index, u8 value)
{
    outb(f, 0x70, index);
    outb(f, 0x71, value);
}

/* IRQ 8 as vector 70h, each acknowledged by automatic EOI. */
static void pic_open(struct fake *f)
{
    static const u8 sequence[][2] = {{0x20, 0x11}, {0xa0, 0x11}, {0x21, 8}, {0xa1, 0x70},
                                     {0x21, 4},    {0xa1, 2},    {0x21, 3}, {0xa1, 3}};
    for (unsigned i = 0; i < array_size(sequence); i++)
        outb(f, sequence[i][0], sequence[i][1]);
}

static void time_and_calendar(void **state)
{
    struct fake *f = *state;
    assert_int_equal(cmos(f, 0x00), 0x50);
    assert_int_equal(cmos(f, 0x02), 0x59);
    assert_int_equal(cmos(f, 0x04), 0x23);
    assert_int_equal(cmos(f, 0x06), 0x03); /* Tuesday */
    assert_int_equal(cmos(f, 0x07), 0x29);
    assert_int_equal(cmos(f, 0x08), 0x02);
    assert_int_equal(cmos(f, 0x09), 0x00);
    assert_int_equal(cmos(f, 0x32), 0x20);
    fake_pass(f, 10 * FAKE_HZ);
    assert_int_equal(cmos(f, 0x00), 0x00);
    assert_int_equal(cmos(f, 0x04), 0x00);
    assert_int_equal(cmos(f, 0x07), 0x01);
    assert_int_equal(cmos(f, 0x08), 0x03);
    assert_int_equal(cmos(f, 0x06), 0x04);
}

static void formats(void **state)
{
    struct fake *f = *state;
    cmos_put(f, 0x0b, 0x06); /* binary, 24 hours */
    assert_int_equal(cmos(f, 0x00), 50);
    assert_int_equal(cmos(f, 0x04), 23);
    cmos_put(f, 0x0b, 0x00); /* BCD, 12 hours */
    assert_int_equal(cmos(f, 0x04), 0x91);
    fake_pass(f, 10 * FAKE_HZ);
    assert_int_equal(cmos(f, 0x04), 0x12); /* midnight */
}

static void setting(void **state)
{
    struct fake *f = *state;
    cmos_put(f, 0x0b, 0x82); /* SET holds the clock */
    static const u8 bytes[][2] = {{0, 0x58}, {2, 0x59}, {4, 0x23},   {7, 0x31},
                                  {8, 0x12}, {9, 0x99}, {0x32, 0x19}};
    for (unsigned i = 0; i < array_size(bytes); i++)
        cmos_put(f, bytes[i][0], bytes[i][1]);
    fake_pass(f, 5 * FAKE_HZ);
    assert_int_equal(cmos(f, 0x00), 0x58);
    assert_int_equal(cmos(f, 0x0a) & 0x80, 0);
    cmos_put(f, 0x0b, 0x02);
    fake_pass(f, 3 * FAKE_HZ);
    assert_int_equal(cmos(f, 0x00), 0x01);
    assert_int_equal(cmos(f, 0x08), 0x01);
    assert_int_equal(cmos(f, 0x09), 0x00);
    assert_int_equal(cmos(f, 0x32), 0x20);
    assert_int_equal(cmos(f, 0x06), 0x07); /* 2000-01-01 was a Saturday */
    cmos_put(f, 0x02, 0x30);               /* set on the run */
    assert_int_equal(cmos(f, 0x02), 0x30);
    assert_int_equal(cmos(f, 0x00), 0x01);
}

static void update_in_progress(void **state)
{
    struct fake *f = *state;
    assert_int_equal(cmos(f, 0x0a), 0x26);
    fake_pass(f, FAKE_HZ - 1000000);
    assert_int_equal(cmos(f, 0x0a), 0xa6);
    fake_pass(f, 1000000);
    assert_int_equal(cmos(f, 0x0a), 0x26);
    assert_int_equal(cmos(f, 0x0d), 0x80);
}

static void periodic(void **state)
{
    struct fake *f = *state;
    pic_open(f);
    assert_true(machine_next_deadline(f->m) == ~0ull);
    cmos_put(f, 0x0b, 0x42);
    cmos(f, 0x0c);
    unsigned n = 0;
    while (f->now < FAKE_HZ) {
        u64 due = machine_next_deadline(f->m);
        assert_true(due > f->now && due - f->now <= 976563);
        fake_pass(f, due - f->now);
        assert_true(machine_intr(f->m));
        assert_int_equal(machine_intr_ack(f->m), 0x70);
        assert_int_equal(cmos(f, 0x0c) & 0xc0, 0xc0);
        assert_false(machine_intr(f->m));
        n++;
    }
    assert_int_equal(n, 1024);
    cmos_put(f, 0x0a, 0x2f); /* 2 Hz */
    cmos(f, 0x0c);
    u64 due = machine_next_deadline(f->m);
    assert_true(due - f->now <= FAKE_HZ / 2 && due - f->now > FAKE_HZ / 2 - 1000000);
    cmos_put(f, 0x0a, 0x20); /* no rate */
    assert_true(machine_next_deadline(f->m) == ~0ull);
}

static void update_ended(void **state)
{
    struct fake *f = *state;
    pic_open(f);
    cmos_put(f, 0x0b, 0x12);
    assert_int_equal(machine_next_deadline(f->m), FAKE_HZ);
    fake_pass(f, FAKE_HZ);
    assert_true(machine_intr(f->m));
    assert_int_equal(cmos(f, 0x0c), 0x90 | 0x40); /* PF is set too, though not enabled */
    assert_int_equal(machine_next_deadline(f->m), 2 * FAKE_HZ);
    cmos_put(f, 0x0b, 0x92); /* SET clears UIE */
    assert_int_equal(cmos(f, 0x0b), 0x82);
    assert_true(machine_next_deadline(f->m) == ~0ull);
}

static void alarm(void **state)
{
    struct fake *f = *state;
    pic_open(f);
    cmos_put(f, 0x01, 0x05);
    cmos_put(f, 0x03, 0xff); /* any minute */
    cmos_put(f, 0x05, 0x00); /* of midnight's hour */
    cmos_put(f, 0x0b, 0x22);
    cmos(f, 0x0c);
    assert_int_equal(machine_next_deadline(f->m), 15 * FAKE_HZ); /* 00:00:05 */
    fake_pass(f, 14 * FAKE_HZ);
    assert_false(machine_intr(f->m));
    fake_pass(f, FAKE_HZ);
    assert_true(machine_intr(f->m));
    assert_int_equal(cmos(f, 0x0c) & 0xb0, 0xb0);
    assert_int_equal(machine_next_deadline(f->m), 75 * FAKE_HZ); /* 00:01:05 */
    cmos_put(f, 0x01, 0x7f);                                     /* a second that never comes */
    assert_true(machine_next_deadline(f->m) == ~0ull);
    /* Without the interrupt the flag is there all the same. */
    cmos_put(f, 0x0b, 0x02);
    cmos_put(f, 0x01, 0x40);
    cmos(f, 0x0c);
    fake_pass(f, 60 * FAKE_HZ);
    assert_int_equal(cmos(f, 0x0c) & 0xb0, 0x30);
}

static void memory(void **state)
{
    struct fake *f = *state;
    assert_int_equal(cmos(f, 0x15) | cmos(f, 0x16) << 8, 640);
    assert_int_equal(cmos(f, 0x30) | cmos(f, 0x31) << 8, 3072); /* 4 MiB less one */
    assert_int_equal(cmos(f, 0x34) | cmos(f, 0x35) << 8, 0);
    assert_int_equal(cmos(f, 0x3d), 0x32); /* disk, then CD */
    assert_int_equal(cmos(f, 0x5f), 0);
    cmos_put(f, 0x0f, 0x0a);
    assert_int_equal(cmos(f, 0x8f), 0x0a); /* bit 7 is the NMI mask */
    cmos_put(f, 0x0d, 0x55);
    assert_int_equal(cmos(f, 0x0d), 0x80);
    outb(f, 0x72, 0x10);
    outb(f, 0x73, 0x99);
    assert_int_equal(inb(f, 0x73), 0x99);
    assert_int_equal(cmos(f, 0x10), 0x00);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(time_and_calendar),
        FAKE_TEST(formats),
        FAKE_TEST(setting),
        FAKE_TEST(update_in_progress),
        FAKE_TEST(periodic),
        FAKE_TEST(update_ended),
        FAKE_TEST(alarm),
        FAKE_TEST(memory),
    };
    return cmocka_run_group_tests_name("dev-rtc", tests, NULL, NULL);
}
