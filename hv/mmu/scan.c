/* What is shadowed before the guest asks for it: the entries of a table when its shadow page is new, the
 * neighbours of a leaf just filled. Entries without A are left alone: the guest would see
 * them used. What is present and not shadowed becomes hollow. */

#include "mmu/mmu_int.h"

#define WINDOW 16u

static bool used(u64 gpte)
{
    return (gpte & (PTE_P | PTE_A)) == (PTE_P | PTE_A);
}

/* Fills slot, which is not live, of a leaf table; false: the entry cannot be used yet. */
static bool scan_leaf(struct mmu *mmu, u32 page, unsigned slot, u64 gpte)
{
    u64 gfn, spte = spte_of_gpte(mmu, mmu->pages[page].role, gpte, &gfn);

    if (!spte)
        return false;
    spte_set(mmu, page, slot, spte, leaf_list(mmu, gfn));
    mmu->counters.prefetched++;
    return true;
}

/* Links slot to the child that there is in this role, if any is, and is in sync (sync_below). */
static void link_found(struct mmu *mmu, u32 page, unsigned slot, u64 gpte, bool large, u64 gfn,
                       union role role)
{
    u32 child = page_find(mmu, gfn, role);

    if (child == NONE ||
        (mmu->unsync_count && !role.direct && (role.level > 1 || mmu->frames[gfn].word & F_UNSYNC)))
        return;
    spte_set(mmu, page, slot, spte_link(mmu, page, child, gpte, large), LIST_PAGE | child);
    mmu->counters.prefetched++;
}

static void scan_large(struct mmu *mmu, u32 page, unsigned slot, u64 gpte)
{
    union role role = mmu->pages[page].role;
    u64 gfn = gpte_gfn(role, role.level, gpte, true);
    unsigned acc = role.acc & gpte_acc(gpte);

    if (role.level != 2)
        return;
    if (role.mode == MODE_32)
        gfn += (slot & 1) * 512;
    if (!block_large(mmu, gfn)) {
        link_found(mmu, page, slot, gpte, true, gfn, role_direct(role, 1, acc));
        return;
    }
    u64 spte = PTE_PS | spte_leaf(role, acc, gpte & PTE_D, mmu->frames[gfn].word);
    spte_set(mmu, page, slot, spte, LIST_BLOCK | (u32)(gfn >> 9));
    mmu->counters.prefetched++;
}

static void scan_upper(struct mmu *mmu, u32 page, unsigned slot, u64 gpte)
{
    union role role = mmu->pages[page].role, want;
    bool large = gpte_large(role, role.level, gpte);

    if (!used(gpte) || gpte_reserved(mmu, role, role.level, gpte, large))
        return;
    if (large) {
        scan_large(mmu, page, slot, gpte);
        return;
    }
    want = role_child(role, role.level, gpte);
    want.quad = role.mode == MODE_32 ? slot & 1 : 0;
    link_found(mmu, page, slot, gpte, false,
               gpte_gfn(role, role.level, gpte, false) & mmu->gfn_mask, want);
}

static inline void scan_slot(struct mmu *mmu, u32 page, unsigned slot, bool fill, u64 gpte)
{
    if (gpte & PTE_P && !(fill && scan_leaf(mmu, page, slot, gpte)) && mmu->marker)
        spte_rest(mmu, page, slot, true);
}

/* Two entries of a 2-level guest's table, in one slot each or, in an upper table, two. */
static inline void scan_pair(struct mmu *mmu, u32 page, unsigned n, bool leaf, bool fill, u64 pair)
{
    if (leaf) {
        scan_slot(mmu, page, 2 * n, fill, (u32)pair);
        scan_slot(mmu, page, 2 * n + 1, fill, pair >> 32);
        return;
    }
    for (unsigned i = 0; i < 4; i++)
        scan_slot(mmu, page, 4 * n + i, false, i < 2 ? (u32)pair : pair >> 32);
}

static inline bool zeros(const u64 *w)
{
    return !(w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7]);
}

/* The whole of a new page's table. Tables are mostly empty: zeros are passed over by the eight. */
void scan_table(struct mmu *mmu, u32 page)
{
    const struct spage *sp = &mmu->pages[page];
    bool is32 = sp->role.mode == MODE_32, leaf = sp->role.level == 1;
    bool fill = leaf && mmu_has(mmu, MMU_OPT_PREFETCH);
    unsigned count = !is32 ? 512 : leaf ? 256 : 128;
    const u64 *table = host_ptr(mmu, mmu->frames[sp->gfn].word & F_HPA);

    if (!mmu->marker && !fill)
        return;
    table += is32 ? sp->role.quad * count : 0;
    for (unsigned i = 0; i < count; i += 8)
        for (unsigned n = zeros(table + i) ? i + 8 : i; n < i + 8; n++) {
            u64 word = *(const volatile u64 *)(table + n);
            if (is32)
                scan_pair(mmu, page, n, leaf, fill, word);
            else
                scan_slot(mmu, page, n, fill, word);
        }
}

/* What another space's table at this place has in use, which this one is likely to need: the kernel is in both. */
void scan_sibling(struct mmu *mmu, u32 page, u32 sibling)
{
    const struct spage *sp = &mmu->pages[page], *other = &mmu->pages[sibling];
    const void *table = host_ptr(mmu, mmu->frames[sp->gfn].word & F_HPA);

    if (!mmu_has(mmu, MMU_OPT_PREFETCH) || !other->used || other->role.word != sp->role.word)
        return;
    for (unsigned i = 0; i < 8; i++)
        for (u64 left = other->present[i] & ~sp->present[i]; left; left &= left - 1) {
            unsigned slot = i * 64 + (unsigned)__builtin_ctzll(left);
            scan_upper(mmu, page, slot, gpte_read(sp->role, table, slot_index(sp->role, slot)));
        }
}

/* A page of no guest table: all that is memory. */
void scan_direct(struct mmu *mmu, u32 page)
{
    const struct spage *sp = &mmu->pages[page];

    for (unsigned slot = 0; sp->role.level == 1 && mmu_has(mmu, MMU_OPT_PREFETCH) && slot < 512;
         slot++) {
        u64 gfn = (sp->gfn + slot) & mmu->gfn_mask;
        u64 spte = spte_leaf(sp->role, sp->role.acc, true, p2m_word(mmu, gfn));
        if (!spte)
            continue;
        spte_set(mmu, page, slot, spte, leaf_list(mmu, gfn));
        mmu->counters.prefetched++;
    }
    page_hollow(mmu, page);
}

/* The neighbours of a leaf just filled, up to the first on each side that is live or that the guest has not
 * used. */
void scan_window(struct mmu *mmu, u32 page, unsigned slot)
{
    const struct spage *sp = &mmu->pages[page];
    unsigned first = slot & ~(WINDOW - 1);

    if (sp->role.direct)
        return;
    const void *table = host_ptr(mmu, mmu->frames[sp->gfn].word & F_HPA);
    for (int step = 1; step >= -1; step -= 2)
        for (unsigned i = slot + (unsigned)step; i - first < WINDOW; i += (unsigned)step) {
            u64 gpte = gpte_read(sp->role, table, slot_index(sp->role, i));
            if (spte_live(mmu->tables[page][i]) || !used(gpte))
                break;
            scan_leaf(mmu, page, i, gpte);
        }
}
