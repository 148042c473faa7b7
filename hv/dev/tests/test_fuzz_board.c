/* Random guests: port, memory and configuration accesses of any size, strings, time and interrupts against
 * a whole board. The sanitizers judge; what is asserted is that time and the machine go on. */

#include "fake.h"

#include "dev/kbd.h"

#define STEPS 100000u
#define SEEDS 2u

struct random {
    u64 s;
};

static u32 next(struct random *r)
{
    r->s ^= r->s << 13;
    r->s ^= r->s >> 7;
    r->s ^= r->s << 17;
    return (u32)(r->s >> 16);
}

/* Ports where something is, mostly; values with a taste for few bits. */
static u16 any_port(struct random *r)
{
    static const u16 known[] = {0x00,  0x08,  0x0c,  0x20,  0x21,  0x40,  0x43,   0x60,   0x61,
                                0x64,  0x70,  0x71,  0x72,  0x80,  0x81,  0x92,   0xa0,   0xa1,
                                0xb2,  0xc0,  0xd0,  0xed,  0x3f8, 0x3fc, 0x402,  0x4d0,  0x510,
                                0x511, 0x514, 0x518, 0xcf8, 0xcf9, 0xcfc, 0xafe0, 0xb000, 0xb100};
    u32 x = next(r);
    return x % 8 == 0 ? (u16)(x >> 8)
                      : (u16)(known[(x >> 8) % array_size(known)] + (x >> 4 & 7) % 4);
}

static u32 any_value(struct random *r)
{
    u32 x = next(r);
    switch (x & 3) {
    case 0: return next(r);
    case 1: return 1u << (x >> 8 & 31);
    case 2: return x >> 8 & 0xff;
    default: return 0x80000000u | (x >> 8 & 0xfffc); /* a configuration address */
    }
}

static void step(struct fake *f, struct random *r)
{
    u8 buf[256];
    unsigned size = 1u << next(r) % 3, count = next(r) % (sizeof buf / size);
    u16 port = any_port(r);
    switch (next(r) % 16) {
    case 0: fake_pass(f, next(r) % 100000); break;
    case 1: fake_pass(f, (u64)next(r) * 16); break;
    case 2:
        if (machine_intr(f->m))
            machine_intr_ack(f->m);
        else if (next(r) % 16 == 0)
            machine_intr_ack(f->m); /* one that came too late */
        break;
    case 3: machine_mmio_read(f->m, 0xc0000 + next(r) % 0x40010, 1u << next(r) % 4); break;
    case 4:
        machine_mmio_write(f->m, 0xbfff8 + next(r) % 0x40010, 1u << next(r) % 4, next(r));
        break;
    case 5: assert_true(machine_in_string(f->m, port, size, buf, count) <= count); break;
    case 6:
        memset(buf, (int)next(r), sizeof buf);
        assert_true(machine_out_string(f->m, port, size, buf, count) <= count);
        break;
    case 7: {
        u8 key = (u8)next(r);
        kbd_keys(f->m, &key, 1);
        f->in_at = 0;
        f->in_count = next(r) % sizeof f->in;
        machine_poll(f->m);
        break;
    }
    case 8: dev_pci_irq(dev_find(f->m, "pci"), next(r) % 40, next(r) % 5, next(r) & 1); break;
    case 9: pci_write(f, next(r) % 16, next(r) % 256, size, any_value(r)); break;
    case 10:
    case 11: machine_in(f->m, port, size); break;
    default: machine_out(f->m, port, size, any_value(r)); break;
    }
}

static void fuzz(void **state)
{
    struct fake *f = *state;
    for (u64 seed = 1; seed <= SEEDS; seed++) {
        struct random r = {seed * 0x9e3779b97f4a7c15ull};
        for (unsigned i = 0; i < STEPS; i++)
            step(f, &r);
        u64 second = dev_ticks(dev_find(f->m, "pit"), 1);
        fake_pass(f, 2 * FAKE_HZ);
        assert_int_equal(dev_ticks(dev_find(f->m, "pit"), 1), second + 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {FAKE_TEST(fuzz)};
    return cmocka_run_group_tests_name("dev-fuzz-board", tests, NULL, NULL);
}
