/* The page-fault path: fills the shadow entry for one access. */

#include "mmu/mmu_int.h"

/* The page directory that the space before this one had at slot of its PDPT, or NONE. */
static u32 sibling(const struct mmu_vcpu *v, unsigned slot)
{
    u64 link = v->mmu->tables[v->pae_page][v->old_slot + (slot & 3)];

    return spte_live(link) ? spte_child(v->mmu, link) : NONE;
}

/* The slot's child for this access: found, made, linked (changed). NONE: no page to be had. */
static u32 descend(struct mmu_vcpu *v, u32 page, unsigned slot, unsigned level, gva_t gva,
                   const struct gwalk *g, bool *changed)
{
    struct mmu *mmu = v->mmu;
    bool root = level == 3 && v->role.mode != MODE_LONG;
    union role role = root ? v->role : mmu->pages[page].role;
    bool direct = level <= g->level;
    bool large = level == g->level && !root;
    u64 gpte = root ? ~PTE_NX : direct && !large ? ~PTE_NX : g->gpte[level];
    u64 gfn;
    union role want;

    if (direct) {
        gfn = g->gfn & ~((1ull << (9 * (level - 1))) - 1);
        want = role_direct(role, level - 1, role.acc & gpte_acc(gpte));
    } else {
        gfn = g->table[level - 1];
        want = role_child(role, level, gpte);
        if (role.mode == MODE_32)
            want.quad = level == 3 ? (gva >> 30) & 3 : (gva >> 21) & 1;
    }

    u64 old = mmu->tables[page][slot];
    u32 child = spte_live(old) && !(old & SPTE_LEAF) ? spte_child(mmu, old) : NONE;
    if (child != NONE && mmu->pages[child].gfn == gfn && mmu->pages[child].role.word == want.word) {
        mmu->pages[child].referenced = true;
        mmu->pages[child].stamp = mmu->stamp;
        u64 link = spte_link(mmu, page, child, gpte, large);
        if ((link ^ old) & ~PTE_A) { /* some emulators set A even in a PDPTE */
            sync_below(mmu, child);
            spte_change(mmu, page, slot, link);
            *changed = true;
        }
        return child;
    }
    *changed = true;
    child = page_get(mmu, gfn, want, root ? sibling(v, slot) : NONE);
    if (child == NONE)
        return NONE;
    if (spte_live(mmu->tables[page][slot])) {
        mmu->counters.splits += !!(mmu->tables[page][slot] & SPTE_LEAF);
        spte_clear(mmu, page, slot);
    }
    sync_below(mmu, child);
    spte_set(mmu, page, slot, spte_link(mmu, page, child, gpte, large), LIST_PAGE | child);
    return child;
}

/* Maps 2 MiB by one entry where that gives the access what it needs. */
static bool fill_large(struct mmu *mmu, u32 page, unsigned slot, u32 access, const struct gwalk *g)
{
    union role role = mmu->pages[page].role;
    u64 gfn = g->gfn & ~511ull, old = mmu->tables[page][slot];

    if ((spte_live(old) && !(old & SPTE_LEAF)) || !block_large(mmu, gfn))
        return false;
    u64 gpte = role.direct ? PTE_W | PTE_U | PTE_D : g->gpte[2];
    u64 spte =
        PTE_PS | spte_leaf(role, role.acc & gpte_acc(gpte), gpte & PTE_D, mmu->frames[gfn].word);
    if ((access & PFEC_W) && !(spte & PTE_W))
        return false;
    if (spte_live(old))
        spte_clear(mmu, page, slot);
    spte_set(mmu, page, slot, spte, LIST_BLOCK | (u32)(gfn >> 9));
    mmu->counters.fills++;
    return true;
}

/* CR0.WP=0 and a supervisor write to a page that only users' rights make read-only. The CPU below
 * has WP=1: the page becomes the supervisor's own and writable until a user comes by. The rights
 * that SMEP and SMAP would have refused must not come with it. */
static u64 flip(union role role, u64 spte)
{
    if (role.smap)
        return 0; /* U=0 would allow what SMAP forbids: emulate each */
    spte = (spte & ~PTE_U) | PTE_W | SPTE_FLIP;
    return role.smep ? spte | PTE_NX : spte;
}

static enum mmu_fault fill_leaf(struct mmu *mmu, u32 page, unsigned slot, u32 access,
                                const struct gwalk *g, bool changed)
{
    struct spage *sp = &mmu->pages[page];
    union role role = sp->role;
    u64 gpte = role.direct ? PTE_W | PTE_U | PTE_D : g->gpte[1];
    u64 gfn = g->gfn & mmu->gfn_mask, word = p2m_word(mmu, gfn);
    unsigned acc = role.acc & gpte_acc(gpte);
    u64 spte = spte_leaf(role, acc, gpte & PTE_D, word);
    u64 old = mmu->tables[page][slot];
    enum mmu_fault result = MMU_FIXED;

    if ((access & PFEC_W) && !(spte & PTE_W)) {
        bool user_page = !role.wp && (acc & ACC_U) && word_writable(word);
        u64 flipped = user_page && (mmu->config.nx || !role.smep) ? flip(role, spte) : 0;
        if (flipped)
            spte = flipped;
        else
            result = MMU_EMULATE_STORE;
    }
    if (old == spte && (word & F_OWN)) {
        if (result == MMU_FIXED && !changed)
            mmu->gen++; /* the CPU faulted on an older entry */
        return result;
    }
    if (spte_live(old))
        spte_clear(mmu, page, slot);
    spte_set(mmu, page, slot, spte, leaf_list(mmu, gfn));
    mmu->counters.fills++;
    sp->way = WAY_NONE;
    sp->idle = 0;
    if (mmu_has(mmu, MMU_OPT_PREFETCH))
        scan_window(mmu, page, slot);
    return result;
}

/* changed: the shadow tables have changed since the access faulted on them. */
static enum mmu_fault fill(struct mmu_vcpu *v, gva_t gva, u32 access, const struct gwalk *g,
                           bool changed)
{
    struct mmu *mmu = v->mmu;
    bool is_long = v->role.mode == MODE_LONG;
    unsigned level = is_long ? 4 : 3;
    u32 page = v->root;
    unsigned slot = is_long ? (gva >> 39) & 511 : v->root_slot + ((gva >> 30) & 3);

    if (!g->shadowable || page == v->null_root)
        return MMU_EMULATE_MMIO; /* tables that stores cannot be trapped on: interpret */
    mmu->stamp++;
    mmu->pages[page].stamp = mmu->stamp;
    if (g->level == 1 && v->leaf_gva == gva >> 21 && v->leaf_gen == mmu->gen) {
        mmu->pages[v->leaf_page].referenced = true;
        return fill_leaf(mmu, v->leaf_page, (gva >> PAGE_SHIFT) & 511, access, g, changed);
    }
    for (; level > 1; level--) {
        if (level == 2 && level <= g->level && fill_large(mmu, page, slot, access, g))
            return MMU_FIXED;
        page = descend(v, page, slot, level, gva, g, &changed);
        if (page == NONE)
            return MMU_EMULATE_MMIO;
        slot = (gva >> (PAGE_SHIFT + 9 * (level - 2))) & 511;
    }
    if (g->level == 1) {
        v->leaf_gva = gva >> 21;
        v->leaf_gen = mmu->gen;
        v->leaf_page = page;
    }
    return fill_leaf(mmu, page, slot, access, g, changed);
}

/* A table that the guest has finished writing, as it seems: it is used. */
static bool sync_used(struct mmu *mmu, const struct gwalk *g)
{
    if (likely(!mmu->unsync_count) || g->level != 1 || !(p2m_word(mmu, g->table[1]) & F_UNSYNC))
        return false;
    sync_gfn(mmu, g->table[1]);
    return true;
}

enum mmu_fault mmu_page_fault(struct mmu_vcpu *v, gva_t gva, u32 pfec, bool ac, struct mmu_walk *w)
{
    struct mmu *mmu = v->mmu;
    u32 access = pfec & (PFEC_W | PFEC_U | PFEC_I);
    struct gwalk g;

    if (pfec & PFEC_RSVD) /* a hollow slot */
        pfec &= ~(PFEC_P | PFEC_RSVD);
    if (v->role.mode != MODE_LONG)
        gva &= 0xffffffff;
    bool allowed = walk_guest(v, gva, access, ac, true, &g, w), synced = sync_used(mmu, &g);
    if (!allowed) {
        mmu->counters.guest_faults++;
        return MMU_GUEST_FAULT;
    }
    u64 gfn = w->gpa >> PAGE_SHIFT, word = p2m_word(mmu, gfn);
    if (!(word & (F_RAM | F_ROM)) || ((access & PFEC_W) && !(word & F_RAM)))
        return MMU_EMULATE_MMIO;
    /* Mapped, but read-only as a guest table. */
    if ((access & PFEC_W) && word_protected(word) && (pfec & PFEC_P))
        return MMU_EMULATE_STORE;
    return fill(v, gva, access, &g, synced);
}

/* Whether A is set in all entries of the walk, and D in the leaf, as by a write. */
static bool written(const struct mmu_vcpu *v, const struct gwalk *g)
{
    unsigned top = v->role.mode == MODE_LONG ? 4 : 2;
    u64 all = g->gpte[g->level] & PTE_D ? PTE_A : 0;

    for (unsigned level = g->level; level <= top; level++)
        all &= g->gpte[level];
    return all;
}

/* A store that let its table out of sync: the next ones shall not exit. Not so if it changed its own mapping. */
void mmu_stored(struct mmu_vcpu *v, gva_t gva, u32 pfec, bool ac)
{
    u32 access = pfec & (PFEC_W | PFEC_U);
    struct mmu_walk w;
    struct gwalk g;

    if (likely(!v->opened))
        return;
    v->opened = false;
    if (v->role.mode == MODE_OFF || !walk_guest(v, gva, access, ac, false, &g, &w) ||
        !written(v, &g) || !word_writable(p2m_word(v->mmu, w.gpa >> PAGE_SHIFT)))
        return;
    sync_used(v->mmu, &g); /* nothing is filled into a table out of sync */
    fill(v, gva, access, &g, true);
}
