#pragma once

/* Memory virtualization without nested paging: the guest-physical map (p2m), the walk of the guest's
 * own tables, and the shadow tables that the CPU runs on. */

#include "lib/x86.h"

/* What a guest-physical page is. */
enum p2m_kind {
    P2M_MMIO, /* no memory: every access is a device's */
    P2M_RAM,
    P2M_ROM, /* reads hit memory, writes are a device's (and mostly dropped) */
};

/* Shadow optimisations, bit numbers; the names in `shadow=` are in mmu_option_names. */
enum mmu_option {
    MMU_OPT_STORE,    /* `store`: a decoded guest store updates the shadow entry at once */
    MMU_OPT_PREFETCH, /* `prefetch`: fill neighbours on a fill */
    MMU_OPT_CACHE,    /* `cache`: keep shadow pages over CR3 writes */
    MMU_OPT_UNSYNC,   /* `unsync`: leaf tables written in a row go out of sync for a while */
    MMU_OPT_LARGE,    /* `large`: shadow large pages by large pages where the p2m allows */
    MMU_OPT_FLOOD,    /* `flood`: drop shadows of tables that are visibly dying */
    MMU_OPT_FILTER,   /* `filter`: the guest's own not-present faults do not exit */
    MMU_OPT_INVLPG,   /* `invlpg`: INVLPG exits only while a table is out of sync */
    MMU_OPT_CR3,      /* `cr3`: no exits of CR3 loads with values on the CPU's list */
    MMU_OPT_CR0, /* `cr0`: the guest changes bits of CR0 that no table depends on without exits */
    MMU_OPT_COUNT,
};
extern const char *const mmu_option_names[MMU_OPT_COUNT];

struct mmu;      /* of a VM: p2m, shadow pages, reverse map */
struct mmu_vcpu; /* of a vcpu: paging mode, roots, pending TLB flush */

struct mmu_config {
    u64 ram_bytes; /* guest RAM from gpa 0, a multiple of 4 KiB, below 3.5 GiB */
    hpa_t ram_hpa; /* where it is, 2 MiB aligned, contiguous */
    intptr_t
        hpa_ptr; /* pointer = hpa + hpa_ptr, for all memory of the machine below that is named here */
    hpa_t pool_hpa;       /* memory for everything the mmu needs, page aligned, below 4 GiB */
    u64 pool_bytes;       /* mmu_min_pool() at least; what is over becomes shadow pages */
    u32 options;          /* 1 << enum mmu_option */
    unsigned maxphyaddr;  /* of the CPU below */
    bool nx;              /* the CPU below has EFER.NXE */
    bool gbpages;         /* the CPU below, and so the guest, has 1 GiB pages */
    bool fault_filter;    /* the CPU below can leave page faults to the guest by their error code */
    bool invlpg_free;     /* it can execute the guest's INVLPG without an exit */
    unsigned cr3_targets; /* values of CR3 that it loads without an exit */
};

#define MMU_CR3_TARGETS 4u /* values of CR3 on the list, at most */

/* Bytes of pool for ram_bytes of guest RAM with the least number of shadow pages; a good size is
 * this plus 1/32 of RAM. */
u64 mmu_min_pool(u64 ram_bytes);
struct mmu *mmu_create(const struct mmu_config *config);
struct mmu_vcpu *mmu_vcpu_create(struct mmu *mmu); /* NULL: pool too small */

/* p2m. All addresses and sizes in whole pages. It starts as RAM in [0, ram_bytes) and MMIO above.
 * Changes drop the shadow entries concerned. False: too many ranges above RAM (64); it stays MMIO. */
bool mmu_map(struct mmu *mmu, gpa_t gpa, u64 size, enum p2m_kind kind, hpa_t hpa);
/* Applies an address mask to all guest-physical addresses: ~0, or ~(1 << 20) with A20 off. */
void mmu_set_a20(struct mmu *mmu, bool on);
enum p2m_kind mmu_lookup(struct mmu *mmu, gpa_t gpa, hpa_t *hpa);

/* Guest memory for the hypervisor's own use (device DMA, emulated accesses, firmware). Range
 * checked; false, with nothing done, where a byte of it is not memory. A write also brings the
 * shadows of guest tables up to date. */
bool mmu_read(struct mmu *mmu, gpa_t gpa, void *buf, u64 len);
bool mmu_write(struct mmu *mmu, gpa_t gpa, const void *buf, u64 len);
/* A pointer to guest RAM for len bytes (may span pages where contiguous), or NULL. For a write the
 * caller announces it first by mmu_will_write, which takes the shadows out of the way; where the
 * guest can run before the last byte is written, it announces it again after that. */
void *mmu_ptr(struct mmu *mmu, gpa_t gpa, u64 len);
void mmu_will_write(struct mmu *mmu, gpa_t gpa, u64 len);

/* The guest's control registers as the guest sees them. Each returns false where the architecture
 * raises #GP for it (a reserved bit in a PAE PDPTE); nothing is changed then. Mode changes and CR3
 * loads flush as the architecture says; `no flush needed` cases (same mode) are cheap. */
bool mmu_set_mode(struct mmu_vcpu *v, u64 cr0, u64 cr3, u64 cr4, u64 efer);
bool mmu_load_cr3(struct mmu_vcpu *v, u64 cr3);
void mmu_invlpg(struct mmu_vcpu *v, gva_t gva);  /* or of more than gva */
void mmu_flush(struct mmu_vcpu *v, bool global); /* CR4.PGE toggles and the like */

/* What the CPU below must run with: its CR3, and whether the tables are 4-level (long mode) or PAE.
 * Beside that: CR0.PG=WP=1, CR4.PAE=1, EFER.NXE=1 where the guest has it, CR4.SMEP and CR4.SMAP as
 * the guest has them while its CR0.PG=1, and 0 while that is 0. CR3 may change in any call that
 * takes a vcpu or writes. */
hpa_t mmu_root(struct mmu_vcpu *v);
bool mmu_root_is_long(struct mmu_vcpu *v);
/* Page faults of the CPU below whose error code has none of these bits are the guest's own, and right
 * as they are (CR2 too): they need no exit. 0: all exit. Changes where CR3 may. */
u32 mmu_fault_mask(const struct mmu_vcpu *v);
/* Bits of CR0 that no table depends on, which the guest may change without an exit; 0: none (`cr0` is off). */
u64 mmu_cr0_free(const struct mmu_vcpu *v);
/* The values of CR3 that need no exit; returns how many. While the guest ran it may have loaded one of
 * them, and with it the root that is at this host address. Changes at any exit. */
unsigned mmu_cr3_targets(const struct mmu_vcpu *v, u64 values[MMU_CR3_TARGETS]);
/* The CPU loaded cr3, which was on the list. Comes before all else after an exit. */
void mmu_cr3_followed(struct mmu_vcpu *v, u64 cr3);
/* Whether INVLPG has to come to us: mmu_invlpg. Changes at any exit. */
bool mmu_invlpg_exits(const struct mmu_vcpu *v);
/* True once after anything that requires the TLB of this vcpu to be flushed before the next entry. */
bool mmu_take_tlb_flush(struct mmu_vcpu *v);

/* Access kinds of a walk: PFEC_W, PFEC_U, PFEC_I, with PFEC_U for CPL 3. */
struct mmu_walk {
    gpa_t gpa;
    u32 pfec;   /* of the guest's page fault, where the walk failed */
    bool large; /* the guest maps it by a large page */
};

/* Walks the guest's tables for an access to gva (linear). True: w->gpa. False: the guest's own page
 * fault with w->pfec. Sets the guest's A and D bits as the CPU would (SDM vol. 3, 4.8) if `set_ad`.
 * ac: RFLAGS.AC, for SMAP; false for an implicit supervisor access at CPL 3 (descriptor tables).
 * gva is canonical. */
bool mmu_translate(struct mmu_vcpu *v, gva_t gva, u32 access, bool ac, bool set_ad,
                   struct mmu_walk *w);

enum mmu_fault {
    MMU_FIXED,         /* shadow filled: resume */
    MMU_GUEST_FAULT,   /* the guest's own: inject #PF with w->pfec */
    MMU_EMULATE_MMIO,  /* no memory at w->gpa (or a write to ROM): emulate the instruction. Rarely
                        * w->gpa is RAM: the guest's tables are in ROM or device memory */
    MMU_EMULATE_STORE, /* a store into a guest table at w->gpa (or, rarely, elsewhere in RAM):
                        * emulate the instruction */
};

/* Handles a #PF exit of the CPU below on the shadow tables. pfec: as the CPU gave it. */
enum mmu_fault mmu_page_fault(struct mmu_vcpu *v, gva_t gva, u32 pfec, bool ac, struct mmu_walk *w);

/* The emulator's store of len bytes (1 to 16) at gpa, which lies in RAM inside one page. Does the
 * store and brings the shadows up to date; user: by CPL 3 (a hint that the table is no table any more). */
void mmu_emulated_store(struct mmu_vcpu *v, gpa_t gpa, const void *buf, unsigned len, bool user);

/* Before that store: the guest's CR2, a hint. */
void mmu_set_cr2(struct mmu_vcpu *v, gva_t cr2);
/* After that store, where it came from a page fault (gva, pfec): what makes the next ones cheap. */
void mmu_stored(struct mmu_vcpu *v, gva_t gva, u32 pfec, bool ac);

/* Compares every shadow entry reachable with the guest's tables; returns the number of entries that
 * allow what the guest's tables do not, and describes the first in text. For tests: slow. */
unsigned mmu_audit(struct mmu *mmu, char *text, size_t size);

/* Counters, since creation. */
struct mmu_counters {
    u64 fills, prefetched, guest_faults, stores, stores_filled, tables_built, tables_dropped,
        tables_evicted, unsynced, resynced, protects, splits, flushes, moved, targets;
};
const struct mmu_counters *mmu_counters(struct mmu *mmu);
