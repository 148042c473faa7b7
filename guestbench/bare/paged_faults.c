/* Demand paging: a fault whose handler maps a page. */

#include "bare.h"

enum { PAGES = 256 };

static u8 *pages[PAGES];
static u8 *entries; /* of the window, in one table */
static u32 faults, flags;

static volatile u32 *entry_of(u32 slot)
{
    return (volatile u32 *)(entries + slot * mode->entry_bytes);
}

/* No INVLPG: the entry was not present. */
static bool demand(struct frame *f)
{
    ulong slot = (read_cr2() - (ulong)WINDOW) / PAGE;
    if (slot >= PAGES || f->error & PF_P)
        return false;
    *entry_of((u32)slot) = (u32)(ulong)pages[slot] | flags;
    faults++;
    return true;
}

static void demand_setup(void)
{
    for (u32 i = 0; i < PAGES; i++)
        pages[i] = page_alloc();
    entries = paging_entry(WINDOW, 1);
    paging_map(WINDOW + PAGES * PAGE, pages[0], PTE_ALL); /* its neighbour is in use */
    CHECK_EQ(*(volatile u8 *)(WINDOW + PAGES * PAGE), 0);
    flags = current->param;
    trap_handle(PF, demand);
}

static void demand_run(u32 n)
{
    faults = 0;
    for (u32 i = 0; i < n; i++) {
        u32 slot = i % PAGES;
        if (!slot) {
            for (u32 j = 0; j < PAGES; j++)
                *entry_of(j) = 0;
            write_cr3(read_cr3());
        }
        *(volatile u8 *)(WINDOW + slot * PAGE) = (u8)(i / PAGES + slot);
    }
}

static void demand_verify(u32 n)
{
    CHECK_EQ(faults, n);
    for (u32 i = n < PAGES ? 0 : n - PAGES; i < n; i++)
        CHECK_EQ(pages[i % PAGES][0], (u8)(i / PAGES + i % PAGES));
}

static void demand_finish(void)
{
    trap_handle(PF, NULL);
}

BARE(demand_fault, "demand_fault", "store to an absent page, handler maps it; unmapping by 256",
     .each_mode = true, .ops = 1, .param = PTE_ALL | PTE_A | PTE_D, .setup = demand_setup,
     .run = demand_run, .verify = demand_verify, .finish = demand_finish);
BARE(demand_fault_clean, "demand_fault_clean", "the same with an entry without A and D",
     .each_mode = true, .ops = 1, .param = PTE_ALL, .setup = demand_setup, .run = demand_run,
     .verify = demand_verify, .finish = demand_finish);
