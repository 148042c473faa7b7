/* What a shadow entry should be, from the guest's entry and the p2m. */

#include "mmu/mmu_int.h"

/* Whether the 2 MiB at gfn may be one shadow entry: plain RAM and no guest table in it. */
bool block_large(const struct mmu *mmu, u64 gfn)
{
    if (!mmu_has(mmu, MMU_OPT_LARGE) || mmu->gfn_mask != ~0ull || gfn + 512 > mmu->frame_count)
        return false;
    const struct block *b = &mmu->blocks[gfn >> 9];
    return !b->odd && !b->tables;
}

/* A link from parent to child for the guest's entry gpte, a large page where `large`. */
u64 spte_link(const struct mmu *mmu, u32 parent, u32 child, u64 gpte, bool large)
{
    union role role = mmu->pages[parent].role;
    u64 hpa = page_hpa(mmu, child);

    if (role.mode != MODE_LONG && role.level == 3) /* a PDPTE of PAE paging has no rights */
        return hpa | PTE_P;
    u64 link = hpa | PTE_P | PTE_A | PTE_W | PTE_U;
    if (role.direct)
        return link;
    if (large && !(gpte & PTE_D))
        link &= ~PTE_W;
    if (role.wp) {
        link &= gpte | ~(PTE_W | PTE_U);
        link |= gpte & PTE_NX;
    }
    return link;
}

/* The role of the table that entry gpte of a guest table in `role` leads to; quad is the caller's. */
union role role_child(union role role, unsigned level, u64 gpte)
{
    role.level = (level - 1) & 7;
    role.quad = 0;
    if (!role.wp)
        role.acc &= gpte_acc(gpte) & ACC_ALL;
    return role;
}

/* The role of a page at `level` that maps frames one by one. */
union role role_direct(union role role, unsigned level, unsigned acc)
{
    return (union role){.level = level & 7,
                        .direct = 1,
                        .wp = role.wp,
                        .acc = role.wp ? ACC_ALL : acc & ACC_ALL,
                        .smep = role.smep,
                        .smap = role.smap};
}

static int change_kind(u64 old, u64 now)
{
    if ((old & ~now & (PTE_W | PTE_U)) || (now & ~old & PTE_NX) || ((old ^ now) & SPTE_HPA))
        return -1;
    return old != now;
}

/* See mmu_int.h. */
int spte_update_leaf(struct mmu *mmu, u32 page, unsigned slot, u64 gpte, bool fill)
{
    u64 gfn, old = mmu->tables[page][slot];
    u64 now = spte_of_gpte(mmu, mmu->pages[page].role, gpte, &gfn);

    if (!spte_live(old)) {
        if (!now || !fill)
            return 0;
        spte_set(mmu, page, slot, now, leaf_list(mmu, gfn));
        return 1;
    }
    if (!now) {
        spte_clear(mmu, page, slot);
        return -1;
    }
    /* The same host frame means the same guest frame only where that is its one name. */
    if (!((old ^ now) & SPTE_HPA) && (p2m_word(mmu, gfn) & F_OWN)) {
        if (old == now)
            return 0;
        spte_change(mmu, page, slot, now);
    } else {
        spte_clear(mmu, page, slot);
        spte_set(mmu, page, slot, now, leaf_list(mmu, gfn));
    }
    return change_kind(old, now);
}

static int update_large(struct mmu *mmu, u32 page, unsigned slot, u64 gpte)
{
    union role role = mmu->pages[page].role;
    u64 old = mmu->tables[page][slot], now = 0;
    u64 gfn = gpte_gfn(role, role.level, gpte, true);
    unsigned acc = role.acc & gpte_acc(gpte);

    if (role.mode == MODE_32)
        gfn += (slot & 1) * 512;
    if (old & SPTE_LEAF) {
        if (block_large(mmu, gfn))
            now = PTE_PS | spte_leaf(role, acc, gpte & PTE_D, mmu->frames[gfn].word);
        if ((old ^ now) & SPTE_HPA)
            now = 0;
    } else {
        const struct spage *child = &mmu->pages[spte_child(mmu, old)];
        if (child->gfn == gfn && child->role.word == role_direct(role, role.level - 1u, acc).word)
            now = spte_link(mmu, page, spte_child(mmu, old), gpte, true);
    }
    if (now)
        spte_change(mmu, page, slot, now);
    else
        spte_clear(mmu, page, slot);
    return change_kind(old, now);
}

/* Brings a live entry of an upper table in line with the guest's; returns as the above. */
int spte_update_upper(struct mmu *mmu, u32 page, unsigned slot, u64 gpte)
{
    union role role = mmu->pages[page].role;
    u64 old = mmu->tables[page][slot], now = 0;
    bool large = gpte_large(role, role.level, gpte);

    if (!spte_live(old))
        return 0;
    bool usable = (gpte & (PTE_P | PTE_A)) == (PTE_P | PTE_A) &&
                  !gpte_reserved(mmu, role, role.level, gpte, large);
    if (usable && large)
        return update_large(mmu, page, slot, gpte);
    if (usable && !(old & SPTE_LEAF)) {
        const struct spage *child = &mmu->pages[spte_child(mmu, old)];
        union role want = role_child(role, role.level, gpte);
        want.quad = role.mode == MODE_32 ? slot & 1 : 0;
        if (child->gfn == (gpte_gfn(role, role.level, gpte, false) & mmu->gfn_mask) &&
            child->role.word == want.word)
            now = spte_link(mmu, page, spte_child(mmu, old), gpte, false);
        if (now && now != old)
            sync_below(mmu, spte_child(mmu, old));
    }
    if (now)
        spte_change(mmu, page, slot, now);
    else
        spte_clear(mmu, page, slot);
    return change_kind(old, now);
}
