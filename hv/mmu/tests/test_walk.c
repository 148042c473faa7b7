/* The guest walk, the p2m and the cheap paths, case by case. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vm.h"

#define RAM (8 * MiB)
#define HPA VM_HPA
#define ALL VM_ALL
#define RW (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)

#define PML4 0x1000ull
#define PDPT 0x2000ull
#define PD 0x3000ull
#define PT 0x4000ull
#define DATA 0x200000ull /* gva 0x200000... by PT in the long and PAE guests */

static struct vm vm_of(u32 options, unsigned maxphyaddr)
{
    return vm_new((struct mmu_config){.ram_bytes = RAM,
                                      .options = options,
                                      .maxphyaddr = maxphyaddr,
                                      .nx = true,
                                      .gbpages = true});
}

static u64 get64(struct vm *m, gpa_t gpa)
{
    u64 e;

    assert_true(mmu_read(m->mmu, gpa, &e, 8));
    return e;
}

static void put32(struct vm *m, gpa_t gpa, u32 e)
{
    assert_true(mmu_write(m->mmu, gpa, &e, 4));
}

static void set_long(struct vm *m)
{
    vm_put64(m, PML4, PDPT | RW);
    vm_put64(m, PDPT, PD | RW);
    vm_put64(m, PD + 8, PT | RW);
    assert_true(mmu_set_mode(m->v, CR0_PE | CR0_PG | CR0_WP, PML4, CR4_PAE,
                             EFER_LMA | EFER_LME | EFER_NXE));
}

static void expect_walk(struct vm *m, gva_t gva, u32 access, gpa_t gpa)
{
    struct mmu_walk w;

    assert_true(mmu_translate(m->v, gva, access, false, true, &w));
    assert_int_equal(w.gpa, gpa);
}

static void expect_fault(struct vm *m, gva_t gva, u32 access, u32 pfec)
{
    struct mmu_walk w;

    assert_false(mmu_translate(m->v, gva, access, false, true, &w));
    assert_int_equal(w.pfec, pfec);
}

static void test_off(void **state)
{
    struct vm m = vm_of(ALL, 40);
    struct mmu_walk w;

    (void)state;
    assert_false(mmu_root_is_long(m.v));
    expect_walk(&m, 0x12345, PFEC_W | PFEC_U, 0x12345);
    assert_int_equal(mmu_page_fault(m.v, 0x12345, PFEC_W, false, &w), MMU_FIXED);
    assert_int_equal(mmu_page_fault(m.v, 0xfee00000, 0, false, &w), MMU_EMULATE_MMIO);
    assert_int_equal(w.gpa, 0xfee00000);
    vm_end(&m);
}

static void test_long(void **state)
{
    struct vm m = vm_of(ALL, 40);

    (void)state;
    set_long(&m);
    vm_put64(&m, PT, 0x5000 | PTE_P | PTE_W);
    expect_walk(&m, DATA + 7, 0, 0x5007);
    assert_int_equal(get64(&m, PT), 0x5000 | PTE_P | PTE_W | PTE_A);
    expect_walk(&m, DATA + 7, PFEC_W, 0x5007);
    assert_int_equal(get64(&m, PT), 0x5000 | PTE_P | PTE_W | PTE_A | PTE_D);
    expect_fault(&m, DATA, PFEC_U, PFEC_P | PFEC_U);
    expect_fault(&m, DATA + PAGE_SIZE, PFEC_W, PFEC_W);
    vm_put64(&m, PT + 8, 0x6000 | RW | PTE_NX);
    expect_fault(&m, DATA + PAGE_SIZE, PFEC_I, PFEC_P | PFEC_I);
    vm_put64(&m, PT + 8, 0x6000 | RW | 1ull << 45);
    expect_fault(&m, DATA + PAGE_SIZE, 0, PFEC_P | PFEC_RSVD);
    vm_put64(&m, PDPT + 8, 0x40000000 | RW | PTE_PS);
    expect_walk(&m, 0x40123456, 0, 0x40123456);
    vm_put64(&m, PDPT + 8, 0x40002000 | RW | PTE_PS);
    expect_fault(&m, 0x40123456, 0, PFEC_P | PFEC_RSVD);
    vm_put64(&m, PML4 + 8, PDPT | RW | PTE_PS);
    expect_fault(&m, 1ull << 39, 0, PFEC_P | PFEC_RSVD);
    assert_false(mmu_load_cr3(m.v, 1ull << 45));
    vm_end(&m);
}

static void test_pae(void **state)
{
    struct vm m = vm_of(ALL, 36);

    (void)state;
    vm_put64(&m, PDPT, PD | PTE_P);
    vm_put64(&m, PD + 8, PT | RW);
    vm_put64(&m, PT, 0x5000 | RW);
    assert_true(mmu_set_mode(m.v, CR0_PE | CR0_PG, PDPT, CR4_PAE, 0));
    expect_walk(&m, DATA, 0, 0x5000);
    expect_fault(&m, 0x40000000, 0, 0);
    /* PDPTEs are read when CR3 is loaded: SDM vol. 3, 4.4.1 */
    vm_put64(&m, PDPT + 8, PD | PTE_P);
    expect_fault(&m, 0x40200000, 0, 0);
    assert_true(mmu_load_cr3(m.v, PDPT));
    expect_walk(&m, 0x40200000, 0, 0x5000);
    vm_put64(&m, PDPT + 16, PD | PTE_P | PTE_W);
    assert_false(mmu_load_cr3(m.v, PDPT));
    vm_put64(&m, PT, 0x5000 | RW | PTE_NX); /* reserved without EFER.NXE */
    expect_fault(&m, DATA, 0, PFEC_P | PFEC_RSVD);
    vm_put64(&m, PT, 0x5000 | RW | 1ull << 55);
    expect_fault(&m, DATA, PFEC_I, PFEC_P | PFEC_RSVD);
    vm_end(&m);
}

static void test_2level(void **state)
{
    struct vm m = vm_of(ALL, 40);

    (void)state;
    put32(&m, PD, PT | 7);
    put32(&m, PT + 4 * 1023, 0x5000 | 7);
    put32(&m, PD + 4 * 1023, 0x400000 | 0x87);
    put32(&m, PD + 4 * 1022, 0x400000 | 1 << 21 | 0x87);
    put32(&m, PD + 4 * 1021, 0x400000 | 1 << 13 | 0x87);
    assert_true(mmu_set_mode(m.v, CR0_PE | CR0_PG, PD, CR4_PSE, 0));
    expect_walk(&m, 0x3ff123, PFEC_U | PFEC_W, 0x5123);
    assert_int_equal((u32)get64(&m, PT + 4 * 1023), 0x5000 | 0x67);
    expect_walk(&m, 0xfff12345, 0, 0x712345);
    expect_fault(&m, 0xff800000, 0, PFEC_P | PFEC_RSVD);
    expect_walk(&m, 0xff400000, 0, 0x100400000); /* PSE-36 */
    assert_true(mmu_set_mode(m.v, CR0_PE | CR0_PG, PD, 0, 0));
    put32(&m, 0x400000, 0x6000 | 7);
    expect_walk(&m, 0xffc00000, 0, 0x6000); /* no PSE: a table at 400000 */
    vm_end(&m);
}

/* A demand fault costs the guest's own fault and its store, no fill: design 5, item 1. */
static void test_store_fills(void **state)
{
    struct vm m = vm_of(ALL, 40);
    struct mmu_walk w;
    u64 e = 0x7000 | RW;

    (void)state;
    set_long(&m);
    vm_put64(&m, PT, 0x5000 | RW);
    vm_put64(&m, PT + 16, PT | RW); /* the table's own mapping */
    assert_int_equal(mmu_page_fault(m.v, DATA, 0, false, &w), MMU_FIXED);
    assert_int_equal(mmu_page_fault(m.v, DATA + PAGE_SIZE, PFEC_W, false, &w), MMU_GUEST_FAULT);
    assert_int_equal(w.pfec, PFEC_W);
    mmu_take_tlb_flush(m.v);
    assert_int_equal(mmu_page_fault(m.v, DATA + 0x2008, PFEC_W | PFEC_P, false, &w),
                     MMU_EMULATE_STORE);
    assert_int_equal(w.gpa, PT + 8);
    mmu_set_cr2(m.v, DATA + PAGE_SIZE);
    mmu_emulated_store(m.v, w.gpa, &e, 8, false);
    assert_int_equal(get64(&m, PT + 8), e);
    assert_int_equal(mmu_counters(m.mmu)->stores_filled, 1);
    assert_false(mmu_take_tlb_flush(m.v)); /* nothing was taken away */
    e = 0;
    mmu_emulated_store(m.v, PT + 8, &e, 8, false);
    assert_true(mmu_take_tlb_flush(m.v));
    vm_end(&m);
}

/* A table being torn down costs one trapped store, which lets it go. */
static void test_unsync_teardown(void **state)
{
    struct vm m = vm_of(ALL, 40);
    struct mmu_walk w;
    u64 zero = 0;

    (void)state;
    set_long(&m);
    for (unsigned i = 0; i < 64; i++)
        vm_put64(&m, PT + i * 8, (0x100000 + i * PAGE_SIZE) | RW);
    vm_put64(&m, PD + 16, 0x6000 | RW); /* the table's mapping by another */
    vm_put64(&m, 0x6000, PT | RW);
    assert_int_equal(mmu_page_fault(m.v, DATA, 0, false, &w), MMU_FIXED);
    gva_t table = DATA + 2 * MiB;
    assert_int_equal(mmu_page_fault(m.v, table, PFEC_W | PFEC_P, false, &w), MMU_EMULATE_STORE);
    mmu_set_cr2(m.v, DATA + 100 * PAGE_SIZE);
    mmu_emulated_store(m.v, w.gpa, &zero, 8, false);
    mmu_stored(m.v, table, PFEC_W | PFEC_P, false);
    memset(m.host + PT + 8, 0, 63 * 8); /* as the guest may now */
    assert_int_equal(mmu_counters(m.mmu)->unsynced, 1);
    assert_true(mmu_load_cr3(m.v, PML4));
    assert_int_equal(mmu_counters(m.mmu)->resynced, 1);
    assert_true(mmu_take_tlb_flush(m.v));
    assert_int_equal(mmu_page_fault(m.v, DATA + 0x10000, 0, false, &w), MMU_GUEST_FAULT);
    vm_end(&m);
}

/* Switching between two spaces builds nothing the second time. */
static void test_cr3_cached(void **state)
{
    struct vm m = vm_of(ALL, 40);
    struct mmu_walk w;

    (void)state;
    set_long(&m);
    vm_put64(&m, 0x8000, PDPT | RW);
    vm_put64(&m, PT, 0x5000 | RW);
    hpa_t root = mmu_root(m.v);
    assert_int_equal(mmu_page_fault(m.v, DATA, 0, false, &w), MMU_FIXED);
    assert_true(mmu_load_cr3(m.v, 0x8000));
    assert_int_not_equal(mmu_root(m.v), root);
    assert_true(mmu_take_tlb_flush(m.v));
    assert_int_equal(mmu_page_fault(m.v, DATA, 0, false, &w), MMU_FIXED);
    u64 built = mmu_counters(m.mmu)->tables_built, fills = mmu_counters(m.mmu)->fills;
    assert_true(mmu_load_cr3(m.v, PML4));
    assert_int_equal(mmu_root(m.v), root);
    assert_int_equal(mmu_counters(m.mmu)->tables_built, built);
    assert_int_equal(mmu_counters(m.mmu)->fills, fills);
    vm_end(&m);
}

static void test_p2m(void **state)
{
    struct vm m = vm_of(ALL, 40);
    struct mmu_walk w;
    u8 buf[16] = {1, 2, 3};
    hpa_t hpa;

    (void)state;
    assert_int_equal(mmu_lookup(m.mmu, 0x1234, &hpa), P2M_RAM);
    assert_int_equal(hpa, HPA + 0x1234);
    assert_int_equal(mmu_lookup(m.mmu, RAM, &hpa), P2M_MMIO);
    assert_true(mmu_map(m.mmu, 0xfffc0000, 0x40000, P2M_ROM, HPA + 0x100000));
    assert_int_equal(mmu_lookup(m.mmu, 0xfffff000, &hpa), P2M_ROM);
    assert_int_equal(hpa, HPA + 0x13f000);
    assert_true(mmu_map(m.mmu, 0xfffd0000, 0x10000, P2M_MMIO, 0)); /* splits the region */
    assert_int_equal(mmu_lookup(m.mmu, 0xfffcf000, &hpa), P2M_ROM);
    assert_int_equal(mmu_lookup(m.mmu, 0xfffd0000, &hpa), P2M_MMIO);
    assert_int_equal(mmu_lookup(m.mmu, 0xfffe0000, &hpa), P2M_ROM);
    assert_int_equal(hpa, HPA + 0x120000);
    assert_true(mmu_map(m.mmu, 0xc0000, 0x20000, P2M_ROM, HPA + 0x300000));
    assert_false(mmu_write(m.mmu, 0xbfff8, buf, 16)); /* into ROM: nothing done */
    assert_int_equal(m.host[0xbfff8], 0);
    assert_true(mmu_write(m.mmu, 0xbfff0, buf, 16));
    assert_null(mmu_ptr(m.mmu, 0xbf000, 0x2000));
    assert_ptr_equal(mmu_ptr(m.mmu, 0x1000, 0x5000), m.host + 0x1000);
    assert_null(mmu_ptr(m.mmu, RAM - 8, 16));
    assert_false(mmu_read(m.mmu, ~0ull - 4, buf, 16));
    assert_int_equal(mmu_page_fault(m.v, 0xc0000, PFEC_I, false, &w), MMU_FIXED);
    assert_int_equal(mmu_page_fault(m.v, 0xc0000, PFEC_W, false, &w), MMU_EMULATE_MMIO);
    for (unsigned i = 0; i < 100; i++) /* regions run out with an answer, not over */
        mmu_map(m.mmu, 0xe0000000 + i * 0x10000, PAGE_SIZE, P2M_RAM, HPA + 0x100000);
    assert_false(mmu_map(m.mmu, 0xf0000000, PAGE_SIZE, P2M_RAM, HPA + 0x100000));
    mmu_set_a20(m.mmu, false);
    assert_int_equal(mmu_lookup(m.mmu, 0x100123, &hpa), P2M_RAM);
    assert_int_equal(hpa, HPA + 0x123);
    vm_end(&m);
}

/* CR3, and tables, where there is no RAM. */
static void test_tables_outside_ram(void **state)
{
    struct vm m = vm_of(ALL, 40);
    struct mmu_walk w;

    (void)state;
    set_long(&m);
    assert_true(mmu_load_cr3(m.v, 0xf0000000));
    assert_int_equal(mmu_page_fault(m.v, 0, PFEC_W, false, &w), MMU_GUEST_FAULT);
    assert_int_equal(w.pfec, PFEC_P | PFEC_RSVD | PFEC_W);
    assert_true(mmu_load_cr3(m.v, PML4));
    vm_put64(&m, PML4 + 16, 0xf0000000 | RW);
    assert_int_equal(mmu_page_fault(m.v, 2ull << 39, 0, false, &w), MMU_GUEST_FAULT);
    assert_false(mmu_set_mode(m.v, CR0_PE | CR0_PG, 0xf0000000, CR4_PAE, 0));
    assert_true(mmu_root_is_long(m.v)); /* nothing changed */
    vm_end(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_pae),
        cmocka_unit_test(test_2level),
        cmocka_unit_test(test_store_fills),
        cmocka_unit_test(test_unsync_teardown),
        cmocka_unit_test(test_cr3_cached),
        cmocka_unit_test(test_p2m),
        cmocka_unit_test(test_tables_outside_ram),
    };

    return cmocka_run_group_tests_name("mmu walk", tests, NULL, NULL);
}
