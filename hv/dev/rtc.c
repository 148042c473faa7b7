/* MC146818A real-time clock and 128 bytes of CMOS memory at ports 70h and 71h; IRQ 8. Ports 72h and 73h
 * are the PIIX3's second bank of 128 bytes (290550, RTCCFG).
 *
 * The time of day is a function of the guest's TSC: seconds at power-on plus the TSC's seconds plus what
 * the guest has set. The periodic, alarm and update-ended interrupts run timers only while one is
 * enabled; otherwise their flags are worked out when register C is read. */

#include "dev/rtc.h"
#include "dev/calendar.h"
#include "lib/string.h"

#define CRYSTAL_HZ 32768u
#define A_UIP 0x80
#define A_DV 0x70
#define A_DV_RUNS 0x20
#define A_RS 0x0f
#define B_SET 0x80
#define B_PIE 0x40
#define B_AIE 0x20
#define B_UIE 0x10
#define B_DM 0x04 /* binary, not BCD */
#define B_24H 0x02
#define C_IRQF 0x80
#define C_PF 0x40
#define C_AF 0x20
#define C_UF 0x10
#define D_VRT 0x80
#define ALARM_ANY 0xc0 /* an alarm byte from C0h matches every value */

enum {
    SEC,
    SEC_ALARM,
    MIN,
    MIN_ALARM,
    HOUR,
    HOUR_ALARM,
    WDAY,
    MDAY,
    MONTH,
    YEAR,
    REG_A,
    REG_B,
    REG_C,
    REG_D
};

struct rtc {
    struct dev *dev;
    struct dev_timer periodic, update;
    u8 index, index2;
    u8 cmos[128];
    u8 bank2[128];
    u64 epoch;       /* the clock reads epoch + seconds of the TSC; while stopped, epoch */
    bool stopped;    /* SET, or the divider is held: the bytes are the guest's own */
    u64 seen_update; /* second for which UF and AF are worked out */
    u64 seen_period;
};

/* ---- Bytes in the format that register B chooses. ---- */

static u8 field_encode(const struct rtc *r, unsigned value)
{
    return (u8)(r->cmos[REG_B] & B_DM ? value : value / 10 % 10 << 4 | value % 10);
}

static unsigned field_decode(const struct rtc *r, u8 byte)
{
    return r->cmos[REG_B] & B_DM ? byte : (byte >> 4) * 10u + (byte & 15);
}

static u8 hour_encode(const struct rtc *r, unsigned hour)
{
    if (r->cmos[REG_B] & B_24H)
        return field_encode(r, hour);
    return (u8)(field_encode(r, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? 0x80 : 0));
}

static unsigned hour_decode(const struct rtc *r, u8 byte)
{
    if (r->cmos[REG_B] & B_24H)
        return field_decode(r, byte);
    return field_decode(r, byte & 0x7f) % 12 + (byte & 0x80 ? 12 : 0);
}

/* ---- Time. ---- */

static u64 clock_seconds(const struct rtc *r)
{
    return r->epoch + dev_ticks(r->dev, 1);
}

static void bytes_fill(struct rtc *r)
{
    struct date t = calendar_date(clock_seconds(r));
    u8 *c = r->cmos;
    c[SEC] = field_encode(r, t.sec);
    c[MIN] = field_encode(r, t.min);
    c[HOUR] = hour_encode(r, t.hour);
    c[WDAY] = field_encode(r, t.wday);
    c[MDAY] = field_encode(r, t.mday);
    c[MONTH] = field_encode(r, t.month);
    c[YEAR] = field_encode(r, t.year % 100);
    c[RTC_CENTURY] = (u8)(t.year / 1000 % 10 << 4 | t.year / 100 % 10);
}

/* Sets the clock by the guest's bytes; what is no date counts as its nearest one. */
static void bytes_take(struct rtc *r)
{
    const u8 *c = r->cmos;
    unsigned century = (c[RTC_CENTURY] >> 4) * 10u + (c[RTC_CENTURY] & 15);
    unsigned year = century * 100 + field_decode(r, c[YEAR]) % 100;
    year = max(year, 1970u);
    unsigned month = field_decode(r, c[MONTH]);
    month = month < 1 ? 1 : min(month, 12u);
    unsigned mday = field_decode(r, c[MDAY]);
    mday = mday < 1 ? 1 : min(mday, calendar_month_days(month, year));
    u64 seconds = calendar_days(year, month, mday) * CALENDAR_DAY +
                  hour_decode(r, c[HOUR]) % 24 * 3600ull + field_decode(r, c[MIN]) % 60 * 60 +
                  field_decode(r, c[SEC]) % 60;
    r->epoch = seconds - dev_ticks(r->dev, 1); /* may wrap; the sum is right */
}

static bool clock_stopped(const struct rtc *r)
{
    return (r->cmos[REG_B] & B_SET) || (r->cmos[REG_A] & A_DV) != A_DV_RUNS;
}

static bool alarm_field(u8 alarm, unsigned value, unsigned now)
{
    return alarm >= ALARM_ANY || value == now;
}

/* The first second of the TSC from `second` on at which the alarm matches, at most a day ahead. A field
 * that does not match skips all that it rules out: less than 150 steps. */
static u64 alarm_second(const struct rtc *r, u64 second)
{
    const u8 *c = r->cmos;
    unsigned sec = field_decode(r, c[SEC_ALARM]), min_ = field_decode(r, c[MIN_ALARM]);
    unsigned hour = hour_decode(r, c[HOUR_ALARM]);
    if ((c[SEC_ALARM] < ALARM_ANY && sec > 59) || (c[MIN_ALARM] < ALARM_ANY && min_ > 59))
        return ~0ull;
    u64 t = r->epoch + second, end = t + CALENDAR_DAY;
    while (t < end) {
        unsigned in_day = (unsigned)(t % CALENDAR_DAY);
        if (!alarm_field(c[HOUR_ALARM], hour, in_day / 3600))
            t += 3600 - t % 3600;
        else if (!alarm_field(c[MIN_ALARM], min_, in_day / 60 % 60))
            t += 60 - t % 60;
        else if (!alarm_field(c[SEC_ALARM], sec, in_day % 60))
            t++;
        else
            return t - r->epoch;
    }
    return ~0ull;
}

/* Crystal ticks between periodic interrupts; 0: none (MC146818A, table 5; RS 1 and 2 repeat 8 and 9). */
static u32 period_ticks(const struct rtc *r)
{
    unsigned rs = r->cmos[REG_A] & A_RS;
    if (!rs || (r->cmos[REG_A] & A_DV) != A_DV_RUNS)
        return 0;
    return 1u << ((rs < 3 ? rs + 7 : rs) - 1);
}

/* ---- Interrupts. ---- */

static void irq_update(struct rtc *r)
{
    u8 *c = &r->cmos[REG_C];
    bool irq = *c & r->cmos[REG_B] & (C_PF | C_AF | C_UF);
    *c = (u8)((*c & ~C_IRQF) | (irq ? C_IRQF : 0));
    dev_irq(r->dev, 8, irq);
}

/* Sets the flags of all that has passed since the last look. */
static void flags_update(struct rtc *r)
{
    u64 second = dev_ticks(r->dev, 1);
    if (!r->stopped && second != r->seen_update) {
        r->cmos[REG_C] |= C_UF;
        if (alarm_second(r, r->seen_update + 1) <= second)
            r->cmos[REG_C] |= C_AF;
    }
    r->seen_update = second;
    u32 period = period_ticks(r);
    u64 periods = period ? dev_ticks(r->dev, CRYSTAL_HZ) / period : 0;
    if (period && periods != r->seen_period)
        r->cmos[REG_C] |= C_PF;
    r->seen_period = periods;
}

static void timers_set(struct rtc *r)
{
    u8 b = r->cmos[REG_B], c = r->cmos[REG_C];
    u32 period = period_ticks(r);
    u64 due = ~0ull;
    /* A flag that is up already keeps the line up: nothing to wait for. */
    if ((b & B_PIE) && period && !(c & C_PF))
        due = dev_tsc_of_ticks(r->dev, (dev_ticks(r->dev, CRYSTAL_HZ) / period + 1) * period,
                               CRYSTAL_HZ);
    dev_timer_set(&r->periodic, due);
    u64 second = ~0ull;
    if (!r->stopped && (b & B_UIE) && !(c & C_UF))
        second = dev_ticks(r->dev, 1) + 1;
    else if (!r->stopped && (b & B_AIE) && !(c & C_AF))
        second = alarm_second(r, dev_ticks(r->dev, 1) + 1);
    dev_timer_set(&r->update, second == ~0ull ? second : dev_tsc_of_ticks(r->dev, second, 1));
}

static void rtc_refresh(void *state)
{
    struct rtc *r = state;
    flags_update(r);
    irq_update(r);
    timers_set(r);
}

/* ---- Registers. ---- */

/* UIP is set 244 us before an update and through its 1984 us; the update ends with the second. */
static bool update_in_progress(const struct rtc *r)
{
    u64 ticks = dev_ticks(r->dev, CRYSTAL_HZ) % CRYSTAL_HZ;
    return !r->stopped && ticks >= CRYSTAL_HZ - (244 + 1984) * CRYSTAL_HZ / 1000000;
}

static bool is_time(unsigned index)
{
    return index <= YEAR || index == RTC_CENTURY;
}

static bool is_alarm(unsigned index)
{
    return index == SEC_ALARM || index == MIN_ALARM || index == HOUR_ALARM;
}

static u8 cmos_read(struct rtc *r, unsigned index)
{
    if (is_time(index) && !is_alarm(index)) {
        if (!r->stopped)
            bytes_fill(r);
    } else if (index == REG_A) {
        return (u8)(r->cmos[REG_A] | (update_in_progress(r) ? A_UIP : 0));
    } else if (index == REG_C) {
        flags_update(r);
        irq_update(r);
        u8 flags = r->cmos[REG_C];
        r->cmos[REG_C] = 0; /* reading clears the flags and the line */
        irq_update(r);
        timers_set(r);
        return flags;
    }
    return r->cmos[index];
}

/* Registers A and B may stop and start the clock. */
static void control_write(struct rtc *r, unsigned index, u8 value)
{
    if (!r->stopped)
        bytes_fill(r); /* in the format of before the write */
    flags_update(r);
    if (index == REG_A) {
        r->cmos[REG_A] = value & (u8)~A_UIP;
        r->seen_period = period_ticks(r) ? dev_ticks(r->dev, CRYSTAL_HZ) / period_ticks(r) : 0;
    } else {
        if (value & B_SET)
            value &= (u8)~B_UIE; /* SET clears UIE */
        r->cmos[REG_B] = value;
    }
    bool was = r->stopped;
    r->stopped = clock_stopped(r);
    if (was && !r->stopped) {
        bytes_take(r);
        r->seen_update = dev_ticks(r->dev, 1);
    }
    irq_update(r);
    timers_set(r);
}

static void cmos_write(struct rtc *r, unsigned index, u8 value)
{
    switch (index) {
    case REG_A:
    case REG_B: control_write(r, index, value); return;
    case REG_C:
    case REG_D: return; /* read only */
    }
    if (!is_time(index)) {
        r->cmos[index] = value;
        return;
    }
    if (!r->stopped)
        bytes_fill(r);
    r->cmos[index] = value;
    if (!r->stopped && !is_alarm(index)) /* set on the run */
        bytes_take(r);
    timers_set(r);
}

static u32 rtc_read(void *state, u16 port, unsigned size)
{
    struct rtc *r = state;
    (void)size;
    switch (port & 3) {
    case 1: return cmos_read(r, r->index);
    case 2: return r->index2;
    case 3: return r->bank2[r->index2];
    default: return 0xff; /* 70h is write only */
    }
}

static void rtc_write(void *state, u16 port, unsigned size, u32 value)
{
    struct rtc *r = state;
    (void)size;
    switch (port & 3) {
    case 0:
        r->index = value & 0x7f;
        dev_nmi_mask(r->dev, value & 0x80);
        break;
    case 1: cmos_write(r, r->index, (u8)value); break;
    case 2: r->index2 = value & 0x7f; break;
    default: r->bank2[r->index2] = (u8)value; break;
    }
}

void rtc_cmos_set(struct machine *m, unsigned index, u8 value)
{
    struct dev *d = dev_find(m, "rtc");
    if (d && index > REG_D && index < 128)
        ((struct rtc *)d->state)->cmos[index] = value;
}

u8 rtc_cmos_get(struct machine *m, unsigned index)
{
    struct dev *d = dev_find(m, "rtc");
    return d && index < 128 ? ((struct rtc *)d->state)->cmos[index] : 0xff;
}

static const struct port_ops rtc_ops = {.read = rtc_read, .write = rtc_write, .sizes = 1};

/* Memory sizes and the boot order, where the firmware looks for them. */
static void cmos_fill(struct rtc *r, const struct machine_config *config)
{
    u8 *c = r->cmos;
    u64 kib = config->ram_bytes / KiB;
    u64 ext = min(kib - 1024, 0xffffull);            /* KiB above 1 MiB */
    u64 ext2 = kib > 16384 ? (kib - 16384) / 64 : 0; /* 64-KiB units above 16 MiB */
    c[0x15] = 640 & 0xff;
    c[0x16] = 640 >> 8;
    c[0x17] = c[0x30] = (u8)ext;
    c[0x18] = c[0x31] = (u8)(ext >> 8);
    c[0x34] = (u8)min(ext2, 0xffffull);
    c[0x35] = (u8)(min(ext2, 0xffffull) >> 8);
    c[0x14] = 0x06; /* equipment: coprocessor, PS/2 mouse; VGA */
    /* Boot order, a nibble a try (2 disk, 3 CD): 3Dh low, 3Dh high, 38h high. 38h bit 0: a boot sector
     * needs no signature check on a floppy. */
    c[0x3d] = config->boot_cdrom ? 0x23 : 0x32;
    c[0x38] = 0x00;
    c[0x5f] = (u8)(config->cpu_count ? config->cpu_count - 1 : 0);
}

static bool rtc_init(struct dev *d, const struct machine_config *config)
{
    struct rtc *r = d->state;
    r->dev = d;
    r->epoch = config->rtc_unix;
    cmos_fill(r, config);
    r->cmos[REG_A] = 0x26; /* 32768 Hz crystal, 1024 Hz periodic rate */
    r->cmos[REG_B] = B_24H;
    r->cmos[REG_D] = D_VRT;
    dev_timer_init(d, &r->periodic, rtc_refresh);
    dev_timer_init(d, &r->update, rtc_refresh);
    return dev_claim_ports(d, 0x70, 4, &rtc_ops);
}

/* RESET clears the interrupt enables and flags, and masks NMI (82371AB, 4.2.4); time and memory live on the
 * battery. */
static void rtc_reset(struct dev *d)
{
    struct rtc *r = d->state;
    r->cmos[REG_B] &= (u8) ~(B_PIE | B_AIE | B_UIE | 0x08);
    r->cmos[REG_C] = 0;
    irq_update(r);
    timers_set(r);
    dev_nmi_mask(d, true);
}

static const struct dev_type rtc_type = {
    .name = "rtc",
    .state_bytes = sizeof(struct rtc),
    .init = rtc_init,
    .reset = rtc_reset,
    .order = 2, /* disks put their geometry into CMOS memory */
};
DEVICE(rtc_type);
