/* Real mode and the BIOS under it, A20, and changes of mode. */

#include "../core/guest.h"

enum { LOW = 0x8000, BUFFER = 0x7000, BIOS_PIC0 = 0x08, BIOS_PIC1 = 0x70 };

extern u8 low_begin[], low_end[], low_bios[], low_a20[], low_int_number[], low_regs[];
u32 long_mode_trip(void *pml4);

#define LOW_AT(label) (LOW + ((label)-low_begin))

struct bios_regs {
    u32 eax, ebx, ecx, edx, esi, edi, es, flags;
};

static void bios_int(u8 n, struct bios_regs *r)
{
    memcpy((void *)LOW, low_begin, (ulong)(low_end - low_begin));
    memcpy((void *)LOW_AT(low_regs), r, sizeof *r);
    *(u8 *)LOW_AT(low_int_number) = n;
    pic_init(BIOS_PIC0, BIOS_PIC1, 0xffff);
    ((void (*)(void))LOW_AT(low_bios))();
    pic_init(IRQ_BASE, IRQ_BASE + 8, 0xffff);
    memcpy(r, (const void *)LOW_AT(low_regs), sizeof *r);
}

struct e820 {
    u64 base, length;
    u32 type;
} __attribute__((packed));

TEST(int15_e820, "INT 15h E820: the memory map")
{
    struct bios_regs r = {0};
    bool low = false, high = false;
    for (unsigned i = 0; i < 32; i++) {
        volatile struct e820 *e = (volatile struct e820 *)BUFFER;
        r.eax = 0xe820;
        r.ecx = sizeof *e;
        r.edx = 0x534d4150;
        r.edi = BUFFER;
        bios_int(0x15, &r);
        CHECK_EQ(r.eax, 0x534d4150);
        CHECK(!(r.flags & FLAG_CF));
        low |= e->type == 1 && e->base == 0 && e->length >= 600 << 10;
        high |= e->type == 1 && e->base == 1 << 20 && e->length >= 30 << 20;
        if (!r.ebx)
            break;
    }
    CHECK(low);
    CHECK(high);
}

TEST(int10, "INT 10h: the mode, the cursor, a character")
{
    struct bios_regs r = {.eax = 0x0f00};
    bios_int(0x10, &r);
    CHECK_EQ(r.eax & 0xff, 3);
    CHECK_EQ(r.eax >> 8 & 0xff, 80);
    r = (struct bios_regs){.eax = 0x0200, .edx = 0x0a05};
    bios_int(0x10, &r);
    r = (struct bios_regs){.eax = 0x0941, .ebx = 0x1e, .ecx = 3};
    bios_int(0x10, &r);
    volatile u16 *cell = (volatile u16 *)(0xb8000 + (10 * 80 + 5) * 2);
    CHECK_EQ(cell[0], 0x1e41);
    CHECK_EQ(cell[2], 0x1e41);
    CHECK(cell[3] != 0x1e41);
}

TEST(int13, "INT 13h: the boot sector by CHS")
{
    struct bios_regs r = {.eax = 0x0201, .ecx = 1, .edx = 0x80, .ebx = BUFFER};
    memset((void *)BUFFER, 0, 512);
    bios_int(0x13, &r);
    CHECK(!(r.flags & FLAG_CF));
    CHECK_EQ(*(volatile u16 *)(BUFFER + 510), 0xaa55);
}

TEST(int1a, "INT 1Ah: the date of the clock")
{
    struct bios_regs r = {.eax = 0x0400};
    bios_int(0x1a, &r);
    CHECK(!(r.flags & FLAG_CF));
    CHECK_EQ(r.ecx & 0xffff, 0x2026);
    CHECK_EQ(r.edx & 0xffff, 0x0101);
}

TEST(a20, "A20 off wraps the second megabyte onto the first")
{
    memcpy((void *)LOW, low_begin, (ulong)(low_end - low_begin));
    u32 both = ((u32(*)(void))LOW_AT(low_a20))();
    CHECK_EQ(both & 0xffff, 0x1234);
    CHECK_EQ(both >> 16, 0x5678);
}

/* Mode 12h, 640x480 in four planes: set and reset, bit mask, read map, latches (write mode 1). */
static void vga_index(u16 port, u8 index, u8 value)
{
    out16(port, (u16)(index | value << 8));
}

TEST(vga_planes, "VGA planes: map mask, read map, latched copies")
{
    struct bios_regs r = {.eax = 0x12};
    volatile u8 *a = (volatile u8 *)0xa0000;
    bios_int(0x10, &r);
    for (unsigned plane = 0; plane < 4; plane++) {
        vga_index(0x3c4, 2, (u8)(1 << plane));
        for (unsigned i = 0; i < 8; i++)
            a[i] = (u8)(0x10 * plane + i);
    }
    vga_index(0x3c4, 2, 0xf);
    vga_index(0x3ce, 5, 1); /* write mode 1 */
    const volatile u8 *from = a;
    volatile u8 *to = a + 100;
    ulong n = 8;
    __asm__ volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(n) : : "memory");
    vga_index(0x3ce, 5, 0);
    for (unsigned plane = 0; plane < 4; plane++) {
        vga_index(0x3ce, 4, (u8)plane);
        for (unsigned i = 0; i < 8; i++)
            CHECK_EQ(a[100 + i], 0x10 * plane + i);
    }
    vga_index(0x3ce, 8, 0x0f); /* bit mask */
    (void)a[0];
    a[0] = 0xff;
    vga_index(0x3ce, 8, 0xff);
    vga_index(0x3ce, 4, 1);
    CHECK_EQ(a[0], 0x1f);
    r = (struct bios_regs){.eax = 3};
    bios_int(0x10, &r);
}

/* ---- Changes of mode ---- */

TEST(long_mode, "into long mode and back")
{
    static u64 pml4[512] aligned_page, pdpt[512] aligned_page, pd[512] aligned_page;
    if (!(cpuid(0x80000001, 0).edx & 1u << 29)) {
        test_skip("no long mode");
        return;
    }
    pml4[0] = (ulong)pdpt | PTE_ALL;
    pdpt[0] = (ulong)pd | PTE_ALL;
    for (unsigned i = 0; i < 8; i++)
        pd[i] = (u64)i << 21 | PTE_ALL | PTE_PS;
    for (unsigned i = 0; i < 10; i++)
        CHECK_EQ(long_mode_trip(pml4), 0x11223344);
    CHECK(!(rdmsr(MSR_EFER) & (EFER_LME | EFER_LMA)));
}

TEST_PAGED_EXITS(paging_toggle, "paging off and on 100 times", "cr0=200 all<=210")
{
    u8 *page = page_alloc();
    ulong on = read_cr0(), off = on & ~CR0_PG;
    *page = 7;
    paging_map(WINDOW, page, PTE_ALL);
    (void)*(volatile u8 *)WINDOW;
    begin();
    for (unsigned i = 0; i < 100; i++) {
        write_cr0(off);
        write_cr0(on);
    }
    end();
    CHECK_EQ(*(volatile u8 *)WINDOW, 7);
    write_cr0(off);
    paging_entry(WINDOW, 1);
    write_cr0(on);
}

TEST_PAGED(tables_changed_off, "tables changed while paging is off")
{
    u8 *page[2] = {page_alloc(), page_alloc()};
    *page[0] = 1;
    *page[1] = 2;
    paging_map(WINDOW, page[0], PTE_ALL);
    volatile u32 *entry = paging_entry(WINDOW, 1);
    for (unsigned i = 0; i < 20; i++) {
        CHECK_EQ(*(volatile u8 *)WINDOW, (i & 1) + 1);
        write_cr0(read_cr0() & ~CR0_PG);
        *entry = (u32)(ulong)page[~i & 1] | PTE_ALL;
        write_cr0(read_cr0() | CR0_PG);
    }
}

TEST_PAGED(pse_toggle, "CR4.PSE decides what bit 7 of a directory entry means")
{
    u8 *page = page_alloc();
    if (mode->levels != 2) {
        test_skip("PAE ignores CR4.PSE");
        return;
    }
    *page = 9;
    paging_map(WINDOW, page, PTE_ALL);
    paging_set(WINDOW, 2, paging_get(WINDOW, 2) | PTE_PS);
    u32 table = (u32)paging_get(WINDOW, 2) & ~0xfffu;
    for (unsigned i = 0; i < 5; i++) {
        write_cr4(read_cr4() & ~CR4_PSE);
        write_cr3(read_cr3());
        CHECK_EQ(*(volatile u8 *)WINDOW, 9);
        paging_set(WINDOW, 2, (8 << 20) | PTE_ALL | PTE_PS);
        *(volatile u8 *)(8 << 20) = 3;
        write_cr4(read_cr4() | CR4_PSE);
        write_cr3(read_cr3());
        CHECK_EQ(*(volatile u8 *)WINDOW, 3);
        paging_set(WINDOW, 2, table | PTE_ALL | PTE_PS);
    }
    write_cr4(read_cr4() & ~CR4_PSE);
    paging_set(WINDOW, 2, table | PTE_ALL);
    write_cr4(read_cr4() | CR4_PSE);
}

TEST_PAGED(pdpte_reserved, "a reserved bit in a PDPTE: the CR3 load raises #GP(0)")
{
    static u64 pdpt[4] __attribute__((aligned(32)));
    if (mode->levels != 3) {
        test_skip("no PDPTEs");
        return;
    }
    memcpy(pdpt, (void *)read_cr3(), sizeof pdpt);
    ulong cr3 = read_cr3();
    pdpt[2] |= PTE_W;
    CHECK_EQ(CATCH(write_cr3((ulong)pdpt)), GP);
    CHECK_EQ(read_cr3(), cr3);
    pdpt[2] &= ~(u64)PTE_W;
    CHECK_EQ(CATCH(write_cr3((ulong)pdpt)), NO_TRAP);
    write_cr3(cr3);
}

TEST_PAGED(pdpte_cached, "PDPTEs are as they were at the CR3 load")
{
    u8 *page = page_alloc();
    if (mode->levels != 3) {
        test_skip("no PDPTEs");
        return;
    }
    paging_map(WINDOW, page, PTE_ALL);
    volatile u64 *pdpt = (volatile u64 *)(read_cr3() & ~31ul);
    u64 entry = pdpt[1];
    pdpt[1] = 0;
    invlpg(WINDOW);
    CHECK_EQ(CATCH((void)*(volatile u8 *)WINDOW), NO_TRAP);
    write_cr3(read_cr3());
    CHECK_EQ(CATCH((void)*(volatile u8 *)WINDOW), PF);
    pdpt[1] = entry;
    write_cr3(read_cr3());
}
