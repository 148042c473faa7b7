/* A vcpu's paging mode, CR3 and shadow root. */

#include "mmu/mmu_int.h"

static union role role_of(u64 cr0, u64 cr4, u64 efer)
{
    union role r = {.wp = 1, .acc = ACC_ALL};

    if (!(cr0 & CR0_PG)) {
        r.direct = 1;
        return r;
    }
    r.mode = efer & EFER_LMA ? MODE_LONG : cr4 & CR4_PAE ? MODE_PAE : MODE_32;
    r.nxe = r.mode != MODE_32 && (efer & EFER_NXE);
    r.pse = r.mode == MODE_32 && (cr4 & CR4_PSE);
    r.wp = !!(cr0 & CR0_WP);
    if (!r.wp) {
        r.smep = !!(cr4 & CR4_SMEP);
        r.smap = !!(cr4 & CR4_SMAP);
    }
    return r;
}

/* Reads the four PDPTEs as MOV CR3 does; false: one has a reserved bit (SDM vol. 3, 4.4.1). */
static bool pdptes_read(struct mmu *mmu, u64 cr3, u64 pdpte[4])
{
    u64 word = p2m_word(mmu, ((u32)cr3 >> PAGE_SHIFT) & mmu->gfn_mask);
    u64 reserved = 0x1e6 | (~0ull << mmu->config.maxphyaddr);

    if (!(word & (F_RAM | F_ROM)))
        return false; /* all ones */
    const volatile u64 *p = host_ptr(mmu, (word & F_HPA) + (cr3 & 0xfe0));
    for (unsigned i = 0; i < 4; i++) {
        pdpte[i] = p[i];
        if ((pdpte[i] & PTE_P) && (pdpte[i] & reserved))
            return false;
    }
    return true;
}

static void slot_empty(struct mmu *mmu, u32 page, unsigned slot, bool present)
{
    if (spte_live(mmu->tables[page][slot]))
        spte_clear(mmu, page, slot);
    spte_rest(mmu, page, slot, present);
}

/* The shadow PDPT for CR3 and role: 32 bytes in the vcpu's page of them, kept while not displaced. */
static void root_load_pae(struct mmu_vcpu *v)
{
    struct mmu *mmu = v->mmu;
    u32 cr3 =
        v->role.mode == MODE_OFF ? 0 : (u32)v->cr3 & (v->role.mode == MODE_PAE ? ~31u : ~4095u);
    u64 key = (u64)v->role.word << 32 | cr3;
    unsigned n = ((cr3 >> 12) ^ (cr3 >> 5) ^ (v->role.word >> 8)) % PAE_ROOTS;
    struct pae_root *r = &v->pae[n];

    v->root_known = r->key == key;
    if (!v->root_known)
        targets_drop_slot(v, n * 4);
    for (unsigned i = 0; i < 4; i++) {
        u64 pdpte = v->role.mode == MODE_PAE ? v->pdpte[i] : 0;
        if (r->key == key && r->pdpte[i] == pdpte)
            continue;
        slot_empty(mmu, v->pae_page, n * 4 + i, v->role.mode != MODE_PAE || pdpte & PTE_P);
        r->pdpte[i] = pdpte;
    }
    if (r->key != key) /* the same place for another root */
        v->flush = true;
    r->key = key;
    v->root = v->pae_page;
    v->root_slot = n * 4;
}

static void root_load_long(struct mmu_vcpu *v)
{
    struct mmu *mmu = v->mmu;
    u64 gfn = ((v->cr3 & F_HPA) >> PAGE_SHIFT) & mmu->gfn_mask;
    union role role = v->role;
    u32 page = NONE;

    role.level = 4;
    if (p2m_word(mmu, gfn) & F_OWN) {
        mmu->stamp++;
        v->root_known = mmu->target_max && page_find(mmu, gfn, role) != NONE;
        page = page_get(mmu, gfn, role, v->root);
    }
    v->root = page == NONE ? v->null_root : page;
    v->root_slot = 0;
}

static void root_release(struct mmu *mmu, u32 page)
{
    struct spage *sp = &mmu->pages[page];

    if (--sp->pins == 0 && !(p2m_word(mmu, sp->gfn) & F_OWN))
        page_drop(mmu, page);
}

static void root_load(struct mmu_vcpu *v)
{
    struct mmu *mmu = v->mmu;
    u32 old = v->root;

    v->old_slot = v->root_slot;
    v->root_known = false;
    if (v->role.mode == MODE_LONG)
        root_load_long(v);
    else
        root_load_pae(v);
    mmu->pages[v->root].pins++;
    root_release(mmu, old);
    hpa_t hpa = target_find(v, v->cr3) ? v->cr3 : page_hpa(mmu, v->root) + v->root_slot * 8;
    if (hpa != v->root_hpa)
        v->flush = true;
    v->root_hpa = hpa;
    v->leaf_gva = ~0ull;
}

/* After the p2m changed: roots that are RAM no more, or are again. */
void roots_reload(struct mmu *mmu)
{
    for (unsigned i = 0; i < mmu->vcpu_count; i++)
        root_load(&mmu->vcpus[i]);
}

static bool cr3_valid(const struct mmu *mmu, unsigned mode, u64 cr3)
{
    return mode != MODE_LONG || !(cr3 >> mmu->config.maxphyaddr);
}

static void flushed(struct mmu_vcpu *v)
{
    v->mmu->counters.flushes++;
    sync_all(v->mmu);
    if (!mmu_has(v->mmu, MMU_OPT_CACHE))
        pages_drop_all(v->mmu);
}

bool mmu_load_cr3(struct mmu_vcpu *v, u64 cr3)
{
    u64 pdpte[4];

    if (!cr3_valid(v->mmu, v->role.mode, cr3))
        return false;
    if (v->role.mode == MODE_PAE) {
        if (!pdptes_read(v->mmu, cr3, pdpte))
            return false;
        memcpy(v->pdpte, pdpte, sizeof(pdpte));
    }
    v->cr3 = cr3;
    flushed(v);
    root_load(v);
    if (v->root_known) /* it comes and goes: worth a place on the list */
        target_add(v);
    return true;
}

void mmu_cr3_followed(struct mmu_vcpu *v, u64 cr3)
{
    struct mmu *mmu = v->mmu;
    const struct target *t = target_find(v, cr3);
    u32 old = v->root;

    if (unlikely(!t))
        return;
    v->cr3 = cr3;
    v->old_slot = v->root_slot;
    v->root = t->page;
    v->root_slot = t->slot;
    v->root_hpa = cr3;
    v->leaf_gva = ~0ull;
    if (v->role.mode == MODE_PAE)
        memcpy(v->pdpte, v->pae[t->slot / 4].pdpte, sizeof(v->pdpte));
    mmu->pages[v->root].pins++;
    root_release(mmu, old);
}

/* Whether the change reloads the PDPTEs: SDM vol. 3, 4.4.1. */
static bool pdptes_due(const struct mmu_vcpu *v, u64 cr0, u64 cr3, u64 cr4)
{
    return v->role.mode != MODE_PAE || cr3 != v->cr3 ||
           ((cr0 ^ v->cr0) & (CR0_CD | CR0_NW | CR0_PG)) ||
           ((cr4 ^ v->cr4) & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP));
}

bool mmu_set_mode(struct mmu_vcpu *v, u64 cr0, u64 cr3, u64 cr4, u64 efer)
{
    union role role = role_of(cr0, cr4, efer);
    u64 pdpte[4];

    if (!cr3_valid(v->mmu, role.mode, cr3))
        return false;
    if (role.mode == MODE_PAE && pdptes_due(v, cr0, cr3, cr4)) {
        if (!pdptes_read(v->mmu, cr3, pdpte))
            return false;
        memcpy(v->pdpte, pdpte, sizeof(pdpte));
    }
    if (role.word != v->role.word)
        targets_drop_all(v); /* other tables at the same places */
    v->cr0 = cr0;
    v->cr3 = cr3;
    v->cr4 = cr4;
    v->efer = efer;
    v->role = role;
    flushed(v);
    root_load(v);
    return true;
}

/* All tables, not the one: the CPU can take the next ones itself (mmu_invlpg_exits). While all are in sync
 * there is nothing to do, as every change flushed when it was made. */
void mmu_invlpg(struct mmu_vcpu *v, gva_t gva)
{
    (void)gva;
    sync_all(v->mmu);
}

void mmu_flush(struct mmu_vcpu *v, bool global)
{
    (void)global; /* shadow entries have no G bit: a flush is of all */
    flushed(v);
}

hpa_t mmu_root(struct mmu_vcpu *v)
{
    return v->root_hpa;
}

bool mmu_root_is_long(struct mmu_vcpu *v)
{
    return v->role.mode == MODE_LONG;
}

u32 mmu_fault_mask(const struct mmu_vcpu *v)
{
    if (!v->mmu->marker || v->role.mode == MODE_OFF || v->mmu->unsync_count ||
        v->mmu->vcpu_count > 1)
        return 0;
    /* The CPU below tells fetches always. Where the guest's does not, those faults are made right. */
    return PFEC_P | (fetch_seen(v) ? 0 : PFEC_I);
}

u64 mmu_cr0_free(const struct mmu_vcpu *v)
{
    return mmu_has(v->mmu, MMU_OPT_CR0) ? CR0_TS | CR0_MP | CR0_EM : 0;
}

/* While all tables are in sync nothing stale is in the TLB: rights go in exits only, and the entry after
 * such a one flushes (mmu_take_tlb_flush). So it is no matter that INVLPG in the CPU drops one 4 KiB translation where
 * the guest may mean a large page. Another vcpu could take rights away meanwhile: then all exit. */
bool mmu_invlpg_exits(const struct mmu_vcpu *v)
{
    const struct mmu *mmu = v->mmu;

    return !mmu_has(mmu, MMU_OPT_INVLPG) || !mmu->config.invlpg_free || mmu->unsync_count ||
           mmu->vcpu_count > 1;
}

bool mmu_take_tlb_flush(struct mmu_vcpu *v)
{
    bool flush = v->flush || v->gen != v->mmu->gen;

    v->flush = false;
    v->gen = v->mmu->gen;
    return flush;
}

struct mmu_vcpu *mmu_vcpu_create(struct mmu *mmu)
{
    if (mmu->vcpu_count == MMU_MAX_VCPUS || mmu->free_count < MMU_MIN_PAGES)
        return NULL;
    struct mmu_vcpu *v = &mmu->vcpus[mmu->vcpu_count++];
    v->mmu = mmu;
    v->pae_page = page_pinned(mmu, (union role){.mode = MODE_PAE, .level = 3, .direct = 1});
    v->null_root = page_pinned(mmu, (union role){.mode = MODE_LONG, .level = 4, .direct = 1});
    v->root = v->null_root;
    for (unsigned i = 0; i < MMU_CR3_TARGETS; i++)
        v->targets[i].page = v->targets[i].guard = NONE;
    mmu->pages[v->root].pins++; /* root_load takes it back */
    v->flush = true;
    mmu_set_mode(v, 0, 0, 0, 0);
    return v;
}
