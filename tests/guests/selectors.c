/* Selectors and descriptors: what loading, testing and using them does (SDM vol. 3, chapters 3 and 5). */

#include "core/guest.h"

#define DESC_BASE(base)                                                                            \
    (((u64)(ulong)(base)&0xffffff) << 16 | ((u64)(ulong)(base) >> 24 & 0xff) << 56)
#define ATTR(access) ((u64)(access) << 40)
#define FLAT 0x00cf00000000ffffull
enum { DATA_RW = 0x92, DATA_RO = 0x90, CODE_X = 0x98, CODE_XR = 0x9a, LDT_TYPE = 0x82 };
enum { BEYOND = 0x1000 };

/* The access rights, or 0. */
static u32 lar(u32 selector)
{
    u32 v = 0;
    u8 ok;
    __asm__ volatile("lar %2, %0; setz %1" : "+r"(v), "=q"(ok) : "r"(selector) : "cc");
    return ok ? v : 0;
}

static bool lsl(u32 selector, u32 *v)
{
    u8 ok;
    *v = 0;
    __asm__ volatile("lsl %2, %0; setz %1" : "+r"(*v), "=q"(ok) : "r"(selector) : "cc");
    return ok;
}

static bool verr(u32 selector)
{
    u8 ok;
    __asm__ volatile("verr %w1; setz %0" : "=q"(ok) : "r"(selector) : "cc");
    return ok;
}

static bool verw(u32 selector)
{
    u8 ok;
    __asm__ volatile("verw %w1; setz %0" : "=q"(ok) : "r"(selector) : "cc");
    return ok;
}

TEST(lar_lsl, "LAR and LSL of segments, gates, and what is none")
{
    u32 v;
    CHECK_EQ(lar(0), 0);
    CHECK_EQ(lar(BEYOND), 0);
    CHECK_EQ(lar(SEL_DATA) & 0xf0fe00, 0xc09200);
    CHECK_EQ(lar(SEL_CODE16) & 0xf0fe00, 0x009a00);
    CHECK_EQ(lar(SEL_TSS) & 0xff00, 0x8b00);
    CHECK(lsl(SEL_DATA, &v));
    CHECK_EQ(v, 0xffffffff);
    CHECK(lsl(SEL_CODE16, &v));
    CHECK_EQ(v, 0xffff);
    CHECK(!lsl(0, &v));
    CHECK(!lsl(BEYOND, &v));
    gdt_set(SEL_LDT, 0x8c00ull << 32); /* a call gate */
    gdt_set(SEL_LDT + 8, 0);
    CHECK_EQ(lar(SEL_LDT) & 0xff00, 0x8c00);
    CHECK(!lsl(SEL_LDT, &v));
    gdt_set(SEL_LDT, 0x8e00ull << 32); /* an interrupt gate */
    CHECK_EQ(lar(SEL_LDT), 0);
    gdt_set(SEL_LDT, 0);
    CHECK_EQ(lar(SEL_DATA | 3), 0); /* RPL 3, DPL 0 */
}

TEST(verr_verw, "VERR and VERW")
{
    CHECK(verr(SEL_DATA));
    CHECK(verw(SEL_DATA));
    CHECK(verr(SEL_CODE));
    CHECK(!verw(SEL_CODE));
    CHECK(!verr(0));
    CHECK(!verr(SEL_TSS));
    CHECK(!verr(SEL_DATA | 3));
    gdt_set(SEL_FREE, FLAT | ATTR(DATA_RO));
    CHECK(verr(SEL_FREE));
    CHECK(!verw(SEL_FREE));
    gdt_set(SEL_FREE, FLAT | ATTR(CODE_X));
    CHECK(!verr(SEL_FREE));
    gdt_set(SEL_FREE, 0);
}

TEST(accessed_descriptor, "loading a segment sets its descriptor's accessed bit")
{
    gdt_set(SEL_FREE, FLAT | ATTR(DATA_RW));
    __asm__ volatile("mov %w0, %%fs" : : "r"(SEL_FREE));
    CHECK_EQ(gdt_get(SEL_FREE), FLAT | ATTR(DATA_RW | 1));
    __asm__ volatile("mov %w0, %%fs" : : "r"(0));
    gdt_set(SEL_FREE, 0);
}

TEST(load_errors, "what cannot be loaded into a data segment raises #GP with its selector")
{
    static const struct {
        u8 access;
        int vector;
    } kinds[] = {{DATA_RW, NO_TRAP}, {DATA_RO, NO_TRAP}, {CODE_XR, NO_TRAP}, {CODE_X, GP},
                 {0x89, GP},         {0x8c, GP},         {0x12, NP},         {0x00, GP}};
    for (unsigned i = 0; i < array_size(kinds); i++) {
        gdt_set(SEL_FREE, FLAT | ATTR(kinds[i].access));
        CHECK_EQ(CATCH(__asm__ volatile("mov %w0, %%fs" : : "r"(SEL_FREE))), kinds[i].vector);
        if (kinds[i].vector != NO_TRAP)
            CHECK_EQ(trap_last.error, SEL_FREE);
        CONTEXT("# access %x\n", kinds[i].access);
        __asm__ volatile("mov %w0, %%fs" : : "r"(0));
    }
    gdt_set(SEL_FREE, 0);
}

TEST(load_ss_errors, "what cannot be loaded into SS")
{
    gdt_set(SEL_FREE, FLAT | ATTR(DATA_RO));
    CHECK_EQ(CATCH(__asm__ volatile("mov %w0, %%ss" : : "r"(SEL_FREE))), GP);
    CHECK_EQ(trap_last.error, SEL_FREE);
    CHECK_EQ(CATCH(__asm__ volatile("mov %w0, %%ss" : : "r"(SEL_CODE))), GP);
    CHECK_EQ(trap_last.error, SEL_CODE);
    CHECK_EQ(CATCH(__asm__ volatile("mov %w0, %%ss" : : "r"(SEL_UDATA))), GP);
    CHECK_EQ(trap_last.error, SEL_UDATA & ~3);
    CHECK_EQ(CATCH(__asm__ volatile("mov %w0, %%ss" : : "r"(SEL_DATA | 1))), GP);
    CHECK_EQ(trap_last.error, SEL_DATA);
    CHECK_EQ(CATCH(__asm__ volatile(".byte 0x8e, 0xc8" : : "a"(SEL_CODE))), UD); /* MOV CS, AX */
    gdt_set(SEL_FREE, 0);
}

TEST(null_ss, "a null SS raises #GP(0); 64-bit code of ring 0 may have it")
{
    CHECK_EQ(CATCH(__asm__ volatile("mov %w0, %%ss" : : "r"(0))), LONG_MODE ? NO_TRAP : GP);
    if (!LONG_MODE)
        CHECK_EQ(trap_last.error, 0);
    __asm__ volatile("mov %w0, %%ss" : : "r"(SEL_DATA));
}

static u64 ldt[2];

static void ldt_descriptor(u8 access)
{
    gdt_set(SEL_LDT, DESC_BASE(ldt) | (sizeof ldt - 1) | ATTR(access));
    gdt_set(SEL_LDT + 8, 0);
}

TEST(ldt_use, "segments of an LDT, and its limit")
{
    static volatile u32 cell = 0x1357;
    u32 v;
    ldt[1] = 0x000f | DESC_BASE(&cell) | ATTR(DATA_RW | 0x40) | 1ull << 54;
    ldt_descriptor(LDT_TYPE);
    __asm__ volatile("lldt %w0" : : "r"(SEL_LDT));
    __asm__ volatile("sldt %0" : "=r"(v));
    CHECK_EQ(v & 0xffff, SEL_LDT);
    CHECK_EQ(CATCH(__asm__ volatile("mov %w0, %%fs" : : "r"(0xc))), NO_TRAP);
    __asm__ volatile("mov %%fs:0, %0" : "=r"(v));
    CHECK_EQ(v, 0x1357);
    CHECK_EQ(CATCH(__asm__ volatile("mov %w0, %%fs" : : "r"(0x14))), GP);
    CHECK_EQ(trap_last.error, 0x14);
    __asm__ volatile("mov %w0, %%fs; lldt %w0" : : "r"(0));
    CHECK_EQ(CATCH(__asm__ volatile("mov %w0, %%fs" : : "r"(0xc))), GP);
    CHECK_EQ(trap_last.error, 0xc);
    gdt_set(SEL_LDT, 0);
}

TEST(lldt_errors, "LLDT: what is no LDT, or absent")
{
    CHECK_EQ(CATCH(__asm__ volatile("lldt %w0" : : "r"(SEL_DATA))), GP);
    CHECK_EQ(trap_last.error, SEL_DATA);
    CHECK_EQ(CATCH(__asm__ volatile("lldt %w0" : : "r"(BEYOND))), GP);
    CHECK_EQ(trap_last.error, BEYOND);
    CHECK_EQ(CATCH(__asm__ volatile("lldt %w0" : : "r"(0xc))), GP);
    CHECK_EQ(trap_last.error, 0xc);
    ldt_descriptor(LDT_TYPE & 0x7f);
    CHECK_EQ(CATCH(__asm__ volatile("lldt %w0" : : "r"(SEL_LDT))), NP);
    CHECK_EQ(trap_last.error, SEL_LDT);
    gdt_set(SEL_LDT, 0);
    CHECK_EQ(CATCH(__asm__ volatile("lldt %w0" : : "r"(0))), NO_TRAP);
}

TEST(ltr_errors, "LTR: a busy or absent TSS")
{
    u32 v;
    __asm__ volatile("str %0" : "=r"(v));
    CHECK_EQ(v & 0xffff, SEL_TSS);
    CHECK_EQ(CATCH(__asm__ volatile("ltr %w0" : : "r"(SEL_TSS))), GP); /* it is busy */
    CHECK_EQ(trap_last.error, SEL_TSS);
    ldt_descriptor(0x09);
    CHECK_EQ(CATCH(__asm__ volatile("ltr %w0" : : "r"(SEL_LDT))), NP);
    CHECK_EQ(trap_last.error, SEL_LDT);
    gdt_set(SEL_LDT, 0);
}

TEST(ltr_null, "LTR of a null selector raises #GP(0)")
{
    CHECK_EQ(CATCH(__asm__ volatile("ltr %w0" : : "r"(0))), GP);
    CHECK_EQ(trap_last.error, 0);
    gdt_set(SEL_TSS, gdt_get(SEL_TSS) & ~ATTR(2)); /* not busy: for a CPU that took it */
    __asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
}

TEST(descriptor_tables, "SGDT and SIDT give what LGDT and LIDT took")
{
    struct {
        u16 limit;
        ulong base;
    } __attribute__((packed)) gdtr, again, idtr;
    __asm__ volatile("sgdt %0" : "=m"(gdtr));
    __asm__ volatile("sidt %0" : "=m"(idtr));
    CHECK_EQ(gdtr.limit, GDT_ENTRIES * 8 - 1);
    CHECK_EQ(idtr.limit, 64 * (LONG_MODE ? 16 : 8) - 1);
    __asm__ volatile("lgdt %0" : : "m"(gdtr));
    (void)cpuid(0, 0);
    __asm__ volatile("sgdt %0" : "=m"(again));
    CHECK(!memcmp(&gdtr, &again, sizeof gdtr));
}

/* ---- Far transfers ---- */

extern volatile u32 far_cs, far_params, far_ss;
extern volatile ulong far_sp, far_before, far_after;
void far_same(u32 selector), far_return(u32 selector);
extern u8 gate_entry[];
void gate_user(void), conforming_user(void), far_down_user(void);

TEST(far_call_same, "a far call and its return in ring 0")
{
    CHECK_EQ(CATCH(far_same(SEL_CODE)), NO_TRAP);
    CHECK_EQ(far_cs, SEL_CODE);
}

TEST(far_call_errors, "far transfers to what is no code of this ring")
{
    static const struct {
        u32 selector, error;
        int vector;
    } bad[] = {{0, 0, GP},
               {SEL_DATA, SEL_DATA, GP},
               {SEL_UCODE32, SEL_UCODE32 & ~3, GP},
               {BEYOND, BEYOND, GP},
               {SEL_LDT, SEL_LDT, GP}};
    for (unsigned i = 0; i < array_size(bad); i++) {
        CHECK_EQ(CATCH(far_same(bad[i].selector)), bad[i].vector);
        CHECK_EQ(trap_last.error, bad[i].error);
        CONTEXT("# selector %x\n", bad[i].selector);
    }
    gdt_set(SEL_FREE, gdt_get(SEL_CODE) & ~(1ull << 47));
    CHECK_EQ(CATCH(far_same(SEL_FREE)), NP);
    CHECK_EQ(trap_last.error, SEL_FREE);
    gdt_set(SEL_FREE, 0);
}

TEST(far_return_errors, "RETF to what is no code of this ring")
{
    CHECK_EQ(CATCH(far_return(SEL_CODE)), NO_TRAP);
    CHECK_EQ(CATCH(far_return(0)), GP);
    CHECK_EQ(trap_last.error, 0);
    CHECK_EQ(CATCH(far_return(SEL_DATA)), GP);
    CHECK_EQ(trap_last.error, SEL_DATA);
    gdt_set(SEL_FREE, gdt_get(SEL_CODE) & ~(1ull << 47));
    CHECK_EQ(CATCH(far_return(SEL_FREE)), NP);
    CHECK_EQ(trap_last.error, SEL_FREE);
    gdt_set(SEL_FREE, 0);
}

static void call_gate(unsigned dpl, unsigned params, bool present)
{
    u64 at = (ulong)gate_entry;
    gdt_set(SEL_LDT, (at & 0xffff) | (u64)SEL_CODE << 16 | (u64)params << 32 |
                         ATTR((present ? 0x8c : 0x0c) | dpl << 5) | (at >> 16 & 0xffff) << 48);
    gdt_set(SEL_LDT + 8, LONG_MODE ? at >> 32 : 0);
}

TEST(gate_user_ring0, "a call gate from ring 3 switches the stack, RETF goes back")
{
    for (unsigned i = 0; i < 3; i++) {
        far_cs = far_ss = far_params = 0;
        far_before = far_after = 0;
        call_gate(3, LONG_MODE ? 0 : 2, true);
        CHECK_EQ(user_run(gate_user, 0), NO_TRAP);
        CHECK_EQ(far_cs & 0xffff, SEL_CODE);
        CHECK_EQ(far_ss & 0xffff,
                 LONG_MODE ? 0 : SEL_DATA); /* null in long mode (SDM vol. 3, 5.8.5) */
        CHECK_EQ(far_params, LONG_MODE ? 0 : 0x11112222);
        CHECK_EQ(far_sp, far_before);
        CHECK_EQ(far_after, far_before + (LONG_MODE ? 0 : 8));
        CHECK_EQ(trap_last.cs, SEL_UCODE);
    }
    gdt_set(SEL_LDT, 0);
}

TEST(gate_denied, "a call gate: privilege and presence")
{
    call_gate(0, 0, true);
    CHECK_EQ(user_run(gate_user, 0), GP);
    CHECK_EQ(trap_last.error, SEL_LDT);
    call_gate(3, 0, false);
    CHECK_EQ(user_run(gate_user, 0), NP);
    CHECK_EQ(trap_last.error, SEL_LDT);
    gdt_set(SEL_LDT, 0);
}

TEST(conforming, "ring 3 calls conforming code of ring 0 and stays in ring 3")
{
    gdt_set(SEL_FREE, gdt_get(SEL_CODE) | ATTR(4));
    CHECK_EQ(user_run(conforming_user, 0), NO_TRAP);
    CHECK_EQ(far_cs & 0xffff, SEL_FREE | 3);
    CHECK_EQ(trap_last.cs, SEL_FREE | 3);
    gdt_set(SEL_FREE, gdt_get(SEL_CODE));
    CHECK_EQ(user_run(conforming_user, 0), GP);
    CHECK_EQ(trap_last.error, SEL_FREE);
    gdt_set(SEL_FREE, 0);
}

TEST(far_down, "ring 3 cannot return to ring 0")
{
    CHECK_EQ(user_run(far_down_user, 0), GP);
    CHECK_EQ(trap_last.error, SEL_CODE);
}

/* ---- IRET ---- */

void iret_to(ulong selector, ulong flags);

TEST(iret_errors, "IRET to what is no code of this ring")
{
    ulong flags = read_flags();
    CHECK_EQ(CATCH(iret_to(SEL_CODE, flags)), NO_TRAP);
    CHECK_EQ(CATCH(iret_to(0, flags)), GP);
    CHECK_EQ(trap_last.error, 0);
    CHECK_EQ(CATCH(iret_to(SEL_DATA, flags)), GP);
    CHECK_EQ(trap_last.error, SEL_DATA);
    gdt_set(SEL_FREE, gdt_get(SEL_CODE) & ~(1ull << 47));
    CHECK_EQ(CATCH(iret_to(SEL_FREE, flags)), NP);
    CHECK_EQ(trap_last.error, SEL_FREE);
    gdt_set(SEL_FREE, 0);
}

TEST(iret_flags, "IRET in ring 0 loads IOPL, IF, AC and ID")
{
    ulong flags = read_flags();
    for (unsigned i = 0; i < 4; i++) {
        ulong want = (flags & ~(3ul << 12)) | i << 12 | FLAG_AC | 1ul << 21;
        CHECK_EQ(CATCH(iret_to(SEL_CODE, want)), NO_TRAP);
        CHECK_EQ(read_flags() & (3ul << 12 | FLAG_AC | 1ul << 21),
                 (ulong)(i << 12 | FLAG_AC | 1ul << 21));
    }
    write_flags(flags);
}
