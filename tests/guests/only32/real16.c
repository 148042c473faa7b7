/* Programs of real mode (SDM vol. 3, chapter 20). */

#include "../core/guest.h"

enum { LOW = 0x9000, BIOS_PIC0 = 0x08, BIOS_PIC1 = 0x70, RESULTS = 16 };

extern u8 real_begin[], real_end[], real_call[], real_target[], real_result[], real_vector[];
extern u8 r_int[], r_flags[], r_divide[], r_undefined[], r_limit[], r_big[], r_wrap[],
    r_stack_wrap[], r_mixed[], r_hlt[], r_shadow[], r_step[], r_into[], r_bound[], r_smsw[];

#define LOW_AT(label) (LOW + ((label)-real_begin))

/* What real_vector leaves. */
enum { IP, CS, FLAGS, FLAGS_IN, COUNT, AFTER, EXPECTED, EARLY };

/* Runs a program with one interrupt vector of real mode taken (-1: none); its results as words. */
static const volatile u16 *real_run(const u8 *program, int vector)
{
    volatile u32 *ivt = NULL;
    u32 kept = 0;
    __asm__("" : "+r"(ivt)); /* 0 is a good address here */
    memcpy((void *)LOW, real_begin, (ulong)(real_end - real_begin));
    *(volatile u16 *)LOW_AT(real_target) = (u16)LOW_AT(program);
    if (vector >= 0) {
        kept = ivt[vector];
        ivt[vector] = (u32)LOW_AT(real_vector);
    }
    pic_init(BIOS_PIC0, BIOS_PIC1, 0xffff);
    ((void (*)(void))LOW_AT(real_call))();
    pic_init(IRQ_BASE, IRQ_BASE + 8, 0xffff);
    if (vector >= 0)
        ivt[vector] = kept;
    return (const volatile u16 *)LOW_AT(real_result);
}

TEST(real_int, "real mode: INT n through the IVT, and IRET")
{
    const volatile u16 *r = real_run(r_int, 0x60);
    CHECK_EQ(r[COUNT], 1);
    CHECK_EQ(r[IP], r[EXPECTED]);
    CHECK_EQ(r[CS], 0);
    CHECK(r[FLAGS] & FLAG_IF);
    CHECK(!(r[FLAGS_IN] & FLAG_IF));
    CHECK(r[AFTER] & FLAG_IF);
}

TEST(real_flags, "real mode: POPF changes IOPL and NT, PUSHF shows them")
{
    const volatile u16 *r = real_run(r_flags, -1);
    CHECK_EQ(r[0] & 0xf002, 0x7002);
    CHECK_EQ(r[1] & 0xf002, 0x0002);
    CHECK_EQ(r[3] & 3, 0); /* neither VM nor RF */
}

TEST(real_divide, "real mode: #DE by vector 0, its IP at the DIV")
{
    const volatile u16 *r = real_run(r_divide, DE);
    CHECK_EQ(r[COUNT], 1);
    CHECK_EQ(r[IP], r[EXPECTED]);
}

TEST(real_undefined, "real mode: LAR, SLDT, LTR and VERR raise #UD")
{
    const volatile u16 *r = real_run(r_undefined, UD);
    CHECK_EQ(r[COUNT], 4);
}

TEST(real_limit, "real mode: accesses beyond FFFFh raise vector 13 without an error code")
{
    const volatile u16 *r = real_run(r_limit, GP);
    CHECK_EQ(r[COUNT], 3);
}

TEST(real_big, "big real mode: a limit of 4 GiB stays")
{
    volatile u32 *high = (volatile u32 *)0x200000;
    high[0] = 0x11112222;
    high[1] = 0x33334444;
    high[2] = 0;
    const volatile u32 *r = (const volatile u32 *)real_run(r_big, -1);
    CHECK_EQ(r[0], 0x11112222);
    CHECK_EQ(r[1], 0x33334444);
    CHECK_EQ(high[2], 0x600df00d);
}

TEST(real_wrap, "real mode: FFFFh:0510h is above 1 MiB with A20 on, and wraps with it off")
{
    volatile u16 *low = (volatile u16 *)0x500;
    __asm__("" : "+r"(low));
    u16 kept = *low, kept_high = *(volatile u16 *)0x100500;
    *low = 0x1111;
    *(volatile u16 *)0x100500 = 0x2222;
    const volatile u16 *r = real_run(r_wrap, -1);
    CHECK_EQ(r[0], 0x2222);
    CHECK_EQ(r[1], 0x1111);
    CHECK_EQ(r[2], 0x2222);
    *low = kept;
    *(volatile u16 *)0x100500 = kept_high;
}

TEST(real_stack_wrap, "real mode: SP and DI wrap at 64 KiB")
{
    const volatile u16 *r = real_run(r_stack_wrap, -1);
    CHECK_EQ(r[0], 0xfffe);
    CHECK_EQ(r[1], 0x4321);
    CHECK_EQ(r[2], 0);
    CHECK_EQ(r[3], 2);
    CHECK_EQ(r[4], 0x5a5a);
}

TEST(real_mixed, "real mode: far calls, ENTER, LES, XLAT, 32-bit addresses and operands")
{
    const volatile u16 *r = real_run(r_mixed, -1);
    CHECK_EQ(r[0], 0x1234);
    CHECK_EQ(r[1], 0x9abc);
    CHECK_EQ(r[2], 0x5678);
    CHECK_EQ(r[3] & 0xff, 0xbc);
    CHECK_EQ(r[4], 0x5678);
    CHECK_EQ(r[5], 0x9abc);
}

TEST(real_hlt, "real mode: HLT ends at the PIT's interrupt")
{
    const volatile u16 *r = real_run(r_hlt, BIOS_PIC0);
    CHECK_EQ(r[COUNT], 1);
    CHECK(r[FLAGS] & FLAG_IF);
}

TEST(real_shadow, "real mode: no interrupt before the instruction after STI has ended")
{
    const volatile u16 *r = real_run(r_shadow, BIOS_PIC0);
    CHECK_EQ(r[EARLY], 0);
    CHECK_EQ(r[COUNT], 1);
    CHECK_EQ(r[IP], r[EXPECTED]);
}

TEST(real_step, "real mode: single steps by vector 1")
{
    const volatile u16 *r = real_run(r_step, DB);
    CHECK_EQ(r[COUNT], 9);
    CHECK(!(r[FLAGS_IN] & FLAG_TF));
}

TEST(real_into, "real mode: INTO is a trap to vector 4")
{
    const volatile u16 *r = real_run(r_into, OF);
    CHECK_EQ(r[COUNT], 1);
    CHECK_EQ(r[IP], r[EXPECTED]);
}

TEST(real_bound, "real mode: BOUND is a fault to vector 5")
{
    const volatile u16 *r = real_run(r_bound, BR);
    CHECK_EQ(r[COUNT], 1);
    CHECK_EQ(r[IP], r[EXPECTED]);
}

TEST(real_smsw, "real mode: SMSW shows PE clear, SGDT the limit")
{
    const volatile u16 *r = real_run(r_smsw, -1);
    CHECK_EQ(r[0] & 1, 0);
    CHECK_EQ(r[1], GDT_ENTRIES * 8 - 1);
}
