/* Where an interrupt may not come (SDM vol. 3, 6.8.3). */

#include "core/guest.h"

enum { IRQ_PIT = 0, TRIES = 40 };

extern u8 shadow_mov_ss[], shadow_ss_cpuid[], shadow_after_hlt[];
static volatile ulong irq_ip;

static bool note_irq(struct frame *f)
{
    irq_ip = f->ip;
    irq_seen[IRQ_PIT]++;
    pic_eoi(IRQ_PIT);
    return true;
}

/* The PIT's interrupt comes somewhere into the code, each time elsewhere; false: at the address. */
static bool never_at(void (*code)(void), const u8 *address)
{
    bool ok = true;
    trap_handle(IRQ_BASE, note_irq);
    for (unsigned i = 0; i < TRIES; i++) {
        irq_seen[IRQ_PIT] = 0;
        pit_one_shot((u16)(20 + i));
        pic_mask(0xfffe);
        __asm__ volatile("sti");
        for (unsigned n = 0; n < 10000 && !irq_seen[IRQ_PIT]; n++)
            code();
        __asm__ volatile("cli");
        pic_mask(0xffff);
        CHECK_EQ(irq_seen[IRQ_PIT], 1);
        ok = ok && irq_ip != (ulong)address;
    }
    trap_handle(IRQ_BASE, NULL);
    return ok;
}

static void mov_ss(void)
{
    __asm__ volatile("mov %%ss, %%eax; mov $50, %%ecx\n"
                     "1: mov %%eax, %%ss\n"
                     "shadow_mov_ss: nop\n"
                     "dec %%ecx; jnz 1b"
                     :
                     :
                     : "eax", "ecx", "cc", "memory");
}

TEST(mov_ss_shadow, "no interrupt between MOV to SS and the next instruction")
{
    CHECK(never_at(mov_ss, shadow_mov_ss));
}

static void mov_ss_cpuid(void)
{
    __asm__ volatile("mov %%ss, %%esi; mov $10, %%edi\n"
                     "1: xor %%eax, %%eax; mov %%esi, %%ss\n"
                     "shadow_ss_cpuid: cpuid\n"
                     "dec %%edi; jnz 1b"
                     :
                     :
                     : "eax", "ebx", "ecx", "edx", "esi", "edi", "cc", "memory");
}

TEST(mov_ss_exit, "no interrupt between MOV to SS and an instruction that exits")
{
    CHECK(never_at(mov_ss_cpuid, shadow_ss_cpuid));
}

TEST(sti_hlt, "STI and HLT with an interrupt pending: it is taken behind the HLT")
{
    trap_handle(IRQ_BASE, note_irq);
    for (unsigned i = 0; i < 5; i++) {
        irq_seen[IRQ_PIT] = 0;
        pit_one_shot(20);
        pic_mask(0xfffe);
        out8(0x20, 0x0a); /* OCW3: IRR next */
        for (unsigned n = 0; n < 100000 && !(in8(0x20) & 1); n++)
            ;
        __asm__ volatile("sti; hlt\nshadow_after_hlt: cli" : : : "memory");
        pic_mask(0xffff);
        CHECK_EQ(irq_seen[IRQ_PIT], 1);
        CHECK_EQ(irq_ip, (ulong)shadow_after_hlt);
    }
    trap_handle(IRQ_BASE, NULL);
}
