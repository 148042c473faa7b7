/* What the paths of the mmu cost in instructions: run by `make bench-mmu` under callgrind, which
 * counts each op_ function. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmu/mmu.h"

#define RAM (64 * MiB)
#define POOL (16 * MiB)
#define HPA 0x10000000ull
#define RW (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)
#define OP static __attribute__((noipa))

static struct mmu *mmu;
static struct mmu_vcpu *v;
static u8 *host;
static struct mmu_walk w;

OP int op_guest_fault(gva_t gva)
{
    return mmu_page_fault(v, gva, PFEC_W | PFEC_U, false, &w);
}

OP int op_fill(gva_t gva)
{
    return mmu_page_fault(v, gva, PFEC_W | PFEC_U, false, &w);
}

OP int op_fill_table(gva_t gva)
{
    return mmu_page_fault(v, gva, PFEC_W | PFEC_U, false, &w);
}

OP int op_store_fault(gva_t gva)
{
    return mmu_page_fault(v, gva, PFEC_W | PFEC_P, false, &w);
}

OP void op_store(gpa_t gpa, u64 e)
{
    mmu_emulated_store(v, gpa, &e, 8, false);
}

OP void op_load_cr3(u64 cr3)
{
    mmu_load_cr3(v, cr3);
}

OP void op_resync_64(u64 cr3)
{
    mmu_load_cr3(v, cr3);
}

OP void op_translate(gva_t gva)
{
    mmu_translate(v, gva, PFEC_W, false, true, &w);
}

static void put(gpa_t gpa, u64 e)
{
    mmu_write(mmu, gpa, &e, 8);
}

/* Guest tables: two spaces (1000, 2000) over PDPT 3000, PD 4000, PTs at 10000...; PT 0 maps the
 * tables themselves from gva 0. */
static void setup(u32 options)
{
    struct mmu_config c = {.ram_bytes = RAM,
                           .ram_hpa = HPA,
                           .hpa_ptr = (intptr_t)host - (intptr_t)HPA,
                           .pool_hpa = HPA + RAM,
                           .pool_bytes = POOL,
                           .options = options,
                           .maxphyaddr = 40,
                           .nx = true};

    memset(host, 0, RAM);
    mmu = mmu_create(&c);
    v = mmu_vcpu_create(mmu);
    put(0x1000, 0x3000 | RW);
    put(0x2000, 0x3000 | RW);
    put(0x3000, 0x4000 | RW);
    for (u64 i = 0; i < 16; i++)
        put(0x4000 + i * 8, (0x10000 + i * PAGE_SIZE) | RW);
    for (u64 i = 0; i < 512; i++)
        put(0x10000 + i * 8, i * PAGE_SIZE | RW);
    mmu_set_mode(v, CR0_PE | CR0_PG | CR0_WP, 0x1000, CR4_PAE, EFER_LMA | EFER_LME | EFER_NXE);
    mmu_page_fault(v, 0, 0, false, &w);
}

/* Touching 512 new pages: the guest's fault, its store (fault and emulation), the use. */
static void demand(void)
{
    for (u64 i = 0; i < 512; i++) {
        gva_t gva = 2 * MiB + i * PAGE_SIZE;
        if (op_guest_fault(gva) != MMU_GUEST_FAULT)
            abort();
        if (!i) { /* the table has no shadow yet */
            put(0x11000, 0x200000 | RW);
            op_fill(gva);
            continue;
        }
        if (op_store_fault(0x11000 + i * 8) != MMU_EMULATE_STORE)
            abort();
        op_translate(0x11000 + i * 8);
        mmu_set_cr2(v, gva);
        op_store(0x11000 + i * 8, (0x200000 + i * PAGE_SIZE) | RW);
    }
}

static void fills(void)
{
    for (u64 i = 0; i < 512; i++)
        put(0x12000 + i * 8, (0x400000 + i * PAGE_SIZE) | RW);
    op_fill_table(4 * MiB);
    for (u64 i = 0; i < 512; i++)
        put(0x13000 + i * 8, (0x600000 + i * PAGE_SIZE) | (RW & ~PTE_A & ~PTE_D));
    op_fill(6 * MiB);
    for (u64 i = 1; i < 512; i++)
        op_fill(6 * MiB + i * PAGE_SIZE);
}

static void teardown(void)
{
    u64 stores = 0;

    for (unsigned round = 0; round < 20; round++) {
        for (u64 i = 0; i < 64; i++) {
            u64 *p = (u64 *)(void *)(host + 0x12000 + i * 8), e = (0x400000 + i * PAGE_SIZE) | RW;
            if (round & 1)
                e &= ~PTE_W;
            if (mmu_page_fault(v, 0x12000, PFEC_W | PFEC_P, false, &w) == MMU_EMULATE_STORE) {
                mmu_emulated_store(v, 0x12000 + i * 8, &e, 8, false);
                stores++;
            } else {
                *p = e;
            }
        }
        op_resync_64(0x1000);
    }
    printf("trapped stores in 20 rounds of 64 mprotect entries: %llu\n",
           (unsigned long long)stores);
}

int main(void)
{
    host = aligned_alloc(2 * MiB, RAM + POOL);
    setup((1u << MMU_OPT_COUNT) - 1);
    demand();
    fills();
    for (unsigned i = 0; i < 1000; i++)
        op_load_cr3(i & 1 ? 0x1000 : 0x2000);
    op_load_cr3(0x1000);
    teardown();
    const struct mmu_counters *c = mmu_counters(mmu);
    printf("fills %llu prefetched %llu stores %llu filled %llu unsynced %llu\n",
           (unsigned long long)c->fills, (unsigned long long)c->prefetched,
           (unsigned long long)c->stores, (unsigned long long)c->stores_filled,
           (unsigned long long)c->unsynced);
    free(host);
    return 0;
}
