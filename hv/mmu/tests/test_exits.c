/* How many exits a guest's habits take: a CPU without a TLB over the shadow tables, and small guests that do what
 * kernels do with page tables. The counts are exact. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vm.h"

#define RAM (32 * MiB)
#define KERNEL (PTE_P | PTE_W | PTE_A | PTE_D)
#define USER (KERNEL | PTE_U)
#define CR0_ON (CR0_PE | CR0_PG | CR0_WP)

/* The 4-level guest: memory below 2 MiB at its own address by PT 4000h, user pages from 2 MiB up by PT 5000h. */
#define PML4 0x1000ull
#define PDPT 0x2000ull
#define PD 0x3000ull
#define PT_KERNEL 0x4000ull
#define PT_USER 0x5000ull
#define USER_GVA 0x200000ull
#define USER_GPA 0x400000ull

struct cpu {
    struct vm vm;
    unsigned exits;
    gva_t cr2;
};

static struct cpu cpu_new(bool vtx)
{
    return (struct cpu){.vm = vm_new((struct mmu_config){.ram_bytes = RAM,
                                                         .options = VM_ALL,
                                                         .maxphyaddr = 40,
                                                         .nx = true,
                                                         .fault_filter = vtx,
                                                         .invlpg_free = true})};
}

static void cpu_end(struct cpu *c)
{
    vm_end(&c->vm);
}

static void put64(struct cpu *c, gpa_t gpa, u64 e)
{
    vm_put64(&c->vm, gpa, e);
}

/* The CPU's walk; false: the fault's P and RSVD bits. */
static bool shadow_allows(struct cpu *c, gva_t gva, u32 access, u32 *pfec)
{
    bool is_long = mmu_root_is_long(c->vm.v);
    hpa_t table = mmu_root(c->vm.v);
    u64 all = ~0ull;

    for (unsigned level = is_long ? 4 : 3; level; level--) {
        unsigned index = (gva >> (3 + 9 * level)) & (level == 3 && !is_long ? 3 : 511);
        u64 e = ((u64 *)(void *)(c->vm.host + (table - VM_HPA)))[index];
        *pfec = !(e & PTE_P) ? 0 : e >> 40 & 0xfff ? PFEC_P | PFEC_RSVD : PFEC_P;
        if (*pfec != PFEC_P)
            return false;
        all &= level == 3 && !is_long ? ~0ull : e;
        table = e & 0x000ffffffffff000;
        if (level == 2 && e & PTE_PS)
            break;
    }
    return !(access & PFEC_W && !(all & PTE_W)) && !(access & PFEC_U && !(all & PTE_U));
}

enum outcome { DONE, GUEST_FAULT, STORE };

/* One access of the guest; an exit for each fault that does not go to the guest by itself. */
static enum outcome use(struct cpu *c, gva_t gva, u32 access, u32 *pfec)
{
    struct mmu_walk w;

    for (unsigned n = 0; n < 4; n++) {
        if (shadow_allows(c, gva, access, pfec))
            return DONE;
        *pfec |= access;
        u32 mask = mmu_fault_mask(c->vm.v);
        if (mask && !(*pfec & mask)) {
            c->cr2 = gva;
            return GUEST_FAULT;
        }
        c->exits++;
        switch (mmu_page_fault(c->vm.v, gva, *pfec, false, &w)) {
        case MMU_FIXED: break;
        case MMU_GUEST_FAULT: c->cr2 = gva; return GUEST_FAULT;
        case MMU_EMULATE_STORE: return STORE;
        case MMU_EMULATE_MMIO: fail();
        }
    }
    fail();
    return DONE;
}

/* The kernel's store of an entry, at its address in the kernel's map. */
static void store(struct cpu *c, gpa_t gpa, u64 e)
{
    u32 pfec;

    switch (use(c, gpa, PFEC_W, &pfec)) {
    case DONE: memcpy(c->vm.host + gpa, &e, 8); break;
    case STORE:
        mmu_set_cr2(c->vm.v, c->cr2);
        mmu_emulated_store(c->vm.v, gpa, &e, 8, false);
        mmu_stored(c->vm.v, gpa, pfec, false);
        break;
    case GUEST_FAULT: fail();
    }
}

static gpa_t entry(unsigned i)
{
    return PT_USER + i * 8;
}

static gva_t page(unsigned i)
{
    return USER_GVA + i * PAGE_SIZE;
}

static u64 frame(unsigned i)
{
    return USER_GPA + i * PAGE_SIZE;
}

static void must(struct cpu *c, unsigned i, u32 access, enum outcome want)
{
    u32 pfec;

    assert_int_equal(use(c, page(i), access | PFEC_U, &pfec), want);
}

static void invlpg(struct cpu *c, gva_t gva)
{
    if (!mmu_invlpg_exits(c->vm.v))
        return;
    c->exits++;
    mmu_invlpg(c->vm.v, gva);
}

static unsigned take(struct cpu *c)
{
    unsigned n = c->exits;

    c->exits = 0;
    return n;
}

/* `pages` user pages are mapped, all have been used; all tables are shadowed. */
static struct cpu guest(bool vtx, unsigned pages)
{
    struct cpu c = cpu_new(vtx);

    put64(&c, PML4, PDPT | USER);
    put64(&c, PDPT, PD | USER);
    put64(&c, PD, PT_KERNEL | KERNEL);
    put64(&c, PD + 8, PT_USER | USER);
    for (unsigned i = 0; i < 512; i++)
        put64(&c, PT_KERNEL + i * 8, i * PAGE_SIZE | KERNEL);
    for (unsigned i = 0; i < pages; i++)
        put64(&c, entry(i), frame(i) | USER);
    assert_true(mmu_set_mode(c.vm.v, CR0_ON, PML4, CR4_PAE, EFER_LMA | EFER_LME | EFER_NXE));
    put64(&c, entry(511), frame(511) | USER);
    must(&c, 511, 0, DONE); /* the table is linked and shadowed */
    store(&c, 0x100000, 0);
    c.cr2 = page(400);
    take(&c);
    return c;
}

/* A page a fault: the fault, where it is not the guest's alone, and the store. */
static void test_demand(void **state)
{
    (void)state;
    for (unsigned vtx = 0; vtx < 2; vtx++) {
        struct cpu c = guest(vtx, 0);
        for (unsigned i = 0; i < 32; i++) {
            must(&c, i, PFEC_W, GUEST_FAULT);
            store(&c, entry(i), frame(i) | USER);
            must(&c, i, PFEC_W, DONE);
        }
        assert_int_equal(take(&c), vtx ? 32 : 2 * 32);
        cpu_end(&c);
    }
}

/* One fault, and the kernel maps sixteen pages. */
static void test_fault_around(void **state)
{
    (void)state;
    for (unsigned vtx = 0; vtx < 2; vtx++) {
        struct cpu c = guest(vtx, 0);
        must(&c, 5, 0, GUEST_FAULT);
        for (unsigned i = 0; i < 16; i++)
            store(&c, entry(i), frame(i) | USER);
        for (unsigned i = 0; i < 16; i++)
            must(&c, i, 0, DONE);
        assert_int_equal(take(&c), vtx ? 1 + 1 : 1 + 1 + 1);
        must(&c, 30, PFEC_W, GUEST_FAULT); /* in sync again */
        store(&c, entry(30), frame(30) | USER);
        must(&c, 30, PFEC_W, DONE);
        assert_int_equal(take(&c), vtx ? 1 : 2);
        cpu_end(&c);
    }
}

/* Single stores that no fault came before, each used at once: whether out of sync or not, one exit each. */
static void test_no_row(void **state)
{
    (void)state;
    struct cpu c = guest(true, 1);

    for (unsigned i = 1; i <= 50; i++) {
        store(&c, entry(i), frame(i) | USER);
        must(&c, i, 0, DONE);
    }
    assert_int_equal(take(&c), 50);
    cpu_end(&c);
}

/* Cleared, flushed, written: no part of a teardown, and INVLPG needs no exit. */
static void test_copy_on_write(void **state)
{
    (void)state;
    for (unsigned vtx = 0; vtx < 2; vtx++) {
        struct cpu c = guest(vtx, 8);
        for (unsigned i = 0; i < 8; i++)
            put64(&c, entry(i), frame(i) | (USER & ~PTE_W));
        must(&c, 0, 0, DONE);
        take(&c);
        for (unsigned i = 0; i < 8; i++) {
            must(&c, i, PFEC_W, GUEST_FAULT);
            store(&c, entry(i), 0);
            invlpg(&c, page(i));
            store(&c, entry(i), frame(i + 8) | USER);
            must(&c, i, PFEC_W, DONE);
        }
        assert_int_equal(take(&c), 3 * 8);
        assert_int_equal(mmu_counters(c.vm.mmu)->unsynced, 0);
        cpu_end(&c);
    }
}

/* All entries lose a right; the first store exits, and the flush by CR3 that must see the others. */
static void test_fork_protects(void **state)
{
    (void)state;
    for (unsigned vtx = 0; vtx < 2; vtx++) {
        struct cpu c = guest(vtx, 64);
        c.cr2 = 0; /* of another table's entry with the first one's index */
        for (unsigned i = 0; i < 64; i++)
            store(&c, entry(i), frame(i) | (USER & ~PTE_W));
        assert_int_equal(take(&c), 1);
        assert_true(mmu_load_cr3(c.vm.v, PML4));
        assert_true(mmu_take_tlb_flush(c.vm.v));
        must(&c, 63, 0, DONE);
        must(&c, 63, PFEC_W, GUEST_FAULT);
        assert_int_equal(take(&c), 1);
        cpu_end(&c);
    }
}

/* Sixteen pages given back and taken again, as malloc does: store, INVLPG; then a store a page. */
static void test_shrink_and_grow(void **state)
{
    (void)state;
    struct cpu c = guest(true, 16);

    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 16; i++)
            store(&c, entry(i), 0);
        for (unsigned i = 0; i < 16; i++)
            invlpg(&c, page(i));
        assert_int_equal(take(&c), 2);
        for (unsigned i = 0; i < 16; i++) {
            must(&c, i, PFEC_W, GUEST_FAULT);
            store(&c, entry(i), frame(i) | USER);
            must(&c, i, PFEC_W, DONE);
        }
        assert_int_equal(take(&c), 16);
    }
    cpu_end(&c);
}

/* The end of a process: entries cleared, the table unlinked, its page cleared for the next. */
static void test_table_ends(void **state)
{
    (void)state;
    for (unsigned vtx = 0; vtx < 2; vtx++) {
        struct cpu c = guest(vtx, 64);
        u64 dropped = mmu_counters(c.vm.mmu)->tables_dropped;
        for (unsigned i = 0; i < 64; i++)
            store(&c, entry(i), 0);
        store(&c, entry(511), 0);
        store(&c, PD + 8, 0);
        assert_int_equal(take(&c), 2);
        assert_int_equal(mmu_counters(c.vm.mmu)->tables_dropped, dropped + 1);
        for (unsigned i = 0; i < 512; i++)
            store(&c, entry(i), 0);
        assert_int_equal(take(&c), 0);
        cpu_end(&c);
    }
}

/* A root's page cleared for another use: the second store finds no table any more. */
static void test_root_ends(void **state)
{
    (void)state;
    struct cpu c = guest(true, 1);

    put64(&c, 0x6000, PDPT | USER);
    assert_true(mmu_load_cr3(c.vm.v, 0x6000));
    must(&c, 0, 0, DONE);
    assert_true(mmu_load_cr3(c.vm.v, PML4));
    must(&c, 0, 0, DONE);
    take(&c);
    store(&c, 0x6008, 0);
    for (unsigned i = 0; i < 512; i++)
        store(&c, 0x6000 + i * 8, 0);
    assert_int_equal(take(&c), 1);
    cpu_end(&c);
}

/* A 2-level guest's new space with the kernel's eight regions of 4 MiB, of which the old one had all in use. Here
 * one was not used yet, and one has a reserved bit. */
static void test_new_space(void **state)
{
    (void)state;
    for (unsigned vtx = 0; vtx < 2; vtx++) {
        struct cpu c = cpu_new(vtx);
        u32 pfec;
        for (u64 pd = 0x1000; pd <= 0x2000; pd += 0x1000)
            for (u32 i = 0; i < 8; i++) {
                u32 e = i << 22 | 0x1e3;
                if (pd == 0x2000)
                    e ^= i == 6 ? PTE_A : i == 7 ? 1 << 21 : 0;
                assert_true(mmu_write(c.vm.mmu, pd + (768 + i) * 4, &e, 4));
            }
        assert_true(mmu_set_mode(c.vm.v, CR0_ON, 0x1000, CR4_PSE, 0));
        for (u64 i = 0; i < 16; i++)
            assert_int_equal(use(&c, 0xc0000000 + i * 2 * MiB, 0, &pfec), DONE);
        assert_int_equal(take(&c), 16);
        assert_true(mmu_load_cr3(c.vm.v, 0x2000));
        for (u64 i = 0; i < 14; i++)
            assert_int_equal(use(&c, 0xc0000000 + i * 2 * MiB, 0, &pfec), DONE);
        assert_int_equal(take(&c), 1 + 2);
        assert_int_equal(use(&c, 0xc0000000 + 14 * 2 * MiB, 0, &pfec), GUEST_FAULT);
        cpu_end(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_demand),        cmocka_unit_test(test_fault_around),
        cmocka_unit_test(test_no_row),        cmocka_unit_test(test_copy_on_write),
        cmocka_unit_test(test_fork_protects), cmocka_unit_test(test_shrink_and_grow),
        cmocka_unit_test(test_table_ends),    cmocka_unit_test(test_root_ends),
        cmocka_unit_test(test_new_space),
    };

    return cmocka_run_group_tests_name("mmu exits", tests, NULL, NULL);
}
