/* Address spaces whose roots lie high enough in memory that a CPU with a list of CR3 values may load them by
 * itself (VT-x): what CR3 loads must do, and what they cost. */

#include "pages.h"

#define HIGH ((u8 *)0xc00000) /* roots; the kernel ends far below, the identity map above */
enum { SPACES = 5, TIMES = 100 };

static ulong space[SPACES];

/* Spaces that share all but the window, in which each has a page that says its number from 1. */
static void spaces_make(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        u8 *root = HIGH + i * PAGE;
        memcpy(root, (void *)(paging_new_space() & ~0xffful), PAGE);
        space[i] = (ulong)root;
    }
    for (unsigned i = 0; i < n; i++) {
        write_cr3(space[i]);
        paging_map(WINDOW, tagged((u8)(i + 1)), PTE_ALL);
        CHECK_EQ(seen(WINDOW), i + 1);
    }
    for (unsigned i = 0; i < 4 * n; i++) { /* until they are known */
        write_cr3(space[i % n]);
        CHECK_EQ(seen(WINDOW), i % n + 1);
    }
}

static void switches(unsigned n)
{
    ulong home = read_cr3();
    spaces_make(n);
    begin();
    for (unsigned i = 0; i < TIMES; i++) {
        write_cr3(space[i % n]);
        CHECK_EQ(seen(WINDOW), i % n + 1);
    }
    end();
    CHECK_EQ(read_cr3(), space[(TIMES - 1) % n]);
    write_cr3(home);
}

TEST_PAGED_EXITS(two_spaces, "100 CR3 loads between two spaces", "cr3=100 all=100 vmx: all=0")
{
    switches(2);
}

TEST_PAGED_EXITS(four_spaces, "100 CR3 loads between four spaces", "cr3=100 all=100 vmx: all=0")
{
    switches(4);
}

TEST_PAGED_EXITS(five_spaces, "100 CR3 loads between five spaces",
                 "cr3=100 all=100 vmx: cr3>=20 cr3<=45")
{
    switches(5);
}

static volatile u32 *root_entry(unsigned i)
{
    unsigned index = mode->levels == 4 ? 0 : mode->levels == 3 ? 1 : 256;
    return (volatile u32 *)(space[i] + index * mode->entry_bytes);
}

TEST_PAGED(root_changes, "a root's entry stored while another space runs")
{
    ulong home = read_cr3();
    spaces_make(2);
    u32 own = *root_entry(1), other = *root_entry(0);
    for (unsigned i = 0; i < 20; i++) {
        write_cr3(space[0]);
        *root_entry(1) = i & 1 ? own : other;
        write_cr3(space[1]);
        CHECK_EQ(seen(WINDOW), (i & 1) + 1);
        CHECK_EQ(*root_entry(1), i & 1 ? own : other);
    }
    write_cr3(home);
}

TEST_PAGED(lower_changes, "an entry of another space's table stored before its CR3 load")
{
    ulong home = read_cr3();
    u8 *page[2] = {tagged(8), tagged(9)};
    spaces_make(2);
    write_cr3(space[1]);
    volatile u32 *entry = paging_entry(WINDOW, 1);
    for (unsigned i = 0; i < 20; i++) {
        write_cr3(space[0]);
        CHECK_EQ(seen(WINDOW), 1);
        *entry = (u32)(ulong)page[i & 1] | PTE_ALL;
        write_cr3(space[1]);
        CHECK_EQ(seen(WINDOW), (i & 1) + 8);
    }
    write_cr3(space[0]);
    *entry = 0;
    write_cr3(space[1]);
    CHECK_EQ(CATCH((void)seen(WINDOW)), PF);
    write_cr3(home);
}

/* Whatever the roots' place in the machine below, no byte of the guest's memory changes by it. */
TEST_PAGED(memory_stays, "memory is as it was after CR3 loads")
{
    ulong home = read_cr3();
    enum { STEP = 256 };
    for (ulong at = 0x400000; at < 0xc00000; at += STEP)
        *(volatile u32 *)at = (u32)at ^ 0x5a5a5a5a;
    spaces_make(SPACES);
    unsigned wrong = 0;
    for (ulong at = 0x400000; at < 0xc00000; at += STEP)
        wrong += *(volatile u32 *)at != ((u32)at ^ 0x5a5a5a5a);
    CHECK_EQ(wrong, 0);
    for (ulong at = 0x400000; at < 0xc00000; at += PAGE)
        *(volatile u32 *)at = (u32)at;
    for (unsigned i = 0; i < 3 * SPACES; i++) {
        write_cr3(space[i % SPACES]);
        CHECK_EQ(seen(WINDOW), i % SPACES + 1);
    }
    for (ulong at = 0x400000; at < 0xc00000; at += PAGE)
        wrong += *(volatile u32 *)at != (u32)at;
    CHECK_EQ(wrong, 0);
    write_cr3(home);
}
