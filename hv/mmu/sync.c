/* Stores into guest tables, and leaf tables that are out of sync: what the guest does to a leaf
 * table may stay unseen until it flushes (SDM vol. 3, 4.10.4). A table goes out of sync when it is written in
 * a row, and comes back at the next flush of any kind, or at the next page fault that comes by it; what changed is
 * found by a copy. */

#include "mmu/mmu_int.h"

#define PAYS_AFTER 3  /* changed words while out of sync, with which that was right */
#define WAIT 4        /* trapped stores until it is tried again where it was not */
#define IDLE_AFTER 2  /* trapped stores in a row that mattered to nobody */
#define BLANK_AFTER 4 /* trapped stores in a row of zeros over zeros, to a leaf table */

static void *table_ptr(const struct mmu *mmu, u64 gfn)
{
    return host_ptr(mmu, mmu->frames[gfn].word & F_HPA);
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

/* As spte_update_upper. A leaf table that nothing leads to any more, empty or being torn down, is about to be
 * something else. */
static int upper_stored(struct mmu *mmu, u32 page, unsigned slot, u64 gpte)
{
    u64 old = mmu->tables[page][slot];
    int kind = spte_update_upper(mmu, page, slot, gpte);

    if (!spte_live(old) || old & SPTE_LEAF || !mmu_has(mmu, MMU_OPT_FLOOD))
        return kind;
    u32 child = spte_child(mmu, old);
    const struct spage *sp = &mmu->pages[child];
    if (sp->parents == NONE && sp->role.level == 1 && !sp->role.direct &&
        sp->gfn != mmu->pages[page].gfn && (!sp->count || mmu->frames[sp->gfn].word & F_UNSYNC))
        page_drop(mmu, child);
    return kind;
}

static inline int slot_stored(struct mmu *mmu, u32 page, unsigned slot, u64 gpte)
{
    int kind = mmu->pages[page].role.level == 1 ? leaf_stored(mmu, page, slot, gpte)
                                                : upper_stored(mmu, page, slot, gpte);

    if (mmu->marker && !spte_live(mmu->tables[page][slot]))
        spte_rest(mmu, page, slot, gpte & PTE_P);
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

/* Whether going out of sync is due: all shadow pages are leaf tables, and one was just written. */
static bool unsync_due(const struct mmu *mmu, u64 gfn)
{
    bool due = false;

    for (u32 i = mmu->frames[gfn].pages; i != NONE; i = mmu->pages[i].gfn_next) {
        const struct spage *sp = &mmu->pages[i];
        if (sp->role.level != 1)
            return false;
        due |= sp->way != WAY_NONE && !sp->wait[sp->way];
    }
    return due;
}

bool unsync_try(struct mmu *mmu, u64 gfn)
{
    if (!mmu_has(mmu, MMU_OPT_UNSYNC) || mmu->unsync_count == UNSYNC_MAX || !unsync_due(mmu, gfn))
        return false;
    struct unsync *u = &mmu->unsync[mmu->unsync_count++];
    u->gfn = (u32)gfn;
    memcpy(mmu->copies[u->copy], table_ptr(mmu, gfn), PAGE_SIZE);
    mmu->frames[gfn].word |= F_UNSYNC;
    mmu->counters.unsynced++;
    return true;
}

/* Takes gfn off the list of what is out of sync; its copy stays as it is until another table needs one. */
u32 unsync_forget(struct mmu *mmu, u64 gfn)
{
    u32 i = 0;

    while (mmu->unsync[i].gfn != gfn)
        i++;
    struct unsync u = mmu->unsync[i], *last = &mmu->unsync[--mmu->unsync_count];
    mmu->unsync[i] = *last;
    *last = u;
    return u.copy;
}

static inline bool differ(const u64 *a, const u64 *b)
{
    return (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4]) |
           (a[5] ^ b[5]) | (a[6] ^ b[6]) | (a[7] ^ b[7]);
}

/* The eight bytes at word n of a table; they are one entry or two. */
static void sync_word(struct mmu *mmu, u64 gfn, unsigned n)
{
    for (u32 i = mmu->frames[gfn].pages; i != NONE; i = mmu->pages[i].gfn_next) {
        bool is32 = mmu->pages[i].role.mode == MODE_32;
        entry_stored(mmu, i, is32 ? 2 * n : n);
        if (is32)
            entry_stored(mmu, i, 2 * n + 1);
    }
}

/* Brings gfn's shadow pages in line with its contents and takes write rights to it away. */
void sync_gfn(struct mmu *mmu, u64 gfn)
{
    const u64 *old = mmu->copies[unsync_forget(mmu, gfn)], *now = table_ptr(mmu, gfn);
    unsigned changed = 0;

    mmu->frames[gfn].word &= ~F_UNSYNC; /* first: the table may map itself */
    for (unsigned w = 0; w < 512; w += 8)
        for (unsigned n = differ(old + w, now + w) ? w : w + 8; n < w + 8; n++)
            if (old[n] != now[n]) {
                sync_word(mmu, gfn, n);
                changed++;
            }
    for (u32 i = mmu->frames[gfn].pages; i != NONE; i = mmu->pages[i].gfn_next) {
        struct spage *sp = &mmu->pages[i];
        sp->wait[sp->way] = changed < PAYS_AFTER ? WAIT : 0;
        sp->way = WAY_NONE;
        sp->idle = 0;
    }
    rmap_protect(mmu, gfn);
    mmu->counters.resynced++;
}

/* Before a link to page is made or changed. A stale entry may neither come to be linked anew nor gain rights from
 * above, as no TLB could hold that. */
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

/* Counts what kind of stores come; true: the table looks as if it were one no more. What mends the entry of
 * a fault, as a copy on write does, is no part of a row. */
static bool note_store(struct spage *sp, int kind, unsigned hints)
{
    if (!(hints & STORE_MENDS)) {
        sp->way = kind < 0 || hints & STORE_CLEARS ? WAY_FALL : WAY_RISE;
        sp->wait[sp->way] -= !!sp->wait[sp->way];
    }
    sp->idle = kind ? 0 : sp->idle < 255 ? sp->idle + 1u : 255;
    return sp->idle >= IDLE_AFTER && !sp->count;
}

/* The guest stored len bytes at offset of its table gfn. */
void table_stored(struct mmu *mmu, u64 gfn, unsigned offset, unsigned len, unsigned hints)
{
    bool flood = mmu_has(mmu, MMU_OPT_FLOOD);

    for (u32 page = mmu->frames[gfn].pages, next; page != NONE; page = next) {
        struct spage *sp = &mmu->pages[page];
        unsigned shift = sp->role.mode == MODE_32 ? 2 : 3;
        sp->blank = hints & STORE_BLANK ? sp->blank + (sp->blank < BLANK_AFTER) : 0;
        bool blank = sp->blank == BLANK_AFTER || (sp->blank && sp->role.level > 1 && len >> shift);
        /* A root in use is alive, whatever it looks like. */
        bool drop = flood && !sp->pins && (hints & STORE_DYING || blank);
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
        bool idle = note_store(sp, kind, hints);
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

/* The shadow page of the leaf table for gva, or NONE. */
static u32 leaf_of(const struct mmu_vcpu *v, gva_t gva)
{
    unsigned level = v->role.mode == MODE_LONG ? 4 : 3;
    unsigned slot = level == 4 ? (gva >> 39) & 511 : v->root_slot + ((gva >> 30) & 3);
    u32 page = v->root;

    for (; level > 1; level--) {
        u64 spte = v->mmu->tables[page][slot];
        if (!spte_live(spte) || (spte & SPTE_LEAF))
            return NONE;
        page = spte_child(v->mmu, spte);
        slot = (gva >> (PAGE_SHIFT + 9 * (level - 2))) & 511;
    }
    return page;
}

/* Whether a store at offset of the table gfn is to the entry that the guest's last page fault came from. Not all
 * such faults exit, but all leave CR2. */
static bool mends(const struct mmu_vcpu *v, u64 gfn, unsigned offset)
{
    bool is32 = v->role.mode == MODE_32;

    if (offset >> (is32 ? 2 : 3) != (v->cr2 >> PAGE_SHIFT & (is32 ? 1023 : 511)))
        return false;
    u32 leaf = leaf_of(v, v->cr2);
    return leaf != NONE && v->mmu->pages[leaf].gfn == gfn;
}

void mmu_set_cr2(struct mmu_vcpu *v, gva_t cr2)
{
    v->cr2 = cr2;
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
    unsigned hints = (user || (offset & (len - 1)) ? STORE_DYING : 0) |
                     (mends(v, gfn, offset) ? STORE_MENDS : 0);
    if (all_zero(buf, len))
        hints |= STORE_CLEARS | (all_zero(p, len) ? STORE_BLANK : 0);
    store(p, buf, len);
    mmu->counters.stores++;
    table_stored(mmu, gfn, offset, len, hints);
    v->opened |=
        !word_protected(mmu->frames[gfn].word) || (!(hints & STORE_MENDS) && unsync_try(mmu, gfn));
}
