/* The machine core: port and memory claims, splitting, time, timers and lines. */

#include "fake.h"

struct probe {
    struct dev *dev;
    u32 last_port, last_value, last_size, writes;
    struct dev_timer timer, second;
    unsigned fired, fired_second;
    u64 rearm;
};

static u32 probe_read(void *state, u16 port, unsigned size)
{
    (void)state, (void)size;
    return 0xa0b0c0d0u | port;
}

static void probe_write(void *state, u16 port, unsigned size, u32 value)
{
    struct probe *p = state;
    p->last_port = port;
    p->last_size = size;
    p->last_value = value;
    p->writes++;
}

static u32 other_read(void *state, u16 port, unsigned size)
{
    (void)state, (void)port, (void)size;
    return 0x77;
}

static u64 mmio_read(void *state, gpa_t gpa, unsigned size)
{
    (void)state, (void)size;
    return 0x1122334455667700ull | (gpa & 0xff);
}

static void mmio_write(void *state, gpa_t gpa, unsigned size, u64 value)
{
    probe_write(state, (u16)gpa, size, (u32)value);
}

static void probe_fire(void *state)
{
    struct probe *p = state;
    p->fired++;
    if (p->rearm)
        dev_timer_set(&p->timer, dev_tsc(p->dev) + p->rearm - 1);
}

static void probe_fire_second(void *state)
{
    ((struct probe *)state)->fired_second++;
}

static const struct port_ops bytes = {.read = probe_read, .write = probe_write, .sizes = 1};
static const struct port_ops dwords = {.read = probe_read, .write = probe_write, .sizes = 4};
static const struct port_ops other = {.read = other_read, .sizes = 1};
static const struct mmio_ops memory = {.read = mmio_read, .write = mmio_write};

static bool probe_init(struct dev *d, const struct machine_config *config)
{
    struct probe *p = d->state;
    (void)config;
    p->dev = d;
    dev_timer_init(d, &p->timer, probe_fire);
    dev_timer_init(d, &p->second, probe_fire_second);
    return dev_claim_ports(d, 0x100, 8, &bytes) && dev_claim_ports(d, 0x200, 4, &dwords) &&
           dev_claim_mmio(d, 0xfee00000, 0x1000, &memory);
}

static const struct dev_type probe_type = {
    .name = "probe", .state_bytes = sizeof(struct probe), .init = probe_init};
DEVICE(probe_type);

static struct probe *probe_of(struct fake *f)
{
    return dev_find(f->m, "probe")->state;
}

static void ports(void **state)
{
    struct fake *f = *state;
    struct probe *p = probe_of(f);
    assert_int_equal(machine_in(f->m, 0x100, 1), 0xd0);
    assert_int_equal(machine_in(f->m, 0x106, 2), 0xd7d6);      /* two byte cycles */
    assert_int_equal(machine_in(f->m, 0x106, 4), 0xffffd7d6u); /* two of them to nobody */
    assert_int_equal(machine_in(f->m, 0x200, 4), 0xa0b0c2d0u);
    assert_int_equal(machine_in(f->m, 0x200, 1), 0xff);
    assert_int_equal(machine_in(f->m, 0x300, 4), 0xffffffffu);
    assert_int_equal(machine_in(f->m, 0xffff, 4), 0xffffffffu);
    machine_out(f->m, 0x107, 2, 0x1234);
    assert_int_equal(p->last_port, 0x107);
    assert_int_equal(p->last_value, 0x34);
    machine_out(f->m, 0x200, 4, 0xdeadbeef);
    assert_int_equal(p->last_value, 0xdeadbeef);
    assert_int_equal(p->writes, 2);
}

static void claims_in_layers(void **state)
{
    struct fake *f = *state;
    struct dev *d = probe_of(f)->dev;
    assert_true(dev_claim_ports(d, 0x104, 2, &other));
    assert_int_equal(machine_in(f->m, 0x103, 1), 0xd3);
    assert_int_equal(machine_in(f->m, 0x104, 1), 0x77);
    dev_unclaim_ports(d, 0x104, 2);
    assert_int_equal(machine_in(f->m, 0x104, 1), 0xd4);
    assert_false(dev_claim_ports(d, 0xfffe, 3, &other));
    unsigned claims = 0;
    while (dev_claim_ports(d, 0x400, 1, &other))
        claims++;
    assert_true(claims > 16 && claims < 256);
}

static void strings(void **state)
{
    struct fake *f = *state;
    u8 buf[16] = {0};
    assert_int_equal(machine_in_string(f->m, 0x200, 4, buf, 3), 3);
    assert_memory_equal(buf, "\xd0\xc2\xb0\xa0\xd0\xc2\xb0\xa0\xd0\xc2\xb0\xa0\0\0\0\0", 16);
    assert_int_equal(machine_out_string(f->m, 0x101, 1, "abc", 3), 3);
    assert_int_equal(probe_of(f)->writes, 3);
    assert_int_equal(probe_of(f)->last_value, 'c');
}

static void mmio(void **state)
{
    struct fake *f = *state;
    assert_true(machine_mmio_read(f->m, 0xfee00010, 8) == 0x1122334455667710ull);
    assert_int_equal(machine_mmio_read(f->m, 0xfee00010, 2), 0x7710);
    assert_int_equal(machine_mmio_read(f->m, 0xfee00ffe, 4), 0xfffffffe); /* over the edge */
    assert_true(machine_mmio_read(f->m, 0xd0000000, 8) == ~0ull);
    assert_int_equal(machine_mmio_read(f->m, ~0ull, 8) & 0xff, 0xff);
    machine_mmio_write(f->m, 0xfee00020, 1, 0x1ff);
    assert_int_equal(probe_of(f)->last_value, 0xff);
}

static void ticks(void **state)
{
    struct fake *f = *state;
    struct dev *d = probe_of(f)->dev;
    fake_pass(f, 2500000000ull);
    assert_int_equal(dev_ticks(d, 1), 2);
    assert_int_equal(dev_ticks(d, 1193182), 2982955);
    /* The inverse is the first TSC that reads as that tick. */
    for (u64 t = 1; t < 4000000; t += 7919) {
        u64 tsc = dev_tsc_of_ticks(d, t, 3579545);
        assert_true(tsc * 3579545 / FAKE_HZ == t && (tsc - 1) * 3579545 / FAKE_HZ == t - 1);
    }
    assert_true(dev_tsc_of_ticks(d, ~0ull, 1) == ~0ull);
    machine_set_time(f->m, 5); /* time does not run back */
    assert_int_equal(dev_ticks(d, 1), 2);
    fake_pass(f, 3600ull * 24 * 365 * 100 * FAKE_HZ);
    assert_int_equal(dev_ticks(d, 1), 3600ull * 24 * 365 * 100 + 2);
}

static void timers(void **state)
{
    struct fake *f = *state;
    struct probe *p = probe_of(f);
    assert_true(machine_next_deadline(f->m) == ~0ull);
    dev_timer_set(&p->timer, 100);
    dev_timer_set(&p->second, 50);
    assert_int_equal(machine_next_deadline(f->m), 50);
    dev_timer_set(&p->second, 200);
    assert_int_equal(machine_next_deadline(f->m), 100);
    fake_pass(f, 99);
    assert_int_equal(p->fired, 0);
    fake_pass(f, 1);
    assert_int_equal(p->fired, 1);
    assert_int_equal(machine_next_deadline(f->m), 200);
    dev_timer_set(&p->second, ~0ull);
    assert_true(machine_next_deadline(f->m) == ~0ull);
    /* One that is always due again cannot hang the machine. */
    p->rearm = 1;
    dev_timer_set(&p->timer, 0);
    fake_pass(f, 1);
    assert_true(p->fired > 1 && p->fired < 1000);
    assert_int_equal(p->fired_second, 0);
}

static void bad_config(void **state)
{
    struct fake *f = *state;
    char text[128];
    struct machine_config c = fake_config(f);
    c.ram_bytes = 8 * GiB;
    assert_null(machine_create(&c, &fake_ops, f, text, sizeof text));
    assert_non_null(strstr(text, "RAM"));
    c = fake_config(f);
    c.firmware = NULL;
    assert_null(machine_create(&c, &fake_ops, f, text, sizeof text));
    assert_non_null(strstr(text, "firmware"));
    c = fake_config(f);
    c.tsc_hz = 1;
    assert_null(machine_create(&c, &fake_ops, f, text, sizeof text));
    assert_non_null(strstr(text, "TSC"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(ports), FAKE_TEST(claims_in_layers), FAKE_TEST(strings),    FAKE_TEST(mmio),
        FAKE_TEST(ticks), FAKE_TEST(timers),           FAKE_TEST(bad_config),
    };
    return cmocka_run_group_tests_name("dev-machine", tests, NULL, NULL);
}
