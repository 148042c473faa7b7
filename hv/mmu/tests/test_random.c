/* Random streams of guest operations in all paging modes against the model. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model.h"

static u64 random_frame(struct model *m)
{
    return m->frames[model_random(m, M_FRAMES)];
}

static bool chance(struct model *m, unsigned percent)
{
    return model_random(m, 100) < percent;
}

/* What a table at gfn may lead to. In a sane guest: frames 0 to 2 are roots, 3 to 5 PDPTs, 6 to 8
 * PDs, 9 to 13 PTs, the rest data. */
static u64 random_target(struct model *m, u64 gfn)
{
    unsigned i = 0;
    int mode = model_mode(m);

    while (i < M_FRAMES - 1 && m->frames[i] != gfn)
        i++;
    if (!m->sane || chance(m, 3))
        return random_frame(m);
    if (i < 3)
        i = mode == 3 ? 3 : mode == 2 ? 6 : 9;
    else if (i < 6)
        i = 6;
    else if (i < 9)
        i = 9;
    else
        return m->frames[13 + model_random(m, M_FRAMES - 13)];
    return m->frames[i + model_random(m, i == 9 ? 5 : 3)];
}

/* An entry such as a guest might write to its table gfn: mostly sane, pointing at few frames,
 * sometimes junk. */
static u64 random_entry(struct model *m, u64 gfn)
{
    u64 e = random_target(m, gfn) << 12;

    if (chance(m, 8))
        return 0;
    if (chance(m, 2))
        return model_random(m, ~0ull) * 0x10001;
    if (chance(m, 2))
        e = chance(m, 50) ? 0xfffff000 : 0x80000000;
    e |= chance(m, 97) ? PTE_P : 0;
    e |= chance(m, 85) ? PTE_W : 0;
    e |= chance(m, 80) ? PTE_U : 0;
    e |= chance(m, 75) ? PTE_A : 0;
    e |= chance(m, 60) ? PTE_D : 0;
    e |= chance(m, 20) ? PTE_G : 0;
    if (chance(m, 12)) {
        e = (e & 0xfff) | PTE_PS;
        e |= model_random(m, 3) * 2 * MiB;
        e |= chance(m, 5) ? 1ull << (13 + model_random(m, 18)) : 0; /* reserved, or 1 GiB */
    }
    if (model_mode(m) >= 2) {
        e |= chance(m, 12) ? PTE_NX : 0;
        e |= chance(m, 2) ? 1ull << (32 + model_random(m, 31)) : 0;
    }
    return e;
}

static unsigned random_index(struct model *m, unsigned *size)
{
    static const u16 small[] = {0, 1, 2, 256, 512, 513, 514, 768};

    *size = model_mode(m) == 1 ? 4 : 8;
    if (chance(m, 3))
        *size ^= 12;
    return *size == 4 ? small[model_random(m, 8)] : (unsigned)model_random(m, 3);
}

static void op_access(struct model *m);

static void op_edit(struct model *m)
{
    unsigned size, index = random_index(m, &size), offset = index * size, len = size;
    u64 gfn = m->sane && chance(m, 60) ? m->frames[9 + model_random(m, 5)] : random_frame(m);
    u64 value = random_entry(m, gfn);
    unsigned run = chance(m, 15) ? 6 : 1; /* several in a row, to one table */

    if (chance(m, 3)) {
        len = 1 + (unsigned)model_random(m, 16);
        offset += (unsigned)model_random(m, 8);
    } else if (size == 8 && chance(m, 10)) {
        len = 4;
        offset += chance(m, 50) ? 4 : 0;
    }
    if (run > 1 && chance(m, 60))
        value = chance(m, 50) ? 0 : value & ~PTE_W;
    for (; run; run--) {
        if (offset + len <= PAGE_SIZE)
            model_edit(m, gfn, offset, len, value);
        offset = (unsigned)(model_random(m, 3) + (size == 4 ? 512 * model_random(m, 2) : 0)) * size;
    }
}

/* Tears one table down: runs of downgrades, with accesses and flushes of pages between. */
static void op_teardown(struct model *m)
{
    u64 gfn = m->frames[9 + model_random(m, 5)];
    unsigned size = model_mode(m) == 1 ? 4 : 8;

    for (unsigned i = 0; i < 8; i++) {
        unsigned offset =
            (unsigned)(model_random(m, 3) + (size == 4 ? 512 * model_random(m, 2) : 0)) * size;
        u64 e = random_entry(m, gfn);
        model_edit(m, gfn, offset, size,
                   chance(m, 40)   ? e
                   : chance(m, 50) ? 0
                                   : e & ~(PTE_W | PTE_D));
        if (chance(m, 50))
            op_access(m);
    }
}

static void op_access(struct model *m)
{
    static const u32 kinds[] = {0, 0, PFEC_W, PFEC_W, PFEC_W, PFEC_I};
    u32 access = kinds[model_random(m, 6)] | (chance(m, 50) ? PFEC_U : 0);
    unsigned size, index = random_index(m, &size);

    model_access(m, (unsigned)model_random(m, m->gva_count), access, chance(m, 30), index * size,
                 size, random_entry(m, m->frames[9]));
}

/* Works on the entries of one address: changes some at some level, puts them back, flushes the page
 * or not, and uses it between. */
static void op_directed(struct model *m)
{
    static const u64 flip[] = {PTE_P, PTE_W, PTE_W,  PTE_W,   PTE_U,
                               PTE_D, PTE_A, PTE_PS, 1 << 12, PTE_NX};
    unsigned gva = (unsigned)model_random(m, m->gva_count), size = model_mode(m) == 1 ? 4 : 8;
    struct m_ref r = model_walk(m, m->gva[gva], 0, true);
    u64 saved[4] = {0};
    enum p2m_kind kind;

    for (unsigned i = 0; i < r.entries; i++) {
        void *p = model_memory(m, r.entry[i], &kind);
        if (p)
            memcpy(&saved[i], p, size);
    }
    for (unsigned n = 0; n < 12 && r.entries; n++) {
        unsigned i = chance(m, 70) ? r.entries - 1 : (unsigned)model_random(m, r.entries);
        u64 e = saved[i];
        if (chance(m, 60))
            e ^= flip[model_random(m, 10 - (size == 4 || !m->nx))];
        if (chance(m, 80))
            model_edit(m, r.entry[i] >> 12, r.entry[i] & 0xfff, size, e);
        if (chance(m, 40))
            model_invlpg(m, gva);
        if (chance(m, 70))
            model_access(m, gva, (chance(m, 50) ? PFEC_W : 0) | (chance(m, 50) ? PFEC_U : 0),
                         chance(m, 50), 0x800, 8, 0);
        if (chance(m, 5))
            op_access(m);
    }
}

static u64 random_cr3(struct model *m)
{
    if (chance(m, 50))
        return m->recent[model_random(m, 4)] & (model_mode(m) == 2 ? ~0ull : ~0xfffull);
    if (chance(m, 2))
        return 0xfffff000;
    return m->frames[model_random(m, 3)] << 12 | (model_mode(m) == 2 ? model_random(m, 8) * 32 : 0);
}

static void op_cr3(struct model *m)
{
    u64 cr3 = chance(m, 30) ? m->cr3 : random_cr3(m), pdpte[4];

    if (model_mode(m) == 2 && chance(m, 30)) /* a PDPTE changes before it is read */
        model_edit(m, cr3 >> 12, (cr3 & 0xfe0) + (unsigned)model_random(m, 4) * 8, 8,
                   random_target(m, cr3 >> 12) << 12 | (chance(m, 97) ? PTE_P : PTE_P | PTE_W));
    bool good = model_mode(m) != 2 || model_pdptes(m, cr3, pdpte);
    bool hit = model_cr3_hit(m, cr3);
    if (!(hit ? good : mmu_load_cr3(m->v, cr3) == good))
        model_fail(m, "CR3 %llx: should be %d", (unsigned long long)cr3, good);
    if (!good)
        return;
    if (model_mode(m) == 2)
        memcpy(m->pdpte, pdpte, sizeof(pdpte));
    m->cr3 = m->recent[model_random(m, 4)] = cr3;
    model_flushed(m, -1);
    model_record(m);
}

static void op_invlpg(struct model *m)
{
    unsigned gva = (unsigned)model_random(m, m->gva_count);

    if (chance(m, 5)) {
        model_exit(m);
        mmu_flush(m->v, chance(m, 50));
        model_flushed(m, -1);
        model_record(m);
    } else {
        model_invlpg(m, gva);
    }
}

/* Writes sane PDPTEs, as a guest does before it turns PAE on. */
static void prepare_pdpt(struct model *m)
{
    u64 gfn = m->frames[model_random(m, 3)];

    for (unsigned i = 0; i < 32; i++)
        model_edit(m, gfn, i * 8, 8, random_target(m, gfn) << 12 | (chance(m, 90) ? PTE_P : 0));
}

static void set_mode(struct model *m, u64 cr0, u64 cr3, u64 cr4, u64 efer)
{
    struct model old = {.cr0 = m->cr0, .cr3 = m->cr3, .cr4 = m->cr4, .efer = m->efer};
    struct model now = {.cr0 = cr0, .cr3 = cr3, .cr4 = cr4, .efer = efer};
    bool good = true;

    if (model_mode(&now) == 2 &&
        (model_mode(&old) != 2 || cr3 != m->cr3 || ((cr0 ^ m->cr0) & CR0_CD) ||
         ((cr4 ^ m->cr4) & (CR4_PGE | CR4_PSE | CR4_SMEP)))) {
        u64 pdpte[4];
        good = model_pdptes(m, cr3, pdpte);
        if (good)
            memcpy(m->pdpte, pdpte, sizeof(pdpte));
    }
    model_exit(m);
    if (mmu_set_mode(m->v, cr0, cr3, cr4, efer) != good)
        model_fail(m, "mode: should be %d", good);
    if (!good)
        return;
    m->cr0 = cr0;
    m->cr3 = cr3;
    m->cr4 = cr4;
    m->efer = efer;
    if (model_mode(&now) != model_mode(&old)) {
        bool flush = mmu_take_tlb_flush(m->v);
        if (!flush)
            model_fail(m, "no flush at a change of mode");
        model_gvas(m);
    }
    model_flushed(m, -1);
    model_record(m);
}

/* Fills all tables anew. */
static void populate(struct model *m)
{
    static const u16 small[] = {0, 1, 2, 512, 513, 514, 256, 768};
    unsigned size = model_mode(m) == 1 ? 4 : 8;

    for (unsigned f = 0; f < M_FRAMES; f++)
        for (unsigned i = 0; i < (size == 4 ? 8 : 3); i++)
            model_edit(m, m->frames[f], small[i] * size, size, random_entry(m, m->frames[f]));
}

static void op_mode(struct model *m)
{
    int before = model_mode(m);

    unsigned mode = chance(m, 30) ? (unsigned)model_random(m, 4) : (unsigned)model_mode(m);
    u64 cr0 =
        CR0_PE | (mode ? CR0_PG : 0) | (chance(m, 70) ? CR0_WP : 0) | (chance(m, 10) ? CR0_CD : 0);
    u64 cr4 = (mode >= 2 ? CR4_PAE : 0) | (chance(m, 70) ? CR4_PSE : 0) |
              (chance(m, 50) ? CR4_PGE : 0) | (chance(m, 30) ? CR4_SMEP : 0) |
              (chance(m, 30) ? CR4_SMAP : 0);
    u64 efer = (mode == 3 ? EFER_LMA | EFER_LME : 0) | (m->nx && chance(m, 80) ? EFER_NXE : 0);

    if (mode == 2 && chance(m, 70))
        prepare_pdpt(m);
    set_mode(m, cr0, chance(m, 60) ? m->cr3 : m->frames[model_random(m, 3)] << 12, cr4, efer);
    if (model_mode(m) != before && model_mode(m))
        populate(m);
}

static void op_dma(struct model *m)
{
    u64 data[64];
    unsigned len = chance(m, 50) ? 8 : 512;
    gpa_t gpa = random_frame(m) << 12 | (chance(m, 90) ? 0 : PAGE_SIZE - 8);
    enum p2m_kind a, b;

    for (unsigned i = 0; i < 64; i++)
        data[i] = random_entry(m, gpa >> 12);
    model_exit(m);
    model_memory(m, gpa, &a);
    model_memory(m, gpa + len - 1, &b);
    if (mmu_write(m->mmu, gpa, data, len) != (a == P2M_RAM && b == P2M_RAM))
        model_fail(m, "DMA to %llx", (unsigned long long)gpa);
    u64 back[64];
    if (mmu_read(m->mmu, gpa, back, len) != (a != P2M_MMIO && b != P2M_MMIO))
        model_fail(m, "DMA from %llx", (unsigned long long)gpa);
    model_record(m);
}

static void op_map(struct model *m)
{
    u64 gfn = chance(m, 85) ? random_frame(m) : 0xffff0 + model_random(m, 16), index = gfn;
    enum p2m_kind kind = (enum p2m_kind)model_random(m, 3);
    hpa_t hpa = M_HPA_BASE + (M_RAM_PAGES + model_random(m, M_EXTRA_PAGES)) * PAGE_SIZE;

    if (gfn < M_RAM_PAGES && chance(m, 70)) {
        kind = P2M_RAM;
        hpa = M_HPA_BASE + gfn * PAGE_SIZE;
    }
    model_exit(m);
    if (!mmu_map(m->mmu, gfn << 12, PAGE_SIZE, kind, hpa))
        model_fail(m, "map");
    if (gfn < M_RAM_PAGES) {
        m->p2m[index].kind = kind;
        m->p2m[index].hpa = hpa;
    } else {
        m->top[gfn - 0xffff0].kind = kind;
        m->top[gfn - 0xffff0].hpa = hpa;
    }
    model_record(m);
}

static void op_a20(struct model *m)
{
    m->a20 = m->a20 ? chance(m, 50) : true;
    model_exit(m);
    mmu_set_a20(m->mmu, m->a20);
    model_record(m);
}

static void op_any(struct model *m)
{
    static const struct {
        unsigned weight;
        void (*run)(struct model *m);
    } ops[] = {{560, op_access},  {300, op_edit},   {60, op_cr3}, {60, op_invlpg},
               {14, op_mode},     {10, op_dma},     {6, op_map},  {1, op_a20},
               {40, op_teardown}, {60, op_directed}};
    unsigned n = (unsigned)model_random(m, 1111), i = 0;

    while (n >= ops[i].weight)
        n -= ops[i++].weight;
    ops[i].run(m);
}

/* What took no exit, over all runs. */
static u64 filtered, free_invlpgs, cr3_hits;

static void run(u64 seed, u32 options, u64 pool_extra, unsigned steps, unsigned audit_every)
{
    struct model *m = model_create(seed, options, pool_extra);
    char text[300];

    m->sane = seed & 2;
    populate(m);
    for (m->step = 1; m->step <= steps; m->step++) {
        op_any(m);
        if (m->step % audit_every == 0 && mmu_audit(m->mmu, text, sizeof(text)))
            model_fail(m, "audit: %s", text);
    }
    filtered += m->filtered;
    free_invlpgs += m->free_invlpgs;
    cr3_hits += m->cr3_hits;
    model_free(m);
}

#define ALL_OPTIONS ((1u << MMU_OPT_CR0) - 1) /* `cr0` is about no table */

static void test_no_options(void **state)
{
    (void)state;
    for (u64 seed = 1; seed <= 20; seed++)
        run(seed, 0, seed % 3 * 300 * KiB, 8000, 1000);
}

static void test_all_options(void **state)
{
    (void)state;
    for (u64 seed = 1; seed <= 40; seed++)
        run(100 + seed, ALL_OPTIONS, seed % 3 * 300 * KiB, 8000, 1000);
    assert_true(filtered > 1000 && free_invlpgs > 1000 && cr3_hits > 1000);
}

static void test_option_subsets(void **state)
{
    (void)state;
    for (u32 options = 0; options <= ALL_OPTIONS; options++)
        run(1000 + options, options, options % 2 * 800 * KiB, 1500, 500);
}

static void test_audit_every_step(void **state)
{
    (void)state;
    for (u64 seed = 1; seed <= 6; seed++)
        run(2000 + seed, seed & 1 ? ALL_OPTIONS : ALL_OPTIONS & ~(1u << MMU_OPT_FLOOD), 0, 500, 1);
}

int main(int argc, char **argv)
{
    if (argc > 3) { /* SEED OPTIONS STEPS [POOL]: one stream, audited at every step */
        run(strtoull(argv[1], NULL, 0), (u32)strtoul(argv[2], NULL, 0),
            argc > 4 ? strtoull(argv[4], NULL, 0) : 0, (unsigned)strtoul(argv[3], NULL, 0), 1);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_options),
        cmocka_unit_test(test_all_options),
        cmocka_unit_test(test_option_subsets),
        cmocka_unit_test(test_audit_every_step),
    };

    return cmocka_run_group_tests_name("mmu random", tests, NULL, NULL);
}
