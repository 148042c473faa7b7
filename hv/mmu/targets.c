/* CR3 switches without exits. The CPU below loads a CR3 value of the guest's by itself where the value
 * is on its list; then the shadow root has to be in the host frame that the value names. Where that
 * frame lies in the guest's RAM block, the guest page that lives there moves to a spare frame, and the
 * frame takes a copy of the root, which every change of the root goes to as well. */

#include "mmu/mmu_int.h"

#define LEAST_GFN 0x100u /* below it devices keep pointers to guest memory */

/* ---- Frames that moved ---- */

static hpa_t home_of(const struct mmu *mmu, u64 gfn)
{
    return mmu->config.ram_hpa + (gfn << PAGE_SHIFT);
}

static bool is_moved(const struct mmu *mmu, u64 gfn)
{
    u64 word = mmu->frames[gfn].word;

    return word & F_OWN && (word & F_HPA) != home_of(mmu, gfn);
}

/* Gives guest frame gfn another place: its contents go there, and all that maps it is emptied. */
static void frame_place(struct mmu *mmu, u64 gfn, hpa_t hpa)
{
    struct frame *f = &mmu->frames[gfn];
    struct block *b = &mmu->blocks[gfn >> 9];

    rmap_drop(mmu, gfn);
    memcpy(host_ptr(mmu, hpa), host_ptr(mmu, f->word & F_HPA), PAGE_SIZE);
    f->word = (f->word & ~F_HPA) | hpa;
    b->odd = (u16)(b->odd + (hpa == home_of(mmu, gfn) ? -1 : 1));
    for (unsigned i = 0; i < mmu->vcpu_count; i++)
        mmu->vcpus[i].flush = true; /* pointers to the old place, too */
}

static bool home_in_use(const struct mmu *mmu, u64 gfn)
{
    for (unsigned i = 0; i < mmu->vcpu_count; i++)
        for (unsigned n = 0; n < mmu->target_max; n++) {
            const struct target *t = &mmu->vcpus[i].targets[n];
            if (t->page != NONE && align_down(t->cr3, PAGE_SIZE) == home_of(mmu, gfn))
                return true;
        }
    return false;
}

static unsigned random_below(struct mmu *mmu, unsigned n)
{
    mmu->random = mmu->random * 1664525u + 1013904223u;
    return (unsigned)((u64)(mmu->random >> 8) * n >> 24);
}

/* A spare frame, where need be one whose guest page goes home. MOVED_MAX exceeds the homes in use. */
static unsigned spare_get(struct mmu *mmu)
{
    unsigned i;

    for (i = 0; i < MOVED_MAX; i++)
        if (mmu->moved[i] == NONE)
            return i;
    for (i = random_below(mmu, MOVED_MAX); home_in_use(mmu, mmu->moved[i]);)
        i = (i + 1) % MOVED_MAX;
    frame_place(mmu, mmu->moved[i], home_of(mmu, mmu->moved[i]));
    return i;
}

static void frame_move(struct mmu *mmu, u64 gfn)
{
    unsigned i = spare_get(mmu);

    mmu->moved[i] = (u32)gfn;
    frame_place(mmu, gfn, mmu->spare_hpa + ((hpa_t)i << PAGE_SHIFT));
    mmu->counters.moved++;
}

/* ---- The list ---- */

static void target_drop(struct mmu_vcpu *v, struct target *t)
{
    struct mmu *mmu = v->mmu;

    mmu->pages[t->page].targets--;
    if (t->guard != NONE)
        mmu->pages[t->guard].targets--;
    t->page = t->guard = NONE;
    if (v->root_hpa == t->cr3) { /* from here on by the root itself */
        v->root_hpa = page_hpa(mmu, v->root) + v->root_slot * 8;
        v->flush = true;
    }
}

void targets_drop_all(struct mmu_vcpu *v)
{
    for (unsigned i = 0; i < v->mmu->target_max; i++)
        if (v->targets[i].page != NONE)
            target_drop(v, &v->targets[i]);
}

void targets_drop_page(struct mmu *mmu, u32 page)
{
    for (unsigned i = 0; i < mmu->vcpu_count; i++)
        for (unsigned n = 0; n < mmu->target_max; n++) {
            struct target *t = &mmu->vcpus[i].targets[n];
            if (t->page != NONE && (t->page == page || t->guard == page))
                target_drop(&mmu->vcpus[i], t);
        }
}

void targets_drop_slot(struct mmu_vcpu *v, unsigned slot)
{
    for (unsigned i = 0; i < v->mmu->target_max; i++)
        if (v->targets[i].page == v->pae_page && v->targets[i].slot == slot)
            target_drop(v, &v->targets[i]);
}

bool targets_stored(struct mmu *mmu, u32 guard, unsigned offset, unsigned len)
{
    for (unsigned i = 0; i < mmu->vcpu_count; i++)
        for (unsigned n = 0; n < mmu->target_max; n++) {
            struct target *t = &mmu->vcpus[i].targets[n];
            unsigned at = t->cr3 & ~PAGE_MASK;
            if (t->page != NONE && t->guard == guard && offset < at + 32 && at < offset + len)
                target_drop(&mmu->vcpus[i], t);
        }
    return mmu->pages[guard].targets;
}

void targets_touched(struct mmu *mmu, u64 gfn)
{
    for (unsigned i = 0; i < mmu->vcpu_count; i++)
        for (unsigned n = 0; n < mmu->target_max; n++) {
            u32 guard = mmu->vcpus[i].targets[n].guard;
            if (guard != NONE && mmu->pages[guard].gfn == gfn)
                target_drop(&mmu->vcpus[i], &mmu->vcpus[i].targets[n]);
        }
}

void targets_mirror(struct mmu *mmu, u32 page, unsigned slot)
{
    for (unsigned i = 0; i < mmu->vcpu_count; i++)
        for (unsigned n = 0; n < mmu->target_max; n++) {
            const struct target *t = &mmu->vcpus[i].targets[n];
            if (t->page == page && slot - t->slot < t->count)
                *(volatile u64 *)host_ptr(mmu, t->cr3 + (slot - t->slot) * 8) =
                    mmu->tables[page][slot];
        }
}

void home_restore(struct mmu *mmu, u64 gfn)
{
    if (!is_moved(mmu, gfn))
        return;
    for (unsigned i = 0; i < mmu->vcpu_count; i++)
        for (unsigned n = 0; n < mmu->target_max; n++) {
            struct target *t = &mmu->vcpus[i].targets[n];
            if (t->page != NONE && align_down(t->cr3, PAGE_SIZE) == home_of(mmu, gfn))
                target_drop(&mmu->vcpus[i], t);
        }
    for (unsigned i = 0; i < MOVED_MAX; i++)
        if (mmu->moved[i] == gfn)
            mmu->moved[i] = NONE;
    frame_place(mmu, gfn, home_of(mmu, gfn));
}

struct target *target_find(struct mmu_vcpu *v, u64 cr3)
{
    for (unsigned i = 0; i < v->mmu->target_max; i++)
        if (v->targets[i].page != NONE && v->targets[i].cr3 == cr3)
            return &v->targets[i];
    return NULL;
}

/* Whether the value of CR3 is nothing but an address, and this one in the guest's block, of a page that may
 * move. */
static bool qualifies(const struct mmu_vcpu *v, u64 *gfn)
{
    const struct mmu *mmu = v->mmu;
    u64 low = v->role.mode == MODE_PAE ? 31 : PAGE_SIZE - 1;

    *gfn = (v->cr3 - mmu->config.ram_hpa) >> PAGE_SHIFT;
    return !(v->cr3 & low) && v->cr3 >= mmu->config.ram_hpa && *gfn >= LEAST_GFN &&
           *gfn < mmu->frame_count && mmu->frames[*gfn].word & F_OWN;
}

/* The CPU reads PDPTEs at a CR3 load, so that stores to them must not go unseen: a page in the role of
 * no shadow keeps the guest's PDPT read-only. NONE: cannot be. */
static u32 guard_get(struct mmu_vcpu *v)
{
    u64 gfn = (v->cr3 >> PAGE_SHIFT) & v->mmu->gfn_mask;

    if (!(p2m_word(v->mmu, gfn) & F_OWN))
        return NONE;
    return page_get(v->mmu, gfn, (union role){.mode = MODE_PAE, .level = 3}, NONE);
}

void target_add(struct mmu_vcpu *v)
{
    struct mmu *mmu = v->mmu;
    struct target *t = NULL;
    u64 gfn;

    if (!mmu->target_max || v->role.mode == MODE_OFF || v->root == v->null_root ||
        target_find(v, v->cr3) || !qualifies(v, &gfn))
        return;
    mmu->stamp++;
    u32 guard = v->role.mode == MODE_PAE ? guard_get(v) : NONE;
    if (guard == NONE && v->role.mode == MODE_PAE)
        return;
    for (unsigned i = 0; i < mmu->target_max && !t; i++)
        if (v->targets[i].page == NONE)
            t = &v->targets[i];
    if (!t) { /* random, as hits are not seen: in turn, a round of one more than fit never hits */
        t = &v->targets[random_below(mmu, mmu->target_max)];
        target_drop(v, t);
    }
    if (!is_moved(mmu, gfn))
        frame_move(mmu, gfn);
    *t = (struct target){.cr3 = v->cr3,
                         .page = v->root,
                         .guard = guard,
                         .slot = v->root_slot,
                         .count = v->role.mode == MODE_LONG ? 512 : 4};
    mmu->pages[t->page].targets++;
    if (guard != NONE)
        mmu->pages[guard].targets++;
    for (unsigned i = 0; i < t->count; i++)
        targets_mirror(mmu, t->page, t->slot + i);
    v->root_hpa = v->cr3;
    v->flush = true;
    mmu->counters.targets++;
}

unsigned mmu_cr3_targets(const struct mmu_vcpu *v, u64 values[MMU_CR3_TARGETS])
{
    unsigned n = 0;

    if (v->mmu->unsync_count)
        return 0; /* a CR3 load has to sync */
    for (unsigned i = 0; i < v->mmu->target_max; i++)
        if (v->targets[i].page != NONE)
            values[n++] = v->targets[i].cr3;
    return n;
}
