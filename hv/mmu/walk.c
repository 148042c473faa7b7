/* The walk of the guest's own tables: SDM vol. 3, 4.3 to 4.8. */

#include "mmu/mmu_int.h"

static u64 bits(unsigned high, unsigned low)
{
    return high < low ? 0 : ((2ull << (high - low)) - 1) << low;
}

static void rsvd_init_64(struct mmu *mmu, unsigned mode, bool nxe)
{
    u64(*r)[5] = mmu->rsvd[mode][nxe];
    /* PAE paging reserves 62:52 too, which 4-level paging leaves to software. */
    u64 all = bits(mode == MODE_PAE ? 62 : 51, mmu->config.maxphyaddr) | (nxe ? 0 : PTE_NX);
    u64 no_1g = mmu->config.gbpages ? 0 : PTE_PS;

    for (unsigned level = 1; level <= 4; level++)
        r[false][level] = r[true][level] = all;
    r[true][2] |= bits(20, 13);
    r[true][3] |= bits(29, 13) | no_1g;
    r[false][4] |= PTE_PS;
}

/* Sets up the reserved bits of all modes. */
void walk_init(struct mmu *mmu)
{
    unsigned pse36 = min(mmu->config.maxphyaddr, 40u); /* SDM vol. 3, table 4-4 */

    for (unsigned nxe = 0; nxe < 2; nxe++) {
        mmu->rsvd[MODE_32][nxe][true][2] = bits(21, pse36 - 19);
        rsvd_init_64(mmu, MODE_PAE, nxe);
        rsvd_init_64(mmu, MODE_LONG, nxe);
    }
}

/* Reads the entry of a table at gfn where that is not plain RAM. What is not memory reads as all
 * ones, as an undecoded bus does, and ends in a reserved bit or in MMIO. */
static u64 entry_read_slow(struct mmu *mmu, u64 gfn, unsigned offset, unsigned level, bool is32,
                           struct gwalk *g)
{
    u64 word = p2m_word(mmu, gfn);

    g->shadowable = false;
    g->entry[level] = NULL;
    if (!(word & (F_RAM | F_ROM)))
        return is32 ? ~0u : ~0ull;
    void *p = host_ptr(mmu, (word & F_HPA) + offset);
    if (word & F_RAM)
        g->entry[level] = p;
    return is32 ? *(volatile u32 *)p : *(volatile u64 *)p;
}

static inline u64 entry_read(struct mmu *mmu, u64 gfn, unsigned offset, unsigned level, bool is32,
                             struct gwalk *g)
{
    g->table[level] = gfn;
    if (unlikely(gfn >= mmu->frame_count || !(mmu->frames[gfn].word & F_OWN)))
        return entry_read_slow(mmu, gfn, offset, level, is32, g);
    void *p = host_ptr(mmu, (mmu->frames[gfn].word & F_HPA) + offset);
    g->entry[level] = p;
    return is32 ? *(volatile u32 *)p : *(volatile u64 *)p;
}

static u32 fault_code(const struct mmu_vcpu *v, u32 access, u32 code)
{
    return code | (access & (PFEC_W | PFEC_U)) | (fetch_seen(v) ? access & PFEC_I : 0);
}

/* SDM vol. 3, 4.6. */
static bool access_allowed(const struct mmu_vcpu *v, u32 access, bool ac, unsigned acc)
{
    if ((access & PFEC_I) && !(acc & ACC_X))
        return false;
    if (access & PFEC_U)
        return (acc & ACC_U) && (!(access & PFEC_W) || (acc & ACC_W));
    if (acc & ACC_U) {
        if ((access & PFEC_I) && (v->cr4 & CR4_SMEP))
            return false;
        if (!(access & PFEC_I) && (v->cr4 & CR4_SMAP) && !ac)
            return false;
    }
    return !(access & PFEC_W) || (acc & ACC_W) || !(v->cr0 & CR0_WP);
}

static void accessed_dirty_set(const struct mmu_vcpu *v, struct gwalk *g, unsigned top, bool write)
{
    for (unsigned level = top; level >= g->level; level--) {
        u64 want = level == g->level && write ? PTE_A | PTE_D : PTE_A;
        if ((g->gpte[level] & want) == want || !g->entry[level])
            continue;
        if (v->role.mode == MODE_32)
            __atomic_fetch_or((u32 *)g->entry[level], (u32)want, __ATOMIC_SEQ_CST);
        else
            __atomic_fetch_or((u64 *)g->entry[level], want, __ATOMIC_SEQ_CST);
        if (v->role.mode == MODE_PAE)
            targets_touched(v->mmu, g->table[level]);
        g->gpte[level] |= want;
    }
}

static void walk_result(struct mmu *mmu, struct mmu_walk *w, u64 gfn, gva_t gva, bool large)
{
    w->gpa = (gfn & mmu->gfn_mask) << PAGE_SHIFT | (gva & ~PAGE_MASK);
    w->pfec = 0;
    w->large = large;
}

static bool walk_off(struct mmu_vcpu *v, gva_t gva, struct gwalk *g, struct mmu_walk *w)
{
    g->level = 4;
    g->gfn = (gva & 0xffffffff) >> PAGE_SHIFT;
    g->shadowable = true;
    walk_result(v->mmu, w, g->gfn, gva, false);
    return true;
}

/* The levels in memory, from `level` with its table at gfn; is32 is a constant in each use. */
static inline __attribute__((always_inline)) bool
walk_levels(struct mmu_vcpu *v, gva_t gva, u32 access, bool ac, bool set_ad, struct gwalk *g,
            struct mmu_walk *w, const bool is32, const unsigned top, u64 gfn)
{
    struct mmu *mmu = v->mmu;
    union role role = v->role;
    const u64(*rsvd)[5] = mmu->rsvd[role.mode][role.nxe];
    const unsigned stride = is32 ? 10 : 9;
    u64 all = ~0ull; /* bits set at all levels; NX turned round */
    unsigned level;
    bool large = false;

#pragma GCC unroll 4
    for (level = top; level; level--) {
        unsigned offset =
            is32 ? (gva >> (2 + 10 * level) & 1023) << 2 : (gva >> (3 + 9 * level) & 511) << 3;
        u64 e = entry_read(mmu, gfn & mmu->gfn_mask, offset, level, is32, g);

        large = (e & PTE_PS) && gpte_large(role, level, e);
        g->gpte[level] = e;
        if (!(e & PTE_P) || (e & rsvd[large][level])) {
            g->level = level;
            w->pfec = fault_code(v, access, e & PTE_P ? PFEC_P | PFEC_RSVD : 0);
            return false;
        }
        all &= e ^ PTE_NX;
        if (level == 1 || large)
            break;
        gfn = (e & (is32 ? 0xfffff000 : F_HPA)) >> PAGE_SHIFT;
    }
    g->level = level;
    if (!access_allowed(v, access, ac, gpte_acc(all ^ PTE_NX))) {
        w->pfec = fault_code(v, access, PFEC_P);
        return false;
    }
    gfn = gpte_gfn(role, level, g->gpte[level], large);
    g->gfn = gfn + ((gva >> PAGE_SHIFT) & ((1ull << (stride * (level - 1))) - 1));
    bool dirty = !(access & PFEC_W) || (g->gpte[level] & PTE_D);
    if (set_ad && !((all & PTE_A) && dirty))
        accessed_dirty_set(v, g, top, access & PFEC_W);
    walk_result(mmu, w, g->gfn, gva, level > 1);
    return true;
}

/* Walks the guest's tables. False: the guest's own fault, w->pfec. */
bool walk_guest(struct mmu_vcpu *v, gva_t gva, u32 access, bool ac, bool set_ad, struct gwalk *g,
                struct mmu_walk *w)
{
    u64 e, gfn = v->cr3 >> PAGE_SHIFT;

    w->gpa = 0;
    g->shadowable = true;
    g->level = 0;
    switch (v->role.mode) {
    case MODE_LONG:
        return walk_levels(v, gva, access, ac, set_ad, g, w, false, 4,
                           (v->cr3 & F_HPA) >> PAGE_SHIFT);
    case MODE_PAE:
        e = v->pdpte[(gva >> 30) & 3];
        if (!(e & PTE_P)) {
            w->pfec = fault_code(v, access, 0);
            return false;
        }
        return walk_levels(v, gva, access, ac, set_ad, g, w, false, 2, (e & F_HPA) >> PAGE_SHIFT);
    case MODE_32: return walk_levels(v, gva, access, ac, set_ad, g, w, true, 2, gfn & 0xfffff);
    default: return walk_off(v, gva, g, w);
    }
}

bool mmu_translate(struct mmu_vcpu *v, gva_t gva, u32 access, bool ac, bool set_ad,
                   struct mmu_walk *w)
{
    struct gwalk g;

    return walk_guest(v, gva, access, ac, set_ad, &g, w);
}
