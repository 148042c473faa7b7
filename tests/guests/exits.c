/* What an architectural event costs in exits: exact under QEMU's emulator. After `vmx:` what VT-x costs, where
 * its count differs. */

#include "core/guest.h"

enum { TIMES = 100 };

TEST_EXITS(cpuid_loop, "100 CPUID", "cpuid=100 all=100")
{
    struct cpuid first = cpuid(0, 0), r = first;
    begin();
    for (unsigned i = 0; i < TIMES; i++)
        r = cpuid(0, 0);
    end();
    CHECK_EQ(r.ebx, first.ebx);
    CHECK_EQ(r.edx, first.edx);
}

TEST_EXITS(nothing, "a loop without events", "all=0")
{
    begin();
    for (unsigned i = 0; i < TIMES; i++)
        __asm__ volatile("rdtsc" : : : "eax", "edx");
    end();
}

TEST_EXITS(port_loop, "100 reads and 100 writes of a port", "io=200 all=200")
{
    u8 mask = in8(0x21);
    begin();
    for (unsigned i = 0; i < TIMES; i++)
        out8(0x21, (u8)(in8(0x21) | (i & 0)));
    end();
    CHECK_EQ(in8(0x21), mask);
}

static void cr0_ts_run(void)
{
    begin();
    for (unsigned i = 0; i < TIMES; i++) {
        write_cr0(read_cr0() | CR0_TS);
        CHECK(read_cr0() & CR0_TS);
        __asm__ volatile("clts");
        CHECK(!(read_cr0() & CR0_TS));
    }
    end();
}

/* With paging and write protection on the guest's CR0 is the CPU's. */
TEST_PAGED_EXITS(cr0_ts, "100 CLTS and 100 times CR0.TS set", "all=0")
{
    cr0_ts_run();
}

TEST_EXITS(efer_reads, "100 RDMSR of EFER", "rdmsr=100 all=100")
{
    u64 efer = rdmsr(MSR_EFER);
    begin();
    for (unsigned i = 0; i < TIMES; i++)
        CHECK_EQ(rdmsr(MSR_EFER), efer);
    end();
}

TEST_EXITS(soft_int, "100 INT and IRET", "all=0")
{
    static unsigned seen;
    begin();
    for (unsigned i = 0; i < TIMES; i++)
        CHECK_EQ(CATCH(__asm__ volatile("int $0x31")), VEC_SOFT), seen++;
    end();
}

TEST_PAGED_EXITS(cr3_loop, "100 CR3 switches", "cr3=100 all<=104")
{
    u8 *page[2] = {page_alloc(), page_alloc()};
    ulong space[2] = {read_cr3(), paging_new_space()};
    for (unsigned i = 0; i < 2; i++) {
        write_cr3(space[i]);
        *page[i] = (u8)(i + 1);
        paging_map(WINDOW, page[i], PTE_ALL);
        CHECK_EQ(*(volatile u8 *)WINDOW, i + 1);
    }
    begin();
    for (unsigned i = 0; i < TIMES; i++) {
        write_cr3(space[i & 1]);
        CHECK_EQ(*(volatile u8 *)WINDOW, (i & 1) + 1);
    }
    end();
    write_cr3(space[0]);
}

static u8 *next_page;
static u8 *window_entries; /* the page table of the window's begin */
static u32 demand_flags;
static unsigned faults;

/* As an OS does it: find the page, write its entry, return. No INVLPG: it was not present. */
static bool demand(struct frame *f)
{
    ulong va = read_cr2();
    if (va < (ulong)WINDOW || va >= (ulong)WINDOW + TIMES * PAGE || f->error & PF_P)
        return false;
    *(volatile u32 *)(window_entries + (va - (ulong)WINDOW) / PAGE * mode->entry_bytes) =
        (u32)(ulong)next_page | demand_flags;
    next_page += PAGE;
    faults++;
    return true;
}

static u8 demand_pages[TIMES * PAGE] aligned_page;

static void demand_run(u32 flags)
{
    faults = 0;
    next_page = demand_pages;
    demand_flags = flags;
    window_entries = paging_entry(WINDOW, 1);
    paging_map(WINDOW + TIMES * PAGE, demand_pages, PTE_ALL); /* the table is in use */
    CHECK_EQ(*(volatile u8 *)(WINDOW + TIMES * PAGE), *demand_pages);
    write_cr3(read_cr3());
    CHECK_EQ(CATCH((void)*(volatile u8 *)(WINDOW + (TIMES + 1) * PAGE)), PF);
    trap_handle(PF, demand);
    begin();
    for (unsigned i = 0; i < TIMES; i++)
        *(volatile u8 *)(WINDOW + i * PAGE) = (u8)i;
    end();
    trap_handle(PF, NULL);
    CHECK_EQ(faults, TIMES);
    for (unsigned i = 0; i < TIMES; i++)
        CHECK_EQ(demand_pages[i * PAGE], (u8)i);
}

TEST_PAGED_EXITS(demand_faults, "100 demand faults",
                 "pf-guest=100 all<=210 vmx: pf-store=100 all=100")
{
    demand_run(PTE_ALL | PTE_A | PTE_D);
}

/* The entry's first use sets A and D in it, which takes the fill that the store could not do. */
TEST_PAGED_EXITS(demand_faults_clean, "100 demand faults, entries without A and D",
                 "pf-guest=100 all<=310 vmx: all<=201")
{
    demand_run(PTE_ALL);
}

static void absent_pages(unsigned n)
{
    for (volatile unsigned i = 0; i < n; i++) {
        ulong error = i & 1 ? PF_W : 0;
        CHECK_EQ(CATCH(i & 1 ? (void)(*(volatile u8 *)(WINDOW + i * PAGE) = 0)
                             : (void)*(volatile u8 *)(WINDOW + i * PAGE)),
                 PF);
        CHECK_EQ(trap_last.error, error);
        CHECK_EQ(trap_last.cr2, (ulong)WINDOW + i * PAGE);
    }
}

/* What the guest's own handler makes of them is no matter of ours. */
TEST_PAGED_EXITS(own_faults, "100 faults of pages that stay not present",
                 "pf-guest=100 all=100 vmx: all=0")
{
    paging_map(WINDOW + TIMES * PAGE, demand_pages, PTE_ALL); /* the table is in use */
    CHECK_EQ(*(volatile u8 *)(WINDOW + TIMES * PAGE), *demand_pages);
    write_cr3(read_cr3());
    CHECK_EQ(CATCH((void)*(volatile u8 *)(WINDOW + (TIMES + 1) * PAGE)), PF);
    absent_pages(2); /* its own code and stack are mapped */
    begin();
    absent_pages(TIMES);
    end();
}

TEST_PAGED_EXITS(invlpg_loop, "100 INVLPG", "all=0")
{
    paging_map(WINDOW, demand_pages, PTE_ALL);
    CHECK_EQ(*(volatile u8 *)WINDOW, *demand_pages);
    write_cr3(read_cr3());
    begin();
    for (unsigned i = 0; i < TIMES; i++) {
        invlpg(WINDOW);
        CHECK_EQ(*(volatile u8 *)WINDOW, *demand_pages);
    }
    end();
}

TEST_PAGED_EXITS(mapped_reads, "reads of 100 mapped pages, the second time", "all=0")
{
    for (unsigned i = 0; i < TIMES; i++)
        paging_map(WINDOW + i * PAGE, demand_pages + i * PAGE, PTE_ALL);
    for (unsigned i = 0; i < TIMES; i++)
        *(volatile u8 *)(WINDOW + i * PAGE) = (u8)i;
    begin();
    for (unsigned i = 0; i < TIMES; i++)
        CHECK_EQ(*(volatile u8 *)(WINDOW + i * PAGE), (u8)i);
    end();
}
