/* Instructions that a hypervisor may want to see: CPUID, RDTSC, MSRs, control registers. */

#include "bare.h"

enum { MSR_SYSENTER_CS = 0x174, MSR_PAT = 0x277 };

static u64 saved, seen;

/* ---- CPUID, RDTSC ---- */

static void cpuid_setup(void)
{
    saved = cpuid(0, 0).ebx;
}

static void cpuid_run(u32 n)
{
    for (u32 i = 0; i < n; i++)
        seen = cpuid(0, 0).ebx;
}

static void same_verify(u32 n)
{
    (void)n;
    CHECK_EQ(seen, saved);
}

BARE(cpuid, "cpuid", "CPUID of leaf 0", .ops = 1, .setup = cpuid_setup, .run = cpuid_run,
     .verify = same_verify);

static bool ran_back;

static void rdtsc_run(u32 n)
{
    u64 last = 0;
    for (u32 i = 0; i < n; i++) {
        u32 low, high;
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
        u64 now = low | (u64)high << 32;
        ran_back |= now < last;
        last = now;
    }
}

static void rdtsc_verify(u32 n)
{
    (void)n;
    CHECK(!ran_back);
}

BARE(rdtsc, "rdtsc", "RDTSC", .ops = 1, .run = rdtsc_run, .verify = rdtsc_verify);

/* ---- MSRs ---- */

static void msr_setup(void)
{
    u32 needs = current->param == MSR_SYSENTER_CS ? EDX_SEP : EDX_PAT;
    if (!cpu_has(needs))
        test_skip("the CPU does not have this MSR");
    else
        saved = seen = rdmsr(current->param);
}

static void rdmsr_run(u32 n)
{
    u32 msr = current->param;
    for (u32 i = 0; i < n; i++)
        seen = rdmsr(msr);
}

/* The value is one that both MSRs take: a selector, and a table of write-back entries. */
static const u64 msr_values[2] = {0x0606060606060606, 0x0606060606060600};

static u64 msr_value(u32 msr, u32 i)
{
    return msr == MSR_SYSENTER_CS ? 8 + (i & 1) * 8 : msr_values[i & 1];
}

static void wrmsr_run(u32 n)
{
    u32 msr = current->param;
    u64 value[2] = {msr_value(msr, 0), msr_value(msr, 1)};
    for (u32 i = 0; i < n; i++)
        wrmsr(msr, value[i & 1]);
    seen = n;
}

static void wrmsr_finish(void)
{
    u32 msr = current->param;
    CHECK_EQ(rdmsr(msr), msr_value(msr, (u32)seen - 1));
    wrmsr(msr, saved);
    CHECK_EQ(rdmsr(msr), saved);
}

BARE(rdmsr_sysenter, "rdmsr_sysenter", "RDMSR of IA32_SYSENTER_CS", .ops = 1,
     .param = MSR_SYSENTER_CS, .setup = msr_setup, .run = rdmsr_run, .verify = same_verify);
BARE(wrmsr_sysenter, "wrmsr_sysenter", "WRMSR of IA32_SYSENTER_CS", .ops = 1,
     .param = MSR_SYSENTER_CS, .setup = msr_setup, .run = wrmsr_run, .finish = wrmsr_finish);
BARE(rdmsr_pat, "rdmsr_pat", "RDMSR of IA32_PAT", .ops = 1, .param = MSR_PAT, .setup = msr_setup,
     .run = rdmsr_run, .verify = same_verify);
BARE(wrmsr_pat, "wrmsr_pat", "WRMSR of IA32_PAT", .ops = 1, .param = MSR_PAT, .setup = msr_setup,
     .run = wrmsr_run, .finish = wrmsr_finish);

/* ---- Control registers; one operation is one of the two writes ---- */

static void wp_run(u32 n)
{
    ulong on = read_cr0() | CR0_WP;
    for (u32 i = 0; i < n; i++) {
        write_cr0(on & ~CR0_WP);
        write_cr0(on);
    }
}

/* The bit works: a write to a read-only page faults only with it. */
static void wp_finish(void)
{
    volatile u8 *at = WINDOW;
    paging_map(WINDOW, page_alloc(), PTE_P | PTE_A | PTE_D);
    CHECK_EQ(CATCH(*at = 1), PF);
    write_cr0(read_cr0() & ~CR0_WP);
    CHECK_EQ(CATCH(*at = 2), NO_TRAP);
    CHECK_EQ(*at, 2);
    write_cr0(read_cr0() | CR0_WP);
    CHECK_EQ(CATCH(*at = 3), PF);
}

BARE(cr0_wp, "cr0_wp", "MOV to CR0 that changes WP", .each_mode = true, .ops = 2, .run = wp_run,
     .finish = wp_finish);

static void ts_run(u32 n)
{
    ulong off = read_cr0() & ~CR0_TS;
    for (u32 i = 0; i < n; i++) {
        write_cr0(off | CR0_TS);
        __asm__ volatile("clts");
    }
}

static void ts_finish(void)
{
    CHECK(!(read_cr0() & CR0_TS));
    write_cr0((read_cr0() & ~CR0_EM) | CR0_TS);
    CHECK_EQ(CATCH(__asm__ volatile("fnop")), NM);
    __asm__ volatile("clts");
    CHECK_EQ(CATCH(__asm__ volatile("fnop")), NO_TRAP);
}

BARE(cr0_ts, "cr0_ts", "MOV to CR0 that sets TS, or CLTS", .ops = 2, .run = ts_run,
     .finish = ts_finish);

static void pge_setup(void)
{
    if (!cpu_has(EDX_PGE))
        test_skip("the CPU has no global pages");
}

static void pge_run(u32 n)
{
    ulong off = read_cr4() & ~CR4_PGE;
    for (u32 i = 0; i < n; i++) {
        write_cr4(off | CR4_PGE);
        write_cr4(off);
    }
}

/* Clearing the bit forgets a global translation, and the register reads as written. */
static void pge_finish(void)
{
    volatile u8 *at = WINDOW;
    u8 *page[2] = {page_alloc(), page_alloc()};
    page[0][0] = 1;
    page[1][0] = 2;
    write_cr4(read_cr4() | CR4_PGE);
    CHECK(read_cr4() & CR4_PGE);
    paging_map(WINDOW, page[0], PTE_ALL | PTE_G);
    CHECK_EQ(*at, 1);
    *(volatile u32 *)paging_entry(WINDOW, 1) = (u32)(ulong)page[1] | PTE_ALL | PTE_G;
    write_cr4(read_cr4() & ~CR4_PGE);
    CHECK(!(read_cr4() & CR4_PGE));
    CHECK_EQ(*at, 2);
}

BARE(cr4_pge, "cr4_pge", "MOV to CR4 that changes PGE", .each_mode = true, .ops = 2,
     .setup = pge_setup, .run = pge_run, .finish = pge_finish);
