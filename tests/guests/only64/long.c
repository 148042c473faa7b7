/* What only long mode has. */

#include "../core/guest.h"

#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define NON_CANONICAL 0x0000900000000000ul
#define HIGH ((u8 *)0xffff900000000000)

extern volatile u64 syscall_seen, syscall_flags, syscall_cs, compat_seen;
void syscall_user(void);
void syscall_entry(void);
void compat_user(void);

TEST(syscall, "SYSCALL and SYSRET")
{
    u64 efer = rdmsr(MSR_EFER);
    wrmsr(MSR_STAR, (u64)SEL_CODE << 32 | (u64)(0x18 | 3) << 48);
    wrmsr(MSR_LSTAR, (ulong)syscall_entry);
    wrmsr(MSR_SFMASK, FLAG_IF | FLAG_CF);
    wrmsr(MSR_EFER, efer | EFER_SCE);
    for (unsigned i = 0; i < 10; i++) {
        CHECK_EQ(user_run(syscall_user, FLAG_CF), NO_TRAP);
        CHECK_EQ(syscall_seen, 0x103);
        CHECK_EQ(syscall_cs & 0xffff, SEL_CODE);
        CHECK(syscall_flags & FLAG_CF); /* R11 has them before SFMASK */
        CHECK_EQ(trap_last.cs, SEL_UCODE64);
    }
    wrmsr(MSR_EFER, efer & ~(u64)EFER_SCE);
    CHECK_EQ(user_run(syscall_user, 0), UD);
    wrmsr(MSR_EFER, efer);
}

TEST(compat, "32-bit code in compatibility mode")
{
    compat_seen = 0;
    CHECK_EQ(user_run(compat_user, 0), NO_TRAP);
    CHECK_EQ(compat_seen, 2);
    CHECK_EQ(trap_last.cs, SEL_UCODE32);
}

TEST(canonical, "a non-canonical address raises #GP(0)")
{
    CHECK_EQ(CATCH((void)*(volatile u8 *)NON_CANONICAL), GP);
    CHECK_EQ(trap_last.error, 0);
}

TEST(canonical_stack, "a non-canonical address by the stack segment raises #SS(0)")
{
    ulong at = NON_CANONICAL;
    CHECK_EQ(CATCH(__asm__ volatile("push %%rbp; mov %0, %%rbp; mov (%%rbp), %%eax; pop %%rbp"
                                    :
                                    : "r"(at)
                                    : "eax", "memory")),
             SS);
    CHECK_EQ(trap_last.error, 0);
}

TEST(canonical_msr, "WRMSR of a non-canonical segment base raises #GP(0)")
{
    CHECK_EQ(CATCH(wrmsr(MSR_FS_BASE, NON_CANONICAL)), GP);
    wrmsr(MSR_FS_BASE, 0);
}

TEST(swapgs, "SWAPGS and the segment bases")
{
    wrmsr(MSR_GS_BASE, 0x1111000);
    wrmsr(MSR_KERNEL_GS_BASE, 0xffff800000002000);
    __asm__ volatile("swapgs");
    CHECK_EQ(rdmsr(MSR_GS_BASE), 0xffff800000002000);
    CHECK_EQ(rdmsr(MSR_KERNEL_GS_BASE), 0x1111000);
    static volatile ulong cell = 0x77;
    ulong v;
    wrmsr(MSR_GS_BASE, (ulong)&cell - 0x10);
    __asm__ volatile("mov %%gs:0x10, %0" : "=r"(v));
    CHECK_EQ(v, 0x77);
    wrmsr(MSR_GS_BASE, 0);
    wrmsr(MSR_KERNEL_GS_BASE, 0);
}

TEST(high_registers, "R8 to R15 survive exits, CR8 reads 0")
{
    ulong ok;
    __asm__ volatile("mov $0x1122334455667788, %%r8; mov %%r8, %%r15; not %%r15; mov %%r8, %%r12\n"
                     "xor %%eax, %%eax; cpuid; in $0x21, %%al; mov %%cr3, %%r9; mov %%cr0, %%r10\n"
                     "xor %%eax, %%eax\n"
                     "cmp %%r12, %%r8; jne 1f\n"
                     "not %%r15; cmp %%r15, %%r8; jne 1f\n"
                     "inc %%eax\n1:"
                     : "=a"(ok)
                     :
                     : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r12", "r15", "memory", "cc");
    CHECK_EQ(ok, 1);
}

TEST(cr4_pae_long, "CR4.PAE cannot be cleared in long mode")
{
    ulong cr4 = read_cr4();
    if (on_emulator()) {
        test_skip("takes it, and is lost");
        return;
    }
    CHECK_EQ(CATCH(write_cr4(cr4 & ~CR4_PAE)), GP);
    CHECK_EQ(read_cr4(), cr4);
}

TEST(efer_lme_long, "EFER.LME cannot be changed while paging is on")
{
    if (on_emulator()) {
        test_skip("takes it, and is lost");
        return;
    }
    CHECK_EQ(CATCH(wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(u64)EFER_LME)), GP);
}

TEST_PAGED(high_half, "addresses of the upper half")
{
    u8 *page[2] = {page_alloc(), page_alloc()};
    for (unsigned i = 0; i < 20; i++) {
        *page[i & 1] = (u8)(i + 1);
        paging_map(HIGH + 0x123456000, page[i & 1], PTE_ALL);
        CHECK_EQ(*(volatile u8 *)(HIGH + 0x123456000), (u8)(i + 1));
    }
    paging_set(HIGH, 4, 0);
    write_cr3(read_cr3());
    CHECK_EQ(CATCH((void)*(volatile u8 *)(HIGH + 0x123456000)), PF);
    CHECK_EQ(trap_last.cr2, (ulong)HIGH + 0x123456000);
}

TEST_PAGED(upper_rights, "rights in every level count")
{
    u8 *page = page_alloc();
    for (unsigned level = 1; level <= 3; level++)
        for (unsigned bit = 1; bit < 3; bit++) {
            paging_map(WINDOW, page, PTE_ALL);
            u64 entry = paging_get(WINDOW, level);
            CHECK_EQ(CATCH(*(volatile u8 *)WINDOW = 1), NO_TRAP);
            paging_set(WINDOW, level, entry & ~(bit == 1 ? (u64)PTE_W : (u64)PTE_P));
            CHECK_EQ(CATCH(*(volatile u8 *)WINDOW = 2), PF);
            CHECK_EQ(trap_last.error, bit == 1 ? PF_P | PF_W : PF_W);
            paging_set(WINDOW, level, entry);
            CHECK_EQ(CATCH(*(volatile u8 *)WINDOW = 3), NO_TRAP);
        }
}
