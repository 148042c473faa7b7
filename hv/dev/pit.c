/* 8254 programmable interval timer (Intel 231164) at 40h to 43h and port 61h around its channel 2.
 *
 * Nothing counts: a channel is a start tick and a reload value, and every reading is computed from the
 * time. Channel 0's OUT is IRQ 0; its timer runs at OUT's rising edges only and gives the PIC the fall
 * just before, so that a period costs one deadline. Ticks are thirds of the ACPI timer's (both come from
 * one 14.318 MHz crystal), so calibrations against either agree. */

#include "dev/dev.h"
#include "lib/string.h"

#define PM_HZ 3579545u
#define PM_PER_TICK 3u
#define REFRESH_TICKS 18 /* a refresh cycle each 15.09 us toggles bit 4 of port 61h */

#define P61_GATE2 0x01
#define P61_WRITABLE 0x0f
#define P61_REFRESH 0x10
#define P61_OUT2 0x20

struct channel {
    u8 mode;   /* 0 to 5 */
    u8 access; /* 1 low byte, 2 high byte, 3 low then high */
    bool bcd, gate;
    bool loaded;    /* a count has been written since the control word */
    bool triggered; /* modes 1 and 5: the gate has risen since */
    bool frozen;    /* the gate holds the count at `held` */
    bool null_count, count_pending;
    bool write_high, read_high; /* the next byte of access 3 is the high one */
    u8 low;                     /* the low byte written */
    u8 latched;                 /* bytes of latch still to be read */
    bool status_latched;
    u8 status;
    u16 latch;
    u32 reload, next_reload; /* 1 to 65536 (10000 in BCD) */
    u64 start;               /* tick at which the count was `reload` */
    u64 held;                /* ticks counted when frozen */
    u64 pending_at;          /* tick at which next_reload is loaded */
};

struct pit {
    struct channel channel[3];
    struct dev *dev;
    struct dev_timer timer;
    bool edge_due; /* the timer marks a rising edge, not a reload */
    u8 p61;
};

static u64 pit_now(const struct pit *p)
{
    return dev_ticks(p->dev, PM_HZ) / PM_PER_TICK;
}

static u64 elapsed(const struct channel *c, u64 now)
{
    if (c->frozen)
        return c->held;
    s64 e = (s64)(now - c->start);
    return e > 0 ? (u64)e : 0;
}

/* Mode 3's high part of a period: (N + 1) / 2 for odd N. */
static u32 high_part(u32 reload)
{
    return (reload + 1) / 2;
}

/* Loads a count that had to wait for the end of a period (mode 2) or half period (mode 3). */
static void channel_sync(struct channel *c, u64 now)
{
    if (!c->count_pending || c->frozen || (s64)(now - c->pending_at) < 0)
        return;
    u64 start = c->pending_at;
    if (c->mode == 3 && (c->pending_at - c->start) % c->reload)
        start -= high_part(c->next_reload); /* it loads as OUT falls */
    c->start = start;
    c->reload = c->next_reload;
    c->count_pending = c->null_count = false;
}

static bool channel_out(const struct channel *c, u64 now)
{
    u64 e = elapsed(c, now);
    switch (c->mode) {
    case 0: return c->loaded && e >= c->reload;
    case 1: return !c->triggered || e >= c->reload;
    case 2: return !c->loaded || c->frozen || e % c->reload != c->reload - 1;
    case 3: return !c->loaded || c->frozen || e % c->reload < high_part(c->reload);
    case 4: return !c->loaded || e != c->reload;
    default: return !c->triggered || e != c->reload;
    }
}

static u16 count_encode(const struct channel *c, u32 count)
{
    if (!c->bcd)
        return (u16)count;
    count %= 10000;
    return (u16)(count / 1000 << 12 | count / 100 % 10 << 8 | count / 10 % 10 << 4 | count % 10);
}

static u32 count_decode(const struct channel *c, u16 value)
{
    if (!c->bcd)
        return value ? value : 0x10000;
    u32 count =
        (value >> 12) * 1000u + (value >> 8 & 15) * 100u + (value >> 4 & 15) * 10u + (value & 15);
    return count ? min(count, 10000u) : 10000;
}

/* What the counting element holds. */
static u16 channel_count(const struct channel *c, u64 now)
{
    u64 e = elapsed(c, now);
    u32 wrap = c->bcd ? 10000 : 0x10000, count;
    if (!c->reload)
        return 0;
    switch (c->mode) {
    case 2: count = c->reload - (u32)(e % c->reload); break;
    case 3: {
        /* Counts down by two in each half; an odd count is loaded less one. */
        u32 in = (u32)(e % c->reload), high = high_part(c->reload);
        count = (c->reload & ~1u) - 2 * (in < high ? in : in - high);
        break;
    }
    default: /* goes on below zero, round its four digits */
        count = (c->reload + wrap - (u32)(e % wrap)) % wrap;
        break;
    }
    return count_encode(c, count);
}

/* ---- Channel 0's interrupt. ---- */

/* The next tick at which OUT rises, ~0 for never. */
static u64 next_rise(const struct channel *c, u64 now)
{
    u64 e = elapsed(c, now);
    if (c->frozen || !c->loaded)
        return ~0ull;
    switch (c->mode) {
    case 0: return e < c->reload ? c->start + c->reload : ~0ull;
    case 2:
    case 3: return c->start + (e / c->reload + 1) * c->reload;
    case 4: return e <= c->reload ? c->start + c->reload + 1 : ~0ull;
    default: return ~0ull; /* triggered by a gate that channel 0 has tied high */
    }
}

static void timer_schedule(struct pit *p, u64 now)
{
    struct channel *c = &p->channel[0];
    u64 at = next_rise(c, now);
    p->edge_due = true;
    if (c->count_pending && c->pending_at < at) {
        at = c->pending_at;
        p->edge_due = false;
    }
    dev_timer_set(&p->timer, at == ~0ull ? at : dev_tsc_of_ticks(p->dev, at * PM_PER_TICK, PM_HZ));
}

static void pit_fire(void *state)
{
    struct pit *p = state;
    u64 now = pit_now(p);
    channel_sync(&p->channel[0], now);
    if (p->edge_due) {
        dev_irq(p->dev, 0, false);
        dev_irq(p->dev, 0, true);
    }
    timer_schedule(p, now);
}

/* After a change by the guest: OUT may have changed at once. */
static void channel0_changed(struct pit *p, u64 now)
{
    dev_irq(p->dev, 0, channel_out(&p->channel[0], now));
    timer_schedule(p, now);
}

/* ---- Registers. ---- */

static void count_written(struct channel *c, u16 value, u64 now)
{
    u32 reload = count_decode(c, value);
    bool periodic = c->mode == 2 || c->mode == 3;
    c->null_count = true;
    if (c->mode == 1 || c->mode == 5) { /* loaded by the next trigger */
        c->next_reload = reload;
        if (!c->loaded)
            c->reload = reload;
        c->loaded = true;
    } else if (periodic && c->loaded && !c->frozen) {
        u64 e = elapsed(c, now), in = e % c->reload;
        u32 part = c->mode == 3 && in < high_part(c->reload) ? high_part(c->reload) : c->reload;
        c->next_reload = reload;
        c->pending_at = c->start + (e - in) + part;
        c->count_pending = true;
    } else {
        c->reload = c->next_reload = reload;
        c->start = now + 1; /* loaded with the next clock */
        c->held = 0;
        c->frozen = !c->gate;
        c->loaded = true;
        c->null_count = false;
    }
}

static void count_write(struct channel *c, u8 value, u64 now)
{
    switch (c->access) {
    case 1: count_written(c, value, now); break;
    case 2: count_written(c, (u16)(value << 8), now); break;
    default:
        if (!c->write_high) {
            c->low = value;
            if (c->mode == 0) /* the first byte stops the count and OUT goes low */
                c->loaded = false;
        } else {
            count_written(c, (u16)(value << 8 | c->low), now);
        }
        c->write_high = !c->write_high;
        break;
    }
}

static void count_latch(struct channel *c, u64 now)
{
    if (c->latched) /* a second latch before the read is ignored */
        return;
    c->latch = channel_count(c, now);
    c->latched = c->access == 3 ? 2 : 1;
}

static void status_latch(struct channel *c, u64 now)
{
    if (c->status_latched)
        return;
    c->status_latched = true;
    c->status = (u8)(channel_out(c, now) << 7 | c->null_count << 6 | c->access << 4 | c->mode << 1 |
                     c->bcd);
}

static u8 count_read(struct channel *c, u64 now)
{
    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    u16 count = c->latched ? c->latch : channel_count(c, now);
    bool high = c->access == 2 || (c->access == 3 && c->read_high);
    if (c->access == 3)
        c->read_high = !c->read_high;
    if (c->latched)
        c->latched--;
    return (u8)(high ? count >> 8 : count);
}

static void control_write(struct pit *p, u8 value, u64 now)
{
    if (value >> 6 == 3) { /* read-back: bits 5 and 4 are active low */
        for (unsigned i = 0; i < 3; i++) {
            struct channel *c = &p->channel[i];
            if (!(value >> (i + 1) & 1))
                continue;
            channel_sync(c, now);
            if (!(value & 0x20))
                count_latch(c, now);
            if (!(value & 0x10))
                status_latch(c, now);
        }
        return;
    }
    struct channel *c = &p->channel[value >> 6];
    if (!(value & 0x30)) {
        count_latch(c, now);
        return;
    }
    c->held = 0;
    c->access = value >> 4 & 3;
    c->mode = value >> 1 & 7;
    if (c->mode > 5)
        c->mode -= 4; /* x10 and x11: modes 2 and 3 */
    c->bcd = value & 1;
    c->loaded = c->triggered = c->frozen = c->count_pending = false;
    c->null_count = true;
    c->write_high = c->read_high = false;
    c->latched = 0;
    c->status_latched = false;
    if (c == &p->channel[0])
        channel0_changed(p, now);
}

static void pit_write(void *state, u16 port, unsigned size, u32 value)
{
    struct pit *p = state;
    u64 now = pit_now(p);
    (void)size;
    if (port == 0x43) {
        for (unsigned i = 0; i < 3; i++)
            channel_sync(&p->channel[i], now);
        control_write(p, (u8)value, now);
        return;
    }
    struct channel *c = &p->channel[port & 3];
    channel_sync(c, now);
    count_write(c, (u8)value, now);
    if (c == &p->channel[0])
        channel0_changed(p, now);
}

static u32 pit_read(void *state, u16 port, unsigned size)
{
    struct pit *p = state;
    (void)size;
    if (port == 0x43) /* no register there: the bus floats */
        return 0xff;
    struct channel *c = &p->channel[port & 3];
    u64 now = pit_now(p);
    channel_sync(c, now);
    return count_read(c, now);
}

static void gate_set(struct channel *c, bool gate, u64 now)
{
    if (gate == c->gate)
        return;
    c->gate = gate;
    if (c->mode == 1 || c->mode == 5) {
        if (gate && c->loaded) {
            c->reload = c->next_reload;
            c->start = now + 1;
            c->triggered = true;
            c->null_count = false;
        }
        return;
    }
    if (!gate) {
        c->held = elapsed(c, now);
        c->frozen = c->loaded;
    } else if (c->frozen) {
        bool periodic = c->mode == 2 || c->mode == 3; /* these begin a new period */
        if (c->count_pending) {
            c->reload = c->next_reload;
            c->count_pending = c->null_count = false;
        }
        c->frozen = false;
        c->start = periodic ? now + 1 : now - c->held;
    }
}

static u32 p61_read(void *state, u16 port, unsigned size)
{
    struct pit *p = state;
    u64 now = pit_now(p);
    (void)port, (void)size;
    channel_sync(&p->channel[2], now);
    return p->p61 | dev_nmi_status(p->dev) | (now / REFRESH_TICKS & 1 ? P61_REFRESH : 0) |
           (channel_out(&p->channel[2], now) ? P61_OUT2 : 0);
}

static void p61_write(void *state, u16 port, unsigned size, u32 value)
{
    struct pit *p = state;
    u64 now = pit_now(p);
    (void)port, (void)size;
    p->p61 = value & P61_WRITABLE;
    dev_nmi_sources(p->dev, p->p61);
    channel_sync(&p->channel[2], now);
    gate_set(&p->channel[2], value & P61_GATE2, now);
}

static const struct port_ops pit_ops = {.read = pit_read, .write = pit_write, .sizes = 1};
static const struct port_ops p61_ops = {.read = p61_read, .write = p61_write, .sizes = 1};

static bool pit_init(struct dev *d, const struct machine_config *config)
{
    struct pit *p = d->state;
    (void)config;
    p->dev = d;
    dev_timer_init(d, &p->timer, pit_fire);
    return dev_claim_ports(d, 0x40, 4, &pit_ops) && dev_claim_ports(d, 0x61, 1, &p61_ops);
}

static void pit_reset(struct dev *d)
{
    struct pit *p = d->state;
    memset(p->channel, 0, sizeof p->channel);
    for (unsigned i = 0; i < 3; i++) {
        p->channel[i].access = 3;
        p->channel[i].gate = i != 2;
        p->channel[i].reload = p->channel[i].next_reload = 0x10000;
    }
    p->p61 = 0;
    dev_nmi_sources(d, 0);
    dev_timer_set(&p->timer, ~0ull);
    dev_irq(d, 0, false);
}

static const struct dev_type pit_type = {
    .name = "pit",
    .state_bytes = sizeof(struct pit),
    .init = pit_init,
    .reset = pit_reset,
    .order = 10,
};
DEVICE(pit_type);
