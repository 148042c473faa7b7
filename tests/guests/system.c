/* Registers of the system: CPUID, MSRs, CR0, CR4, vector state. */

#include "core/guest.h"

#define MSR_UNKNOWN 0x12345678
#define MSR_PAT 0x277
#define MSR_APIC_BASE 0x1b
#define MSR_SYSENTER_CS 0x174
#define MSR_TSC 0x10

TEST(cpuid_stable, "CPUID: the same leaf twice, and what must be there")
{
    struct cpuid a = cpuid(1, 0), b = cpuid(1, 0);
    CHECK(!memcmp(&a, &b, sizeof a));
    CHECK(a.edx & 1 << 4); /* TSC */
    CHECK(a.edx & 1 << 5); /* MSR */
    CHECK(a.edx & 1 << 8); /* CMPXCHG8B */
    CHECK(cpuid(0x80000000, 0).eax >= 0x80000001);
}

TEST(msr_unknown, "RDMSR and WRMSR of an unknown MSR raise #GP(0)")
{
    CHECK_EQ(CATCH(rdmsr(MSR_UNKNOWN)), GP);
    CHECK_EQ(trap_last.error, 0);
    CHECK_EQ(CATCH(wrmsr(MSR_UNKNOWN, 0)), GP);
    CHECK_EQ(trap_last.error, 0);
}

TEST(efer_reserved, "WRMSR of EFER with a reserved bit raises #GP(0)")
{
    u64 efer = rdmsr(MSR_EFER);
    CHECK_EQ(CATCH(wrmsr(MSR_EFER, efer | 1 << 2)), GP);
    CHECK_EQ(CATCH(wrmsr(MSR_EFER, efer | 1ull << 40)), GP);
    CHECK_EQ(rdmsr(MSR_EFER), efer);
}

TEST(efer_bits, "EFER.SCE is as written")
{
    u64 efer = rdmsr(MSR_EFER);
    wrmsr(MSR_EFER, efer ^ EFER_SCE);
    CHECK_EQ(rdmsr(MSR_EFER), efer ^ EFER_SCE);
    wrmsr(MSR_EFER, efer);
    CHECK_EQ(rdmsr(MSR_EFER), efer);
}

TEST(pat, "the PAT is as written")
{
    u64 pat = rdmsr(MSR_PAT);
    CHECK_EQ(pat, 0x0007040600070406);
    wrmsr(MSR_PAT, 0x0007040600070401);
    CHECK_EQ(rdmsr(MSR_PAT), 0x0007040600070401);
    wrmsr(MSR_PAT, pat);
}

TEST(pat_reserved, "a reserved type in the PAT raises #GP(0)")
{
    CHECK_EQ(CATCH(wrmsr(MSR_PAT, 0x0007040600070402)), GP);
    CHECK_EQ(rdmsr(MSR_PAT), 0x0007040600070406);
    wrmsr(MSR_PAT, 0x0007040600070406);
}

TEST(sysenter_msr, "SYSENTER's MSRs are as written")
{
    for (unsigned i = 0; i < 3; i++) {
        wrmsr(MSR_SYSENTER_CS + i, 0x1230 + i);
        CHECK_EQ(rdmsr(MSR_SYSENTER_CS + i), 0x1230 + i);
        wrmsr(MSR_SYSENTER_CS + i, 0);
    }
}

static u64 rdtsc(void)
{
    u32 lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return lo | (u64)hi << 32;
}

TEST(tsc, "the TSC goes on over exits")
{
    u64 last = rdtsc();
    for (unsigned i = 0; i < 100; i++) {
        u64 now = rdtsc();
        CHECK(now > last);
        last = now;
        (void)cpuid(0, 0);
    }
}

TEST(tsc_msr, "RDMSR gives the TSC")
{
    u64 before = rdtsc(), by_msr = rdmsr(MSR_TSC), after = rdtsc();
    CHECK(by_msr > before);
    CHECK(by_msr < after);
}

TEST(tsc_disable, "CR4.TSD: RDTSC faults in ring 3 only")
{
    ulong cr4 = read_cr4();
    write_cr4(cr4 | CR4_TSD);
    CHECK_EQ(CATCH((void)rdtsc()), NO_TRAP);
    write_cr4(cr4);
}

TEST(cr0_invalid, "CR0.NW without CD raises #GP(0)")
{
    ulong cr0 = read_cr0();
    CHECK_EQ(CATCH(write_cr0((cr0 | 1ul << 29) & ~(1ul << 30))), GP);
    CHECK_EQ(read_cr0(), cr0);
    write_cr0(cr0);
}

TEST(cr0_pg_alone, "CR0.PG without PE raises #GP(0)")
{
    ulong cr0 = read_cr0();
    if (on_emulator()) {
        test_skip("takes it, and is lost");
        return;
    }
    CHECK_EQ(CATCH(write_cr0((cr0 & ~CR0_PE) | CR0_PG)), GP);
    CHECK_EQ(read_cr0(), cr0);
}

TEST(cr4_reserved, "CR4 with a reserved bit raises #GP(0)")
{
    ulong cr4 = read_cr4();
    if (on_emulator()) {
        test_skip("hangs");
        return;
    }
    CHECK_EQ(CATCH(write_cr4(cr4 | 1ul << 15)), GP);
    CHECK_EQ(CATCH(write_cr4(cr4 | 1ul << 31)), GP);
    CHECK_EQ(read_cr4(), cr4);
}

TEST(smsw_lmsw, "SMSW and LMSW: PE cannot be cleared")
{
    ulong cr0 = read_cr0(), msw;
    __asm__ volatile("smsw %0" : "=r"(msw));
    CHECK_EQ(msw & 0xffff, cr0 & 0xffff);
    __asm__ volatile("lmsw %w0" : : "r"((cr0 | CR0_TS) & ~CR0_PE));
    CHECK_EQ(read_cr0(), cr0 | CR0_TS);
    __asm__ volatile("clts");
    CHECK_EQ(read_cr0(), cr0 & ~CR0_TS);
}

/* ---- Floating point and vector registers ---- */

static void sse_on(void)
{
    write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP);
    write_cr4(read_cr4() | CR4_OSFXSR);
}

static void provoke_exits(void)
{
    for (unsigned i = 0; i < 20; i++) {
        (void)cpuid(0, 0);
        (void)in8(0x21);
        (void)rdmsr(MSR_EFER);
        (void)CATCH(__asm__ volatile("ud2"));
    }
}

static u8 area[2][512] __attribute__((aligned(16)));

TEST(vector_state, "x87 and SSE state survive exits")
{
    sse_on();
    u8 *before = area[0], *after = area[1];
    u32 mxcsr = 0x1f80 | 0x6000;
    u16 control = 0xf7f;
    __asm__ volatile("fninit; fldpi; fldl2e; fld1; fldcw %0" : : "m"(control));
    for (unsigned i = 0; i < 512; i++)
        before[i] = after[i] = (u8)(i * 7); /* FXSAVE leaves reserved bytes alone */
    __asm__ volatile(
        "movups (%0), %%xmm0; movups 16(%0), %%xmm1; movups 32(%0), %%xmm2; movups 48(%0), %%xmm3\n"
        "movups 64(%0), %%xmm4; movups 80(%0), %%xmm5; movups 96(%0), %%xmm6; movups 112(%0), "
        "%%xmm7\n"
        "ldmxcsr %1"
        :
        : "r"(before), "m"(mxcsr)
        : "memory");
    __asm__ volatile("fxsave %0" : "=m"(area[0]) : : "memory");
    provoke_exits();
    __asm__ volatile("fxsave %0" : "=m"(area[1]) : : "memory");
    CHECK(!memcmp(before, after, 288)); /* registers to XMM7 */
    CHECK_EQ(*(u16 *)after, 0xf7f);
    CHECK_EQ(*(u32 *)(after + 24), mxcsr);
    __asm__ volatile("fninit");
    mxcsr = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
}

TEST(sse_off, "SSE raises #UD without CR4.OSFXSR")
{
    ulong cr4 = read_cr4();
    write_cr4(cr4 & ~CR4_OSFXSR);
    CHECK_EQ(CATCH(__asm__ volatile("xorps %xmm0, %xmm0")), UD);
    write_cr4(cr4 | CR4_OSFXSR);
    CHECK_EQ(CATCH(__asm__ volatile("xorps %xmm0, %xmm0")), NO_TRAP);
    write_cr4(cr4);
}

TEST(registers, "general registers survive exits")
{
    ulong b = 0xb0b0b0b0, si = 0x51515151, di = 0xd1d1d1d1, ok;
    __asm__ volatile("push %%" LONG_OR_SHORT(
                         "rbp", "ebp") "\n"
                                       "mov $0x12345678, %%ebp\n"
                                       "in $0x21, %%al\n"
                                       "mov $0, %%eax\n"
                                       "mov $0xc0000080, %%ecx\n"
                                       "rdmsr\n"
                                       "mov %%cr3, %%" LONG_OR_SHORT(
                                           "rdx", "edx") "\n"
                                                         "xor %%eax, %%eax\n"
                                                         "cmp $0x12345678, %%ebp\n"
                                                         "sete %%al\n"
                                                         "pop %%" LONG_OR_SHORT("rbp", "ebp") "\n"
                     : "=a"(ok), "+b"(b), "+S"(si), "+D"(di)
                     :
                     : "ecx", "edx", "memory", "cc");
    CHECK_EQ(ok, 1);
    CHECK_EQ(b, 0xb0b0b0b0);
    CHECK_EQ(si, 0x51515151);
    CHECK_EQ(di, 0xd1d1d1d1);
}
