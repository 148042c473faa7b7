/* Large pages (SDM vol. 3, 4.3 to 4.5). */

#include "pages.h"

enum { LARGE_AT = 8 << 20 }; /* physical, within the identity map, free */

static void check_large(u8 *va, u8 *identity, unsigned bytes)
{
    for (unsigned at = 0; at < bytes; at += bytes / 16 + PAGE) {
        identity[at] = (u8)(at >> 12);
        CHECK_EQ(va[at], (u8)(at >> 12));
        va[at + 1] = (u8) ~(at >> 12);
        CHECK_EQ(identity[at + 1], (u8) ~(at >> 12));
    }
}

TEST_PAGED(large_page, "a large page")
{
    unsigned bytes = paging_large_level2_bytes();
    paging_set(WINDOW, 2, LARGE_AT | PTE_ALL | PTE_PS);
    check_large(WINDOW, (u8 *)LARGE_AT, bytes);
    CHECK_EQ(paging_get(WINDOW, 2), LARGE_AT | PTE_ALL | PTE_PS | PTE_A | PTE_D);
    paging_set(WINDOW, 2, LARGE_AT | PTE_P | PTE_PS);
    CHECK_EQ(CATCH(*(volatile u8 *)(WINDOW + 5 * PAGE) = 1), PF);
    CHECK_EQ(trap_last.error, PF_P | PF_W);
    CHECK_EQ(CATCH((void)seen(WINDOW + 5 * PAGE)), NO_TRAP);
    CHECK_EQ(paging_get(WINDOW, 2), LARGE_AT | PTE_P | PTE_PS | PTE_A);
}

TEST_PAGED(large_split, "a large page split into a table, and joined")
{
    unsigned bytes = paging_large_level2_bytes();
    u8 *other = tagged(0xaa), *table = page_alloc();
    ((volatile u8 *)LARGE_AT)[3 * PAGE] = 7;
    for (unsigned i = 0; i < bytes / PAGE; i++)
        memcpy(table + i * mode->entry_bytes,
               &(u64){(i == 3 ? (ulong)other : LARGE_AT + i * PAGE) | PTE_ALL}, mode->entry_bytes);
    for (unsigned i = 0; i < 5; i++) {
        paging_set(WINDOW, 2, LARGE_AT | PTE_ALL | PTE_PS);
        write_cr3(read_cr3());
        CHECK_EQ(seen(WINDOW + 3 * PAGE), 7);
        paging_set(WINDOW, 2, (ulong)table | PTE_ALL);
        write_cr3(read_cr3());
        CHECK_EQ(seen(WINDOW + 3 * PAGE), 0xaa);
        check_large(WINDOW + 4 * PAGE, (u8 *)LARGE_AT + 4 * PAGE, bytes - 4 * PAGE - bytes / 16);
    }
}

TEST_PAGED(large_reserved, "a reserved bit of a large page's entry")
{
    unsigned bit = mode->entry_bytes == 4 ? 21 : 13;
    paging_set(WINDOW, 2, LARGE_AT | PTE_ALL | PTE_PS | 1u << bit);
    CHECK_EQ(CATCH((void)seen(WINDOW)), PF);
    CHECK_EQ(trap_last.error, PF_P | PF_RSVD);
}

TEST_PAGED(pse36, "bit 13 of a large page's entry is bit 32 of its address, or reserved")
{
    volatile u8 *low = (volatile u8 *)LARGE_AT;
    if (mode->levels != 2) {
        test_skip("2-level paging only");
        return;
    }
    *low = 0x11;
    paging_set(WINDOW, 2, LARGE_AT | PTE_ALL | PTE_PS | 1u << 13);
    if (cpuid(1, 0).edx & 1u << 17) {
        CHECK_EQ(CATCH(*(volatile u8 *)WINDOW = 0x77), NO_TRAP); /* above 4 GiB, where nothing is */
        CHECK_EQ(*low, 0x11);
    } else {
        CHECK_EQ(CATCH((void)seen(WINDOW)), PF);
        CHECK_EQ(trap_last.error, PF_P | PF_RSVD);
    }
    paging_set(WINDOW, 2, LARGE_AT | PTE_ALL | PTE_PS);
    CHECK_EQ(seen(WINDOW), 0x11);
}

TEST_PAGED(large_over_table, "a large page over a page table that is in use")
{
    u8 *a = tagged(1), *b = tagged(2);
    unsigned span = paging_large_level2_bytes();
    paging_map(WINDOW, a, PTE_ALL);
    CHECK_EQ(seen(WINDOW), 1);
    u8 *entry = paging_entry(WINDOW, 1);
    ulong base = (ulong)entry & ~(ulong)(span - 1);
    paging_set(WINDOW + span, 2, base | PTE_ALL | PTE_PS);
    *(volatile u32 *)(WINDOW + span + ((ulong)entry - base)) = (u32)(ulong)b | PTE_ALL;
    invlpg(WINDOW);
    CHECK_EQ(seen(WINDOW), 2);
}

TEST_PAGED(gigabyte_page, "a page of 1 GiB")
{
    if (mode->levels != 4 || !(cpuid(0x80000001, 0).edx & 1u << 26)) {
        test_skip("none in this mode");
        return;
    }
    paging_set(WINDOW, 3, PTE_ALL | PTE_PS);
    check_large(WINDOW + LARGE_AT, (u8 *)LARGE_AT, 4 << 20);
    CHECK_EQ(paging_get(WINDOW, 3), PTE_ALL | PTE_PS | PTE_A | PTE_D);
    paging_set(WINDOW, 3, 0);
    CHECK_EQ(CATCH((void)seen(WINDOW + LARGE_AT)), PF);
}
