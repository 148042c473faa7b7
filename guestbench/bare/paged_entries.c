/* What an operating system does to entries of a page table that is in use. */

#include "bare.h"

static u8 *page[2];
static volatile u32 *entry; /* the low half of the window's first entry */
static u32 sum, flags_seen;

static void entry_setup(void)
{
    for (unsigned i = 0; i < 2; i++) {
        page[i] = page_alloc();
        page[i][0] = (u8)(i + 1);
    }
    paging_map(WINDOW, page[0], PTE_ALL | PTE_A | PTE_D);
    entry = paging_entry(WINDOW, 1);
    CHECK_EQ(*(volatile u8 *)WINDOW, 1);
}

/* ---- INVLPG ---- */

static void invlpg_run(u32 n)
{
    u32 total = 0;
    for (u32 i = 0; i < n; i++) {
        invlpg(WINDOW);
        total += *(volatile u8 *)WINDOW;
    }
    sum = total;
}

static void invlpg_verify(u32 n)
{
    CHECK_EQ(sum, n);
}

BARE(invlpg, "invlpg", "INVLPG of a mapped page, and a load from it", .each_mode = true, .ops = 1,
     .setup = entry_setup, .run = invlpg_run, .verify = invlpg_verify);

/* ---- Stores to an entry ---- */

enum { PTE_AVL = 0x200 };

static void store_run(u32 n)
{
    u32 value = *entry & ~(u32)PTE_AVL;
    for (u32 i = 0; i < n; i++)
        *entry = value | (i & 1) * PTE_AVL;
}

static void store_verify(u32 n)
{
    CHECK_EQ(*entry, (u32)(ulong)page[0] | PTE_ALL | PTE_A | PTE_D | ((n - 1) & 1) * PTE_AVL);
    CHECK_EQ(*(volatile u8 *)WINDOW, 1);
}

BARE(pte_store, "pte_store", "store to an entry in use that changes a bit free to software",
     .each_mode = true, .ops = 1, .setup = entry_setup, .run = store_run, .verify = store_verify);

static void remap_run(u32 n)
{
    const u32 value[2] = {(u32)(ulong)page[0] | PTE_ALL | PTE_A | PTE_D,
                          (u32)(ulong)page[1] | PTE_ALL | PTE_A | PTE_D};
    u32 total = 0;
    for (u32 i = 0; i < n; i++) {
        *entry = value[i & 1];
        invlpg(WINDOW);
        total += *(volatile u8 *)WINDOW;
    }
    sum = total;
}

static void remap_verify(u32 n)
{
    CHECK_EQ(sum, n / 2 * 3 + (n & 1));
}

BARE(pte_remap, "pte_remap", "store of another page to an entry, INVLPG, and a load",
     .each_mode = true, .ops = 1, .setup = entry_setup, .run = remap_run, .verify = remap_verify);

/* ---- Accessed and dirty bits, which the processor sets ---- */

static void accessed_run(u32 n)
{
    u32 value = (u32)(ulong)page[0] | PTE_ALL, all = PTE_A;
    for (u32 i = 0; i < n; i++) {
        *entry = value;
        invlpg(WINDOW);
        (void)*(volatile u8 *)WINDOW;
        all &= *entry;
    }
    flags_seen = all;
}

static void accessed_verify(u32 n)
{
    (void)n;
    CHECK_EQ(flags_seen, PTE_A);
    CHECK_EQ(*entry & PTE_D, 0);
}

static void dirty_run(u32 n)
{
    u32 value = (u32)(ulong)page[0] | PTE_ALL | PTE_A, all = PTE_D;
    for (u32 i = 0; i < n; i++) {
        *entry = value;
        invlpg(WINDOW);
        *(volatile u8 *)WINDOW = (u8)i;
        all &= *entry;
    }
    flags_seen = all;
}

static void dirty_verify(u32 n)
{
    CHECK_EQ(flags_seen, PTE_D);
    CHECK_EQ(page[0][0], (u8)(n - 1));
}

BARE(accessed, "accessed", "entry stored without A, INVLPG, a load that sets A, A read",
     .each_mode = true, .ops = 1, .setup = entry_setup, .run = accessed_run,
     .verify = accessed_verify);
BARE(dirty, "dirty", "entry stored without D, INVLPG, a store that sets D, D read",
     .each_mode = true, .ops = 1, .setup = entry_setup, .run = dirty_run, .verify = dirty_verify);
