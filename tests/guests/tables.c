/* Changes of page tables: what the next access must see (SDM vol. 3, 4.8 and 4.10). */

#include "pages.h"

TEST_PAGED(invlpg_remap, "after INVLPG the new translation")
{
    u8 *a = tagged(1), *b = tagged(2);
    for (unsigned i = 0; i < 20; i++) {
        paging_map(WINDOW, a, PTE_ALL);
        CHECK_EQ(seen(WINDOW), 1);
        paging_map(WINDOW, b, PTE_ALL);
        CHECK_EQ(seen(WINDOW), 2);
        *(volatile u8 *)(WINDOW + 1) = (u8)i;
        CHECK_EQ(b[1], (u8)i);
        CHECK_EQ(a[1], 1);
    }
    paging_set(WINDOW, 1, 0);
    CHECK_EQ(CATCH(seen(WINDOW)), PF);
}

TEST_PAGED(cr3_remap, "after a CR3 load the new translation")
{
    u8 *page[2] = {tagged(1), tagged(2)};
    paging_map(WINDOW, page[0], PTE_ALL);
    volatile u32 *entry = paging_entry(WINDOW, 1);
    for (unsigned i = 0; i < 20; i++) {
        *entry = (u32)(ulong)page[i & 1] | PTE_ALL;
        write_cr3(read_cr3());
        CHECK_EQ(seen(WINDOW), (i & 1) + 1);
    }
}

TEST_PAGED(narrowed, "rights that were taken away are gone after INVLPG")
{
    u8 *page = tagged(1);
    paging_map(WINDOW, page, PTE_ALL);
    *(volatile u8 *)WINDOW = 3;
    paging_map(WINDOW, page, PTE_P | PTE_U);
    CHECK_EQ(CATCH(*(volatile u8 *)WINDOW = 4), PF);
    CHECK_EQ(trap_last.error, PF_P | PF_W);
    CHECK_EQ(seen(WINDOW), 3);
}

/* The TLB may hold the narrower entry: at most one fault, after which the wider one is seen. */
static unsigned spurious;

static bool count_fault(struct frame *f)
{
    return ++spurious < 3 && f->vector == PF;
}

TEST_PAGED(widened, "rights that were given need no INVLPG")
{
    u8 *page = tagged(1);
    volatile u32 *entry = paging_entry(WINDOW, 1);
    spurious = 0;
    trap_handle(PF, count_fault);
    paging_map(WINDOW, page, PTE_P | PTE_U);
    CHECK_EQ(seen(WINDOW), 1);
    *entry |= PTE_W;
    *(volatile u8 *)WINDOW = 5;
    CHECK(spurious <= 1);
    CHECK_EQ(page[0], 5);
    spurious = 0;
    paging_map(WINDOW + PAGE, page, 0);
    *(volatile u32 *)paging_entry(WINDOW + PAGE, 1) |= PTE_ALL; /* never present: not in any TLB */
    CHECK_EQ(seen(WINDOW + PAGE), 5);
    CHECK_EQ(spurious, 0);
    trap_handle(PF, NULL);
}

TEST_PAGED(accessed_dirty, "A and D are set again after they were cleared")
{
    u8 *page = tagged(1);
    for (unsigned i = 0; i < 10; i++) {
        paging_map(WINDOW, page, PTE_ALL);
        CHECK_EQ(seen(WINDOW), 1);
        CHECK_EQ(paging_get(WINDOW, 1) & (PTE_A | PTE_D), PTE_A);
        paging_map(WINDOW, page, PTE_ALL | PTE_A);
        *(volatile u8 *)WINDOW = 1;
        CHECK_EQ(paging_get(WINDOW, 1) & (PTE_A | PTE_D), PTE_A | PTE_D);
        paging_set(WINDOW, 1, paging_get(WINDOW, 1) & ~(u64)PTE_D);
        CHECK_EQ(seen(WINDOW), 1);
        CHECK_EQ(paging_get(WINDOW, 1) & PTE_D, 0);
        *(volatile u8 *)WINDOW = 1;
        CHECK_EQ(paging_get(WINDOW, 1) & PTE_D, PTE_D);
    }
}

TEST_PAGED(table_replaced, "a page table exchanged in the entry above")
{
    u8 *page[2] = {tagged(1), tagged(2)}, *table[2] = {page_alloc(), page_alloc()};
    for (unsigned i = 0; i < 2; i++)
        memcpy(table[i], &(u64){(ulong)page[i] | PTE_ALL}, mode->entry_bytes);
    for (unsigned i = 0; i < 10; i++) {
        paging_set(WINDOW, 2, (ulong)table[i & 1] | PTE_ALL);
        CHECK_EQ(seen(WINDOW), (i & 1) + 1);
    }
}

TEST_PAGED(table_reused, "a page that was a table holds data again, and a table again")
{
    u8 *page = tagged(1), *table = page_alloc();
    u64 entry = (ulong)page | PTE_ALL;
    for (unsigned i = 0; i < 5; i++) {
        memset(table, 0, PAGE);
        memcpy(table, &entry, mode->entry_bytes);
        paging_set(WINDOW, 2, (ulong)table | PTE_ALL);
        CHECK_EQ(seen(WINDOW), 1);
        paging_set(WINDOW, 2, 0);
        for (unsigned j = 0; j < PAGE; j++)
            ((volatile u8 *)table)[j] = (u8)(i + j);
        for (unsigned j = 0; j < PAGE; j += 97)
            CHECK_EQ(table[j], (u8)(i + j));
    }
}

TEST_PAGED(one_table_twice, "a page table at two places of the tree")
{
    u8 *a = tagged(1), *b = tagged(2);
    unsigned span = paging_large_level2_bytes();
    paging_map(WINDOW, a, PTE_ALL);
    paging_set(WINDOW + span, 2, paging_get(WINDOW, 2));
    CHECK_EQ(seen(WINDOW), 1);
    CHECK_EQ(seen(WINDOW + span), 1);
    paging_map(WINDOW, b, PTE_ALL);
    invlpg(WINDOW + span);
    CHECK_EQ(seen(WINDOW + span), 2);
    paging_set(WINDOW + span, 2, paging_get(WINDOW + span, 2) & ~(u64)PTE_W);
    CHECK_EQ(CATCH(*(volatile u8 *)(WINDOW + span) = 9), PF);
    *(volatile u8 *)WINDOW = 9;
    CHECK_EQ(seen(WINDOW + span), 9);
}

/* The entry of va as seen through the table that maps itself. */
static volatile u32 *recursive(const u8 *va)
{
    ulong root = read_cr3() & ~0xffful, page = (ulong)va >> 12;
    if (mode->levels == 2) {
        ((volatile u32 *)root)[1023] = (u32)root | PTE_P | PTE_W;
        return (volatile u32 *)(ulong)(0xffc00000 + page * 4);
    }
#ifdef __x86_64__
    ((volatile u64 *)root)[510] = root | PTE_P | PTE_W;
    return (volatile u32 *)(0xffffff0000000000 + (page & 0xfffffffff) * 8);
#else
    volatile u64 *pdpt = (volatile u64 *)root;
    volatile u64 *last = (volatile u64 *)(ulong)(pdpt[3] & 0xfffff000);
    for (unsigned i = 0; i < 4; i++)
        last[508 + i] = (pdpt[i] & 0xfffff000) | PTE_P | PTE_W;
    return (volatile u32 *)(ulong)(0xff800000 + page * 8);
#endif
}

TEST_PAGED(recursive_map, "entries written through a recursive mapping")
{
    u8 *page[2] = {tagged(1), tagged(2)};
    paging_map(WINDOW, page[0], PTE_ALL);
    volatile u32 *entry = recursive(WINDOW);
    write_cr3(read_cr3());
    CHECK_EQ(*entry & 0xfffff000, (u32)(ulong)page[0]);
    for (unsigned i = 0; i < 100; i++) {
        *entry = (u32)(ulong)page[i & 1] | PTE_ALL;
        invlpg(WINDOW);
        CHECK_EQ(seen(WINDOW), (i & 1) + 1);
        CHECK_EQ(*entry, (u32)(ulong)page[i & 1] | PTE_ALL | PTE_A);
    }
}

TEST_PAGED(table_maps_itself, "a page table mapped by its own entry")
{
    u8 *a = tagged(1), *b = tagged(2);
    paging_map(WINDOW, a, PTE_ALL);
    ulong table = (ulong)paging_get(WINDOW, 2) & ~0xffful;
    paging_map(WINDOW + PAGE, (void *)table, PTE_ALL);
    volatile u32 *entry = (volatile u32 *)(WINDOW + PAGE);
    CHECK_EQ(seen(WINDOW), 1);
    *entry = (u32)(ulong)b | PTE_ALL;
    invlpg(WINDOW);
    CHECK_EQ(seen(WINDOW), 2);
    entry[mode->entry_bytes / 4] = 0; /* its own entry */
    invlpg(entry);
    CHECK_EQ(CATCH((void)*entry), PF);
}

/* ---- Global pages ---- */

TEST_PAGED(global_toggle, "a change of CR4.PGE drops global translations")
{
    u8 *page[2] = {tagged(1), tagged(2)};
    ulong cr4 = read_cr4();
    volatile u32 *entry = paging_entry(WINDOW, 1);
    for (unsigned i = 0; i < 10; i++) {
        write_cr4(cr4 | CR4_PGE);
        *entry = (u32)(ulong)page[i & 1] | PTE_ALL | PTE_G;
        write_cr4(cr4 & ~CR4_PGE);
        CHECK_EQ(seen(WINDOW), (i & 1) + 1);
        write_cr4(cr4 | CR4_PGE);
        CHECK_EQ(seen(WINDOW), (i & 1) + 1);
    }
    *entry = (u32)(ulong)page[0] | PTE_ALL | PTE_G;
    invlpg(WINDOW); /* global ones too */
    CHECK_EQ(seen(WINDOW), 1);
    write_cr4(cr4);
}

TEST_PAGED(spaces, "two address spaces keep their own mappings")
{
    u8 *page[2] = {tagged(1), tagged(2)};
    ulong space[2] = {read_cr3(), paging_new_space()};
    for (unsigned i = 0; i < 50; i++) {
        write_cr3(space[i & 1]);
        paging_map(WINDOW + i * PAGE, page[i & 1], PTE_ALL);
        for (unsigned j = i & 1; j <= i; j += 2)
            CHECK_EQ(seen(WINDOW + j * PAGE), (i & 1) + 1);
        CHECK_EQ(CATCH((void)seen(WINDOW + (i ^ 1) * PAGE)), PF);
        CHECK_EQ(CATCH((void)seen(WINDOW + (i + 2) * PAGE)), PF);
    }
    write_cr3(space[0]);
}

/* ---- Code ---- */

TEST_PAGED(code_changes, "code written through another mapping runs as written")
{
    u8 *page = page_alloc();
    paging_map(WINDOW, page, PTE_P);
    for (unsigned i = 0; i < 20; i++) {
        ulong ax;
        page[0] = 0xb8; /* MOV EAX, imm32 */
        memcpy(page + 1, &(u32){i * 0x01010101}, 4);
        page[5] = 0xc3;
        (void)cpuid(0, 0); /* serializes (SDM vol. 3, 8.1.3) */
        __asm__ volatile("call *%1" : "=a"(ax) : "r"(WINDOW) : "memory");
        CHECK_EQ(ax, i * 0x01010101);
    }
}
