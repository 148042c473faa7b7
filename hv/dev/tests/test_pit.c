/* 8254 from its data sheet (Intel 231164), and port 61h. */

#include "fake.h"

/* The TSC at which the PIT's tick t begins, and time until then. */
static void to_tick(struct fake *f, u64 t)
{
    u64 tsc = dev_tsc_of_ticks(dev_find(f->m, "pit"), t * 3, 3579545);
    assert_true(tsc >= f->now);
    fake_pass(f, tsc - f->now);
}

static u64 tick(struct fake *f)
{
    return dev_ticks(dev_find(f->m, "pit"), 3579545) / 3;
}

static void program(struct fake *f, unsigned channel, u8 mode, u16 count)
{
    outb(f, 0x43, (u8)(channel << 6 | 0x30 | mode << 1));
    outb(f, (u16)(0x40 + channel), (u8)count);
    outb(f, (u16)(0x40 + channel), (u8)(count >> 8));
}

static u16 count_of(struct fake *f, unsigned channel)
{
    outb(f, 0x43, (u8)(channel << 6));
    u8 low = inb(f, (u16)(0x40 + channel));
    return (u16)(low | inb(f, (u16)(0x40 + channel)) << 8);
}

static u8 status_of(struct fake *f, unsigned channel)
{
    outb(f, 0x43, (u8)(0xe0 | 2u << channel));
    return inb(f, (u16)(0x40 + channel));
}

static bool out_of(struct fake *f, unsigned channel)
{
    return status_of(f, channel) & 0x80;
}

/* Lets the PIC see IRQ 0 at vector 20h. */
static void pic_open(struct fake *f)
{
    outb(f, 0x20, 0x11);
    outb(f, 0x21, 0x20);
    outb(f, 0x21, 0x04);
    outb(f, 0x21, 0x03); /* automatic EOI */
    while (machine_intr(f->m))
        machine_intr_ack(f->m);
}

static void mode0(void **state)
{
    struct fake *f = *state;
    to_tick(f, 1000);
    program(f, 0, 0, 100);
    assert_false(out_of(f, 0));
    to_tick(f, 1001);
    assert_int_equal(count_of(f, 0), 100);
    to_tick(f, 1051);
    assert_int_equal(count_of(f, 0), 50);
    pic_open(f);
    to_tick(f, 1100);
    assert_false(out_of(f, 0));
    assert_false(machine_intr(f->m));
    to_tick(f, 1101);
    assert_true(out_of(f, 0));
    assert_true(machine_intr(f->m));
    assert_int_equal(machine_intr_ack(f->m), 0x20);
    to_tick(f, 1103);
    assert_int_equal(count_of(f, 0), 0xfffe); /* goes on below zero */
    assert_true(machine_next_deadline(f->m) == ~0ull);
    /* The first byte of a new count stops the old and takes OUT down. */
    outb(f, 0x40, 0x10);
    assert_false(out_of(f, 0));
}

static void mode2(void **state)
{
    struct fake *f = *state;
    pic_open(f);
    to_tick(f, 1000);
    program(f, 0, 2, 4);
    while (machine_intr(f->m))
        machine_intr_ack(f->m);
    const u16 counts[] = {4, 3, 2, 1, 4, 3, 2, 1, 4};
    for (unsigned i = 0; i < array_size(counts); i++) {
        to_tick(f, 1001 + i);
        assert_int_equal(count_of(f, 0), counts[i]);
        assert_int_equal(out_of(f, 0), counts[i] != 1);
        assert_int_equal(machine_intr(f->m), i && counts[i] == 4);
        if (machine_intr(f->m))
            machine_intr_ack(f->m);
    }
    /* A new count waits for the end of the period. */
    outb(f, 0x40, 10);
    outb(f, 0x40, 0);
    assert_true(status_of(f, 0) & 0x40);
    to_tick(f, 1012);
    assert_int_equal(count_of(f, 0), 1);
    to_tick(f, 1013);
    assert_int_equal(count_of(f, 0), 10);
    assert_false(status_of(f, 0) & 0x40);
    assert_true(machine_intr(f->m));
    machine_intr_ack(f->m);
    to_tick(f, 1022);
    assert_false(machine_intr(f->m));
    to_tick(f, 1023);
    assert_true(machine_intr(f->m));
}

static void rate(void **state)
{
    struct fake *f = *state;
    pic_open(f);
    program(f, 0, 2, 0); /* 65536: 18.2 Hz */
    while (machine_intr(f->m))
        machine_intr_ack(f->m);
    unsigned n = 0;
    while (f->now < 10 * FAKE_HZ) {
        u64 due = machine_next_deadline(f->m);
        assert_true(due > f->now && due < f->now + FAKE_HZ / 18 + 1000);
        fake_pass(f, due - f->now);
        if (machine_intr(f->m)) {
            assert_int_equal(machine_intr_ack(f->m), 0x20);
            n++;
        }
    }
    assert_int_equal(n, 183); /* 10 s at 18.2065 Hz, and the one that ends the loop */
}

static void mode3(void **state)
{
    struct fake *f = *state;
    outb(f, 0x61, 1);
    to_tick(f, 1000);
    program(f, 2, 3, 6);
    const u16 even[] = {6, 4, 2, 6, 4, 2, 6};
    for (unsigned i = 0; i < array_size(even); i++) {
        to_tick(f, 1001 + i);
        assert_int_equal(count_of(f, 2), even[i]);
        assert_int_equal(out_of(f, 2), i % 6 < 3);
    }
    to_tick(f, 2000);
    program(f, 2, 3, 5); /* odd: high for 3, low for 2 */
    const u16 odd[] = {4, 2, 0, 4, 2, 4, 2, 0};
    for (unsigned i = 0; i < array_size(odd); i++) {
        to_tick(f, 2001 + i);
        assert_int_equal(count_of(f, 2), odd[i]);
        assert_int_equal(out_of(f, 2), i % 5 < 3);
    }
    /* A count written in the high half is loaded as OUT falls. */
    to_tick(f, 3000);
    program(f, 2, 3, 20);
    to_tick(f, 3003);
    outb(f, 0x42, 8);
    outb(f, 0x42, 0);
    to_tick(f, 3010);
    assert_true(out_of(f, 2));
    to_tick(f, 3011);
    assert_false(out_of(f, 2));
    to_tick(f, 3015);
    assert_true(out_of(f, 2));
    assert_int_equal(count_of(f, 2), 8);
}

static void one_shots(void **state)
{
    struct fake *f = *state;
    outb(f, 0x61, 0);
    program(f, 2, 1, 10);
    assert_true(out_of(f, 2)); /* high until the gate rises */
    to_tick(f, 100);
    outb(f, 0x61, 1);
    to_tick(f, 101);
    assert_false(out_of(f, 2));
    to_tick(f, 110);
    assert_false(out_of(f, 2));
    to_tick(f, 111);
    assert_true(out_of(f, 2));
    outb(f, 0x61, 0);
    program(f, 2, 5, 10);
    to_tick(f, 200);
    outb(f, 0x61, 1);
    to_tick(f, 210);
    assert_true(out_of(f, 2));
    to_tick(f, 211); /* a strobe of one tick */
    assert_false(out_of(f, 2));
    to_tick(f, 212);
    assert_true(out_of(f, 2));
    pic_open(f);
    to_tick(f, 300);
    program(f, 0, 4, 10);
    while (machine_intr(f->m))
        machine_intr_ack(f->m);
    to_tick(f, 311);
    assert_false(out_of(f, 0));
    to_tick(f, 312);
    assert_true(out_of(f, 0));
    assert_true(machine_intr(f->m));
    assert_true(machine_next_deadline(f->m) == ~0ull);
}

static void gate(void **state)
{
    struct fake *f = *state;
    outb(f, 0x61, 1);
    to_tick(f, 1000);
    program(f, 2, 0, 100);
    to_tick(f, 1031);
    outb(f, 0x61, 0);
    to_tick(f, 5000);
    assert_int_equal(count_of(f, 2), 70); /* held */
    outb(f, 0x61, 1);
    to_tick(f, 5069);
    assert_int_equal(inb(f, 0x61) & 0x20, 0);
    to_tick(f, 5070);
    assert_int_equal(inb(f, 0x61) & 0x20, 0x20);
    to_tick(f, 6000);
    program(f, 2, 2, 100);
    to_tick(f, 6050);
    outb(f, 0x61, 0);
    assert_true(out_of(f, 2));
    outb(f, 0x61, 1);
    to_tick(f, 6051);
    assert_int_equal(count_of(f, 2), 100); /* a rising gate reloads */
}

static void bytes_and_latches(void **state)
{
    struct fake *f = *state;
    outb(f, 0x43, 0x14); /* channel 0, low byte only, mode 2 */
    outb(f, 0x40, 0x20);
    assert_int_equal(status_of(f, 0) & 0x3f, 0x14);
    to_tick(f, tick(f) + 3);
    assert_int_equal(inb(f, 0x40), 0x20 - 2);
    outb(f, 0x43, 0x24); /* high byte only */
    outb(f, 0x40, 0x20);
    to_tick(f, tick(f) + 2);
    assert_int_equal(inb(f, 0x40), 0x1f);
    /* A latch holds until read, and a second one in between is ignored. */
    program(f, 0, 2, 0x1234);
    to_tick(f, tick(f) + 5);
    outb(f, 0x43, 0x00);
    to_tick(f, tick(f) + 0x200);
    outb(f, 0x43, 0x00);
    assert_int_equal(inb(f, 0x40), 0x30);
    assert_int_equal(inb(f, 0x40), 0x12);
    /* Read-back of status and count: status first. */
    outb(f, 0x43, 0xc2);
    assert_int_equal(inb(f, 0x40), 0xb4);
    u8 low = inb(f, 0x40);
    assert_int_equal(inb(f, 0x40) << 8 | low, 0x1234 - 0x204);
    assert_int_equal(inb(f, 0x43), 0xff);
}

static void bcd(void **state)
{
    struct fake *f = *state;
    to_tick(f, 100);
    outb(f, 0x43, 0x35);
    outb(f, 0x40, 0x00);
    outb(f, 0x40, 0x10); /* 1000 */
    to_tick(f, 102);
    assert_int_equal(count_of(f, 0), 0x0999);
    outb(f, 0x43, 0x31);
    outb(f, 0x40, 0);
    outb(f, 0x40, 0); /* 10000 */
    to_tick(f, 104);
    assert_int_equal(count_of(f, 0), 0x9999);
}

static void refresh(void **state)
{
    struct fake *f = *state;
    unsigned changes = 0;
    u8 last = inb(f, 0x61) & 0x10;
    for (unsigned i = 0; i < 1000; i++) {
        fake_pass(f, 1000);
        u8 now = inb(f, 0x61) & 0x10;
        changes += now != last;
        last = now;
    }
    assert_in_range(changes, 65, 67); /* a millisecond of 15.09 us */
    outb(f, 0x61, 0xff);
    assert_int_equal(inb(f, 0x61) & 0xcf, 0x0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(mode0),     FAKE_TEST(mode2), FAKE_TEST(rate),
        FAKE_TEST(mode3),     FAKE_TEST(gate),  FAKE_TEST(bytes_and_latches),
        FAKE_TEST(one_shots), FAKE_TEST(bcd),   FAKE_TEST(refresh),
    };
    return cmocka_run_group_tests_name("dev-pit", tests, NULL, NULL);
}
