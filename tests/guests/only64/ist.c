/* Interrupts of long mode: the frame, the interrupt stack table, NT (SDM vol. 3, 6.14). */

#include "../core/guest.h"

#define FLAG_NT (1ul << 14)
enum { TSS_IST1 = 36, STACK_BYTES = 4096 };

static u8 stacks[2][STACK_BYTES] aligned_page;
static volatile ulong frame_end[2];
static volatile unsigned depth;

static u8 *tss_bytes(void)
{
    u64 low = gdt_get(SEL_TSS), high = gdt_get(SEL_TSS + 8);
    return (u8 *)((low >> 16 & 0xffffff) | (low >> 56 & 0xff) << 24 | high << 32);
}

static void set_ist(int vector, unsigned ist)
{
    struct {
        u16 limit;
        u8 *base;
    } __attribute__((packed)) idtr;
    __asm__ volatile("sidt %0" : "=m"(idtr));
    idtr.base[vector * 16 + 4] = (u8)ist;
}

static bool note_stack(struct frame *f)
{
    frame_end[0] = (ulong)(f + 1);
    return true;
}

TEST(ist, "an interrupt with an IST entry starts on that stack")
{
    ulong top = (ulong)stacks[1];
    memcpy(tss_bytes() + TSS_IST1, &top, sizeof top);
    set_ist(VEC_SOFT, 1);
    trap_handle(VEC_SOFT, note_stack);
    __asm__ volatile("int $0x31");
    CHECK_EQ(frame_end[0], top);
    top -= 3; /* the CPU aligns it to 16 */
    memcpy(tss_bytes() + TSS_IST1, &top, sizeof top);
    __asm__ volatile("int $0x31");
    CHECK_EQ(frame_end[0], top & ~15ul);
    trap_handle(VEC_SOFT, NULL);
    set_ist(VEC_SOFT, 0);
}

static void u_soft(void)
{
    __asm__ volatile("int $0x31");
    user_exit();
}

TEST(ist_user, "an IST entry goes before the stack of ring 0")
{
    ulong top = (ulong)stacks[1];
    memcpy(tss_bytes() + TSS_IST1, &top, sizeof top);
    set_ist(VEC_SOFT, 1);
    trap_handle(VEC_SOFT, note_stack);
    CHECK_EQ(user_run(u_soft, 0), NO_TRAP);
    CHECK_EQ(frame_end[0], top);
    trap_handle(VEC_SOFT, NULL);
    set_ist(VEC_SOFT, 0);
}

static bool note_depth(struct frame *f)
{
    frame_end[depth++ & 1] = (ulong)(f + 1);
    f->ip += f->vector == UD ? 2 : 0;
    return true;
}

TEST(frame_aligned, "without an IST entry the frame is aligned to 16 and holds SS and RSP")
{
    depth = 0;
    trap_handle(UD, note_depth);
    __asm__ volatile("push $0; ud2; push $0; push $0; ud2; add $24, %%rsp" : : : "memory", "cc");
    trap_handle(UD, NULL);
    CHECK_EQ(depth, 2);
    CHECK_EQ(frame_end[0] & 15, 0);
    CHECK_EQ(frame_end[1] & 15, 0);
}

TEST(iret_nt, "IRET with NT set raises #GP(0)")
{
    CHECK_EQ(CATCH(__asm__ volatile("push $0x10; push %%rsp; pushf; push $8; push $1f\n"
                                    "pushf; orl $0x4000, (%%rsp); popf; iretq\n1:"
                                    :
                                    :
                                    : "memory", "cc")),
             GP);
    CHECK_EQ(trap_last.error, 0);
    write_flags(read_flags() & ~FLAG_NT);
}

TEST(cr8, "CR8 holds 4 bits, more raise #GP(0)")
{
    for (ulong i = 0; i < 16; i++) {
        ulong got;
        __asm__ volatile("mov %1, %%cr8; mov %%cr8, %0" : "=r"(got) : "r"(i));
        CHECK_EQ(got, i);
    }
    CHECK_EQ(CATCH(__asm__ volatile("mov %0, %%cr8" : : "r"(16ul))), GP);
    __asm__ volatile("mov %0, %%cr8" : : "r"(0ul));
}

TEST(fsgsbase, "RDFSBASE and WRGSBASE with CR4.FSGSBASE only")
{
    const ulong bit = 1ul << 16;
    ulong v = 0;
    if (cpuid(0, 0).eax < 7 || !(cpuid(7, 0).ebx & 1)) {
        test_skip("the CPU has none");
        return;
    }
    CHECK_EQ(CATCH(__asm__ volatile("rdfsbase %0" : "=r"(v))), UD);
    write_cr4(read_cr4() | bit);
    __asm__ volatile("wrfsbase %1; rdfsbase %0" : "=r"(v) : "r"(0xffff800012345678));
    CHECK_EQ(v, 0xffff800012345678);
    CHECK_EQ(rdmsr(0xc0000100), 0xffff800012345678);
    wrmsr(0xc0000101, 0x4321000);
    __asm__ volatile("rdgsbase %0" : "=r"(v));
    CHECK_EQ(v, 0x4321000);
    wrmsr(0xc0000100, 0);
    wrmsr(0xc0000101, 0);
    write_cr4(read_cr4() & ~bit);
}
