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

/* Reads the entry of a table at gfn. What is not memory reads as all ones, as an undecoded bus
 * does, and ends in a reserved bit or in MMIO. */
static u64 entry_read(struct mmu *mmu, union role role, u64 gfn, unsigned index, unsigned level,
                      struct gwalk *g)
{
    u64 word = p2m_word(mmu, gfn);
    unsigned shift = role.mode == MODE_32 ? 2 : 3;

    g->table[level] = gfn;
    g->entry[level] = NULL;
    if (!(word & F_OWN))
        g->shadowable = false;
    if (!(word & (F_RAM | F_ROM)))
        return role.mode == MODE_32 ? ~0u : ~0ull;
    u8 *p = (u8 *)host_ptr(mmu, word & F_HPA) + (index << shift);
    if (word & F_RAM)
        g->entry[level] = p;
    return role.mode == MODE_32 ? *(volatile u32 *)p : *(volatile u64 *)p;
}

static u32 fault_code(const struct mmu_vcpu *v, u32 access, u32 code)
{
    bool fetch_seen = (v->role.nxe && v->role.mode != MODE_32) || (v->cr4 & CR4_SMEP);

    return code | (access & (PFEC_W | PFEC_U)) | (fetch_seen ? access & PFEC_I : 0);
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

/* Walks the guest's tables. False: the guest's own fault, w->pfec. */
bool walk_guest(struct mmu_vcpu *v, gva_t gva, u32 access, bool ac, bool set_ad, struct gwalk *g,
                struct mmu_walk *w)
{
    struct mmu *mmu = v->mmu;
    union role role = v->role;
    unsigned level, top, acc = ACC_ALL, stride = role.mode == MODE_32 ? 10 : 9;
    u64 gfn = v->cr3 >> PAGE_SHIFT;

    w->gpa = 0;
    if (role.mode == MODE_OFF)
        return walk_off(v, gva, g, w);
    g->shadowable = true;
    top = role.mode == MODE_LONG ? 4 : 2;
    if (role.mode == MODE_PAE) {
        u64 e = v->pdpte[(gva >> 30) & 3];
        if (!(e & PTE_P)) {
            w->pfec = fault_code(v, access, 0);
            return false;
        }
        gfn = (e & F_HPA) >> PAGE_SHIFT;
    }
    for (level = top;; level--) {
        unsigned index =
            (unsigned)(gva >> (PAGE_SHIFT + stride * (level - 1))) & ((1u << stride) - 1);
        u64 e = entry_read(mmu, role, gfn & mmu->gfn_mask, index, level, g);
        bool large = gpte_large(role, level, e);

        g->gpte[level] = e;
        if (!(e & PTE_P) || gpte_reserved(mmu, role, level, e, large)) {
            w->pfec = fault_code(v, access, e & PTE_P ? PFEC_P | PFEC_RSVD : 0);
            return false;
        }
        acc &= gpte_acc(e);
        gfn = gpte_gfn(role, level, e, large);
        if (level == 1 || large)
            break;
    }
    if (!access_allowed(v, access, ac, acc)) {
        w->pfec = fault_code(v, access, PFEC_P);
        return false;
    }
    g->level = level;
    g->gfn = gfn + (((gva >> PAGE_SHIFT) & ((1ull << (stride * (level - 1))) - 1)));
    if (set_ad)
        accessed_dirty_set(v, g, top, access & PFEC_W);
    walk_result(mmu, w, g->gfn, gva, level > 1);
    return true;
}

bool mmu_translate(struct mmu_vcpu *v, gva_t gva, u32 access, bool ac, bool set_ad,
                   struct mmu_walk *w)
{
    struct gwalk g;

    return walk_guest(v, gva, access, ac, set_ad, &g, w);
}
