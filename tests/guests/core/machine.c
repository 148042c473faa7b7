/* The PC around the CPU: PCI, power-off, interrupt controllers, timer. */

#include "guest.h"

enum { PM_DEVFN = 1 << 3 | 3, PM_BASE = 0x40, PM1_CNT = 4, SLP_EN = 0x2000 };
enum { PIC0 = 0x20, PIC1 = 0xa0, PIT0 = 0x40, PIT_CONTROL = 0x43 };

u32 pci_read(unsigned bus, unsigned devfn, unsigned reg)
{
    out32(0xcf8, 1u << 31 | bus << 16 | devfn << 8 | (reg & 0xfc));
    return in32(0xcfc);
}

void pci_write(unsigned bus, unsigned devfn, unsigned reg, u32 value)
{
    out32(0xcf8, 1u << 31 | bus << 16 | devfn << 8 | (reg & 0xfc));
    out32(0xcfc, value);
}

void mark(enum mark_kind kind, unsigned id)
{
    const u8 code = (u8)kind, low = (u8)id, high = (u8)(id >> 8);
    out8(0xed, 0x50);
    out8(0xed, code);
    out8(0xed, low);
    out8(0xed, high);
    out8(0xed, (u8)(0xff ^ code ^ low ^ high));
}

/* PIIX4 (82371AB) function 3: S5 is sleep type 0. */
void power_off(void)
{
    console_drain();
    u16 base = (u16)(pci_read(0, PM_DEVFN, PM_BASE) & 0xffc0);
    out16((u16)(base + PM1_CNT), SLP_EN);
    for (const char *c = "Shutdown"; *c; c++) /* Bochs without ACPI */
        out8(0x8900, (u8)*c);
    for (;;)
        __asm__ volatile("cli; hlt");
}

void pic_mask(u16 mask)
{
    out8(PIC0 + 1, (u8)mask);
    out8(PIC1 + 1, (u8)(mask >> 8));
}

void pic_init(u8 base0, u8 base1, u16 mask)
{
    out8(PIC0, 0x11);
    out8(PIC1, 0x11);
    out8(PIC0 + 1, base0);
    out8(PIC1 + 1, base1);
    out8(PIC0 + 1, 4);
    out8(PIC1 + 1, 2);
    out8(PIC0 + 1, 1);
    out8(PIC1 + 1, 1);
    pic_mask(mask);
}

void pic_eoi(unsigned irq)
{
    if (irq >= 8)
        out8(PIC1, 0x20);
    out8(PIC0, 0x20);
}

static void pit_program(u8 control, u16 ticks)
{
    out8(PIT_CONTROL, control);
    out8(PIT0, (u8)ticks);
    out8(PIT0, (u8)(ticks >> 8));
}

void pit_one_shot(u16 ticks)
{
    pit_program(0x30, ticks);
}

void pit_periodic(u16 ticks)
{
    pit_program(0x34, ticks);
}

void pit_stop(void)
{
    out8(PIT_CONTROL, 0x30);
}

u16 pit_read(void)
{
    out8(PIT_CONTROL, 0);
    u8 low = in8(PIT0);
    return (u16)(low | in8(PIT0) << 8);
}
