#pragma once

/* A guest and a CPU around the mmu under test: a naive walk straight from the manual, a CPU that
 * runs on the shadow tables with a TLB that forgets nothing until told to, and a record of every
 * translation that the architecture lets a TLB hold. */

#include "mmu/mmu.h"

#define M_RAM_PAGES 1536u
#define M_EXTRA_PAGES 64u      /* host memory that is not RAM: ROM, VGA */
#define M_HPA_BASE 0x200000ull /* low: the guest's roots name host frames of its own RAM */
#define M_GVAS 40u
#define M_HISTORY 96u
#define M_CACHED 16u
#define M_FRAMES 24u /* guest frames that tables and data are in */

struct m_translation {
    gpa_t gpa; /* before A20 */
    u16 kinds; /* bit M_KIND(access, ac) */
    bool a, d;
};

struct m_cached {
    hpa_t hpa;
    bool w, u, nx;
};

struct m_ref {
    bool ok;
    u32 pfec;
    gpa_t gpa;
    bool w, u, x, a, d, tables_own;
    gpa_t entry[4]; /* where the entries were, the leaf last */
    unsigned entries;
};

struct model {
    u8 *host;
    struct mmu *mmu;
    struct mmu_vcpu *v;
    u64 seed, rng;
    unsigned step;
    bool nx, gb;
    bool filter; /* the CPU below has a fault filter, and INVLPG without exits */
    bool sane;   /* the guest keeps its tables of each level apart, as real ones do */
    unsigned maxphyaddr;

    u64 cr0, cr3, cr4, efer, pdpte[4];
    u64 recent[4];   /* values of CR3 */
    bool cr3_unseen; /* the CPU below has loaded cr3 itself */
    bool a20;
    struct {
        enum p2m_kind kind;
        hpa_t hpa;
    } p2m[M_RAM_PAGES], top[16]; /* frames; and the 64 KiB at 4 GiB - 64 KiB */

    u64 frames[M_FRAMES];
    unsigned gva_count;
    gva_t gva[M_GVAS];
    struct m_translation history[M_GVAS][M_HISTORY];
    unsigned history_count[M_GVAS];
    struct m_cached tlb[M_GVAS][M_CACHED];
    unsigned tlb_count[M_GVAS];
    u64 accesses, faults, stores, filtered, free_invlpgs, cr3_hits;
};

struct model *model_create(u64 seed, u32 options, u64 pool_extra);
void model_free(struct model *m);
u64 model_random(struct model *m, u64 bound);
_Noreturn void model_fail(struct model *m, const char *format, ...);

int model_mode(const struct model *m); /* 0 off, 1 2-level, 2 PAE, 3 4-level */
struct m_ref model_walk(struct model *m, gva_t gva, u32 access, bool ac);
bool model_pdptes(struct model *m, u64 cr3, u64 pdpte[4]);
void *model_memory(struct model *m, gpa_t gpa, enum p2m_kind *kind);
/* After anything that may have changed the guest's tables. */
void model_record(struct model *m);
void model_flushed(struct model *m, int gva); /* the guest flushed: one page, or -1 for all */
void model_invlpg(struct model *m, unsigned gva);
/* Before the mmu is asked for anything. */
void model_exit(struct model *m);
/* The CPU's own CR3 load, where the value is on its list. */
bool model_cr3_hit(struct model *m, u64 cr3);
void model_gvas(struct model *m); /* chooses the addresses for the mode */
void model_access(struct model *m, unsigned gva, u32 access, bool ac, unsigned offset, unsigned len,
                  u64 value);
void model_edit(struct model *m, u64 gfn, unsigned offset, unsigned len, u64 value);
