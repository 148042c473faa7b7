/* Checks all shadow pages, reachable or only kept, against the guest's tables and the p2m, and the
 * lists against each other. */

#include "lib/fmt.h"
#include "mmu/mmu_int.h"

struct audit {
    struct mmu *mmu;
    char *text;
    size_t size;
    unsigned errors;
};

static void wrong(struct audit *a, const char *what, u32 page, unsigned slot, u64 want)
{
    const struct spage *sp = &a->mmu->pages[page];

    if (!a->errors++)
        fmt_snprintf(a->text, a->size, "%s: page %u gfn %x role %x slot %u entry %llx want %llx",
                     what, page, sp->gfn, sp->role.word, slot,
                     (unsigned long long)a->mmu->tables[page][slot], (unsigned long long)want);
}

/* Whether entry allows nothing that `want` does not. */
static bool within(u64 entry, u64 want)
{
    return !((entry ^ want) & (SPTE_HPA | PTE_PS | SPTE_LEAF)) &&
           !(entry & ~want & (PTE_W | PTE_U)) && !(want & ~entry & PTE_NX);
}

static void check_leaf(struct audit *a, u32 page, unsigned slot, u64 gpte)
{
    struct mmu *mmu = a->mmu;
    union role role = mmu->pages[page].role;
    u64 gfn, entry = mmu->tables[page][slot], want = spte_of_gpte(mmu, role, gpte, &gfn);

    if ((entry & SPTE_FLIP) && want && !role.wp && !role.smap && (gpte & PTE_D))
        if (word_writable(p2m_word(mmu, gfn)) && !(entry & PTE_U)) {
            want |= PTE_W;
            if (role.smep)
                want |= PTE_NX;
        }
    if (!want || !within(entry, want))
        wrong(a, "leaf", page, slot, want);
}

static void check_link(struct audit *a, u32 page, unsigned slot, u64 gfn, union role role, u64 want)
{
    const struct spage *child = &a->mmu->pages[spte_child(a->mmu, a->mmu->tables[page][slot])];

    if (!child->used || child->gfn != gfn || child->role.word != role.word)
        wrong(a, "link to another page", page, slot, gfn);
    else if (!within(a->mmu->tables[page][slot],
                     want)) /* less: the guest's D came by another way */
        wrong(a, "link", page, slot, want);
}

static void check_large(struct audit *a, u32 page, unsigned slot, u64 gfn, unsigned acc, bool dirty)
{
    struct mmu *mmu = a->mmu;
    u64 want = 0;

    if (block_large(mmu, gfn))
        want = PTE_PS | spte_leaf(mmu->pages[page].role, acc, dirty, mmu->frames[gfn].word);
    if (!within(mmu->tables[page][slot], want))
        wrong(a, "large", page, slot, want);
}

static void check_upper(struct audit *a, u32 page, unsigned slot, u64 gpte)
{
    struct mmu *mmu = a->mmu;
    union role want, role = mmu->pages[page].role;
    unsigned level = role.level;
    bool large = gpte_large(role, level, gpte);
    u64 entry = mmu->tables[page][slot], gfn = gpte_gfn(role, level, gpte, large);

    if ((gpte & (PTE_P | PTE_A)) != (PTE_P | PTE_A) ||
        gpte_reserved(mmu, role, level, gpte, large)) {
        wrong(a, "upper", page, slot, 0);
        return;
    }
    unsigned acc = role.acc & gpte_acc(gpte);
    if (large && role.mode == MODE_32)
        gfn += (slot & 1) * 512;
    if (entry & SPTE_LEAF) {
        if (large)
            check_large(a, page, slot, gfn, acc, gpte & PTE_D);
        else
            wrong(a, "large for a table", page, slot, 0);
        return;
    }
    if (large) {
        want = role_direct(role, level - 1, acc);
    } else {
        want = role_child(role, level, gpte);
        want.quad = role.mode == MODE_32 ? slot & 1 : 0;
        gfn &= mmu->gfn_mask;
    }
    check_link(a, page, slot, gfn, want, spte_link(mmu, page, spte_child(mmu, entry), gpte, large));
}

static void check_direct(struct audit *a, u32 page, unsigned slot)
{
    struct mmu *mmu = a->mmu;
    const struct spage *sp = &mmu->pages[page];
    u64 entry = mmu->tables[page][slot];

    if (sp->role.level == 1) {
        u64 word = p2m_word(mmu, (sp->gfn + slot) & mmu->gfn_mask);
        u64 want = spte_leaf(sp->role, sp->role.acc, true, word);
        if ((entry & SPTE_FLIP) && !sp->role.wp && !sp->role.smap && word_writable(word))
            want |= PTE_W | (sp->role.smep ? PTE_NX : 0);
        if (!want || !within(entry, want))
            wrong(a, "direct leaf", page, slot, want);
        return;
    }
    u64 gfn = sp->gfn + slot * 512;
    if (entry & SPTE_LEAF)
        check_large(a, page, slot, gfn, sp->role.acc, true);
    else
        check_link(a, page, slot, gfn, role_direct(sp->role, 1, sp->role.acc),
                   spte_link(mmu, page, spte_child(mmu, entry), 0, false));
}

/* The list an entry is in must hold it, and be of what the entry leads to. */
static void check_list(struct audit *a, u32 page, unsigned slot)
{
    struct mmu *mmu = a->mmu;
    u32 name = page * 512 + slot, prev = mmu->links[name].prev, next = mmu->links[name].next;
    u64 entry = mmu->tables[page][slot];

    if (next != NONE && mmu->links[next].prev != name)
        wrong(a, "list: next", page, slot, next);
    if (prev != NONE && !(prev & 0x80000000u) && mmu->links[prev].next != name)
        wrong(a, "list: prev", page, slot, prev);
    while (prev != NONE && !(prev & 0x80000000u))
        prev = mmu->links[prev].prev;
    u32 index = LIST_INDEX(prev);
    if (!(entry & SPTE_LEAF)) {
        if (LIST_KIND(prev) != LIST_PAGE || index != spte_child(mmu, entry))
            wrong(a, "list: not the child's", page, slot, prev);
    } else if (prev == NONE) {
        if ((entry & SPTE_HPA) - mmu->config.ram_hpa < mmu->config.ram_bytes)
            wrong(a, "RAM in no list", page, slot, prev);
    } else if (entry & PTE_PS) {
        if (LIST_KIND(prev) != LIST_BLOCK ||
            (mmu->frames[index * 512ull].word & F_HPA) != (entry & SPTE_HPA))
            wrong(a, "list: not the block's", page, slot, prev);
    } else if (LIST_KIND(prev) != LIST_FRAME ||
               (mmu->frames[index].word & F_HPA) != (entry & SPTE_HPA)) {
        wrong(a, "list: not the frame's", page, slot, prev);
    } else if ((entry & PTE_W) && !word_writable(mmu->frames[index].word)) {
        wrong(a, "writable guest table", page, slot, prev);
    }
}

/* The guest's entry that the slot has to follow: of a table out of sync, as it was before. */
static u64 entry_of(const struct mmu *mmu, u32 page, unsigned slot)
{
    const struct spage *sp = &mmu->pages[page];
    const void *table = host_ptr(mmu, mmu->frames[sp->gfn].word & F_HPA);

    for (u32 i = 0; i < mmu->unsync_count; i++)
        if (mmu->unsync[i].gfn == sp->gfn)
            table = mmu->copies[mmu->unsync[i].copy];
    return gpte_read(sp->role, table, slot_index(sp->role, slot));
}

static void check_slot(struct audit *a, u32 page, unsigned slot)
{
    struct mmu *mmu = a->mmu;
    const struct spage *sp = &mmu->pages[page];

    check_list(a, page, slot);
    if (sp->role.mode == MODE_PAE && sp->role.level == 3)
        return; /* the vcpus' PDPTs follow no guest table: check_pae_roots */
    if (sp->role.direct) {
        check_direct(a, page, slot);
        return;
    }
    if (sp->role.level > 1)
        check_upper(a, page, slot, entry_of(mmu, page, slot));
    else
        check_leaf(a, page, slot, entry_of(mmu, page, slot));
}

/* A slot that is not live: 0 where no exit is needed, else hollow. */
static void check_rest(struct audit *a, u32 page, unsigned slot)
{
    struct mmu *mmu = a->mmu;
    const struct spage *sp = &mmu->pages[page];
    u64 entry = mmu->tables[page][slot], hollow = spte_hollow(mmu, sp);

    bool marked = sp->used && sp->hollow[slot >> 6] >> (slot & 63) & 1;
    if (entry != (marked ? hollow : 0)) {
        wrong(a, "neither live nor hollow", page, slot, hollow);
        return;
    }
    if (!mmu->marker || marked || !sp->used || page_is_pdpts(sp))
        return; /* PDPTs: check_pae_roots */
    if (sp->role.direct)
        wrong(a, "not hollow", page, slot, hollow);
    else if (entry_of(mmu, page, slot) & PTE_P)
        wrong(a, "0 for what the guest has present", page, slot, hollow);
}

static void check_page(struct audit *a, u32 page)
{
    struct mmu *mmu = a->mmu;
    const struct spage *sp = &mmu->pages[page];
    unsigned count = 0;

    for (unsigned slot = 0; slot < 512; slot++) {
        bool present = spte_live(mmu->tables[page][slot]);
        count += present;
        if (present != !!(sp->present[slot >> 6] >> (slot & 63) & 1))
            wrong(a, "present map", page, slot, 0);
        if (present && sp->hollow[slot >> 6] >> (slot & 63) & 1)
            wrong(a, "hollow map", page, slot, 0);
        if (present && !sp->used)
            wrong(a, "entry in a free page", page, slot, 0);
        else if (present)
            check_slot(a, page, slot);
        else
            check_rest(a, page, slot);
    }
    if (count != sp->count)
        wrong(a, "count", page, 0, count);
}

static void check_frames(struct audit *a)
{
    struct mmu *mmu = a->mmu;
    unsigned tables = 0;

    for (u64 gfn = 0; gfn < mmu->frame_count; gfn++) {
        const struct frame *f = &mmu->frames[gfn];
        tables = (gfn & 511 ? tables : 0) + !!(f->word & F_TABLE);
        if (!(f->word & F_TABLE) != (f->pages == NONE))
            wrong(a, "table flag", f->pages == NONE ? 0 : f->pages, 0, gfn);
        for (u32 i = f->pages; i != NONE; i = mmu->pages[i].gfn_next) {
            if (!mmu->pages[i].used || mmu->pages[i].gfn != gfn || mmu->pages[i].role.direct)
                wrong(a, "page list", i, 0, gfn);
            if ((f->word & F_UNSYNC) && mmu->pages[i].role.level > 1)
                wrong(a, "upper table out of sync", i, 0, gfn);
        }
        if ((gfn & 511) == 511 && tables != mmu->blocks[gfn >> 9].tables)
            wrong(a, "tables in block", 0, 0, gfn);
    }
}

/* The shadow PDPTs: each present entry leads to the table that the PDPTE read at CR3's load, or
 * CR3 itself, names. */
static void check_pae_roots(struct audit *a, const struct mmu_vcpu *v)
{
    struct mmu *mmu = a->mmu;

    for (unsigned slot = 0; slot < 512; slot++) {
        const struct pae_root *r = &v->pae[slot / 4];
        u64 entry = mmu->tables[v->pae_page][slot], gfn;
        union role role = {.word = (u32)(r->key >> 32)};
        if (!spte_live(entry)) {
            if (mmu->marker && !entry && (role.mode != MODE_PAE || r->pdpte[slot & 3] & PTE_P))
                wrong(a, "0 for a PDPTE that is present", v->pae_page, slot, mmu->pdpte_marker);
            continue;
        }
        if (role.mode == MODE_OFF) {
            gfn = (u64)(slot & 3) << 18;
            role = role_direct(role, 2, ACC_ALL);
        } else {
            role.level = 2;
            role.quad = role.mode == MODE_32 ? slot & 3 : 0;
            gfn = (role.mode == MODE_32 ? (u32)r->key : r->pdpte[slot & 3] & F_HPA) >> PAGE_SHIFT;
            gfn &= mmu->gfn_mask;
        }
        check_link(a, v->pae_page, slot, gfn, role, (entry & SPTE_HPA) | PTE_P);
    }
}

/* Guest RAM is at home, or in the spare frame that says so. */
static void check_places(struct audit *a)
{
    struct mmu *mmu = a->mmu;
    unsigned away = 0, listed = 0;

    for (u64 gfn = 0; gfn < mmu->frame_count; gfn++) {
        u64 word = mmu->frames[gfn].word;
        u64 spare = ((word & F_HPA) - mmu->spare_hpa) >> PAGE_SHIFT;
        if (!(word & F_OWN) || (word & F_HPA) == mmu->config.ram_hpa + (gfn << PAGE_SHIFT))
            continue;
        away++;
        if (!mmu->target_max || spare >= MOVED_MAX || mmu->moved[spare] != gfn)
            wrong(a, "frame in a place of another", 0, 0, gfn);
    }
    for (unsigned i = 0; mmu->target_max && i < MOVED_MAX; i++)
        listed += mmu->moved[i] != NONE;
    if (away != listed)
        wrong(a, "spare frame without its guest page", 0, 0, listed);
}

/* A root on the list: its copy, in a frame that no guest page is in, and the guard of its PDPT. */
static void check_target(struct audit *a, const struct mmu_vcpu *v, const struct target *t)
{
    struct mmu *mmu = a->mmu;
    u64 gfn = (t->cr3 - mmu->config.ram_hpa) >> PAGE_SHIFT;
    const u64 *copy = host_ptr(mmu, t->cr3);

    if (gfn >= mmu->frame_count || (mmu->frames[gfn].word & F_HPA) == (t->cr3 & PAGE_MASK))
        wrong(a, "listed root in guest memory", t->page, t->slot, t->cr3);
    for (unsigned i = 0; i < t->count; i++)
        if ((copy[i] ^ mmu->tables[t->page][t->slot + i]) & ~PTE_A)
            wrong(a, "copy of a root differs", t->page, t->slot + i, copy[i]);
    gfn = (t->cr3 >> PAGE_SHIFT) & mmu->gfn_mask;
    const struct spage *owner = &mmu->pages[t->guard == NONE ? t->page : t->guard];
    if (!owner->used || (t->guard == NONE && t->page == v->pae_page && v->role.mode == MODE_PAE))
        wrong(a, "listed root without owner", t->page, t->slot, t->cr3);
    if (t->guard != NONE && (owner->gfn != gfn || !word_protected(mmu->frames[gfn].word)))
        wrong(a, "listed root's PDPT without guard", t->guard, 0, gfn);
    if (t->guard == NONE && t->page != v->pae_page && owner->gfn != gfn)
        wrong(a, "listed root of another frame", t->page, 0, gfn);
}

static void check_targets(struct audit *a, const struct mmu_vcpu *v)
{
    unsigned refs = 0, found = 0;

    for (unsigned i = 0; i < a->mmu->target_max; i++)
        if (v->targets[i].page != NONE) {
            check_target(a, v, &v->targets[i]);
            refs += 1 + (v->targets[i].guard != NONE);
        }
    for (u32 page = 0; page < a->mmu->page_count; page++)
        found += a->mmu->pages[page].used ? a->mmu->pages[page].targets : 0;
    if (a->mmu->vcpu_count == 1 && found != refs)
        wrong(a, "count of listed roots", 0, 0, refs);
}

unsigned mmu_audit(struct mmu *mmu, char *text, size_t size)
{
    struct audit a = {mmu, text, size, 0};

    if (size)
        text[0] = 0;
    for (u32 page = 0; page < mmu->page_count; page++)
        check_page(&a, page);
    check_frames(&a);
    check_places(&a);
    for (unsigned i = 0; i < mmu->vcpu_count; i++) {
        check_pae_roots(&a, &mmu->vcpus[i]);
        check_targets(&a, &mmu->vcpus[i]);
    }
    return a.errors;
}
