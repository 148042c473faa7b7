/* Interrupts, ports, and the devices that a boot needs. */

#include "core/guest.h"

enum { IRQ_PIT = 0, PIT_HZ = 1193182, ATA = 0x1f0, ATA_CONTROL = 0x3f6, SECTOR = 512 };

static void wait_irqs(unsigned n)
{
    for (unsigned i = 0; irq_seen[IRQ_PIT] < n && i < 1000; i++)
        __asm__ volatile("sti; hlt; cli");
}

TEST(hlt_wakes, "HLT ends at the PIT's interrupt")
{
    irq_seen[IRQ_PIT] = 0;
    pit_one_shot(1000);
    pic_mask(0xfffe);
    wait_irqs(1);
    pic_mask(0xffff);
    CHECK_EQ(irq_seen[IRQ_PIT], 1);
}

TEST(pit_rate, "ten periods of the PIT take their time by its own counter")
{
    irq_seen[IRQ_PIT] = 0;
    pit_periodic(2000);
    pic_mask(0xfffe);
    wait_irqs(10);
    pic_mask(0xffff);
    CHECK_EQ(irq_seen[IRQ_PIT], 10);
    u16 a = pit_read();
    CHECK(a <= 2000);
    pit_stop();
}

TEST(irq_in_loop, "an interrupt comes into a loop without exits")
{
    irq_seen[IRQ_PIT] = 0;
    pit_one_shot(2000);
    pic_mask(0xfffe);
    __asm__ volatile("sti");
    for (unsigned i = 0; i < 200000000 && !irq_seen[IRQ_PIT]; i++)
        ;
    __asm__ volatile("cli");
    pic_mask(0xffff);
    CHECK_EQ(irq_seen[IRQ_PIT], 1);
}

static volatile bool busy;
static volatile unsigned again;

/* With interrupts off for some of the PIT's periods, and without exits. */
static bool slow_irq(struct frame *f)
{
    (void)f;
    if (busy) {
        again++;
        return true;
    }
    busy = true;
    for (volatile unsigned i = 0; i < 200000; i++)
        ;
    busy = false;
    if (++irq_seen[IRQ_PIT] == 20)
        pic_mask(0xffff); /* the next one waits already: nothing else would run */
    pic_eoi(IRQ_PIT);
    return true;
}

TEST(irq_once, "a handler that keeps interrupts off is not entered again")
{
    trap_handle(IRQ_BASE, slow_irq);
    irq_seen[IRQ_PIT] = again = 0;
    pit_periodic(200);
    pic_mask(0xfffe);
    wait_irqs(20);
    pit_stop();
    trap_handle(IRQ_BASE, NULL);
    CHECK_EQ(irq_seen[IRQ_PIT], 20);
    CHECK_EQ(again, 0);
}

/* Leaves an interrupt of the PIT pending in the PIC. */
static void pend(void)
{
    irq_seen[IRQ_PIT] = 0;
    pit_one_shot(20);
    pic_mask(0xfffe);
    out8(0x20, 0x0a); /* OCW3: IRR next */
    for (unsigned i = 0; i < 100000 && !(in8(0x20) & 1); i++)
        ;
}

TEST(sti_shadow, "no interrupt before the instruction after STI has ended")
{
    pend();
    CHECK_EQ(irq_seen[IRQ_PIT], 0);
    __asm__ volatile("sti; cli");
    CHECK_EQ(irq_seen[IRQ_PIT], 0);
    __asm__ volatile("sti; nop; cli");
    CHECK_EQ(irq_seen[IRQ_PIT], 1);
    pic_mask(0xffff);
}

static volatile ulong irq_ip;

static bool note_irq(struct frame *f)
{
    irq_ip = f->ip;
    irq_seen[IRQ_PIT]++;
    pic_eoi(IRQ_PIT);
    return true;
}

extern u8 shadow_cpuid[], shadow_in[];

TEST(sti_shadow_exit, "the shadow of STI covers an instruction that exits")
{
    trap_handle(IRQ_BASE, note_irq);
    pend();
    __asm__ volatile("sti; cpuid\nshadow_cpuid: cli" : : "a"(0), "c"(0) : "ebx", "edx", "memory");
    CHECK_EQ(irq_seen[IRQ_PIT], 1);
    CHECK_EQ(irq_ip, (ulong)shadow_cpuid);
    pend();
    __asm__ volatile("sti; in $0x21, %%al\nshadow_in: cli" : : : "eax", "memory");
    CHECK_EQ(irq_seen[IRQ_PIT], 1);
    CHECK_EQ(irq_ip, (ulong)shadow_in);
    pic_mask(0xffff);
    trap_handle(IRQ_BASE, NULL);
}

TEST(popf_no_shadow, "POPF and IRET have no shadow")
{
    pend();
    write_flags(read_flags() | FLAG_IF);
    __asm__ volatile("cli");
    CHECK_EQ(irq_seen[IRQ_PIT], 1);
    pic_mask(0xffff);
}

TEST(mask_unmask, "a masked interrupt waits for its unmasking")
{
    pend();
    pic_mask(0xffff);
    __asm__ volatile("sti; nop; nop; cli");
    CHECK_EQ(irq_seen[IRQ_PIT], 0);
    __asm__ volatile("sti");
    pic_mask(0xfffe);
    __asm__ volatile("nop; nop; cli");
    CHECK_EQ(irq_seen[IRQ_PIT], 1);
    pic_mask(0xffff);
}

/* ---- Ports ---- */

TEST(pci_widths, "PCI configuration data in bytes, words and double words")
{
    u32 id = pci_read(0, 0, 0);
    CHECK_EQ(id, 0x12378086);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(in8((u16)(0xcfc + i)), (u8)(id >> i * 8));
    CHECK_EQ(in16(0xcfc), (u16)id);
    CHECK_EQ(in16(0xcfe), id >> 16);
    CHECK_EQ(in32(0xcf8), 1u << 31);
    pci_write(0, 0, 0, 0); /* the IDs are read-only */
    CHECK_EQ(pci_read(0, 0, 0), id);
}

TEST(in_partial, "IN writes the register's low part only")
{
    ulong ax = 0x12345678;
    pci_read(0, 0, 0);
    __asm__ volatile("in %%dx, %%al" : "+a"(ax) : "d"(0xcfc));
    CHECK_EQ(ax, 0x12345686);
    ax = 0x12345678;
    __asm__ volatile("in %%dx, %%ax" : "+a"(ax) : "d"(0xcfc));
    CHECK_EQ(ax, 0x12348086);
}

TEST(nobody, "ports where nothing is read as ones")
{
    CHECK_EQ(in8(0x240), 0xff);
    CHECK_EQ(in16(0x240), 0xffff);
    CHECK_EQ(in32(0x240), 0xffffffff);
}

/* ---- The disk: REP INS and OUTS ---- */

static bool ata_wait(u8 want)
{
    for (unsigned i = 0; i < 1000000; i++) {
        u8 status = in8(ATA + 7);
        if (!(status & 0x80) && (status & want) == want)
            return true;
    }
    return false;
}

static bool ata_command(u8 command, u32 lba)
{
    out8(ATA_CONTROL, 2);
    out8(ATA + 6, (u8)(0xe0 | lba >> 24));
    if (!ata_wait(0x40))
        return false;
    out8(ATA + 2, 1);
    out8(ATA + 3, (u8)lba);
    out8(ATA + 4, (u8)(lba >> 8));
    out8(ATA + 5, (u8)(lba >> 16));
    out8(ATA + 7, command);
    return ata_wait(8);
}

static void rep_insw(void *to)
{
    ulong n = SECTOR / 2;
    __asm__ volatile("rep insw" : "+D"(to), "+c"(n) : "d"(ATA) : "memory");
    CHECK_EQ(n, 0);
}

static void rep_outsw(const void *from)
{
    ulong n = SECTOR / 2;
    __asm__ volatile("rep outsw" : "+S"(from), "+c"(n) : "d"(ATA) : "memory");
    CHECK_EQ(n, 0);
}

static u8 sector[2][SECTOR] __attribute__((aligned(SECTOR)));

TEST_EXITS(rep_ins, "REP INSW of a sector", "io-string=1 all=1")
{
    memset(sector, 0x55, sizeof sector);
    CHECK(ata_command(0x20, 0));
    begin();
    rep_insw(sector[0]);
    end();
    CHECK_EQ(*(u16 *)(sector[0] + 510), 0xaa55);
    CHECK_EQ(sector[1][0], 0x55);
    CHECK(ata_command(0x20, 0));
    for (unsigned i = 0; i < SECTOR / 2; i++)
        ((u16 *)sector[1])[i] = in16(ATA);
    CHECK(!memcmp(sector[0], sector[1], SECTOR));
}

TEST_EXITS(rep_outs, "REP OUTSW of a sector", "io-string=1 all=1")
{
    const u32 lba = 4000;
    for (unsigned i = 0; i < SECTOR; i++)
        sector[0][i] = (u8)(i * 3);
    CHECK(ata_command(0x30, lba));
    begin();
    rep_outsw(sector[0]);
    end();
    CHECK(ata_wait(0x40));
    CHECK(ata_command(0x20, lba));
    rep_insw(sector[1]);
    CHECK(!memcmp(sector[0], sector[1], SECTOR));
}

/* A string that runs into a page that is not there yet, at an odd address. */
static u8 *ins_page;
static unsigned ins_faults;

static bool ins_fault(struct frame *f)
{
    ulong va = read_cr2() & ~(PAGE - 1);
    if (++ins_faults > 2 || !(f->error & PF_W))
        return false;
    paging_map((void *)va, ins_page, PTE_ALL);
    ins_page = page_alloc();
    return true;
}

TEST_PAGED(ins_faults_over, "REP INSW goes on after page faults")
{
    u8 *first = ins_page = page_alloc();
    CHECK(ata_command(0x20, 0));
    rep_insw(sector[0]);
    ins_faults = 0;
    paging_entry(WINDOW + PAGE, 1);
    trap_handle(PF, ins_fault);
    CHECK(ata_command(0x20, 0));
    rep_insw(WINDOW + PAGE - 201);
    trap_handle(PF, NULL);
    CHECK_EQ(ins_faults, 2);
    CHECK(!memcmp(WINDOW + PAGE - 201, sector[0], SECTOR));
    CHECK_EQ(first[PAGE - 201], sector[0][0]);
}

TEST_EXITS(rep_outsb, "REP OUTSB and INSB with DF set and clear", NULL)
{
    ulong n = 16;
    u8 *at = sector[0] + 15;
    memset(sector[0], 0, 32);
    __asm__ volatile("std; rep insb; cld" : "+D"(at), "+c"(n) : "d"(0x240) : "memory");
    CHECK_EQ(n, 0);
    CHECK_EQ((ulong)at, (ulong)sector[0] - 1);
    CHECK_EQ(sector[0][0], 0xff);
    CHECK_EQ(sector[0][15], 0xff);
    CHECK_EQ(sector[0][16], 0);
    const u8 *from = sector[0];
    n = 0;
    __asm__ volatile("rep outsb" : "+S"(from), "+c"(n) : "d"(0xee) : "memory");
    CHECK_EQ((ulong)from, (ulong)sector[0]);
    n = 5000;
    from = (const u8 *)0x200000;
    __asm__ volatile("rep outsb" : "+S"(from), "+c"(n) : "d"(0xee) : "memory");
    CHECK_EQ((ulong)from, 0x200000 + 5000);
}

/* ---- VGA text memory, by any width, aligned or not ---- */

#define TEXT ((volatile u8 *)0xb8000)

static void text_run(void)
{
    u8 saved[64];
    for (unsigned i = 0; i < sizeof saved; i++)
        saved[i] = TEXT[i];
    *(volatile u32 *)(TEXT + 1) = 0x44332211;
    CHECK_EQ(TEXT[1], 0x11);
    CHECK_EQ(TEXT[4], 0x44);
    CHECK_EQ(*(volatile u16 *)(TEXT + 3), 0x4433);
    *(volatile u16 *)(TEXT + 7) = 0xbeef;
    CHECK_EQ(*(volatile u16 *)(TEXT + 7), 0xbeef);
    *(volatile u32 *)(TEXT + 4094) = 0xa1b2c3d4; /* over a page's end */
    CHECK_EQ(*(volatile u32 *)(TEXT + 4094), 0xa1b2c3d4);
    CHECK_EQ(TEXT[4096], 0xb2);
    __asm__ volatile("addb $1, %0" : "+m"(*(TEXT + 8)));
    CHECK_EQ(TEXT[8], 0xbf);
    u8 v = 0x77;
    __asm__ volatile("xchg %0, %1" : "+r"(v), "+m"(*(TEXT + 8)));
    CHECK_EQ(v, 0xbf);
    CHECK_EQ(TEXT[8], 0x77);
    for (unsigned i = 0; i < sizeof saved; i++)
        TEXT[i] = saved[i];
    u8 copy[64];
    memcpy(copy, (const void *)TEXT, sizeof copy);
    CHECK(!memcmp(copy, saved, sizeof copy));
}

TEST(vga_text, "VGA text memory by any width, aligned or not")
{
    text_run();
}

TEST_PAGED(vga_text_paged, "VGA text memory by any width, aligned or not")
{
    text_run();
    volatile u8 *alias = WINDOW;
    paging_map(WINDOW, (void *)TEXT, PTE_ALL);
    alias[100] = 0x5a;
    CHECK_EQ(TEXT[100], 0x5a);
}

TEST(rom, "writes to the firmware's ROM do nothing")
{
    volatile u32 *reset = (volatile u32 *)0xfffffff0;
    u32 before = *reset;
    CHECK(before != 0xffffffff);
    *reset = 0;
    CHECK_EQ(*reset, before);
}

TEST(no_memory, "addresses where nothing is read as ones")
{
    volatile u32 *nothing = (volatile u32 *)0xf0000000;
    CHECK_EQ(*nothing, 0xffffffff);
    *nothing = 0;
    CHECK_EQ(*nothing, 0xffffffff);
}

TEST(unaligned_ram, "unaligned accesses over page ends")
{
    u8 *at = (u8 *)0x200000 + PAGE - 3;
    u64 v = 0x8877665544332211;
    *(volatile u64 *)at = v;
    CHECK_EQ(*(volatile u64 *)at, v);
    CHECK_EQ(at[7], 0x88);
    CHECK_EQ(*(volatile u32 *)(at + 1), 0x55443322);
}
