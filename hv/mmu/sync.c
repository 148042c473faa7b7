/* Stores into guest tables, and leaf tables that are out of sync: what the guest does to a leaf
 * table may stay unseen until it flushes (SDM vol. 3, 4.10.4). */

#include "mmu/mmu_int.h"

#define UNSYNC_AFTER 1 /* trapped stores in a row that took rights away */
#define IDLE_AFTER 2   /* trapped stores in a row that mattered to nobody */
#define BLANK_AFTER 4  /* trapped stores in a row of zeros over zeros */

static void *table_ptr(const struct mmu *mmu, u64 gfn)
{
    return host_ptr(mmu, mmu->frames[gfn].word & F_HPA);
}

/* Whether going out of sync is due: all shadow pages are leaf tables, and one is being torn down. */
static bool unsync_due(const struct mmu *mmu, u64 gfn)
{
    bool due = false;

    for (u32 i = mmu->frames[gfn].pages; i != NONE; i = mmu->pages[i].gfn_next) {
        const struct spage *sp = &mmu->pages[i];
        if (sp->role.level != 1)
            return false;
        due |= sp->downgrades + sp->history >= UNSYNC_AFTER;
    }
    return due;
}

/* At a write to the guest table gfn: lets it out of sync if that is likely to pay. */
bool unsync_try(struct mmu *mmu, u64 gfn)
{
    if (!mmu_has(mmu, MMU_OPT_UNSYNC) || mmu->unsync_count == UNSYNC_MAX || !unsync_due(mmu, gfn))
        return false;
    for (u32 i = mmu->frames[gfn].pages; i != NONE; i = mmu->pages[i].gfn_next)
        page_hollow(mmu, i); /* the guest may make entries present unseen */
    mmu->frames[gfn].word |= F_UNSYNC;
    mmu->unsync[mmu->unsync_count++] = (u32)gfn;
    mmu->counters.unsynced++;
    return true;
}

/* Takes gfn off the list of what is out of sync. */
void unsync_forget(struct mmu *mmu, u64 gfn)
{
    for (u32 i = 0; i < mmu->unsync_count; i++)
        if (mmu->unsync[i] == gfn) {
            mmu->unsync[i] = mmu->unsync[--mmu->unsync_count];
            return;
        }
}

static void sync_page(struct mmu *mmu, u32 page, const void *table)
{
    struct spage *sp = &mmu->pages[page];
    unsigned changed = 0;

    for (unsigned i = 0; i < 8; i++) {
        for (u64 left = sp->present[i]; left; left &= left - 1) {
            unsigned slot = i * 64 + (unsigned)__builtin_ctzll(left);
            u64 gfn, gpte = gpte_read(sp->role, table, slot_index(sp->role, slot));
            /* Most entries are as they were; a host frame with two names needs the long way. */
            if (spte_of_gpte(mmu, sp->role, gpte, &gfn) == mmu->tables[page][slot] &&
                (p2m_word(mmu, gfn) & F_OWN))
                continue;
            changed += spte_update_leaf(mmu, page, slot, gpte, false) != 0;
        }
    }
    if (changed > 2)
        sp->history = sp->history < UNSYNC_AFTER ? sp->history + 1u : UNSYNC_AFTER;
    else
        sp->history = sp->history ? sp->history - 1u : 0;
    sp->downgrades = sp->idle = 0;
}

/* Brings gfn's shadow pages in line with its contents and takes write rights to it away. */
void sync_gfn(struct mmu *mmu, u64 gfn)
{
    unsync_forget(mmu, gfn);
    mmu->frames[gfn].word &= ~F_UNSYNC; /* first: the table may map itself */
    for (u32 i = mmu->frames[gfn].pages; i != NONE; i = mmu->pages[i].gfn_next)
        sync_page(mmu, i, table_ptr(mmu, gfn));
    rmap_protect(mmu, gfn);
    mmu->counters.resynced++;
}

void sync_torn_down(struct mmu *mmu)
{
    while (mmu->unsync_count) {
        u32 gfn = mmu->unsync[mmu->unsync_count - 1];
        sync_gfn(mmu, gfn);
        for (u32 i = mmu->frames[gfn].pages; i != NONE; i = mmu->pages[i].gfn_next)
            mmu->pages[i].history = 0;
    }
}

/* Before a link to page is made or changed. INVLPG reaches only what is linked, so nothing stale
 * may be linked anew; nor may a stale entry gain rights from above, as no TLB could hold that. */
void sync_below(struct mmu *mmu, u32 page)
{
    const struct spage *sp = &mmu->pages[page];

    if (!mmu->unsync_count || sp->role.direct)
        return;
    if (sp->role.level > 1)
        sync_all(mmu);
    else if (mmu->frames[sp->gfn].word & F_UNSYNC)
        sync_gfn(mmu, sp->gfn);
}

/* INVLPG: one entry of a table, where that is out of sync. */
void sync_slot(struct mmu *mmu, u32 page, unsigned slot)
{
    const struct spage *sp = &mmu->pages[page];

    if (sp->role.direct || !(mmu->frames[sp->gfn].word & F_UNSYNC))
        return;
    if (spte_live(mmu->tables[page][slot]))
        spte_update_leaf(mmu, page, slot,
                         gpte_read(sp->role, table_ptr(mmu, sp->gfn), slot_index(sp->role, slot)),
                         false);
}

static inline int leaf_stored(struct mmu *mmu, u32 page, unsigned slot, u64 gpte)
{
    if (mmu_has(mmu, MMU_OPT_STORE))
        return spte_update_leaf(mmu, page, slot, gpte, true);
    if (!spte_live(mmu->tables[page][slot]))
        return 0;
    spte_clear(mmu, page, slot);
    return -1;
}

static inline int slot_stored(struct mmu *mmu, u32 page, unsigned slot, u64 gpte)
{
    int kind = mmu->pages[page].role.level == 1 ? leaf_stored(mmu, page, slot, gpte)
                                                : spte_update_upper(mmu, page, slot, gpte);

    if (mmu->marker && !spte_live(mmu->tables[page][slot]))
        spte_rest(mmu, page, slot, gpte);
    return kind;
}

/* The guest's entry `index` of a table changed. */
static int entry_stored(struct mmu *mmu, u32 page, unsigned index)
{
    struct spage *sp = &mmu->pages[page];
    u64 gpte = gpte_read(sp->role, table_ptr(mmu, sp->gfn), index);

    if (sp->role.mode != MODE_32)
        return slot_stored(mmu, page, index, gpte);
    if (sp->role.level == 1)
        return index / 512 == sp->role.quad ? slot_stored(mmu, page, index % 512, gpte) : 0;
    if (index / 256 != sp->role.quad)
        return 0;
    int a = slot_stored(mmu, page, index % 256 * 2, gpte);
    int b = slot_stored(mmu, page, index % 256 * 2 + 1, gpte);
    return a ? a : b;
}

/* Counts what kind of stores come; true: the table looks as if it were one no more. */
static bool note_store(struct spage *sp, int kind)
{
    if (kind < 0 && sp->downgrades < 255)
        sp->downgrades++;
    if (kind > 0)
        sp->downgrades = 0;
    sp->idle = kind ? 0 : sp->idle < 255 ? sp->idle + 1u : 255;
    return sp->idle >= IDLE_AFTER && !sp->count;
}

/* The guest stored len bytes at offset of its table gfn. dying: in a way that tables are not
 * written. blank: zeros over zeros, which some kernels do to half an entry and all do to a page that
 * is cleared for another use. */
void table_stored(struct mmu *mmu, u64 gfn, unsigned offset, unsigned len, bool dying, bool blank)
{
    bool flood = mmu_has(mmu, MMU_OPT_FLOOD);

    for (u32 page = mmu->frames[gfn].pages, next; page != NONE; page = next) {
        struct spage *sp = &mmu->pages[page];
        unsigned shift = sp->role.mode == MODE_32 ? 2 : 3;
        sp->blank = blank ? sp->blank + (sp->blank < BLANK_AFTER) : 0;
        /* A root in use is alive, whatever it looks like. */
        bool drop = flood && !sp->pins && (dying || sp->blank == BLANK_AFTER);
        int kind = 0;

        next = sp->gfn_next;
        if (page_is_pdpts(sp)) {
            if (!targets_stored(mmu, page, offset, len))
                page_drop(mmu, page);
            continue;
        }
        if (!drop)
            for (unsigned i = offset >> shift; i <= (offset + len - 1) >> shift; i++) {
                int k = entry_stored(mmu, page, i);
                mmu->counters.stores_filled += k > 0;
                kind = k ? k : kind;
            }
        bool idle = note_store(sp, kind);
        if (drop || (flood && idle))
            page_drop(mmu, page);
    }
}

typedef u32 any_u32 __attribute__((aligned(1), may_alias));
typedef u64 any_u64 __attribute__((aligned(1), may_alias));

static bool all_zero(const u8 *p, unsigned len)
{
    u8 any = 0;

    if (len == 8)
        return !*(const any_u64 *)p;
    for (unsigned i = 0; i < len; i++)
        any |= p[i];
    return !any;
}

static void store(void *p, const void *buf, unsigned len)
{
    switch (len) { /* one store each, as the CPU's would be */
    case 4: *(volatile any_u32 *)p = *(const any_u32 *)buf; break;
    case 8: *(volatile any_u64 *)p = *(const any_u64 *)buf; break;
    default: memcpy(p, buf, len);
    }
}

void mmu_emulated_store(struct mmu_vcpu *v, gpa_t gpa, const void *buf, unsigned len, bool user)
{
    struct mmu *mmu = v->mmu;
    u64 gfn = (gpa >> PAGE_SHIFT) & mmu->gfn_mask, word = p2m_word(mmu, gfn);
    unsigned offset = gpa & ~PAGE_MASK;

    if (!(word & F_RAM) || !len || len > 16 || offset + len > PAGE_SIZE)
        return;
    u8 *p = (u8 *)host_ptr(mmu, word & F_HPA) + offset;
    if (!word_protected(word)) {
        store(p, buf, len);
        return;
    }
    /* What no kernel does to a live table: odd alignment, from user mode. */
    bool dying = user || (offset & (len - 1));
    bool blank = all_zero(buf, len) && all_zero(p, len);
    store(p, buf, len);
    mmu->counters.stores++;
    table_stored(mmu, gfn, offset, len, dying, blank);
}
