/* Ring 3: what it may not do, and what IOPL and the TSS allow. */

#include "core/guest.h"

#define PRIVILEGED(name, text)                                                                     \
    static void name(void)                                                                         \
    {                                                                                              \
        __asm__ volatile(text : : : "memory");                                                     \
        user_exit();                                                                               \
    }
PRIVILEGED(u_hlt, "hlt")
PRIVILEGED(u_cli, "cli")
PRIVILEGED(u_sti, "sti")
PRIVILEGED(u_clts, "clts")
PRIVILEGED(u_rdmsr, "rdmsr")
PRIVILEGED(u_wrmsr, "wrmsr")
PRIVILEGED(u_lidt, "lidt 0")
PRIVILEGED(u_lgdt, "lgdt 0")
PRIVILEGED(u_invlpg, "invlpg 0")
PRIVILEGED(u_wbinvd, "wbinvd")
PRIVILEGED(u_ltr, "ltr %%ax")
PRIVILEGED(u_lmsw, "lmsw %%ax")
PRIVILEGED(u_cr0, LONG_OR_SHORT("mov %%cr0, %%rax", "mov %%cr0, %%eax"))
PRIVILEGED(u_cr3, LONG_OR_SHORT("mov %%rax, %%cr3", "mov %%eax, %%cr3"))
PRIVILEGED(u_dr7, LONG_OR_SHORT("mov %%dr7, %%rax", "mov %%dr7, %%eax"))
PRIVILEGED(u_int20, "int $0x20")
PRIVILEGED(u_nothing, "nop")
PRIVILEGED(u_cpuid,
           "push %%" LONG_OR_SHORT("rbx",
                                   "ebx") "; xor %%eax, %%eax; cpuid; pop %%" LONG_OR_SHORT("rbx",
                                                                                            "ebx"))
PRIVILEGED(u_rdtsc, "rdtsc")
PRIVILEGED(u_in, "in $0x61, %%al")
PRIVILEGED(u_in_word, "mov $0x60, %%edx; in %%dx, %%ax")
PRIVILEGED(u_out_high, "mov $0x510, %%edx; out %%al, %%dx")
PRIVILEGED(u_int3, "int3")
PRIVILEGED(u_pushf_popf, "pushf; pop %%" LONG_OR_SHORT("rax", "eax") "; push $0x3202; popf")

TEST(privileged, "privileged instructions raise #GP(0) in ring 3")
{
    static void (*const all[])(void) = {u_hlt,   u_cli,  u_sti,  u_clts,   u_rdmsr,
                                        u_wrmsr, u_lidt, u_lgdt, u_invlpg, u_wbinvd,
                                        u_ltr,   u_lmsw, u_cr0,  u_cr3,    u_dr7};
    for (unsigned i = 0; i < array_size(all); i++) {
        CHECK_EQ(user_run(all[i], 0), GP);
        CHECK_EQ(trap_last.error, 0);
        CHECK_EQ(trap_last.cs & 3, 3);
        CONTEXT("# instruction %u\n", i);
    }
}

TEST(unprivileged, "ring 3 runs, CPUID and RDTSC in it too")
{
    CHECK_EQ(user_run(u_nothing, 0), NO_TRAP);
    CHECK_EQ(user_run(u_cpuid, 0), NO_TRAP);
    CHECK_EQ(user_run(u_rdtsc, 0), NO_TRAP);
    CHECK_EQ(user_run(u_int3, 0), BP);
    CHECK_EQ(trap_last.cs, SEL_UCODE);
}

TEST(tsd_user, "CR4.TSD forbids RDTSC in ring 3")
{
    write_cr4(read_cr4() | CR4_TSD);
    CHECK_EQ(user_run(u_rdtsc, 0), GP);
    write_cr4(read_cr4() & ~CR4_TSD);
    CHECK_EQ(user_run(u_rdtsc, 0), NO_TRAP);
}

TEST(int_gate_user, "INT n needs a gate for ring 3")
{
    CHECK_EQ(user_run(u_int20, 0), GP);
    CHECK_EQ(trap_last.cs, SEL_UCODE);
}

TEST(iopl, "IOPL 3 allows CLI, STI and ports")
{
    CHECK_EQ(user_run(u_cli, 3 << 12), NO_TRAP);
    CHECK_EQ(user_run(u_sti, 3 << 12), NO_TRAP);
    __asm__ volatile("cli");
    CHECK_EQ(user_run(u_in, 3 << 12), NO_TRAP);
    CHECK_EQ(user_run(u_hlt, 3 << 12), GP);
}

TEST(io_bitmap, "the TSS's bitmap decides over ports")
{
    CHECK_EQ(user_run(u_in, 0), GP);
    tss_io_allow(0x61, true);
    CHECK_EQ(user_run(u_in, 0), NO_TRAP);
    CHECK_EQ(user_run(u_in_word, 0), GP);
    tss_io_allow(0x60, true);
    CHECK_EQ(user_run(u_in_word, 0), NO_TRAP);
    tss_io_allow(0x60, false);
    tss_io_allow(0x61, false);
    CHECK_EQ(user_run(u_in, 0), GP);
    CHECK_EQ(user_run(u_out_high, 0), GP); /* beyond the TSS's limit */
}

TEST(popf_user, "POPF in ring 3 changes neither IF nor IOPL")
{
    CHECK_EQ(user_run(u_pushf_popf, 0), NO_TRAP);
    CHECK_EQ(trap_last.flags & (FLAG_IF | 3 << 12), 0);
}

static u8 unaligned[8] __attribute__((aligned(8)));

static void u_unaligned(void)
{
    (void)*(volatile u32 *)(unaligned + 1);
    user_exit();
}

TEST(alignment, "#AC(0) with CR0.AM and EFLAGS.AC in ring 3 only")
{
    write_cr0(read_cr0() | CR0_AM);
    CHECK_EQ(user_run(u_unaligned, FLAG_AC), AC);
    CHECK_EQ(trap_last.error, 0);
    CHECK_EQ(user_run(u_unaligned, 0), NO_TRAP);
    write_cr0(read_cr0() & ~CR0_AM);
    CHECK_EQ(user_run(u_unaligned, FLAG_AC), NO_TRAP);
}

TEST(user_step, "TF in ring 3")
{
    CHECK_EQ(user_run(u_nothing, FLAG_TF), DB);
    CHECK_EQ(trap_last.cs & 3, 3);
}
