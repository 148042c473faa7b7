/* Refills of the TLB: all translations are forgotten, then N pages are read. */

#include "bare.h"

static u32 sum;

/* Two pages of RAM behind all of them, so that the caches hold what is read; each page is read in
 * another line. */
static void tlb_setup(void)
{
    u8 *page[2] = {page_alloc(), page_alloc()};
    memset(page[0], 1, PAGE);
    memset(page[1], 2, PAGE);
    for (u32 i = 0; i < current->param; i++)
        paging_map(WINDOW + i * PAGE, page[i & 1], PTE_ALL | PTE_A | PTE_D);
}

static void tlb_run(u32 n)
{
    ulong cr3 = read_cr3();
    u32 pages = current->param, total = 0;
    for (u32 k = 0; k < n; k++) {
        write_cr3(cr3);
        for (u32 i = 0; i < pages; i++)
            total += *(volatile u8 *)(WINDOW + i * PAGE + i % 64 * 64);
    }
    sum = total;
}

static void tlb_verify(u32 n)
{
    u32 pages = current->param;
    CHECK_EQ(sum, n * (pages / 2 * 3 + pages % 2));
}

#define TLB(n)                                                                                     \
    BARE(tlb_##n, "tlb_refill_" #n,                                                                \
         "load from one of " #n " pages after a flush; MOV to CR3 by " #n, .each_mode = true,      \
         .ops = n, .param = n, .setup = tlb_setup, .run = tlb_run, .verify = tlb_verify)
TLB(1);
TLB(4);
TLB(16);
TLB(64);
TLB(256);
TLB(1024);
