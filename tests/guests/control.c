/* Control registers' bits, each by what it does (SDM vol. 3, 2.5), and CPUID's answers about them. */

#include "core/guest.h"

#define CR4_VME (1ul << 0)
#define CR4_PVI (1ul << 1)
#define CR4_PCE (1ul << 8)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_UMIP (1ul << 11)
#define CR4_FSGSBASE (1ul << 16)
#define CR4_PCIDE (1ul << 17)
#define CR4_OSXSAVE (1ul << 18)
#define CPUID_OSXSAVE (1u << 27)
#define MSR_APIC_BASE 0x1b

static const struct {
    ulong bit;
    u32 leaf;
    u8 reg, cpuid_bit; /* reg: 0 to 3 are EAX to EDX; 4: always there */
} cr4_bits[] = {
    {CR4_VME, 1, 3, 1},  {CR4_PVI, 1, 3, 1},      {CR4_TSD, 1, 3, 4},
    {CR4_DE, 1, 3, 2},   {CR4_PSE, 1, 3, 3},      {CR4_PGE, 1, 3, 13},
    {CR4_PCE, 0, 4, 0},  {CR4_OSFXSR, 1, 3, 24},  {CR4_OSXMMEXCPT, 1, 3, 25},
    {CR4_UMIP, 7, 2, 2}, {CR4_FSGSBASE, 7, 1, 0}, {CR4_OSXSAVE, 1, 2, 26},
#ifndef __x86_64__ /* there it takes tables without U: smep and smap in supervisor.c */
    {CR4_SMEP, 7, 1, 7}, {CR4_SMAP, 7, 1, 20},
#endif
};

static bool cpuid_has(u32 leaf, unsigned reg, unsigned bit)
{
    if (reg > 3)
        return true;
    if (cpuid(leaf & 0x80000000, 0).eax < leaf)
        return false;
    struct cpuid r = cpuid(leaf, 0);
    const u32 regs[] = {r.eax, r.ebx, r.ecx, r.edx};
    return regs[reg] >> bit & 1;
}

TEST(cr4_bits_there, "each bit of CR4 that CPUID shows is as written")
{
    ulong cr4 = read_cr4();
    for (unsigned i = 0; i < array_size(cr4_bits); i++) {
        if (!cpuid_has(cr4_bits[i].leaf, cr4_bits[i].reg, cr4_bits[i].cpuid_bit))
            continue;
        CHECK_EQ(CATCH(write_cr4(cr4 | cr4_bits[i].bit)), NO_TRAP);
        CHECK_EQ(read_cr4(), cr4 | cr4_bits[i].bit);
        CHECK_EQ(CATCH(write_cr4(cr4 & ~cr4_bits[i].bit)), NO_TRAP);
        CHECK_EQ(read_cr4(), cr4 & ~cr4_bits[i].bit);
        write_cr4(cr4);
        CONTEXT("# CR4 bit %lx\n", cr4_bits[i].bit);
    }
}

TEST(cr4_bits_absent, "each bit of CR4 that CPUID does not show raises #GP(0)")
{
    ulong cr4 = read_cr4();
    for (unsigned i = 0; i < array_size(cr4_bits); i++) {
        if (cpuid_has(cr4_bits[i].leaf, cr4_bits[i].reg, cr4_bits[i].cpuid_bit))
            continue;
        CHECK_EQ(CATCH(write_cr4(cr4 | cr4_bits[i].bit)), GP);
        CHECK_EQ(read_cr4(), cr4);
        CONTEXT("# CR4 bit %lx\n", cr4_bits[i].bit);
    }
}

TEST(osxsave_cpuid, "CPUID leaf 1: OSXSAVE follows CR4")
{
    ulong cr4 = read_cr4();
    if (!cpuid_has(1, 2, 26)) {
        CHECK(!(cpuid(1, 0).ecx & CPUID_OSXSAVE));
        return;
    }
    for (unsigned i = 0; i < 4; i++) {
        write_cr4(i & 1 ? cr4 | CR4_OSXSAVE : cr4 & ~CR4_OSXSAVE);
        CHECK_EQ(cpuid(1, 0).ecx & CPUID_OSXSAVE, i & 1 ? CPUID_OSXSAVE : 0);
    }
    write_cr4(cr4);
}

TEST(apic_cpuid, "CPUID leaf 1: without an APIC there is no APIC base")
{
    CHECK_EQ(CATCH(rdmsr(MSR_APIC_BASE)), cpuid_has(1, 3, 9) ? NO_TRAP : GP);
}

TEST(cpuid_upper, "CPUID clears the upper halves, and the name is text")
{
    ulong a = 0x80000002, b = ~0ul, c = ~0ul, d = ~0ul;
    __asm__ volatile("cpuid" : "+a"(a), "+b"(b), "+c"(c), "+d"(d));
    CHECK_EQ(a >> 16 >> 16, 0);
    CHECK_EQ(b >> 16 >> 16, 0);
    CHECK_EQ(c >> 16 >> 16, 0);
    CHECK_EQ(d >> 16 >> 16, 0);
    for (u32 leaf = 0x80000002; leaf <= 0x80000004; leaf++) {
        struct cpuid r = cpuid(leaf, 0);
        const char *text = (const char *)&r;
        for (unsigned i = 0; i < sizeof r; i++)
            CHECK(!text[i] || (text[i] >= ' ' && text[i] <= '~'));
    }
}

TEST(cr_reserved, "MOV to and from CR1, CR5, CR6 and CR7 raise #UD")
{
    CHECK_EQ(CATCH(__asm__ volatile(".byte 0x0f, 0x20, 0xc8" : : : "eax")), UD);
    CHECK_EQ(CATCH(__asm__ volatile(".byte 0x0f, 0x22, 0xc8" : : : "memory")), UD);
    CHECK_EQ(CATCH(__asm__ volatile(".byte 0x0f, 0x20, 0xe8" : : : "eax")), UD);
    CHECK_EQ(CATCH(__asm__ volatile(".byte 0x0f, 0x22, 0xf0" : : : "memory")), UD);
    CHECK_EQ(CATCH(__asm__ volatile(".byte 0x0f, 0x20, 0xf8" : : : "eax")), UD);
}

TEST(cr0_fixed, "CR0.ET is always 1, reserved bits read 0")
{
    ulong cr0 = read_cr0();
    CHECK_EQ(CATCH(write_cr0(cr0 & ~(1ul << 4))), NO_TRAP);
    CHECK_EQ(read_cr0(), cr0);
    CHECK_EQ(CATCH(write_cr0(cr0 | 1ul << 6 | 1ul << 17)), NO_TRAP);
    CHECK_EQ(read_cr0() & (1ul << 6 | 1ul << 17), 0);
    write_cr0(cr0);
}

TEST(cr0_cache, "CR0.CD and NW are as written")
{
    ulong cr0 = read_cr0(), cd = 1ul << 30, nw = 1ul << 29;
    write_cr0(cr0 | cd);
    CHECK_EQ(read_cr0() & (cd | nw), cd);
    write_cr0(cr0 | cd | nw);
    CHECK_EQ(read_cr0() & (cd | nw), cd | nw);
    __asm__ volatile("wbinvd");
    write_cr0(cr0);
    CHECK_EQ(read_cr0(), cr0);
}

TEST(em_mp_ts, "CR0.EM, MP and TS: what raises #NM and what #UD")
{
    ulong cr0 = read_cr0(), base = cr0 & ~(CR0_EM | CR0_MP | CR0_TS), cr4 = read_cr4();
    write_cr4(cr4 | CR4_OSFXSR);
    for (unsigned i = 0; i < 8; i++) {
        ulong em = i & 1 ? CR0_EM : 0, mp = i & 2 ? CR0_MP : 0, ts = i & 4 ? CR0_TS : 0;
        write_cr0(base | em | mp | ts);
        CHECK_EQ(CATCH(__asm__ volatile("fninit")), em || ts ? NM : NO_TRAP);
        CHECK_EQ(CATCH(__asm__ volatile("fwait")), mp && ts ? NM : NO_TRAP);
        if (!em || !ts)
            CHECK_EQ(CATCH(__asm__ volatile("xorps %xmm0, %xmm0")), em ? UD : ts ? NM : NO_TRAP);
        CHECK_EQ(CATCH(__asm__ volatile("prefetcht0 (%0)" : : "r"(&cr0))), NO_TRAP);
        CONTEXT("# EM MP TS %u\n", i);
    }
    write_cr0(cr0);
    write_cr4(cr4);
}

TEST(em_and_ts, "with CR0.EM and TS an SSE instruction raises #UD")
{
    ulong cr0 = read_cr0(), cr4 = read_cr4();
    write_cr4(cr4 | CR4_OSFXSR);
    write_cr0(cr0 | CR0_EM | CR0_TS);
    CHECK_EQ(CATCH(__asm__ volatile("xorps %xmm0, %xmm0")), UD);
    write_cr0(cr0);
    write_cr4(cr4);
}

TEST(emms, "EMMS raises #UD with CR0.EM and #NM with TS")
{
    ulong cr0 = read_cr0() & ~(CR0_EM | CR0_TS);
    write_cr0(cr0 | CR0_EM);
    CHECK_EQ(CATCH(__asm__ volatile("emms")), UD);
    write_cr0(cr0 | CR0_TS);
    CHECK_EQ(CATCH(__asm__ volatile("emms")), NM);
    write_cr0(cr0);
    CHECK_EQ(CATCH(__asm__ volatile("emms")), NO_TRAP);
}

TEST(clts_smsw, "SMSW stores 16 bits to memory, LMSW sets TS, MP and EM")
{
    static volatile u32 word = 0xffffffff;
    ulong cr0 = read_cr0();
    __asm__ volatile("smsw %0" : "=m"(word));
    CHECK_EQ(word, 0xffff0000 | (cr0 & 0xffff));
    __asm__ volatile("lmsw %w0" : : "r"((cr0 & ~0xful) | 0xf));
    CHECK_EQ(read_cr0(), cr0 | 0xf);
    write_cr0(cr0);
}

/* ---- User-mode instruction prevention, segment bases ---- */

static u8 um_store[16];

static void u_sgdt(void)
{
    __asm__ volatile("sgdt %0" : "=m"(um_store));
    user_exit();
}

static void u_sidt(void)
{
    __asm__ volatile("sidt %0" : "=m"(um_store));
    user_exit();
}

static void u_sldt(void)
{
    __asm__ volatile("sldt %%ax" : : : "eax");
    user_exit();
}

static void u_str(void)
{
    __asm__ volatile("str %%ax" : : : "eax");
    user_exit();
}

static void u_smsw(void)
{
    __asm__ volatile("smsw %%ax" : : : "eax");
    user_exit();
}

TEST(umip, "SGDT, SIDT, SLDT, STR and SMSW in ring 3, and CR4.UMIP")
{
    static void (*const all[])(void) = {u_sgdt, u_sidt, u_sldt, u_str, u_smsw};
    ulong cr4 = read_cr4();
    bool has = cpuid_has(7, 2, 2);
    for (unsigned i = 0; i < array_size(all); i++) {
        CHECK_EQ(user_run(all[i], 0), NO_TRAP);
        if (!has)
            continue;
        write_cr4(cr4 | CR4_UMIP);
        CHECK_EQ(user_run(all[i], 0), GP);
        CHECK_EQ(trap_last.error, 0);
        write_cr4(cr4);
    }
}

static void u_rdpmc(void)
{
    __asm__ volatile("rdpmc" : : "c"(0) : "eax", "edx");
    user_exit();
}

TEST(pce, "RDPMC in ring 3 raises #GP(0) without CR4.PCE")
{
    CHECK_EQ(user_run(u_rdpmc, 0), GP);
    CHECK_EQ(trap_last.error, 0);
}

/* ---- Time ---- */

static u64 rdtsc(void)
{
    u32 lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return lo | (u64)hi << 32;
}

/* TSC cycles that the PIT takes for 16 of its ticks, over some 20000, with CPUID between its readings. */
static u32 tsc_of_pit(unsigned exits)
{
    pit_one_shot(0xffff);
    for (unsigned i = 0; i < 100000 && pit_read() < 0xf000; i++)
        ;
    u16 first = pit_read();
    u64 begin_tsc = rdtsc();
    u16 now = first;
    for (unsigned i = 0; i < 1000000 && first - now < 20000; i++) {
        for (unsigned j = 0; j < exits; j++)
            (void)cpuid(0, 0);
        now = pit_read();
    }
    return (u32)(rdtsc() - begin_tsc) * 16 / (u32)(first - now);
}

TEST(tsc_pit, "the TSC and the PIT agree, with few exits and with many")
{
    u32 few = tsc_of_pit(0), many = tsc_of_pit(20);
    CHECK(few > 100);
    CHECK(few - few / 20 < many);
    CHECK(many - many / 20 < few);
    CONTEXT("# %u and %u\n", few, many);
}
