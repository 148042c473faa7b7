/* Creation: the pool becomes frames, shadow pages and what finds them. */

#include "mmu/mmu_int.h"

const char *const mmu_option_names[MMU_OPT_COUNT] = {
    [MMU_OPT_STORE] = "store",   [MMU_OPT_PREFETCH] = "prefetch", [MMU_OPT_CACHE] = "cache",
    [MMU_OPT_UNSYNC] = "unsync", [MMU_OPT_LARGE] = "large",       [MMU_OPT_FLOOD] = "flood",
    [MMU_OPT_FILTER] = "filter", [MMU_OPT_INVLPG] = "invlpg",     [MMU_OPT_CR3] = "cr3",
    [MMU_OPT_CR0] = "cr0",
};

#define PAGE_COST (PAGE_SIZE + 512 * sizeof(struct link) + sizeof(struct spage) + 4 * sizeof(u32))

static u64 fixed_cost(u64 frame_count)
{
    return sizeof(struct mmu) + frame_count * sizeof(struct frame) +
           ((frame_count >> 9) + 1) * sizeof(struct block) +
           (8 + MOVED_MAX + UNSYNC_MAX) * PAGE_SIZE;
}

u64 mmu_min_pool(u64 ram_bytes)
{
    return align_up(fixed_cost(ram_bytes >> PAGE_SHIFT) + (MMU_MIN_PAGES + 1) * PAGE_COST,
                    PAGE_SIZE);
}

static void *carve(const struct mmu_config *c, u64 *at, u64 size)
{
    void *p = (void *)((intptr_t)(c->pool_hpa + *at) + c->hpa_ptr);

    *at = align_up(*at + size, 64ull);
    return p;
}

static void frames_init(struct mmu *mmu, u64 *at)
{
    const struct mmu_config *c = &mmu->config;
    u64 n = c->ram_bytes >> PAGE_SHIFT, blocks = (n + 511) >> 9;

    mmu->frame_count = n;
    mmu->frames = carve(c, at, n * sizeof(struct frame));
    mmu->blocks = carve(c, at, blocks * sizeof(struct block));
    for (u64 i = 0; i < n; i++)
        mmu->frames[i] =
            (struct frame){(c->ram_hpa + (i << PAGE_SHIFT)) | F_RAM | F_OWN, NONE, NONE};
    for (u64 i = 0; i < blocks; i++)
        mmu->blocks[i] = (struct block){.rmap = NONE};
}

static void pages_init(struct mmu *mmu, u64 *at)
{
    const struct mmu_config *c = &mmu->config;
    u64 n = min((c->pool_bytes - *at - 2 * PAGE_SIZE) / PAGE_COST, 1ull << 18);
    unsigned order = 1;

    while ((1ull << order) < n)
        order++;
    mmu->page_count = mmu->free_count = (u32)n;
    mmu->hash_shift = 32 - order;
    mmu->hash = carve(c, at, (1ull << order) * sizeof(u32));
    memset(mmu->hash, 0xff, (1ull << order) * sizeof(u32));
    mmu->pages = carve(c, at, n * sizeof(struct spage));
    mmu->links = carve(c, at, n * 512 * sizeof(struct link));
    *at = align_up(*at, PAGE_SIZE);
    mmu->tables_hpa = c->pool_hpa + *at;
    mmu->tables = carve(c, at, n * PAGE_SIZE);
    memset(mmu->tables, 0, n * PAGE_SIZE);
    memset(mmu->pages, 0, n * sizeof(struct spage));
    for (u32 i = 0; i < n; i++)
        mmu->pages[i].hash_next = i + 1 < n ? i + 1 : NONE;
    mmu->free = 0;
}

static void copies_init(struct mmu *mmu, u64 *at)
{
    mmu->copies = carve(&mmu->config, at, UNSYNC_MAX * PAGE_SIZE);
    for (u32 i = 0; i < UNSYNC_MAX; i++)
        mmu->unsync[i].copy = i;
}

/* Spare frames for what lives where roots have to be. Without `cache` no root lasts. */
static void targets_init(struct mmu *mmu, u64 *at)
{
    *at = align_up(*at, PAGE_SIZE);
    mmu->spare_hpa = mmu->config.pool_hpa + *at;
    carve(&mmu->config, at, MOVED_MAX * PAGE_SIZE);
    memset(mmu->moved, 0xff, sizeof(mmu->moved));
    mmu->target_max = min(mmu->config.cr3_targets, MMU_CR3_TARGETS);
}

/* The markers of hollow slots; they need a reserved bit, and PDPTs a page full of them. */
static void filter_init(struct mmu *mmu)
{
    mmu->marker = SPTE_MARKER;
    u32 page = page_pinned(mmu, (union role){.mode = MODE_LONG, .level = 2, .direct = 1});
    mmu->pdpte_marker = page_hpa(mmu, page) | PTE_P | SPTE_HOLLOW;
}

struct mmu *mmu_create(const struct mmu_config *config)
{
    u64 at = 0;

    if (config->pool_bytes < mmu_min_pool(config->ram_bytes))
        return NULL;
    struct mmu *mmu = carve(config, &at, sizeof(struct mmu));
    memset(mmu, 0, sizeof(*mmu));
    mmu->config = *config;
    mmu->hpa_ptr = config->hpa_ptr;
    mmu->options = config->options;
    if (config->ram_hpa & (2 * MiB - 1))
        mmu->options &= ~(1u << MMU_OPT_LARGE);
    mmu->gfn_mask = ~0ull;
    walk_init(mmu);
    frames_init(mmu, &at);
    if (mmu_has(mmu, MMU_OPT_CR3) && mmu_has(mmu, MMU_OPT_CACHE) && config->cr3_targets)
        targets_init(mmu, &at);
    copies_init(mmu, &at);
    pages_init(mmu, &at);
    if (mmu_has(mmu, MMU_OPT_FILTER) && config->fault_filter && config->maxphyaddr < 52)
        filter_init(mmu);
    return mmu;
}

const struct mmu_counters *mmu_counters(struct mmu *mmu)
{
    return &mmu->counters;
}
