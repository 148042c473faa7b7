/* The guest-physical map, and the hypervisor's own access to guest memory. */

#include "mmu/mmu_int.h"

/* The region's word for gfn, above the frames: ROM, frame buffers; 0 is MMIO. */
u64 p2m_region_word(const struct mmu *mmu, u64 gfn)
{
    for (unsigned i = 0; i < mmu->region_count; i++) {
        const struct region *r = &mmu->regions[i];
        if (gfn - r->gfn < r->count)
            return r->word + ((gfn - r->gfn) << PAGE_SHIFT);
    }
    return 0;
}

static u64 word_of(enum p2m_kind kind, hpa_t hpa)
{
    switch (kind) {
    case P2M_RAM: return hpa | F_RAM;
    case P2M_ROM: return hpa | F_ROM;
    default: return 0;
    }
}

static void map_frame(struct mmu *mmu, u64 gfn, u64 word)
{
    struct frame *f = &mmu->frames[gfn];
    struct block *b = &mmu->blocks[gfn >> 9];
    u64 home = mmu->config.ram_hpa + (gfn << PAGE_SHIFT);

    home_restore(mmu, gfn);
    if (word == (home | F_RAM))
        word |= F_OWN;
    if ((f->word & ~(F_TABLE | F_UNSYNC)) == word)
        return;
    if (f->word) {
        pages_drop_gfn(mmu, gfn);
        rmap_drop(mmu, gfn);
    }
    b->odd = (u16)(b->odd + !(word & F_OWN) - !(f->word & F_OWN));
    /* A root in use stays a table until roots_reload. */
    f->word = word | (f->word & (F_TABLE | F_UNSYNC));
}

static void region_cut(struct mmu *mmu, u64 gfn, u64 count)
{
    struct region old[REGIONS_MAX];
    unsigned n = mmu->region_count;
    u64 end = gfn + count;

    memcpy(old, mmu->regions, sizeof(old));
    mmu->region_count = 0;
    for (unsigned i = 0; i < n; i++) {
        struct region r = old[i];
        u64 r_end = r.gfn + r.count;
        u64 left = min(r_end, gfn), right = max(r.gfn, end);

        if (r.gfn < left && mmu->region_count < REGIONS_MAX)
            mmu->regions[mmu->region_count++] = (struct region){r.gfn, left - r.gfn, r.word};
        if (right < r_end && mmu->region_count < REGIONS_MAX)
            mmu->regions[mmu->region_count++] =
                (struct region){right, r_end - right, r.word + ((right - r.gfn) << PAGE_SHIFT)};
    }
}

static bool region_overlaps(const struct mmu *mmu, u64 gfn, u64 count)
{
    for (unsigned i = 0; i < mmu->region_count; i++) {
        const struct region *r = &mmu->regions[i];
        if (r->gfn < gfn + count && gfn < r->gfn + r->count)
            return true;
    }
    return false;
}

bool mmu_map(struct mmu *mmu, gpa_t gpa, u64 size, enum p2m_kind kind, hpa_t hpa)
{
    u64 gfn = gpa >> PAGE_SHIFT, count = size >> PAGE_SHIFT, word = word_of(kind, hpa);

    if (gfn + count > 1ull << 32)
        return false;
    for (; count && gfn < mmu->frame_count; gfn++, count--) {
        map_frame(mmu, gfn, word);
        if (word)
            word += PAGE_SIZE;
    }
    if (count && region_overlaps(mmu, gfn, count)) {
        pages_drop_all(mmu); /* entries of regions are in no reverse map */
        region_cut(mmu, gfn, count);
    }
    bool room = mmu->region_count < REGIONS_MAX - 1; /* a later cut may split one region in two */
    if (count && word && room)
        mmu->regions[mmu->region_count++] = (struct region){gfn, count, word};
    roots_reload(mmu);
    return !count || !word || room;
}

void mmu_set_a20(struct mmu *mmu, bool on)
{
    u64 mask = on ? ~0ull : ~(1ull << (20 - PAGE_SHIFT));

    if (mask == mmu->gfn_mask)
        return;
    pages_drop_all(mmu);
    mmu->gfn_mask = mask;
    roots_reload(mmu);
}

enum p2m_kind mmu_lookup(struct mmu *mmu, gpa_t gpa, hpa_t *hpa)
{
    u64 word = p2m_word(mmu, (gpa >> PAGE_SHIFT) & mmu->gfn_mask);

    *hpa = (word & F_HPA) + (gpa & ~PAGE_MASK);
    return word & F_RAM ? P2M_RAM : word & F_ROM ? P2M_ROM : P2M_MMIO;
}

/* Whether all of gpa... is of a kind in `kinds` (F_RAM, F_ROM). */
static bool range_is(const struct mmu *mmu, gpa_t gpa, u64 len, u64 kinds)
{
    if (!len)
        return true;
    if (gpa + len - 1 < gpa)
        return false;
    for (u64 gfn = gpa >> PAGE_SHIFT, last = (gpa + len - 1) >> PAGE_SHIFT; gfn <= last; gfn++)
        if (!(p2m_word(mmu, gfn & mmu->gfn_mask) & kinds))
            return false;
    return true;
}

/* Bytes of [gpa, gpa + len) in gpa's page, and where they are. */
static u64 chunk(const struct mmu *mmu, gpa_t gpa, u64 len, void **p)
{
    u64 in_page = gpa & ~PAGE_MASK;

    *p = host_ptr(mmu, (p2m_word(mmu, (gpa >> PAGE_SHIFT) & mmu->gfn_mask) & F_HPA) + in_page);
    return min(len, PAGE_SIZE - in_page);
}

bool mmu_read(struct mmu *mmu, gpa_t gpa, void *buf, u64 len)
{
    if (!range_is(mmu, gpa, len, F_RAM | F_ROM))
        return false;
    for (u64 n; len; gpa += n, buf = (u8 *)buf + n, len -= n) {
        void *p;
        n = chunk(mmu, gpa, len, &p);
        memcpy(buf, p, n);
    }
    return true;
}

bool mmu_write(struct mmu *mmu, gpa_t gpa, const void *buf, u64 len)
{
    if (!range_is(mmu, gpa, len, F_RAM))
        return false;
    mmu_will_write(mmu, gpa, len);
    for (u64 n; len; gpa += n, buf = (const u8 *)buf + n, len -= n) {
        void *p;
        n = chunk(mmu, gpa, len, &p);
        memcpy(p, buf, n);
    }
    return true;
}

void *mmu_ptr(struct mmu *mmu, gpa_t gpa, u64 len)
{
    u64 gfn = gpa >> PAGE_SHIFT;

    if (!range_is(mmu, gpa, len, F_RAM))
        return NULL;
    hpa_t hpa = p2m_word(mmu, gfn & mmu->gfn_mask) & F_HPA;
    for (u64 i = 1; len && i <= ((gpa + len - 1) >> PAGE_SHIFT) - gfn; i++)
        if ((p2m_word(mmu, (gfn + i) & mmu->gfn_mask) & F_HPA) != hpa + (i << PAGE_SHIFT))
            return NULL;
    return host_ptr(mmu, hpa + (gpa & ~PAGE_MASK));
}

void mmu_will_write(struct mmu *mmu, gpa_t gpa, u64 len)
{
    if (!len)
        return;
    for (u64 gfn = gpa >> PAGE_SHIFT, last = (gpa + len - 1) >> PAGE_SHIFT; gfn <= last; gfn++)
        if (word_protected(p2m_word(mmu, gfn & mmu->gfn_mask)))
            pages_drop_gfn(mmu, gfn & mmu->gfn_mask);
}
