/* Shadow entries and the lists they are in: by the frame or block a leaf maps, by the shadow page
 * that a link leads to. */

#include "mmu/mmu_int.h"

static void link_del(struct mmu *mmu, u32 name)
{
    struct link l = mmu->links[name];

    if (l.prev == NONE)
        return; /* maps a region: in no list */
    if (l.next != NONE)
        mmu->links[l.next].prev = l.prev;
    if (l.prev & 0x80000000u)
        *list_head(mmu, l.prev) = l.next;
    else
        mmu->links[l.prev].next = l.next;
}

/* Empties a live entry. */
void spte_clear(struct mmu *mmu, u32 page, unsigned slot)
{
    struct spage *sp = &mmu->pages[page];

    link_del(mmu, page * 512 + slot);
    spte_rest(mmu, page, slot, true);
    sp->present[slot >> 6] &= ~(1ull << (slot & 63));
    sp->count--;
    mmu->gen++;
}

/* Changes a present entry that stays in its list. More U is fewer rights too: SMEP and SMAP. */
void spte_change(struct mmu *mmu, u32 page, unsigned slot, u64 spte)
{
    u64 old = mmu->tables[page][slot];

    spte_write(mmu, page, slot, spte);
    if ((old & ~spte & PTE_W) || (spte & ~old & PTE_NX) || ((old ^ spte) & (PTE_U | SPTE_HPA)))
        mmu->gen++;
}

static void drop_list(struct mmu *mmu, const u32 *head)
{
    while (*head != NONE)
        spte_clear(mmu, *head / 512, *head % 512);
}

/* Takes the write right from all shadow entries that map gfn; large ones go altogether. */
void rmap_protect(struct mmu *mmu, u64 gfn)
{
    drop_list(mmu, &mmu->blocks[gfn >> 9].rmap);
    for (u32 name = mmu->frames[gfn].rmap; name != NONE; name = mmu->links[name].next) {
        u64 *spte = &mmu->tables[name / 512][name % 512];
        if (!(*spte & PTE_W))
            continue;
        *spte &= ~PTE_W;
        mmu->gen++;
        mmu->counters.protects++;
    }
}

/* Empties all shadow entries that map gfn. */
void rmap_drop(struct mmu *mmu, u64 gfn)
{
    drop_list(mmu, &mmu->blocks[gfn >> 9].rmap);
    drop_list(mmu, &mmu->frames[gfn].rmap);
}
