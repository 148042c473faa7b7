/* Random guests against the IDE controller, its drives and the VGA. The sanitizers judge, and the
 * backings, which are asked for nothing outside the medium. */

#include "disk.h"

#define STEPS 60000u
#define SEEDS 4u

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

static u16 any_port(struct random *r)
{
    static const u16 known[] = {0x1f0, 0x1f7, 0x1f2,  0x3f6,  0x170,  0x177,   0x174,
                                0x376, BM,    BM + 2, BM + 4, BM + 8, BM + 10, BM + 12,
                                0x3c0, 0x3c4, 0x3c5,  0x3ce,  0x3cf,  0x3d4,   0x3d5,
                                0x3da, 0x3c9, 0x1ce,  0x1cf,  0x3b4,  0x3c2,   0x3c8};
    u32 x = next(r);
    return x % 16 ? known[(x >> 8) % array_size(known)] : (u16)(0x170 + (x >> 8) % 0x270);
}

static u32 any_value(struct random *r)
{
    u32 x = next(r);
    switch (x & 3) {
    case 0: return next(r);
    case 1: return 1u << (x >> 8 & 31);
    default: return x >> 8 & 0xff;
    }
}

/* A command with a mostly sensible task file, so that transfers get under way. */
static void drive_command(struct fake *f, struct random *r)
{
    static const u8 codes[] = {0x20, 0x30, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0x25, 0x35, 0x24, 0x34,
                               0x29, 0x39, 0x40, 0xec, 0xa1, 0xa0, 0xa0, 0xe7, 0xef, 0x91, 0x90,
                               0x08, 0xf8, 0xf9, 0xe8, 0xe4, 0xea, 0x42, 0x27, 0x37};
    u16 base = next(r) & 1 ? 0x1f0 : 0x170;
    for (unsigned i = 1; i < 6; i++)
        for (unsigned n = next(r) % 3; n; n--)
            outb(f, base + i, (u8)(next(r) % 4 ? next(r) % 18 : next(r)));
    outb(f, base + 6, (u8)(next(r) % 8 ? 0xe0 : next(r)));
    outb(f, base + 7, next(r) % 8 ? codes[next(r) % array_size(codes)] : (u8)next(r));
}

static void packet(struct fake *f, struct random *r)
{
    static const u8 codes[] = {0x28, 0xa8, 0xbe, 0x43, 0x5a, 0x46, 0x4a, 0x12,
                               0x03, 0x25, 0x51, 0x42, 0x1b, 0xbd, 0x00, 0x2b};
    u8 cdb[12] = {codes[next(r) % array_size(codes)]};
    for (unsigned i = 1; i < 12; i++)
        cdb[i] = next(r) % 2 ? 0 : (u8)next(r);
    outb(f, 0x176, 0xa0);
    outb(f, 0x171, next(r) & 1);
    outb(f, 0x177, 0xa0);
    machine_out_string(f->m, 0x170, 2, cdb, 6);
}

static void master(struct fake *f, struct random *r)
{
    for (unsigned i = 0; i < 16; i++)
        prd_put(f, 0x1000, i, next(r) % 16 ? 0x10000 + next(r) % 0x300000 : next(r), next(r),
                next(r) % 4 == 0);
    bm_start(f, next(r) & 1 ? BM : BM + 8, next(r) % 16 ? 0x1000 : next(r), next(r) & 1);
}

static void step(struct fake *f, struct random *r)
{
    static u8 buf[8192];
    static char screen[3000];
    unsigned size = 1u << next(r) % 3, count = next(r) % (sizeof buf / 4);
    u16 port = any_port(r);
    switch (next(r) % 20) {
    case 0: fake_pass(f, next(r)); break;
    case 1: machine_poll(f->m); break;
    case 2: machine_mmio_read(f->m, 0xa0000 - 4 + next(r) % 0x20008, 1u << next(r) % 4); break;
    case 3:
        machine_mmio_write(f->m, 0xa0000 - 4 + next(r) % 0x20008, 1u << next(r) % 4, next(r));
        break;
    case 4: assert_true(machine_in_string(f->m, port, size, buf, count) <= count); break;
    case 5: assert_true(machine_out_string(f->m, port, size, buf, count) <= count); break;
    case 6:
    case 7: drive_command(f, r); break;
    case 8: packet(f, r); break;
    case 9: master(f, r); break;
    case 10:
        assert_true(machine_in_string(f->m, next(r) & 1 ? 0x1f0 : 0x170, size, buf, count) <=
                    count);
        break;
    case 11:
        assert_true(machine_out_string(f->m, next(r) & 1 ? 0x1f0 : 0x170, size, buf, count) <=
                    count);
        break;
    case 12:
        if (next(r) % 16 == 0)
            pci_write(f, next(r) & 1 ? 0x09 : 0x10, next(r) % 256, size, any_value(r));
        else if (next(r) % 4 == 0)
            ide_enable(f);
        break;
    case 13:
        if (next(r) % 64 == 0)
            machine_screen(f->m, screen, next(r) % sizeof screen);
        break;
    case 14: machine_in(f->m, port, size); break;
    case 15: /* errors come and go */
        disk0.bad = next(r) % 4 ? ~0ull : next(r) % DISK_SECTORS;
        disk_cd.bad_flush = disk0.bad_flush = next(r) % 8 == 0;
        break;
    default: machine_out(f->m, port, size, any_value(r)); break;
    }
}

static void fuzz(void **state)
{
    struct fake *f = *state;
    for (u64 seed = 1; seed <= SEEDS; seed++) {
        struct random r = {seed * 0x9e3779b97f4a7c15ull};
        if (seed == 3) {
            disk_late(&disk0);
            disk_late(&disk_cd);
        }
        for (unsigned i = 0; i < STEPS; i++)
            step(f, &r);
    }
    /* After all that a reset gives a working disk. */
    disk0.bad = ~0ull;
    ide_enable(f);
    for (unsigned i = 0; i < 8; i++)
        machine_poll(f->m);
    outb(f, 0x3f6, 4);
    outb(f, 0x3f6, 0);
    for (unsigned i = 0; i < 8; i++)
        machine_poll(f->m);
    command28(f, 0x1f0, 0xe0, 0, 1, 0x20);
    for (unsigned i = 0; i < 8; i++)
        machine_poll(f->m);
    u8 buf[512];
    assert_int_equal(inb(f, 0x1f7) & 0x89, 0x08);
    assert_int_equal(machine_in_string(f->m, 0x1f0, 4, buf, 128), 128);
    assert_memory_equal(buf, disk0.data, 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {IDE_TEST(fuzz)};
    return cmocka_run_group_tests_name("dev-fuzz-media", tests, NULL, NULL);
}
