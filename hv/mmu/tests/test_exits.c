/* How many exits a guest's habits take: a CPU without a TLB over the shadow tables, and small guests that do what
 * kernels do with page tables. The counts are exact. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mmu/mmu.h"

#define RAM (32 * MiB)
#define POOL (8 * MiB)
#define HPA 0x10000000ull
#define ALL ((1u << MMU_OPT_COUNT) - 1)
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

struct vm {
    u8 *host;
    struct mmu *mmu;
    struct mmu_vcpu *v;
    unsigned exits;
    gva_t cr2;
};

static struct vm vm_new(bool vtx)
{
    struct vm m = {.host = aligned_alloc(2 * MiB, RAM + POOL)};
    struct mmu_config c = {
        .ram_bytes = RAM,
        .ram_hpa = HPA,
        .hpa_ptr = (intptr_t)m.host - (intptr_t)HPA,
        .pool_hpa = HPA + RAM,
        .pool_bytes = POOL,
        .options = ALL,
        .maxphyaddr = 40,
        .nx = true,
        .fault_filter = vtx,
        .invlpg_free = true,
    };

    memset(m.host, 0, RAM);
    m.mmu = mmu_create(&c);
    assert_non_null(m.mmu);
    m.v = mmu_vcpu_create(m.mmu);
    assert_non_null(m.v);
    return m;
}

static void vm_end(struct vm *m)
{
    char text[200];

    assert_int_equal(mmu_audit(m->mmu, text, sizeof(text)), 0);
    free(m->host);
}

static void put64(struct vm *m, gpa_t gpa, u64 e)
{
    assert_true(mmu_write(m->mmu, gpa, &e, 8));
}

/* The CPU's walk; false: the fault's P and RSVD bits. */
static bool shadow_allows(struct vm *m, gva_t gva, u32 access, u32 *pfec)
{
    bool is_long = mmu_root_is_long(m->v);
    hpa_t table = mmu_root(m->v);
    u64 all = ~0ull;

    for (unsigned level = is_long ? 4 : 3; level; level--) {
        unsigned index = (gva >> (3 + 9 * level)) & (level == 3 && !is_long ? 3 : 511);
        u64 e = ((u64 *)(void *)(m->host + (table - HPA)))[index];
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
static enum outcome use(struct vm *m, gva_t gva, u32 access, u32 *pfec)
{
    struct mmu_walk w;

    for (unsigned n = 0; n < 4; n++) {
        if (shadow_allows(m, gva, access, pfec))
            return DONE;
        *pfec |= access;
        u32 mask = mmu_fault_mask(m->v);
        if (mask && !(*pfec & mask)) {
            m->cr2 = gva;
            return GUEST_FAULT;
        }
        m->exits++;
        switch (mmu_page_fault(m->v, gva, *pfec, false, &w)) {
        case MMU_FIXED: break;
        case MMU_GUEST_FAULT: m->cr2 = gva; return GUEST_FAULT;
        case MMU_EMULATE_STORE: return STORE;
        case MMU_EMULATE_MMIO: fail();
        }
    }
    fail();
    return DONE;
}

/* The kernel's store of an entry, at its address in the kernel's map. */
static void store(struct vm *m, gpa_t gpa, u64 e)
{
    u32 pfec;

    switch (use(m, gpa, PFEC_W, &pfec)) {
    case DONE: memcpy(m->host + gpa, &e, 8); break;
    case STORE:
        mmu_set_cr2(m->v, m->cr2);
        mmu_emulated_store(m->v, gpa, &e, 8, false);
        mmu_stored(m->v, gpa, pfec, false);
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

static void must(struct vm *m, unsigned i, u32 access, enum outcome want)
{
    u32 pfec;

    assert_int_equal(use(m, page(i), access | PFEC_U, &pfec), want);
}

static void invlpg(struct vm *m, gva_t gva)
{
    if (!mmu_invlpg_exits(m->v))
        return;
    m->exits++;
    mmu_invlpg(m->v, gva);
}

static unsigned take(struct vm *m)
{
    unsigned n = m->exits;

    m->exits = 0;
    return n;
}

/* `pages` user pages are mapped, all have been used; all tables are shadowed. */
static struct vm guest(bool vtx, unsigned pages)
{
    struct vm m = vm_new(vtx);

    put64(&m, PML4, PDPT | USER);
    put64(&m, PDPT, PD | USER);
    put64(&m, PD, PT_KERNEL | KERNEL);
    put64(&m, PD + 8, PT_USER | USER);
    for (unsigned i = 0; i < 512; i++)
        put64(&m, PT_KERNEL + i * 8, i * PAGE_SIZE | KERNEL);
    for (unsigned i = 0; i < pages; i++)
        put64(&m, entry(i), frame(i) | USER);
    assert_true(mmu_set_mode(m.v, CR0_ON, PML4, CR4_PAE, EFER_LMA | EFER_LME | EFER_NXE));
    put64(&m, entry(511), frame(511) | USER);
    must(&m, 511, 0, DONE); /* the table is linked and shadowed */
    store(&m, 0x100000, 0);
    m.cr2 = page(400);
    take(&m);
    return m;
}

/* A page a fault: the fault, where it is not the guest's alone, and the store. */
static void test_demand(void **state)
{
    (void)state;
    for (unsigned vtx = 0; vtx < 2; vtx++) {
        struct vm m = guest(vtx, 0);
        for (unsigned i = 0; i < 32; i++) {
            must(&m, i, PFEC_W, GUEST_FAULT);
            store(&m, entry(i), frame(i) | USER);
            must(&m, i, PFEC_W, DONE);
        }
        assert_int_equal(take(&m), vtx ? 32 : 2 * 32);
        vm_end(&m);
    }
}

/* One fault, and the kernel maps sixteen pages. */
static void test_fault_around(void **state)
{
    (void)state;
    for (unsigned vtx = 0; vtx < 2; vtx++) {
        struct vm m = guest(vtx, 0);
        must(&m, 5, 0, GUEST_FAULT);
        for (unsigned i = 0; i < 16; i++)
            store(&m, entry(i), frame(i) | USER);
        for (unsigned i = 0; i < 16; i++)
            must(&m, i, 0, DONE);
        assert_int_equal(take(&m), vtx ? 1 + 1 : 1 + 1 + 1);
        must(&m, 30, PFEC_W, GUEST_FAULT); /* in sync again */
        store(&m, entry(30), frame(30) | USER);
        must(&m, 30, PFEC_W, DONE);
        assert_int_equal(take(&m), vtx ? 1 : 2);
        vm_end(&m);
    }
}

/* Single stores that no fault came before, each used at once: whether out of sync or not, one exit each. */
static void test_no_row(void **state)
{
    (void)state;
    struct vm m = guest(true, 1);

    for (unsigned i = 1; i <= 50; i++) {
        store(&m, entry(i), frame(i) | USER);
        must(&m, i, 0, DONE);
    }
    assert_int_equal(take(&m), 50);
    vm_end(&m);
}

/* Cleared, flushed, written: no part of a teardown, and INVLPG needs no exit. */
static void test_copy_on_write(void **state)
{
    (void)state;
    for (unsigned vtx = 0; vtx < 2; vtx++) {
        struct vm m = guest(vtx, 8);
        for (unsigned i = 0; i < 8; i++)
            put64(&m, entry(i), frame(i) | (USER & ~PTE_W));
        must(&m, 0, 0, DONE);
        take(&m);
        for (unsigned i = 0; i < 8; i++) {
            must(&m, i, PFEC_W, GUEST_FAULT);
            store(&m, entry(i), 0);
            invlpg(&m, page(i));
            store(&m, entry(i), frame(i + 8) | USER);
            must(&m, i, PFEC_W, DONE);
        }
        assert_int_equal(take(&m), 3 * 8);
        assert_int_equal(mmu_counters(m.mmu)->unsynced, 0);
        vm_end(&m);
    }
}

/* All entries lose a right; the first store exits, and the flush by CR3 that must see the others. */
static void test_fork_protects(void **state)
{
    (void)state;
    for (unsigned vtx = 0; vtx < 2; vtx++) {
        struct vm m = guest(vtx, 64);
        m.cr2 = 0; /* of another table's entry with the first one's index */
        for (unsigned i = 0; i < 64; i++)
            store(&m, entry(i), frame(i) | (USER & ~PTE_W));
        assert_int_equal(take(&m), 1);
        assert_true(mmu_load_cr3(m.v, PML4));
        assert_true(mmu_take_tlb_flush(m.v));
        must(&m, 63, 0, DONE);
        must(&m, 63, PFEC_W, GUEST_FAULT);
        assert_int_equal(take(&m), 1);
        vm_end(&m);
    }
}

/* Sixteen pages given back and taken again, as malloc does: store, INVLPG; then a store a page. */
static void test_shrink_and_grow(void **state)
{
    (void)state;
    struct vm m = guest(true, 16);

    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 16; i++)
            store(&m, entry(i), 0);
        for (unsigned i = 0; i < 16; i++)
            invlpg(&m, page(i));
        assert_int_equal(take(&m), 2);
        for (unsigned i = 0; i < 16; i++) {
            must(&m, i, PFEC_W, GUEST_FAULT);
            store(&m, entry(i), frame(i) | USER);
            must(&m, i, PFEC_W, DONE);
        }
        assert_int_equal(take(&m), 16);
    }
    vm_end(&m);
}

/* The end of a process: entries cleared, the table unlinked, its page cleared for the next. */
static void test_table_ends(void **state)
{
    (void)state;
    for (unsigned vtx = 0; vtx < 2; vtx++) {
        struct vm m = guest(vtx, 64);
        u64 dropped = mmu_counters(m.mmu)->tables_dropped;
        for (unsigned i = 0; i < 64; i++)
            store(&m, entry(i), 0);
        store(&m, entry(511), 0);
        store(&m, PD + 8, 0);
        assert_int_equal(take(&m), 2);
        assert_int_equal(mmu_counters(m.mmu)->tables_dropped, dropped + 1);
        for (unsigned i = 0; i < 512; i++)
            store(&m, entry(i), 0);
        assert_int_equal(take(&m), 0);
        vm_end(&m);
    }
}

/* A root's page cleared for another use: the second store finds no table any more. */
static void test_root_ends(void **state)
{
    (void)state;
    struct vm m = guest(true, 1);

    put64(&m, 0x6000, PDPT | USER);
    assert_true(mmu_load_cr3(m.v, 0x6000));
    must(&m, 0, 0, DONE);
    assert_true(mmu_load_cr3(m.v, PML4));
    must(&m, 0, 0, DONE);
    take(&m);
    store(&m, 0x6008, 0);
    for (unsigned i = 0; i < 512; i++)
        store(&m, 0x6000 + i * 8, 0);
    assert_int_equal(take(&m), 1);
    vm_end(&m);
}

/* A 2-level guest's new space with the kernel's eight regions of 4 MiB, of which the old one had all in use. Here
 * one was not used yet, and one has a reserved bit. */
static void test_new_space(void **state)
{
    (void)state;
    for (unsigned vtx = 0; vtx < 2; vtx++) {
        struct vm m = vm_new(vtx);
        u32 pfec;
        for (u64 pd = 0x1000; pd <= 0x2000; pd += 0x1000)
            for (u32 i = 0; i < 8; i++) {
                u32 e = i << 22 | 0x1e3;
                if (pd == 0x2000)
                    e ^= i == 6 ? PTE_A : i == 7 ? 1 << 21 : 0;
                assert_true(mmu_write(m.mmu, pd + (768 + i) * 4, &e, 4));
            }
        assert_true(mmu_set_mode(m.v, CR0_ON, 0x1000, CR4_PSE, 0));
        for (u64 i = 0; i < 16; i++)
            assert_int_equal(use(&m, 0xc0000000 + i * 2 * MiB, 0, &pfec), DONE);
        assert_int_equal(take(&m), 16);
        assert_true(mmu_load_cr3(m.v, 0x2000));
        for (u64 i = 0; i < 14; i++)
            assert_int_equal(use(&m, 0xc0000000 + i * 2 * MiB, 0, &pfec), DONE);
        assert_int_equal(take(&m), 1 + 2);
        assert_int_equal(use(&m, 0xc0000000 + 14 * 2 * MiB, 0, &pfec), GUEST_FAULT);
        vm_end(&m);
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
