/* What fork does to page tables: 4 leaf tables of 32 pages are copied and write-protected, the copy
 * is run in, and thrown away. */

#include "bare.h"

enum { TABLES = 4, EACH = 32 };

static ulong parent_cr3, child_cr3;
static u8 *parent[TABLES], *child[TABLES]; /* leaf tables */
static u8 *pages[TABLES][EACH], *copies[TABLES];
static u32 sum, faults;
static u8 last;

static ulong span(void)
{
    return PAGE << mode->index_bits;
}

static volatile u8 *address(u32 table, u32 index)
{
    return WINDOW + table * span() + index * PAGE;
}

static volatile u32 *entry_of(u8 *table, u32 index)
{
    return (volatile u32 *)(table + index * mode->entry_bytes);
}

/* Copy on write: the child gets a page of its own, the parent its page back. */
static bool cow(struct frame *f)
{
    ulong at = read_cr2() - (ulong)WINDOW, t = at / span(), i = at % span() / PAGE;
    if (t >= TABLES || i >= EACH || (f->error & (PF_P | PF_W)) != (PF_P | PF_W))
        return false;
    if (read_cr3() == child_cr3) {
        memcpy(copies[t], pages[t][i], PAGE);
        *entry_of(child[t], (u32)i) = (u32)(ulong)copies[t] | PTE_ALL | PTE_A | PTE_D;
    } else {
        *entry_of(parent[t], (u32)i) |= PTE_W;
    }
    invlpg((const void *)address((u32)t, (u32)i));
    faults++;
    return true;
}

static void fork_setup(void)
{
    parent_cr3 = read_cr3();
    child_cr3 = paging_new_space();
    for (u32 t = 0; t < TABLES; t++) {
        copies[t] = page_alloc();
        parent[t] = paging_entry(address(t, 0), 1);
        write_cr3(child_cr3);
        child[t] = paging_entry(address(t, 0), 1);
        write_cr3(parent_cr3);
        for (u32 i = 0; i < EACH; i++) {
            pages[t][i] = page_alloc();
            pages[t][i][0] = (u8)(t + 1);
            paging_map((const void *)address(t, i), pages[t][i], PTE_ALL | PTE_A | PTE_D);
        }
    }
    trap_handle(PF, cow);
}

static void copy_tree(void)
{
    for (u32 t = 0; t < TABLES; t++) {
        for (u32 i = 0; i < EACH; i++) {
            u32 value = *entry_of(parent[t], i);
            if (value & PTE_W)
                *entry_of(parent[t], i) = value & ~(u32)PTE_W;
            *entry_of(child[t], i) = value & ~(u32)PTE_W;
        }
    }
    write_cr3(parent_cr3); /* flushes the rights that were taken away */
}

static void drop_child(void)
{
    write_cr3(parent_cr3);
    for (u32 t = 0; t < TABLES; t++)
        for (u32 i = 0; i < EACH; i++)
            *entry_of(child[t], i) = 0;
}

static u32 read_tree(void)
{
    u32 total = 0;
    for (u32 t = 0; t < TABLES; t++)
        total += *address(t, 0);
    return total;
}

static void write_tree(u32 byte, u8 value)
{
    for (u32 t = 0; t < TABLES; t++)
        address(t, t)[byte] = value;
}

static void tree_run(u32 n)
{
    u32 total = 0;
    for (u32 k = 0; k < n; k++) {
        copy_tree();
        write_cr3(child_cr3);
        total += read_tree();
        drop_child();
    }
    sum = total;
}

static void tree_verify(u32 n)
{
    CHECK_EQ(sum, n * (1 + 2 + 3 + 4));
    CHECK_EQ(*entry_of(child[TABLES - 1], EACH - 1), 0);
}

static void cow_run(u32 n)
{
    u32 total = 0;
    faults = 0;
    for (u32 k = 0; k < n; k++) {
        copy_tree();
        write_cr3(child_cr3);
        total += read_tree();
        write_tree(1, (u8)(k | 1));
        drop_child();
        write_tree(2, (u8)(k | 1));
    }
    sum = total;
    last = (u8)((n - 1) | 1);
}

/* The child wrote its copies, the parent its own pages. */
static void cow_verify(u32 n)
{
    tree_verify(n);
    CHECK_EQ(faults, n * 2 * TABLES);
    for (u32 t = 0; t < TABLES; t++) {
        CHECK_EQ(copies[t][0], t + 1);
        CHECK_EQ(copies[t][1], last);
        CHECK_EQ(pages[t][t][1], 0);
        CHECK_EQ(pages[t][t][2], last);
    }
}

static void fork_finish(void)
{
    write_cr3(parent_cr3);
    trap_handle(PF, NULL);
}

BARE(fork_tree, "fork_tree",
     "128 entries in 4 tables copied, 2 more loads of CR3, 4 loads, cleared", .each_mode = true,
     .ops = 1, .setup = fork_setup, .run = tree_run, .verify = tree_verify, .finish = fork_finish);
BARE(fork_cow, "fork_cow", "as fork_tree, and 4 pages written by both: 4 copies and 8 faults",
     .each_mode = true, .ops = 1, .setup = fork_setup, .run = cow_run, .verify = cow_verify,
     .finish = fork_finish);
