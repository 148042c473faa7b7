#pragma once

/* The insides of hv/mmu: shared by its files, used by nobody else. */

#include "lib/string.h"
#include "mmu/mmu.h"

#define NONE (~0u)
#define MMU_MAX_VCPUS 8
#define MMU_MIN_PAGES 20 /* shadow pages: a 4-level path, the roots, and some air */
#define REGIONS_MAX 64
#define UNSYNC_MAX 32
#define MOVED_MAX 64u /* guest frames away from home, at most */
#define PAE_ROOTS 128 /* PDPTs of 32 bytes in one shadow page */

/* A frame's word: its host-physical address, and below it what it is. */
#define F_RAM (1ull << 0)
#define F_ROM (1ull << 1)
#define F_OWN (1ull << 2)    /* RAM of which this gfn is the only name: may hold guest tables */
#define F_TABLE (1ull << 3)  /* has shadow pages, so its mappings are read-only, */
#define F_UNSYNC (1ull << 4) /* unless it is a leaf table that is out of sync */
#define F_HPA 0x000ffffffffff000ull

#define GFN_NONE (~0ull)

struct frame {
    u64 word;
    u32 rmap;  /* shadow leaf entries of 4 KiB that map it */
    u32 pages; /* shadow pages of it */
};

/* 2 MiB of guest-physical address space. */
struct block {
    u32 rmap;   /* shadow leaf entries of 2 MiB that map it */
    u16 tables; /* frames with F_TABLE */
    u16 odd;    /* frames that are not RAM at their first place */
};

struct region {
    u64 gfn, count;
    u64 word; /* of its first page */
};

/* Guest paging modes. */
enum { MODE_OFF, MODE_32, MODE_PAE, MODE_LONG };

#define ACC_W 1u
#define ACC_U 2u
#define ACC_X 4u
#define ACC_ALL 7u

/* What, beside the guest frame, tells one shadow page from another. With CR0.WP=1 the rights of
 * upper entries are mirrored level by level and acc is ACC_ALL. With CR0.WP=0, which the CPU below
 * never has, upper shadow entries allow everything and acc holds the rights of the levels above. */
union role {
    struct {
        u32 mode : 2;
        u32 level : 3;
        u32 quad : 2;   /* which part of a 2-level guest's table (1024 entries) */
        u32 direct : 1; /* of no guest table: part of a large page, or paging is off */
        u32 wp : 1;
        u32 acc : 3;
        u32 nxe : 1;
        u32 pse : 1;
        u32 smep : 1; /* these two only with wp = 0 */
        u32 smap : 1;
    };
    u32 word;
};

/* A shadow page; its entries are mmu->tables[index], their links mmu->links[index * 512...]. */
struct spage {
    u32 gfn; /* of the guest's table; of a direct page, the first frame mapped */
    union role role;
    u32 hash_next; /* also the free list */
    u32 gfn_next;
    u32 parents;
    u32 stamp;   /* of the last fill whose path it was on */
    u32 pins;    /* a root in use */
    u32 targets; /* values of CR3 on a list whose root or guard it is */
    u16 count;   /* of present entries */
    bool used;
    bool referenced;
    u8 way;         /* enum way: of the last trapped store, or what it is out of sync for */
    u8 wait[3];     /* such stores until going out of sync is tried again */
    u8 idle;        /* trapped stores in a row that mattered to no shadow entry */
    u8 blank;       /* trapped stores in a row of zeros over zeros */
    u64 present[8]; /* slots that are live */
    u64 hollow[8];  /* and hollow; a slot in neither is 0, as are all of a free page */
};

/* What a store does to a shadow entry: it takes rights away, as in a teardown or a fork, or does not. */
enum way { WAY_NONE, WAY_FALL, WAY_RISE };

/* Shadow entries form doubly linked lists: leaves by the frame or block they map, links by the
 * shadow page they lead to. An entry's name is page index * 512 + slot. prev of the first is the
 * name of the list. */
struct link {
    u32 next, prev;
};
#define LIST_FRAME 0x80000000u
#define LIST_BLOCK 0xa0000000u
#define LIST_PAGE 0xc0000000u
#define LIST_KIND(x) ((x)&0xe0000000u)
#define LIST_INDEX(x) ((x)&0x1fffffffu)

/* Software bits of a shadow entry. */
#define SPTE_LEAF (1ull << 9)
#define SPTE_FLIP (1ull << 10) /* CR0.WP=0: a read-only user page, now writable by the supervisor */
#define SPTE_HPA F_HPA
/* A slot that is not live. Without the fault filter it is 0. With it, 0 says that the guest's own entry
 * is not present: the fault is the guest's without an exit. All else that is not shadowed is hollow:
 * present for the CPU, so that it faults to us. In a table by reserved bits, all the frame's, which also
 * lead no speculation to RAM; in a PDPT, where a reserved bit is worse than a fault, by a link to a
 * page full of such entries. In a table out of sync a 0 says nothing: the filter is off meanwhile. */
#define SPTE_HOLLOW (1ull << 11)
#define SPTE_MARKER (PTE_P | SPTE_HOLLOW | SPTE_HPA)

static inline bool spte_live(u64 spte)
{
    return (spte & (PTE_P | SPTE_HOLLOW)) == PTE_P;
}

struct pae_root {
    u64 key; /* role << 32 | CR3; 0: unused */
    u64 pdpte[4];
};

/* A value of CR3 on the CPU's list: a copy of the root is at the host address that it names. */
struct target {
    u64 cr3;
    u32 page;  /* of the root; NONE: unused */
    u32 guard; /* keeps a guest's PDPT read-only; NONE: no PDPT */
    u32 slot, count;
};

struct mmu_vcpu {
    struct mmu *mmu;
    u64 cr0, cr3, cr4, efer;
    union role role; /* level and quad 0 */
    u64 pdpte[4];
    u32 root;      /* shadow page that is, or holds, the root */
    u32 root_slot; /* of a PAE root: its first slot in that page */
    u32 old_slot;  /* and that of the root before */
    u32 null_root; /* an empty level 4 table, for a CR3 that names no RAM */
    u32 pae_page;
    hpa_t root_hpa;
    /* The leaf table that the last fill ended in, for 2 MiB at leaf_gva << 21; good while no entry
     * lost a right, as one on its path would if the path changed. */
    u64 leaf_gva, leaf_gen;
    u32 leaf_page;
    gva_t cr2; /* the guest's, at its last store to a table */
    u64 gen;   /* mmu->gen when this vcpu last flushed */
    bool flush;
    bool root_known; /* loaded before */
    bool opened;     /* a trapped store let its table out of sync */
    struct target targets[MMU_CR3_TARGETS];
    struct pae_root pae[PAE_ROOTS];
};

/* A guest table out of sync, and which copy is of it as it was before. */
struct unsync {
    u32 gfn, copy;
};

struct mmu {
    struct mmu_config config;
    intptr_t hpa_ptr;
    u64 frame_count;
    struct frame *frames;
    struct block *blocks;
    u64 gfn_mask; /* A20 */
    u32 options;

    u64 (*tables)[512];
    hpa_t tables_hpa;
    struct spage *pages;
    struct link *links;
    u32 *hash;
    u32 hash_shift;
    u32 page_count, free, free_count, hand;
    u32 stamp;
    u64 gen;                  /* moves with every right taken away from a shadow entry */
    u64 marker, pdpte_marker; /* of hollow slots; 0: no fault filter */

    unsigned target_max;
    u32 moved[MOVED_MAX]; /* gfn whose page is in that spare frame, or NONE */
    hpa_t spare_hpa;
    u32 random;

    struct unsync
        unsync[UNSYNC_MAX]; /* the first unsync_count; the others have copies that are free */
    u32 unsync_count;
    u64 (*copies)[512];

    unsigned region_count;
    struct region regions[REGIONS_MAX];

    /* Reserved bits by mode, EFER.NXE, large, level. */
    u64 rsvd[4][2][2][5];

    struct mmu_counters counters;
    unsigned vcpu_count;
    struct mmu_vcpu vcpus[MMU_MAX_VCPUS];
};

/* The walk of the guest's tables, as the shadow code needs it. */
struct gwalk {
    u64 gpte[5];     /* by level, A and D as they are now */
    u64 table[5];    /* gfn of the table that gpte is in */
    void *entry[5];  /* where it is; NULL: not in RAM */
    unsigned level;  /* of the leaf, or where the walk failed; 4 where paging is off, 0: a PDPTE */
    u64 gfn;         /* before A20 */
    bool shadowable; /* all tables are in frames with F_OWN */
};

static inline bool mmu_has(const struct mmu *mmu, enum mmu_option option)
{
    return mmu->options & (1u << option);
}

static inline void *host_ptr(const struct mmu *mmu, hpa_t hpa)
{
    return (void *)((intptr_t)hpa + mmu->hpa_ptr);
}

/* p2m.c */
u64 p2m_region_word(const struct mmu *mmu, u64 gfn);

/* What gfn (after A20) is: 0 for MMIO. */
static inline u64 p2m_word(const struct mmu *mmu, u64 gfn)
{
    return likely(gfn < mmu->frame_count) ? mmu->frames[gfn].word : p2m_region_word(mmu, gfn);
}

static inline bool word_protected(u64 word)
{
    return (word & (F_TABLE | F_UNSYNC)) == F_TABLE;
}

static inline bool word_writable(u64 word)
{
    return (word & F_RAM) && !word_protected(word);
}

/* Entries of guest tables: SDM vol. 3, 4.3 to 4.5. */

static inline bool gpte_large(union role role, unsigned level, u64 e)
{
    if (!(e & PTE_PS))
        return false;
    if (role.mode == MODE_32)
        return level == 2 && role.pse;
    return level == 2 || (level == 3 && role.mode == MODE_LONG);
}

static inline u64 gpte_gfn(union role role, unsigned level, u64 e, bool large)
{
    if (role.mode == MODE_32) {
        if (large) /* PSE-36 */
            return (e & 0xffc00000) >> 12 | ((e >> 13) & 0xff) << 20;
        return (e & 0xfffff000) >> 12;
    }
    u64 gfn = (e & F_HPA) >> PAGE_SHIFT;
    return large ? gfn & ~((1ull << (9 * (level - 1))) - 1) : gfn;
}

static inline unsigned gpte_acc(u64 e)
{
    return (e & PTE_W ? ACC_W : 0) | (e & PTE_U ? ACC_U : 0) | (e & PTE_NX ? 0 : ACC_X);
}

static inline bool gpte_reserved(const struct mmu *mmu, union role role, unsigned level, u64 e,
                                 bool large)
{
    return e & mmu->rsvd[role.mode][role.nxe][large][level];
}

/* The guest's entry that slot of a shadow page of a guest table stands for. */
static inline unsigned slot_index(union role role, unsigned slot)
{
    if (role.mode != MODE_32)
        return slot;
    return role.level == 1 ? role.quad * 512u + slot : role.quad * 256u + slot / 2;
}

static inline u64 gpte_read(union role role, const void *table, unsigned index)
{
    return role.mode == MODE_32 ? ((const volatile u32 *)table)[index]
                                : ((const volatile u64 *)table)[index];
}

#define SPTE_BASE (PTE_P | PTE_A | PTE_D) /* the CPU never has to write a shadow entry */

/* A leaf with rights acc to the page that word describes; 0 for MMIO. Without the guest's D bit
 * (dirty) it is read-only, so that the first write comes to us (SDM vol. 3, 4.8). */
static inline u64 spte_leaf(union role role, unsigned acc, bool dirty, u64 word)
{
    if (!(word & (F_RAM | F_ROM)))
        return 0;
    u64 spte = (word & F_HPA) | SPTE_BASE | SPTE_LEAF;
    if (acc & ACC_U)
        spte |= PTE_U;
    if (!(acc & ACC_X))
        spte |= PTE_NX;
    bool write = (acc & ACC_W) || (!role.wp && !(acc & ACC_U));
    if (write && dirty && word_writable(word))
        spte |= PTE_W;
    return spte;
}

/* What a level 1 entry of the guest becomes; 0: nothing, as it is not usable yet. */
static inline u64 spte_of_gpte(const struct mmu *mmu, union role role, u64 gpte, u64 *gfn)
{
    *gfn = GFN_NONE;
    if ((gpte & (PTE_P | PTE_A)) != (PTE_P | PTE_A) || gpte_reserved(mmu, role, 1, gpte, false))
        return 0;
    *gfn = gpte_gfn(role, 1, gpte, false) & mmu->gfn_mask;
    return spte_leaf(role, role.acc & gpte_acc(gpte), gpte & PTE_D, p2m_word(mmu, *gfn));
}

/* Whether the guest's page faults tell fetches from reads (SDM vol. 3, 4.7). */
static inline bool fetch_seen(const struct mmu_vcpu *v)
{
    return v->role.nxe || (v->cr4 & CR4_SMEP);
}

/* walk.c */
void walk_init(struct mmu *mmu);
bool walk_guest(struct mmu_vcpu *v, gva_t gva, u32 access, bool ac, bool set_ad, struct gwalk *g,
                struct mmu_walk *w);

/* Lists of shadow entries; the rest is in rmap.c. */

static inline u32 *list_head(struct mmu *mmu, u32 list)
{
    u32 index = LIST_INDEX(list);

    switch (LIST_KIND(list)) {
    case LIST_FRAME: return &mmu->frames[index].rmap;
    case LIST_BLOCK: return &mmu->blocks[index].rmap;
    default: return &mmu->pages[index].parents;
    }
}

/* Puts entry `name` at the head of `list`. */
static inline void link_add(struct mmu *mmu, u32 list, u32 name)
{
    u32 *head = list_head(mmu, list);

    mmu->links[name] = (struct link){*head, list};
    if (*head != NONE)
        mmu->links[*head].prev = name;
    *head = name;
}

/* The page of the vcpus' PDPTs. */
static inline bool page_is_pdpts(const struct spage *sp)
{
    return sp->role.mode == MODE_PAE && sp->role.level == 3;
}

static inline u64 spte_hollow(const struct mmu *mmu, const struct spage *sp)
{
    return unlikely(page_is_pdpts(sp)) ? mmu->pdpte_marker : mmu->marker;
}

/* targets.c */
/* The guest page of gfn is to be where it was at first. */
void home_restore(struct mmu *mmu, u64 gfn);
/* Copies a slot of a root to where the CPU finds it. */
void targets_mirror(struct mmu *mmu, u32 page, unsigned slot);
/* Takes off the list: all, those of a root or guard, those of a PDPT's first slot. */
void targets_drop_all(struct mmu_vcpu *v);
void targets_drop_page(struct mmu *mmu, u32 page);
void targets_drop_slot(struct mmu_vcpu *v, unsigned slot);
/* A store to the frame of a guest's PDPTs; false: the guard is of no more use. */
bool targets_stored(struct mmu *mmu, u32 guard, unsigned offset, unsigned len);
/* The walk set A or D in the table at gfn: to PDPTEs a store like any other. */
void targets_touched(struct mmu *mmu, u64 gfn);
struct target *target_find(struct mmu_vcpu *v, u64 cr3);
/* Puts the root in use on the list, where that can be. */
void target_add(struct mmu_vcpu *v);

static inline void spte_write(struct mmu *mmu, u32 page, unsigned slot, u64 spte)
{
    mmu->tables[page][slot] = spte;
    if (unlikely(mmu->pages[page].targets))
        targets_mirror(mmu, page, slot);
}

/* What a slot that is not live becomes. */
static inline void spte_rest(struct mmu *mmu, u32 page, unsigned slot, bool hollow)
{
    struct spage *sp = &mmu->pages[page];
    u64 bit = 1ull << (slot & 63);

    if (hollow && mmu->marker) {
        sp->hollow[slot >> 6] |= bit;
        spte_write(mmu, page, slot, spte_hollow(mmu, sp));
    } else {
        sp->hollow[slot >> 6] &= ~bit;
        spte_write(mmu, page, slot, 0);
    }
}

/* Sets a leaf or a link in a slot that is not live. list: LIST_... where it belongs, or NONE. */
static inline void spte_set(struct mmu *mmu, u32 page, unsigned slot, u64 spte, u32 list)
{
    struct spage *sp = &mmu->pages[page];

    mmu->tables[page][slot] = spte;
    if (unlikely(sp->targets))
        targets_mirror(mmu, page, slot);
    sp->present[slot >> 6] |= 1ull << (slot & 63);
    sp->hollow[slot >> 6] &= ~(1ull << (slot & 63));
    sp->count++;
    if (list != NONE)
        link_add(mmu, list, page * 512 + slot);
    else
        mmu->links[page * 512 + slot] = (struct link){NONE, NONE};
}

static inline u32 leaf_list(const struct mmu *mmu, u64 gfn)
{
    return gfn < mmu->frame_count ? LIST_FRAME | (u32)gfn : NONE;
}

/* rmap.c */
void spte_clear(struct mmu *mmu, u32 page, unsigned slot);
/* Changes an entry that stays in its list. */
void spte_change(struct mmu *mmu, u32 page, unsigned slot, u64 spte);
void rmap_protect(struct mmu *mmu, u64 gfn);
void rmap_drop(struct mmu *mmu, u64 gfn);

/* pages.c: shadow pages */
u32 page_find(struct mmu *mmu, u64 gfn, union role role);
/* sibling: the page at the same place of another space, or NONE. NONE where all pages are pinned or on the
 * path being filled. */
u32 page_get(struct mmu *mmu, u64 gfn, union role role, u32 sibling);
u32 page_alloc(struct mmu *mmu);
/* A page of nothing that stays; NONE where there is none. */
u32 page_pinned(struct mmu *mmu, union role role);
void page_clear(struct mmu *mmu, u32 page);
/* Makes all slots that are not live hollow. */
void page_hollow(struct mmu *mmu, u32 page);
void page_drop(struct mmu *mmu, u32 page);
void pages_drop_gfn(struct mmu *mmu, u64 gfn);
void pages_drop_all(struct mmu *mmu);

static inline hpa_t page_hpa(const struct mmu *mmu, u32 page)
{
    return mmu->tables_hpa + (hpa_t)page * PAGE_SIZE;
}

static inline u32 spte_child(const struct mmu *mmu, u64 spte)
{
    return (u32)(((spte & SPTE_HPA) - mmu->tables_hpa) >> PAGE_SHIFT);
}

/* scan.c: guest tables, looked through for what can be shadowed before it is asked for */
void scan_table(struct mmu *mmu, u32 page);
void scan_sibling(struct mmu *mmu, u32 page, u32 sibling);
void scan_direct(struct mmu *mmu, u32 page);
void scan_window(struct mmu *mmu, u32 page, unsigned slot);

/* spte.c: what a shadow entry should be */
bool block_large(const struct mmu *mmu, u64 gfn);
u64 spte_link(const struct mmu *mmu, u32 parent, u32 child, u64 gpte, bool large);
/* Brings a live entry of a leaf table in line with the guest's; fills another one if `fill`.
 * -1: rights went; 1: rights came; 0: no change. */
int spte_update_leaf(struct mmu *mmu, u32 page, unsigned slot, u64 gpte, bool fill);
int spte_update_upper(struct mmu *mmu, u32 page, unsigned slot, u64 gpte);
union role role_child(union role role, unsigned level, u64 gpte);
union role role_direct(union role role, unsigned level, unsigned acc);

/* sync.c */
/* At a store to the guest table gfn, or after it: lets the table out of sync if that is likely to pay. */
bool unsync_try(struct mmu *mmu, u64 gfn);
u32 unsync_forget(struct mmu *mmu, u64 gfn);
void sync_gfn(struct mmu *mmu, u64 gfn);
void sync_below(struct mmu *mmu, u32 page);
/* How a store looks: done as tables are not written; of zeros; of zeros over zeros, which some kernels do to
 * half an entry and all do to a page that is cleared for another use; to the entry of the guest's last fault. */
enum { STORE_DYING = 1, STORE_CLEARS = 2, STORE_BLANK = 4, STORE_MENDS = 8 };
void table_stored(struct mmu *mmu, u64 gfn, unsigned offset, unsigned len, unsigned hints);

static inline void sync_all(struct mmu *mmu)
{
    while (mmu->unsync_count)
        sync_gfn(mmu, mmu->unsync[mmu->unsync_count - 1].gfn);
}

/* root.c */
void roots_reload(struct mmu *mmu);
