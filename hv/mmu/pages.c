/* Shadow pages: found by (gfn, role), made, evicted and dropped. */

#include "mmu/mmu_int.h"

static u32 *hash_bucket(struct mmu *mmu, u64 gfn, union role role)
{
    u32 h = ((u32)gfn ^ role.word * 0x85ebca6bu) * 0x9e3779b1u;

    return &mmu->hash[h >> mmu->hash_shift];
}

/* The shadow page of gfn in role, or NONE. */
u32 page_find(struct mmu *mmu, u64 gfn, union role role)
{
    for (u32 i = *hash_bucket(mmu, gfn, role); i != NONE; i = mmu->pages[i].hash_next)
        if (mmu->pages[i].gfn == gfn && mmu->pages[i].role.word == role.word)
            return i;
    return NONE;
}

/* Empties all entries. */
void page_clear(struct mmu *mmu, u32 page)
{
    struct spage *sp = &mmu->pages[page];

    for (unsigned i = 0; i < 8; i++)
        while (sp->present[i])
            spte_clear(mmu, page, i * 64 + (unsigned)__builtin_ctzll(sp->present[i]));
}

void page_hollow(struct mmu *mmu, u32 page)
{
    for (unsigned slot = 0; mmu->marker && slot < 512; slot++)
        if (!spte_live(mmu->tables[page][slot]))
            spte_rest(mmu, page, slot, true);
}

/* The slots of a page that nothing leads to any more. */
static void page_zero(struct mmu *mmu, u32 page)
{
    const struct spage *sp = &mmu->pages[page];

    for (unsigned i = 0; i < 8; i++)
        for (u64 left = sp->hollow[i]; left; left &= left - 1)
            mmu->tables[page][i * 64 + (unsigned)__builtin_ctzll(left)] = 0;
}

static void detach_gfn(struct mmu *mmu, u32 page)
{
    struct spage *sp = &mmu->pages[page];
    struct frame *f = &mmu->frames[sp->gfn];
    u32 *p = &f->pages;

    while (*p != page)
        p = &mmu->pages[*p].gfn_next;
    *p = sp->gfn_next;
    if (f->pages != NONE)
        return;
    if (f->word & F_UNSYNC)
        unsync_forget(mmu, sp->gfn);
    f->word &= ~(F_TABLE | F_UNSYNC);
    mmu->blocks[sp->gfn >> 9].tables--;
}

static void attach_gfn(struct mmu *mmu, u32 page)
{
    struct spage *sp = &mmu->pages[page];
    struct frame *f = &mmu->frames[sp->gfn];

    if (f->word & F_UNSYNC)
        sync_gfn(mmu, sp->gfn);
    sp->gfn_next = f->pages;
    f->pages = page;
    if (f->word & F_TABLE)
        return;
    f->word |= F_TABLE;
    mmu->blocks[sp->gfn >> 9].tables++;
    rmap_protect(mmu, sp->gfn);
}

/* Empties a shadow page, unlinks it from its parents and frees it; a root in use stays, empty. */
void page_drop(struct mmu *mmu, u32 page)
{
    struct spage *sp = &mmu->pages[page];

    if (unlikely(sp->targets))
        targets_drop_page(mmu, page);
    page_clear(mmu, page);
    while (sp->parents != NONE)
        spte_clear(mmu, sp->parents / 512, sp->parents % 512);
    if (sp->pins) {
        page_hollow(mmu, page);
        return;
    }
    u32 *p = hash_bucket(mmu, sp->gfn, sp->role);
    while (*p != page)
        p = &mmu->pages[*p].hash_next;
    *p = sp->hash_next;
    if (!sp->role.direct)
        detach_gfn(mmu, page);
    page_zero(mmu, page);
    sp->used = false;
    sp->hash_next = mmu->free;
    mmu->free = page;
    mmu->free_count++;
    mmu->counters.tables_dropped++;
}

/* Drops all shadow pages of gfn's tables. */
void pages_drop_gfn(struct mmu *mmu, u64 gfn)
{
    for (u32 page = mmu->frames[gfn].pages, next; page != NONE; page = next) {
        next = mmu->pages[page].gfn_next;
        page_drop(mmu, page);
    }
}

void pages_drop_all(struct mmu *mmu)
{
    for (u32 i = 0; i < mmu->page_count; i++)
        if (mmu->pages[i].used)
            page_drop(mmu, i);
}

/* Clock: a page in use since the hand last passed gets a second chance. */
static bool evict(struct mmu *mmu)
{
    for (u32 n = 0; n < 2 * mmu->page_count; n++) {
        u32 i = mmu->hand;
        struct spage *sp = &mmu->pages[i];

        mmu->hand = i + 1 < mmu->page_count ? i + 1 : 0;
        if (!sp->used || sp->pins || sp->targets || sp->stamp == mmu->stamp)
            continue;
        if (sp->referenced) {
            sp->referenced = false;
            continue;
        }
        page_drop(mmu, i);
        mmu->counters.tables_evicted++;
        return true;
    }
    return false;
}

/* An empty page of no role yet, evicting one where none is free. */
u32 page_alloc(struct mmu *mmu)
{
    if (mmu->free == NONE && !evict(mmu))
        return NONE;
    u32 page = mmu->free;
    struct spage *sp = &mmu->pages[page];
    mmu->free = sp->hash_next;
    mmu->free_count--;
    *sp = (struct spage){.hash_next = NONE,
                         .gfn_next = NONE,
                         .parents = NONE,
                         .used = true,
                         .referenced = true,
                         .stamp = mmu->stamp};
    return page;
}

u32 page_pinned(struct mmu *mmu, union role role)
{
    u32 page = page_alloc(mmu);

    if (page != NONE) {
        mmu->pages[page].role = role;
        mmu->pages[page].pins = 1;
        page_hollow(mmu, page);
    }
    return page;
}

/* Finds or makes the shadow page of gfn in role; on the path of the fill under way. */
u32 page_get(struct mmu *mmu, u64 gfn, union role role, u32 sibling)
{
    u32 page = page_find(mmu, gfn, role);

    if (page == NONE) {
        page = page_alloc(mmu);
        if (page == NONE)
            return NONE;
        struct spage *sp = &mmu->pages[page];
        u32 *bucket = hash_bucket(mmu, gfn, role);
        sp->gfn = (u32)gfn;
        sp->role = role;
        sp->hash_next = *bucket;
        *bucket = page;
        if (role.direct) {
            scan_direct(mmu, page);
        } else {
            attach_gfn(mmu, page);
            if (!page_is_pdpts(sp)) /* a guard of PDPTEs */
                scan_table(mmu, page);
            if (sibling != NONE)
                scan_sibling(mmu, page, sibling);
        }
        mmu->counters.tables_built++;
    }
    mmu->pages[page].referenced = true;
    mmu->pages[page].stamp = mmu->stamp;
    return page;
}
