/* Address spaces: loads of CR3. */

#include "bare.h"

enum { SPACES = 8 };

static ulong space[SPACES];
static u32 sum;

/* Each space has a page of its own at the window's start, which says its number from 1. */
static void spaces_setup(void)
{
    sum = 0;
    for (u32 i = 0; i < current->param; i++) {
        u8 *page = page_alloc();
        space[i] = i ? paging_new_space() : read_cr3();
        *page = (u8)(i + 1);
        write_cr3(space[i]);
        paging_map(WINDOW, page, PTE_ALL | PTE_A | PTE_D);
        CHECK_EQ(*(volatile u8 *)WINDOW, i + 1);
        write_cr3(space[0]);
    }
}

static void switch_run(u32 n)
{
    u32 mask = current->param - 1, total = 0;
    for (u32 i = 0; i < n; i++) {
        write_cr3(space[i & mask]);
        total += *(volatile u8 *)WINDOW;
    }
    sum = total;
}

static void switch_verify(u32 n)
{
    u32 k = current->param, rest = n % k;
    CHECK_EQ(sum, n / k * (k * (k + 1) / 2) + rest * (rest + 1) / 2);
}

static void spaces_finish(void)
{
    write_cr3(space[0]);
}

static void reload_run(u32 n)
{
    ulong cr3 = read_cr3();
    for (u32 i = 0; i < n; i++)
        write_cr3(cr3);
}

static void reload_verify(u32 n)
{
    (void)n;
    CHECK_EQ(*(volatile u8 *)WINDOW, 1);
}

BARE(cr3_reload, "cr3_reload", "MOV to CR3 of the value it has", .each_mode = true, .ops = 1,
     .param = 1, .setup = spaces_setup, .run = reload_run, .verify = reload_verify);
BARE(cr3_switch_2, "cr3_switch_2", "MOV to CR3 of the next of two address spaces, and a load",
     .each_mode = true, .ops = 1, .param = 2, .setup = spaces_setup, .run = switch_run,
     .verify = switch_verify, .finish = spaces_finish);
BARE(cr3_switch_8, "cr3_switch_8", "MOV to CR3 of the next of eight address spaces, and a load",
     .each_mode = true, .ops = 1, .param = 8, .setup = spaces_setup, .run = switch_run,
     .verify = switch_verify, .finish = spaces_finish);
