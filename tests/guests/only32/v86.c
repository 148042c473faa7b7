/* Virtual-8086 mode (SDM vol. 3, chapter 20.2 to 20.3). */

#include "../core/guest.h"

#define FLAG_VM (1ul << 17)
#define FLAG_VIF (1ul << 19)
#define CR4_VME (1ul << 0)
#define IOPL3 (3ul << 12)
enum { LOW = 0xa000, VME_VECTOR = 0x2f };

void v86_enter(u32 ip, u32 flags);
extern u8 v86_begin[], v86_end[], v86_result[];
extern u8 v_nop[], v_cli[], v_sti[], v_pushf[], v_popf[], v_int[], v_iret[], v_hlt[], v_in[],
    v_cr0[], v_lgdt[], v_clts[], v_lar[], v_sldt[], v_segments[], v_limit[], v_window[], v_vme[],
    v_vme_handler[];

#define LOW_AT(label) (LOW + (u32)((label)-v86_begin))

static const volatile u16 *result(void)
{
    return (const volatile u16 *)LOW_AT(v86_result);
}

/* The vector that ended the program: BP is its end. */
static int v86_run(const u8 *program, ulong flags)
{
    memcpy((void *)LOW, v86_begin, (ulong)(v86_end - v86_begin));
    int vector = CATCH(v86_enter(LOW_AT(program), flags));
    CHECK(trap_last.flags & FLAG_VM);
    return vector;
}

TEST(v86_runs, "v8086: runs and traps to ring 0")
{
    CHECK_EQ(v86_run(v_nop, 0), BP);
    CHECK_EQ(trap_last.cs, 0);
    CHECK_EQ(trap_last.ip, LOW_AT(v_nop) + 2);
    CHECK(!(read_flags() & FLAG_VM));
}

TEST(v86_iopl, "v8086: CLI, STI, PUSHF, POPF, INT n and IRET raise #GP(0) below IOPL 3")
{
    static const u8 *const all[] = {v_cli, v_sti, v_pushf, v_popf, v_int, v_iret};
    for (unsigned i = 0; i < array_size(all); i++) {
        CHECK_EQ(v86_run(all[i], 2ul << 12), GP);
        CHECK_EQ(trap_last.error, 0);
        CONTEXT("# program %u\n", i);
    }
}

TEST(v86_iopl3, "v8086: with IOPL 3 they run, INT n through the IDT")
{
    CHECK_EQ(v86_run(v_cli, IOPL3 | FLAG_IF), BP);
    CHECK(!(trap_last.flags & FLAG_IF));
    CHECK_EQ(v86_run(v_sti, IOPL3), BP);
    CHECK(trap_last.flags & FLAG_IF);
    CHECK_EQ(v86_run(v_pushf, IOPL3), BP);
    CHECK_EQ(*result() & 0x7202, 0x3002);
    CHECK_EQ(v86_run(v_popf, IOPL3), BP);
    CHECK(trap_last.flags & FLAG_IF);
    CHECK_EQ(trap_last.flags & IOPL3, IOPL3);
    CHECK_EQ(v86_run(v_iret, IOPL3), BP);
    CHECK_EQ(v86_run(v_int, IOPL3), VEC_SOFT);
    CHECK_EQ(trap_last.ip, LOW_AT(v_int) + 2);
}

TEST(v86_privileged, "v8086: privileged instructions raise #GP(0) with any IOPL")
{
    static const u8 *const all[] = {v_hlt, v_cr0, v_lgdt, v_clts};
    for (unsigned i = 0; i < array_size(all); i++) {
        CHECK_EQ(v86_run(all[i], IOPL3), GP);
        CHECK_EQ(trap_last.error, 0);
        CHECK_EQ(trap_last.ip, LOW_AT(all[i]));
        CONTEXT("# program %u\n", i);
    }
    CHECK_EQ(v86_run(v_lar, IOPL3), UD);
    CHECK_EQ(v86_run(v_sldt, IOPL3), UD);
}

TEST(v86_ports, "v8086: the TSS's bitmap decides over ports, not IOPL")
{
    CHECK_EQ(v86_run(v_in, IOPL3), GP);
    tss_io_allow(0x61, true);
    CHECK_EQ(v86_run(v_in, IOPL3), BP);
    CHECK_EQ(v86_run(v_in, 0), BP);
    tss_io_allow(0x61, false);
    CHECK_EQ(v86_run(v_in, 0), GP);
}

TEST(v86_segments, "v8086: a segment's base is its selector times 16")
{
    CHECK_EQ(v86_run(v_segments, 0), BP);
    CHECK_EQ(result()[0], 0x1234);
    CHECK_EQ(result()[1], 0x1234);
    CHECK_EQ(result()[2], LOW >> 4);
}

TEST(v86_limit, "v8086: a word at FFFFh raises #GP(0)")
{
    CHECK_EQ(v86_run(v_limit, 0), GP);
    CHECK_EQ(trap_last.error, 0);
}

TEST(v86_step, "v8086: a single step")
{
    CHECK_EQ(v86_run(v_nop, FLAG_TF), DB);
    CHECK_EQ(trap_last.ip, LOW_AT(v_nop) + 1);
}

static bool v86_irq_stop(struct frame *f)
{
    return f->flags & FLAG_VM && ++irq_seen[0] && (pic_eoi(0), true);
}

TEST(v86_irq, "v8086: an interrupt goes to ring 0 and comes back")
{
    irq_seen[0] = 0;
    trap_handle(IRQ_BASE, v86_irq_stop);
    pit_one_shot(50);
    pic_mask(0xfffe);
    for (unsigned i = 0; i < 10000 && !irq_seen[0]; i++)
        CHECK_EQ(v86_run(v_segments, FLAG_IF), BP);
    pic_mask(0xffff);
    trap_handle(IRQ_BASE, NULL);
    CHECK_EQ(irq_seen[0], 1);
}

TEST(v86_vme, "v8086 with CR4.VME: INT n through the program's own vectors, VIF for IF")
{
    if (!(cpuid(1, 0).edx & 1 << 1)) {
        test_skip("the CPU has none");
        return;
    }
    volatile u32 *ivt = NULL;
    __asm__("" : "+r"(ivt));
    u32 kept = ivt[VME_VECTOR];
    ivt[VME_VECTOR] = LOW_AT(v_vme_handler);
    write_cr4(read_cr4() | CR4_VME);
    CHECK_EQ(v86_run(v_vme, 0), BP);
    write_cr4(read_cr4() & ~CR4_VME);
    ivt[VME_VECTOR] = kept;
    CHECK_EQ(result()[0] & 0x3200, 0x3200); /* IOPL shows as 3, VIF as IF */
    CHECK_EQ(result()[1] & 0x200, 0x200);
    CHECK_EQ(result()[2] & 0x200, 0);
    CHECK_EQ(result()[3] & 0x200, 0);
    CHECK_EQ(result()[4], 1);
    CHECK(!(trap_last.flags & FLAG_VIF));
    CHECK_EQ(v86_run(v_cli, 0), GP);
}

TEST_PAGED(v86_fault, "v8086: a page fault says ring 3")
{
    u64 entry = paging_get((void *)0x20000, 1);
    paging_set((void *)0x20000, 1, entry & ~(u64)PTE_U);
    CHECK_EQ(v86_run(v_window, 0), PF);
    CHECK_EQ(trap_last.error, PF_P | PF_W | PF_U);
    CHECK_EQ(trap_last.cr2, 0x20000);
    paging_set((void *)0x20000, 1, entry);
    CHECK_EQ(v86_run(v_window, 0), BP);
}
