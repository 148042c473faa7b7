#include "host/clock.h"
#include "host/cpu.h"
#include "host/idt.h"
#include "host/io.h"
#include "lib/muldiv.h"

#define PIT_HZ 1193182u
#define CALIBRATION_TICKS 59659u /* 50 ms */

/* Local APIC registers (SDM vol. 3, table 11-1), by the address they have after reset. */
#define APIC_BASE 0xfee00000u
enum {
    APIC_SVR = 0xf0,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_CURRENT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0
};
enum { APIC_NMI = 0x400, APIC_EXTINT = 0x700, APIC_MASKED = 1 << 16, APIC_DIVIDE_1 = 0xb };

static void apic_write(u32 reg, u32 value)
{
    *(volatile u32 *)(u64)(APIC_BASE + reg) = value;
}

static u32 apic_read(u32 reg)
{
    return *(volatile u32 *)(u64)(APIC_BASE + reg);
}

/* Runs the 8254's channel 2 for CALIBRATION_TICKS (mode 0: OUT, bit 5 of port 61h, rises at the end). */
static void pit_wait(void)
{
    out8(0x61, (in8(0x61) & ~2) | 1);
    out8(0x43, 0xb0);
    out8(0x42, CALIBRATION_TICKS & 0xff);
    out8(0x42, CALIBRATION_TICKS >> 8);
    for (u32 i = 0; i < 100000000 && !(in8(0x61) & 0x20); i++)
        ;
}

static u64 per_second(u64 ticks)
{
    return ticks * PIT_HZ / CALIBRATION_TICKS;
}

bool host_clock_init(struct host_clock *c)
{
    if (!(cpuid(1, 0).edx & 1u << 9))
        return false;
    wrmsr(MSR_APIC_BASE, APIC_BASE | (rdmsr(MSR_APIC_BASE) & 0x100) | 1u << 11);
    apic_write(APIC_SVR, 0x100 | HOST_VEC_SPURIOUS);
    apic_write(APIC_LVT_LINT0, APIC_EXTINT);
    apic_write(APIC_LVT_LINT1, APIC_NMI);
    apic_write(APIC_TIMER_DIVIDE, APIC_DIVIDE_1);
    apic_write(APIC_LVT_TIMER, APIC_MASKED | HOST_VEC_TIMER);
    apic_write(APIC_TIMER_INITIAL, 0xffffffff);
    u64 tsc = rdtsc();
    u32 apic = apic_read(APIC_TIMER_CURRENT);
    pit_wait();
    u32 apic_end = apic_read(APIC_TIMER_CURRENT);
    u64 tsc_end = rdtsc();
    apic_write(APIC_TIMER_INITIAL, 0);
    apic_write(APIC_LVT_TIMER, HOST_VEC_TIMER);
    c->tsc_hz = per_second(tsc_end - tsc);
    c->timer_hz = per_second(apic - apic_end);
    c->armed = ~0ull;
    return c->tsc_hz && c->timer_hz;
}

void host_clock_arm(struct host_clock *c, u64 tsc)
{
    if (tsc == c->armed)
        return;
    c->armed = tsc;
    if (tsc == ~0ull) {
        apic_write(APIC_TIMER_INITIAL, 0);
        return;
    }
    u64 now = rdtsc();
    u64 wait = tsc > now ? tsc - now : 0;
    /* Beyond the timer's range it fires early, and is armed again. */
    wait = min(wait, c->tsc_hz);
    u64 ticks = muldiv(wait, c->timer_hz, c->tsc_hz);
    apic_write(APIC_TIMER_INITIAL, (u32)min(max(ticks, 1ull), 0xffffffffull));
}

static unsigned cmos(u8 index)
{
    out8(0x70, index);
    return in8(0x71);
}

static unsigned from_bcd(unsigned v)
{
    return (v >> 4) * 10 + (v & 15);
}

/* Days since 1970-01-01 of a Gregorian date. */
static u64 days(unsigned y, unsigned m, unsigned d)
{
    static const u16 before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    unsigned leap = m > 2 && (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
    y--;
    u64 to_year = 365ull * y + y / 4 - y / 100 + y / 400 - 719162;
    return to_year + before[(m - 1) % 12] + leap + d - 1;
}

u64 host_clock_unix(void)
{
    for (u32 i = 0; i < 1000000 && cmos(10) & 0x80; i++) /* an update is under way */
        ;
    unsigned v[6];
    static const u8 index[6] = {0, 2, 4, 7, 8, 9};
    bool binary = cmos(11) & 4;
    for (unsigned i = 0; i < 6; i++)
        v[i] = binary ? cmos(index[i]) : from_bcd(cmos(index[i]) & (i == 2 ? 0x3f : 0xff));
    u64 day = days(2000 + v[5], max(v[4], 1u), v[3]);
    return day * 86400 + v[2] * 3600 + v[1] * 60 + v[0];
}
