/* x87, SSE and AVX state and XSAVE (SDM vol. 1, 13). */

#include "core/guest.h"

#define CR4_OSXSAVE (1ul << 18)
#define CR4_OSXMMEXCPT (1ul << 10)
enum { XCR0_X87 = 1, XCR0_SSE = 2, XCR0_AVX = 4, AREA = 1024 };

static bool xsave_on(void)
{
    if (!(cpuid(1, 0).ecx & 1u << 26)) {
        test_skip("no XSAVE");
        return false;
    }
    write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP);
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXSAVE);
    return true;
}

static void xsave_off(void)
{
    write_cr4(read_cr4() & ~(CR4_OSFXSR | CR4_OSXSAVE));
}

static u64 xgetbv(u32 n)
{
    u32 lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(n));
    return lo | (u64)hi << 32;
}

static void xsetbv(u32 n, u64 v)
{
    __asm__ volatile("xsetbv" : : "c"(n), "a"((u32)v), "d"((u32)(v >> 32)));
}

static void exits(void)
{
    for (unsigned i = 0; i < 20; i++) {
        (void)cpuid(0, 0);
        (void)in8(0x21);
        (void)CATCH(__asm__ volatile("ud2"));
    }
}

TEST(xcr0, "XGETBV and XSETBV: XCR0 as written, bad values raise #GP(0)")
{
    if (!xsave_on())
        return;
    u64 home = xgetbv(0);
    CHECK(home & XCR0_X87);
    CHECK_EQ(CATCH(xsetbv(0, XCR0_X87 | XCR0_SSE)), NO_TRAP);
    CHECK_EQ(xgetbv(0), XCR0_X87 | XCR0_SSE);
    exits();
    CHECK_EQ(xgetbv(0), XCR0_X87 | XCR0_SSE);
    CHECK_EQ(CATCH(xsetbv(0, 0)), GP);
    CHECK_EQ(CATCH(xsetbv(0, XCR0_X87 | XCR0_AVX)), GP);
    CHECK_EQ(CATCH(xsetbv(0, XCR0_X87 | 1ull << 62)), GP);
    CHECK_EQ(CATCH(xsetbv(1, XCR0_X87)), GP);
    CHECK_EQ(trap_last.error, 0);
    CHECK_EQ(xgetbv(0), XCR0_X87 | XCR0_SSE);
    xsetbv(0, XCR0_X87);
    CHECK_EQ(cpuid(0xd, 0).ebx, 576);
    xsetbv(0, home);
    xsave_off();
    CHECK_EQ(CATCH((void)xgetbv(0)), UD);
}

static void u_xsetbv(void)
{
    xsetbv(0, XCR0_X87);
    user_exit();
}

TEST(xsetbv_user, "XSETBV in ring 3 raises #GP(0), XGETBV works")
{
    if (!xsave_on())
        return;
    CHECK_EQ(user_run(u_xsetbv, 0), GP);
    xsave_off();
}

TEST(avx_size, "CPUID leaf 0Dh: the size follows XCR0")
{
    if (!xsave_on())
        return;
    if (!(cpuid(0xd, 0).eax & XCR0_AVX)) {
        xsave_off();
        test_skip("no AVX");
        return;
    }
    u64 home = xgetbv(0);
    xsetbv(0, XCR0_X87 | XCR0_SSE);
    u32 small = cpuid(0xd, 0).ebx;
    xsetbv(0, XCR0_X87 | XCR0_SSE | XCR0_AVX);
    u32 large = cpuid(0xd, 0).ebx;
    CHECK_EQ(small, 576);
    CHECK_EQ(large, 832);
    CHECK(cpuid(0xd, 0).ecx >= large);
    xsetbv(0, home);
    xsave_off();
}

static u8 pattern[256], area[2][AREA] __attribute__((aligned(64)));

TEST(avx_state, "the upper halves of the YMM registers survive exits")
{
    if (!xsave_on())
        return;
    if (!(cpuid(0xd, 0).eax & XCR0_AVX)) {
        xsave_off();
        test_skip("no AVX");
        return;
    }
    u64 home = xgetbv(0);
    xsetbv(0, XCR0_X87 | XCR0_SSE | XCR0_AVX);
    for (unsigned i = 0; i < sizeof pattern; i++)
        pattern[i] = (u8)(i * 5 + 1);
    memset(area, 0, sizeof area);
    __asm__ volatile("vmovups (%0), %%ymm0; vmovups 32(%0), %%ymm1; vmovups 64(%0), %%ymm2\n"
                     "vmovups 96(%0), %%ymm3; vmovups 128(%0), %%ymm7"
                     :
                     : "r"(pattern));
    exits();
    __asm__ volatile("xsave (%0)" : : "r"(area[0]), "a"(7), "d"(0) : "memory");
    CHECK_EQ(*(u64 *)(area[0] + 512) & 6, 6); /* XSTATE_BV */
    CHECK(!memcmp(area[0] + 576, pattern + 16, 16));
    CHECK(!memcmp(area[0] + 576 + 16, pattern + 48, 16));
    CHECK(!memcmp(area[0] + 576 + 7 * 16, pattern + 144, 16));
    CHECK(!memcmp(area[0] + 160, pattern, 16));
    __asm__ volatile("vzeroall");
    __asm__ volatile("xrstor (%0)" : : "r"(area[0]), "a"(7), "d"(0) : "memory");
    exits();
    __asm__ volatile("vmovups %%ymm7, (%0)" : : "r"(area[1]) : "memory");
    CHECK(!memcmp(area[1], pattern + 128, 32));
    __asm__ volatile("vzeroall");
    xsetbv(0, home);
    xsave_off();
}

TEST(avx_off, "AVX raises #UD without XCR0's bit or CR4.OSXSAVE")
{
    if (!xsave_on())
        return;
    if (!(cpuid(0xd, 0).eax & XCR0_AVX)) {
        xsave_off();
        test_skip("no AVX");
        return;
    }
    u64 home = xgetbv(0);
    xsetbv(0, XCR0_X87 | XCR0_SSE);
    CHECK_EQ(CATCH(__asm__ volatile("vzeroupper")), UD);
    xsetbv(0, XCR0_X87 | XCR0_SSE | XCR0_AVX);
    CHECK_EQ(CATCH(__asm__ volatile("vzeroupper")), NO_TRAP);
    write_cr0(read_cr0() | CR0_TS);
    CHECK_EQ(CATCH(__asm__ volatile("vzeroupper")), NM);
    write_cr0(read_cr0() & ~CR0_TS);
    xsetbv(0, home);
    xsave_off();
    CHECK_EQ(CATCH(__asm__ volatile("vzeroupper")), UD);
}

TEST(xsave_errors, "XSAVE to an address that is no multiple of 64 raises #GP(0)")
{
    if (!xsave_on())
        return;
    CHECK_EQ(CATCH(__asm__ volatile("xsave (%0)"
                                    :
                                    : "r"(area[0] + 16), "a"(3), "d"(0)
                                    : "memory")),
             GP);
    xsave_off();
}

TEST(fxsave_misaligned, "FXSAVE and MOVAPS to an address that is no multiple of 16 raise #GP(0)")
{
    write_cr0(read_cr0() & ~(CR0_EM | CR0_TS));
    write_cr4(read_cr4() | CR4_OSFXSR);
    CHECK_EQ(CATCH(__asm__ volatile("fxsave (%0)" : : "r"(area[0] + 8) : "memory")), GP);
    CHECK_EQ(CATCH(__asm__ volatile("movaps %%xmm0, (%0)" : : "r"(area[0] + 8) : "memory")), GP);
    CHECK_EQ(CATCH(__asm__ volatile("movups %%xmm0, (%0)"
                                    :
                                    : "r"(area[0] + 8)
                                    : "memory")),
             NO_TRAP);
    write_cr4(read_cr4() & ~CR4_OSFXSR);
}

TEST(mxcsr_reserved, "LDMXCSR with reserved bits raises #GP(0)")
{
    u32 bad = 1u << 31, good = 0x1f80;
    write_cr0(read_cr0() & ~(CR0_EM | CR0_TS));
    write_cr4(read_cr4() | CR4_OSFXSR);
    CHECK_EQ(CATCH(__asm__ volatile("ldmxcsr %0" : : "m"(bad))), GP);
    CHECK_EQ(CATCH(__asm__ volatile("ldmxcsr %0" : : "m"(good))), NO_TRAP);
    write_cr4(read_cr4() & ~CR4_OSFXSR);
}

TEST(simd_exception, "an unmasked SSE exception raises #XM with CR4.OSXMMEXCPT, else #UD")
{
    u32 unmasked = 0x1d80, home = 0x1f80; /* division by zero */
    static const u32 one[4] __attribute__((aligned(16))) = {0x3f800000};
    write_cr0(read_cr0() & ~(CR0_EM | CR0_TS));
    for (unsigned i = 0; i < 2; i++) {
        write_cr4((read_cr4() & ~CR4_OSXMMEXCPT) | CR4_OSFXSR | (i ? CR4_OSXMMEXCPT : 0));
        __asm__ volatile("ldmxcsr %0; movaps %1, %%xmm0; xorps %%xmm1, %%xmm1"
                         :
                         : "m"(unmasked), "m"(one));
        CHECK_EQ(CATCH(__asm__ volatile("divss %xmm1, %xmm0")), i ? XM : UD);
        __asm__ volatile("ldmxcsr %0" : : "m"(home));
    }
    write_cr4(read_cr4() & ~(CR4_OSFXSR | CR4_OSXMMEXCPT));
}

TEST(x87_in_loop, "x87 results are the same with exits between the operations")
{
    u64 plain[2], mixed[2]; /* doubles, of which each bit counts */
    u64 *out[2] = {plain, mixed};
    write_cr0(read_cr0() & ~(CR0_EM | CR0_TS));
    for (unsigned i = 0; i < 2; i++) {
        __asm__ volatile("fninit; fldpi; fldl2t");
        for (unsigned j = 0; j < 10; j++) {
            __asm__ volatile("fmul %st(1), %st; fsqrt; fxch");
            if (i)
                exits();
        }
        __asm__ volatile("fstpl (%0); fstpl 8(%0)" : : "r"(out[i]) : "memory");
    }
    CHECK(!memcmp(plain, mixed, sizeof plain));
}

TEST(x87_pending, "an x87 error waits for the next waiting instruction")
{
    u16 control = 0x37b, status = 0;
    write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | 1ul << 5);
    __asm__ volatile("fninit; fldcw %0; fldz; fld1; fdivp" : : "m"(control));
    exits();
    __asm__ volatile("fnstsw %0" : "=m"(status)); /* does not wait */
    CHECK(status & 0x80);
    CHECK_EQ(CATCH(__asm__ volatile("fld1")), MF);
    __asm__ volatile("fnclex; fninit");
}
