#include "model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mmu/mmu_int.h"

#define M_TAG 0xf00u /* where no test writes */
#define M_TAG_OF(gfn) ((gfn)*0x9e3779b97f4a7c15ull + 1)

u64 model_random(struct model *m, u64 bound)
{
    m->rng ^= m->rng << 13;
    m->rng ^= m->rng >> 7;
    m->rng ^= m->rng << 17;
    return (m->rng * 0x2545f4914f6cdd1dull >> 11) % bound;
}

void model_fail(struct model *m, const char *format, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    struct model c = *m;
    model_free(m);
    fail_msg("seed %llu step %u mode %d cr0 %llx cr3 %llx cr4 %llx: %s", (unsigned long long)c.seed,
             c.step, model_mode(&c), (unsigned long long)c.cr0, (unsigned long long)c.cr3,
             (unsigned long long)c.cr4, text);
    abort();
}

struct model *model_create(u64 seed, u32 options, u64 pool_extra)
{
    struct model *m = calloc(1, sizeof(*m));
    u64 ram = M_RAM_PAGES * PAGE_SIZE, before = ram + M_EXTRA_PAGES * PAGE_SIZE;
    u64 pool = mmu_min_pool(ram) + align_up(pool_extra, PAGE_SIZE);

    m->seed = seed;
    m->rng = seed * 0x9e3779b97f4a7c15ull + 1;
    for (unsigned i = 0; i < 8; i++)
        model_random(m, 2);
    m->host = aligned_alloc(PAGE_SIZE, before + pool);
    memset(m->host, 0, before);
    m->nx = model_random(m, 4);
    m->gb = model_random(m, 2);
    m->filter = seed % 3;
    m->maxphyaddr = (unsigned[]){36, 40, 46, 52}[model_random(m, 4)];
    m->a20 = true;
    for (unsigned i = 0; i < M_RAM_PAGES; i++) {
        m->p2m[i].kind = P2M_RAM;
        m->p2m[i].hpa = M_HPA_BASE + i * PAGE_SIZE;
    }
    /* Frames that collide: most below 2 MiB, some in the next block, some that A20 folds. */
    for (unsigned i = 0; i < M_RAM_PAGES; i++)
        *(u64 *)(void *)(m->host + i * PAGE_SIZE + M_TAG) = M_TAG_OF(i);
    for (unsigned i = 0; i < M_FRAMES; i++)
        m->frames[i] = i < 3    ? 770 + 3 * i /* their homes as host frames are 258, 261, 264 */
                       : i < 14 ? 2 + i
                       : i < 19 ? 512 + i
                       : i < 22 ? 256 + 2 + (i - 19) * 3
                                : 1024 + i;
    struct mmu_config c = {
        .ram_bytes = ram,
        .ram_hpa = M_HPA_BASE,
        .hpa_ptr = (intptr_t)m->host - (intptr_t)M_HPA_BASE,
        .pool_hpa = M_HPA_BASE + before,
        .pool_bytes = pool,
        .options = options,
        .maxphyaddr = m->maxphyaddr,
        .nx = m->nx,
        .gbpages = m->gb,
        .fault_filter = m->filter,
        .invlpg_free = m->filter,
        .cr3_targets = (unsigned)(seed % 5),
    };
    m->mmu = mmu_create(&c);
    assert_non_null(m->mmu);
    m->v = mmu_vcpu_create(m->mmu);
    assert_non_null(m->v);
    model_gvas(m);
    return m;
}

void model_free(struct model *m)
{
    free(m->host);
    free(m);
}

int model_mode(const struct model *m)
{
    return !(m->cr0 & CR0_PG) ? 0 : m->efer & EFER_LMA ? 3 : m->cr4 & CR4_PAE ? 2 : 1;
}

static u64 a20(const struct model *m, gpa_t gpa)
{
    return m->a20 ? gpa : gpa & ~(1ull << 20);
}

/* A frame of the guest's RAM, wherever the mmu keeps it: the tag says that it is this one. */
static u8 *own_frame(struct model *m, u64 gfn)
{
    u8 *p = m->host + ((p2m_word(m->mmu, gfn) & F_HPA) - M_HPA_BASE);

    if (*(u64 *)(void *)(p + M_TAG) != M_TAG_OF(gfn))
        model_fail(m, "frame %llx is not itself", (unsigned long long)gfn);
    return p;
}

/* Where gpa (before A20) is in memory; NULL: MMIO. */
void *model_memory(struct model *m, gpa_t gpa, enum p2m_kind *kind)
{
    u64 gfn = a20(m, gpa) >> PAGE_SHIFT;
    hpa_t hpa;

    if (gfn < M_RAM_PAGES) {
        *kind = m->p2m[gfn].kind;
        hpa = m->p2m[gfn].hpa;
        if (*kind == P2M_RAM && hpa == M_HPA_BASE + gfn * PAGE_SIZE)
            return own_frame(m, gfn) + (gpa & 0xfff);
    } else if (gfn >= 0xffff0 && gfn < 0x100000) {
        *kind = m->top[gfn - 0xffff0].kind;
        hpa = m->top[gfn - 0xffff0].hpa;
    } else {
        *kind = P2M_MMIO;
        return NULL;
    }
    return *kind == P2M_MMIO ? NULL : m->host + (hpa - M_HPA_BASE) + (gpa & 0xfff);
}

static bool own(struct model *m, gpa_t gpa)
{
    u64 gfn = a20(m, gpa) >> PAGE_SHIFT;

    return gfn < M_RAM_PAGES && m->p2m[gfn].kind == P2M_RAM &&
           m->p2m[gfn].hpa == M_HPA_BASE + gfn * PAGE_SIZE;
}

static u64 fetch(struct model *m, gpa_t gpa, unsigned size, struct m_ref *r)
{
    enum p2m_kind kind;
    void *p = model_memory(m, gpa, &kind);
    u64 e = ~0ull;

    r->entry[r->entries++] = gpa;
    r->tables_own &= own(m, gpa);
    if (p)
        memcpy(&e, p, size);
    return size == 4 ? e & 0xffffffff : e;
}

static bool one_entry(struct m_ref *r, u64 e, u64 reserved, u32 code)
{
    r->pfec = code;
    if (!(e & 1))
        return false;
    r->pfec |= PFEC_P;
    if (e & reserved) {
        r->pfec |= PFEC_RSVD;
        return false;
    }
    r->w &= e >> 1 & 1;
    r->u &= e >> 2 & 1;
    r->x &= !(e >> 63);
    r->a &= e >> 5 & 1;
    r->d = e >> 6 & 1;
    return true;
}

static u64 phys_reserved(const struct model *m, unsigned top)
{
    u64 r = 0;

    for (unsigned b = m->maxphyaddr; b <= top; b++)
        r |= 1ull << b;
    return r;
}

/* Table 4-4 and figure 4-4: 32-bit paging. */
static bool walk_32(struct model *m, gva_t gva, struct m_ref *r, u32 code)
{
    u64 pde = fetch(m, (m->cr3 & 0xfffff000) + (gva >> 22 & 1023) * 4, 4, r);

    if ((m->cr4 & CR4_PSE) && (pde & 0x80)) {
        u64 reserved = 1 << 21;
        if (m->maxphyaddr == 36)
            reserved |= 0xf << 17;
        if (!one_entry(r, pde, reserved, code))
            return false;
        r->gpa = (pde & 0xffc00000) + (((pde >> 13) & 0xff) << 32) + (gva & 0x3fffff);
        return true;
    }
    if (!one_entry(r, pde, 0, code))
        return false;
    u64 pte = fetch(m, (pde & 0xfffff000) + (gva >> 12 & 1023) * 4, 4, r);
    if (!one_entry(r, pte, 0, code))
        return false;
    r->gpa = (pte & 0xfffff000) + (gva & 0xfff);
    return true;
}

/* Tables 4-9 to 4-11 and 4-15 to 4-20: the part from the page directory down. */
static bool walk_pd(struct model *m, gpa_t pd, gva_t gva, u64 reserved, struct m_ref *r, u32 code)
{
    u64 pde = fetch(m, pd + (gva >> 21 & 511) * 8, 8, r);

    if (pde & 0x80) {
        if (!one_entry(r, pde, reserved | 0x1fe000, code))
            return false;
        r->gpa = (pde & 0x000fffffffe00000) + (gva & 0x1fffff);
        return true;
    }
    if (!one_entry(r, pde, reserved, code))
        return false;
    u64 pte = fetch(m, (pde & 0x000ffffffffff000) + (gva >> 12 & 511) * 8, 8, r);
    if (!one_entry(r, pte, reserved, code))
        return false;
    r->gpa = (pte & 0x000ffffffffff000) + (gva & 0xfff);
    return true;
}

static bool walk_long(struct model *m, gva_t gva, u64 nx, struct m_ref *r, u32 code)
{
    u64 reserved = phys_reserved(m, 51) | nx;
    u64 e = fetch(m, (m->cr3 & 0x000ffffffffff000) + (gva >> 39 & 511) * 8, 8, r);

    if (!one_entry(r, e, reserved | 0x80, code))
        return false;
    e = fetch(m, (e & 0x000ffffffffff000) + (gva >> 30 & 511) * 8, 8, r);
    if (e & 0x80) {
        if (!one_entry(r, e, m->gb ? reserved | 0x3fffe000 : reserved | 0x80, code))
            return false;
        r->gpa = (e & 0x000fffffc0000000) + (gva & 0x3fffffff);
        return true;
    }
    if (!one_entry(r, e, reserved, code))
        return false;
    return walk_pd(m, e & 0x000ffffffffff000, gva, reserved, r, code);
}

static bool permitted(const struct model *m, const struct m_ref *r, u32 access, bool ac)
{
    bool user = access & PFEC_U, write = access & PFEC_W, ifetch = access & PFEC_I;

    if (model_mode(m) == 0)
        return true;
    if (ifetch && !r->x)
        return false;
    if (user)
        return r->u && (r->w || !write);
    if (r->u && ifetch && (m->cr4 & CR4_SMEP))
        return false;
    if (r->u && !ifetch && (m->cr4 & CR4_SMAP) && !ac)
        return false;
    return r->w || !write || !(m->cr0 & CR0_WP);
}

struct m_ref model_walk(struct model *m, gva_t gva, u32 access, bool ac)
{
    struct m_ref r = {.w = true, .u = true, .x = true, .a = true, .tables_own = true};
    int mode = model_mode(m);
    u64 nx = m->efer & EFER_NXE ? 0 : PTE_NX;
    u32 code = access & (PFEC_W | PFEC_U);

    if ((access & PFEC_I) && ((m->cr4 & CR4_SMEP) || (mode >= 2 && !nx)))
        code |= PFEC_I;
    if (mode == 0) {
        r.ok = r.d = true;
        r.gpa = gva & 0xffffffff;
        return r;
    }
    if (mode == 1) {
        r.ok = walk_32(m, gva, &r, code);
    } else if (mode == 2) {
        u64 e = m->pdpte[gva >> 30 & 3];
        r.pfec = code;
        if (e & 1)
            r.ok = walk_pd(m, e & 0x000ffffffffff000, gva, phys_reserved(m, 62) | nx, &r, code);
    } else {
        r.ok = walk_long(m, gva, nx, &r, code);
    }
    if (r.ok && !permitted(m, &r, access, ac)) {
        r.ok = false;
        r.pfec = code | PFEC_P;
    }
    return r;
}

bool model_pdptes(struct model *m, u64 cr3, u64 pdpte[4])
{
    enum p2m_kind kind;

    for (unsigned i = 0; i < 4; i++) {
        u64 e = ~0ull;
        void *p = model_memory(m, (cr3 & 0xffffffe0) + i * 8, &kind);
        if (p)
            memcpy(&e, p, 8);
        if ((e & 1) && (e & (0x1e6 | phys_reserved(m, 63))))
            return false;
        pdpte[i] = e;
    }
    return true;
}

static const u32 kinds[12] = {0, PFEC_W, PFEC_I, PFEC_U, PFEC_U | PFEC_W, PFEC_U | PFEC_I};

static unsigned kind_bit(u32 access, bool ac)
{
    for (unsigned i = 0; i < 6; i++)
        if (kinds[i] == access)
            return i + (ac ? 6 : 0);
    return 0;
}

/* Adds what each address translates to now to what a TLB may hold. */
void model_record(struct model *m)
{
    for (unsigned i = 0; i < m->gva_count; i++) {
        struct m_ref r = model_walk(m, m->gva[i], 0, true); /* never refused but by the tables */
        struct m_translation t = {.gpa = r.gpa, .a = r.a, .d = r.d};
        unsigned n;
        if (!r.ok)
            continue;
        for (unsigned k = 0; k < 12; k++)
            t.kinds |= (u16)(permitted(m, &r, kinds[k % 6], k >= 6) << k);
        for (n = 0; n < m->history_count[i]; n++) {
            const struct m_translation *h = &m->history[i][n];
            if (h->gpa == t.gpa && h->kinds == t.kinds && h->a == t.a && h->d == t.d)
                break;
        }
        if (n < m->history_count[i])
            continue;
        if (n == M_HISTORY) /* room again; the mmu has to follow */
            model_flushed(m, (int)i), model_exit(m), mmu_flush(m->v, true);
        m->history[i][m->history_count[i]++] = t;
    }
}

void model_flushed(struct model *m, int gva)
{
    for (unsigned i = 0; i < m->gva_count; i++)
        if (gva < 0 || (int)i == gva)
            m->history_count[i] = 0;
}

void model_gvas(struct model *m)
{
    int mode = model_mode(m);

    m->gva_count = 0;
    if (mode == 0) {
        for (unsigned i = 0; i < M_FRAMES; i++)
            m->gva[m->gva_count++] = m->frames[i] << 12;
        m->gva[m->gva_count++] = 0xfffff000;
        m->gva[m->gva_count++] = 0xa0000000;
    } else {
        for (unsigned i = 0; i < 36; i++) {
            unsigned q = i / 6 % 3, top = q == 2 ? 3 : q;
            gva_t gva = (gva_t)top << 30 | (gva_t)(i / 3 % 2) << 21 | (i % 3) << 12;
            if (mode == 3)
                gva = (gva_t)(i / 18) << 39 | (gva_t)(q & 1) << 30 | (gva & 0x3fffffff);
            m->gva[m->gva_count++] = gva;
        }
    }
    memset(m->history_count, 0, sizeof(m->history_count));
    memset(m->tlb_count, 0, sizeof(m->tlb_count));
}

void model_exit(struct model *m)
{
    if (m->cr3_unseen)
        mmu_cr3_followed(m->v, m->cr3);
    m->cr3_unseen = false;
}

static void enter(struct model *m)
{
    if (m->cr3_unseen)
        return; /* it has not exited since */
    if (mmu_take_tlb_flush(m->v))
        memset(m->tlb_count, 0, sizeof(m->tlb_count));
}

bool model_cr3_hit(struct model *m, u64 cr3)
{
    u64 values[MMU_CR3_TARGETS];

    enter(m);
    for (unsigned n = mmu_cr3_targets(m->v, values); n--;)
        if (values[n] == cr3) {
            m->cr3_hits++;
            m->cr3_unseen = true;
            memset(m->tlb_count, 0, sizeof(m->tlb_count));
            return true;
        }
    model_exit(m);
    return false;
}

/* The CPU's own INVLPG drops what it is asked to and keeps all else. */
void model_invlpg(struct model *m, unsigned gva)
{
    enter(m);
    if (mmu_invlpg_exits(m->v)) {
        model_exit(m);
        mmu_invlpg(m->v, m->gva[gva]);
    } else {
        m->tlb_count[gva] = 0;
        m->free_invlpgs++;
    }
    model_flushed(m, (int)gva);
    model_record(m);
}

static bool cached_allows(const struct model *m, const struct m_cached *c, u32 access, bool ac)
{
    bool paged =
        m->cr0 & CR0_PG; /* the CPU below gets SMEP and SMAP with the guest's paging only */
    bool smep = paged && (m->cr4 & CR4_SMEP), smap = paged && (m->cr4 & CR4_SMAP);

    if ((access & PFEC_W) && !c->w)
        return false;
    if ((access & PFEC_I) && c->nx)
        return false;
    if ((access & PFEC_U) && !c->u)
        return false;
    if (!(access & PFEC_U) && c->u)
        return access & PFEC_I ? !smep : !smap || ac;
    return true;
}

/* The CPU below: walks the shadow tables. False: what the fault's code has of P and RSVD. */
static bool shadow_walk(struct model *m, gva_t gva, struct m_cached *c, u32 *pfec)
{
    u64 reserved = phys_reserved(m, 51);

    bool is_long = mmu_root_is_long(m->v);
    hpa_t table = m->cr3_unseen ? m->cr3 : mmu_root(m->v);

    if (!is_long && (table & 31 || table >> 32))
        model_fail(m, "bad PAE root %llx", (unsigned long long)table);
    *c = (struct m_cached){.w = true, .u = true};
    for (unsigned level = is_long ? 4 : 3; level; level--) {
        unsigned index = (gva >> (12 + 9 * (level - 1))) & (level == 3 && !is_long ? 3 : 511);
        u64 e = ((u64 *)host_ptr(m->mmu, table))[index];
        *pfec = e & PTE_P ? PFEC_P | PFEC_RSVD : 0;
        if (!(e & PTE_P))
            return false;
        if ((e & reserved) && m->filter && !(level == 3 && !is_long))
            return false;
        if (e & reserved)
            model_fail(m, "frame of no RAM in shadow entry %llx", (unsigned long long)e);
        if ((e & 0x7ff0000000000000ull & ~PTE_NX) || ((e & PTE_NX) && !m->nx))
            model_fail(m, "reserved bit in shadow entry %llx", (unsigned long long)e);
        if (level == 3 && !is_long) {
            if (e & 0x1e6)
                model_fail(m, "bad shadow PDPTE %llx", (unsigned long long)e);
        } else {
            c->w &= e >> 1 & 1;
            c->u &= e >> 2 & 1;
            c->nx |= e >> 63;
        }
        table = e & 0x000ffffffffff000;
        if (level == 2 && (e & PTE_PS)) {
            if (table & 0x1fe000)
                model_fail(m, "unaligned large entry %llx", (unsigned long long)e);
            table += gva & 0x1ff000;
            break;
        }
    }
    *pfec = PFEC_P;
    c->hpa = table;
    return true;
}

/* The CPU's page fault, for an access that the shadow tables do not allow: the guest's own, without an
 * exit? Then the guest's tables must say the same. */
static bool filtered(struct model *m, unsigned gva, u32 access, bool ac, u32 pfec)
{
    u32 mask = mmu_fault_mask(m->v);
    bool seen = m->nx || ((m->cr4 & CR4_SMEP) && (m->cr0 & CR0_PG));

    if (!seen)
        pfec &= ~PFEC_I;
    if (!mask || (pfec & mask))
        return false;
    struct m_ref r = model_walk(m, m->gva[gva], access, ac);
    if (!m->filter || r.ok || r.pfec != pfec)
        model_fail(m, "gva %llx access %x: filtered with pfec %x, should be ok %d pfec %x",
                   (unsigned long long)m->gva[gva], access, pfec, r.ok, r.pfec);
    m->filtered++;
    return true;
}

/* A use of a translation: some translation that the guest had since its last flush must allow it. */
static void check_use(struct model *m, unsigned gva, u32 access, bool ac, hpa_t hpa)
{
    unsigned bit = kind_bit(access, ac);

    for (unsigned n = 0; n < m->history_count[gva]; n++) {
        const struct m_translation *t = &m->history[gva][n];
        enum p2m_kind kind;
        u8 *p = model_memory(m, t->gpa & PAGE_MASK, &kind);
        if (!(t->kinds >> bit & 1) || !t->a || ((access & PFEC_W) && !t->d))
            continue;
        if (p == m->host + (hpa - M_HPA_BASE) && (kind == P2M_RAM || !(access & PFEC_W)))
            return;
    }
    struct m_ref r = model_walk(m, m->gva[gva], access, ac);
    model_fail(
        m, "stale or wrong: gva %llx access %x ac %d got hpa %llx; now ok %d gpa %llx a %d d %d",
        (unsigned long long)m->gva[gva], access, ac, (unsigned long long)hpa, r.ok,
        (unsigned long long)r.gpa, r.a, r.d);
}

static bool tlb_hit(struct model *m, unsigned gva, u32 access, bool ac, hpa_t *hpa)
{
    unsigned n = m->tlb_count[gva];

    for (unsigned tries = 0; n && tries < 4; tries++) {
        const struct m_cached *c = &m->tlb[gva][model_random(m, n)];
        if (cached_allows(m, c, access, ac)) {
            *hpa = c->hpa;
            return true;
        }
    }
    struct m_cached c;
    u32 pfec;
    if (!shadow_walk(m, m->gva[gva], &c, &pfec))
        return false;
    if (n == M_CACHED)
        n = (unsigned)model_random(m, M_CACHED);
    else
        m->tlb_count[gva]++;
    m->tlb[gva][n] = c;
    *hpa = c.hpa;
    return cached_allows(m, &c, access, ac);
}

static void put(struct model *m, u8 *p, unsigned len, u64 value)
{
    u64 wide[2] = {value, model_random(m, 2) ? 0 : value};

    memcpy(p, wide, len);
}

/* What the emulator does for an instruction: translate, then device, memory or a trapped store. */
static void emulate(struct model *m, unsigned gva, u32 access, bool ac, unsigned offset,
                    unsigned len, u64 value)
{
    struct mmu_walk w;
    enum p2m_kind kind;

    if (!mmu_translate(m->v, m->gva[gva] + offset, access, ac, true, &w))
        model_fail(m, "translate refuses what the fault allowed");
    model_record(m);
    struct m_ref r = model_walk(m, m->gva[gva] + offset, access, ac);
    u8 *p = model_memory(m, r.gpa, &kind);
    if (!r.ok || a20(m, r.gpa) != w.gpa)
        model_fail(m, "translate: gpa %llx, should be %llx", (unsigned long long)w.gpa,
                   (unsigned long long)r.gpa);
    if (p && kind == P2M_RAM && (access & PFEC_W)) {
        u64 wide[2] = {value, 0};
        mmu_set_cr2(m->v, m->gva[model_random(m, m->gva_count)]);
        mmu_emulated_store(m->v, w.gpa, wide, len, access & PFEC_U);
        mmu_stored(m->v, m->gva[gva] + offset, access | PFEC_P, ac);
        if (memcmp(p, wide, len))
            model_fail(m, "store did not arrive");
        m->stores++;
    }
}

static void check_emulated(struct model *m, unsigned gva, u32 access, bool ac, enum mmu_fault f,
                           const struct m_ref *r, const struct mmu_walk *w)
{
    enum p2m_kind kind;
    bool memory = model_memory(m, r->gpa, &kind) && (kind == P2M_RAM || !(access & PFEC_W));

    (void)gva, (void)ac;
    if (a20(m, r->gpa) != w->gpa)
        model_fail(m, "fault: gpa %llx, should be %llx", (unsigned long long)w->gpa,
                   (unsigned long long)r->gpa);
    if (f == MMU_EMULATE_STORE && (!memory || !(access & PFEC_W)))
        model_fail(m, "emulate a store that is none");
    if (f == MMU_EMULATE_MMIO && memory && r->tables_own)
        model_fail(m, "emulate MMIO for memory at %llx", (unsigned long long)r->gpa);
    if (f == MMU_FIXED && !memory)
        model_fail(m, "mapped MMIO");
}

void model_access(struct model *m, unsigned gva, u32 access, bool ac, unsigned offset, unsigned len,
                  u64 value)
{
    m->accesses++;
    for (unsigned tries = 0; tries < 4; tries++) {
        struct mmu_walk w;
        hpa_t hpa;

        enter(m);
        if (tlb_hit(m, gva, access, ac, &hpa)) {
            check_use(m, gva, access, ac, hpa);
            if (access & PFEC_W)
                put(m, m->host + (hpa - M_HPA_BASE) + offset, len, value);
            model_record(m);
            return;
        }
        struct m_cached c;
        u32 pfec;
        shadow_walk(m, m->gva[gva], &c, &pfec);
        pfec |= access;
        m->tlb_count[gva] = 0; /* a page fault forgets the page: SDM vol. 3, 4.10.4.1 */
        if (filtered(m, gva, access, ac, pfec))
            return;
        m->faults++;
        struct m_ref r = model_walk(m, m->gva[gva] + offset, access, ac);
        model_exit(m);
        enum mmu_fault f = mmu_page_fault(m->v, m->gva[gva] + offset, pfec, ac, &w);
        if ((f == MMU_GUEST_FAULT) == r.ok || (f == MMU_GUEST_FAULT && w.pfec != r.pfec))
            model_fail(m, "gva %llx access %x: %d pfec %x, should be ok %d pfec %x",
                       (unsigned long long)m->gva[gva], access, f, w.pfec, r.ok, r.pfec);
        model_record(m);
        if (f == MMU_GUEST_FAULT)
            return;
        check_emulated(m, gva, access, ac, f, &r, &w);
        if (f != MMU_FIXED) {
            emulate(m, gva, access, ac, offset, len, value);
            model_record(m);
            return;
        }
    }
    model_fail(m, "gva %llx access %x faults for ever", (unsigned long long)m->gva[gva], access);
}

/* A store of the guest's by a mapping of its own that is not modelled: free where the frame is not
 * protected, else trapped. */
void model_edit(struct model *m, u64 gfn, unsigned offset, unsigned len, u64 value)
{
    enum p2m_kind kind;
    gpa_t gpa = gfn << PAGE_SHIFT | offset;
    u8 *p = model_memory(m, gpa, &kind);
    u64 folded = a20(m, gpa) >> PAGE_SHIFT, wide[2] = {value, value >> 1};

    if (!p || kind != P2M_RAM)
        return;
    enter(m);
    u64 word = p2m_word(m->mmu, folded);
    if (word_protected(word))
        model_exit(m);
    if (word_protected(word) && !unsync_try(m->mmu, folded)) {
        mmu_set_cr2(m->v, m->gva[model_random(m, m->gva_count)]);
        mmu_emulated_store(m->v, gpa, wide, len, !model_random(m, 30));
        m->stores++;
    } else {
        memcpy(p, wide, len);
    }
    model_record(m);
}
