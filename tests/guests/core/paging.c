/* The guest's own page tables. Identity map of the first 16 MiB, by 4 KiB pages for everybody; the window
 * of 1 GiB at 1 GiB is the tests'. */

#include "guest.h"

enum { TABLES = 96, PAGES = 320, IDENTITY_BYTES = 16 << 20 };

static u8 tables[TABLES][PAGE] aligned_page;
static u8 pages[PAGES][PAGE] aligned_page;
static unsigned tables_used, identity_tables, pages_used;
static ulong home_cr3, outside_cr0, outside_cr3, outside_cr4;

const struct mode *mode;
const struct mode paging_modes[] = {
#ifdef __x86_64__
    {"4-level", 4, 8, 9},
#else
    {"2-level", 2, 4, 10},
    {"pae", 3, 8, 9},
#endif
};
const unsigned paging_mode_count = array_size(paging_modes);

static void *table_new(void)
{
    if (tables_used == TABLES)
        bail_out("no table left");
    return memset(tables[tables_used++], 0, PAGE);
}

void *page_alloc(void)
{
    if (pages_used == PAGES)
        bail_out("no page left");
    return memset(pages[pages_used++], 0, PAGE);
}

static u64 entry_read(const volatile void *entry)
{
    return mode->entry_bytes == 8 ? *(const volatile u64 *)entry : *(const volatile u32 *)entry;
}

/* An entry of two halves is not present while they do not fit together. */
static void entry_write(volatile void *entry, u64 value)
{
    volatile u32 *half = entry;
    if (mode->entry_bytes == 4) {
        half[0] = (u32)value;
    } else if (LONG_MODE || half[1] == value >> 32) {
        if (LONG_MODE)
            *(volatile u64 *)entry = value;
        else
            half[0] = (u32)value;
    } else {
        half[0] = 0;
        half[1] = (u32)(value >> 32);
        half[0] = (u32)value;
    }
}

static u8 *index_entry(void *table, const volatile void *va, unsigned level)
{
    ulong index =
        (ulong)va >> (12 + mode->index_bits * (level - 1)) & ((1ul << mode->index_bits) - 1);
    if (mode->levels == 3 && level == 3)
        index &= 3;
    return (u8 *)table + index * mode->entry_bytes;
}

static bool is_pdpte(unsigned level)
{
    return mode->levels == 3 && level == 3;
}

void *paging_entry(const volatile void *va, unsigned level)
{
    void *table = (void *)(read_cr3() & ~0xffful);
    for (unsigned l = mode->levels; l > level; l--) {
        u8 *entry = index_entry(table, va, l);
        if (!(entry_read(entry) & PTE_P))
            entry_write(entry, (ulong)table_new() | (is_pdpte(l) ? PTE_P : PTE_ALL));
        table = (void *)(ulong)(entry_read(entry) & 0xfffffffff000);
    }
    return index_entry(table, va, level);
}

u64 paging_get(const volatile void *va, unsigned level)
{
    return entry_read(paging_entry(va, level));
}

void paging_set(const volatile void *va, unsigned level, u64 value)
{
    entry_write(paging_entry(va, level), value);
    invlpg(va);
}

void paging_map(const volatile void *va, const void *page, u64 flags)
{
    paging_set(va, 1, (ulong)page | flags);
}

unsigned paging_large_level2_bytes(void)
{
    return mode->entry_bytes == 4 ? 4 << 20 : 2 << 20;
}

unsigned max_phys_bits(void)
{
    return cpuid(0x80000000, 0).eax >= 0x80000008 ? cpuid(0x80000008, 0).eax & 0xff : 36;
}

static bool cpu_has_nx(void)
{
    return cpuid(0x80000000, 0).eax >= 0x80000001 && cpuid(0x80000001, 0).edx & 1u << 20;
}

bool has_nx(void)
{
    return mode && mode->entry_bytes == 8 && cpu_has_nx() && rdmsr(MSR_EFER) & EFER_NXE;
}

/* Builds tables by entries' addresses in a root that is not loaded yet. */
static void identity(u8 *root)
{
    for (ulong at = 0; at < IDENTITY_BYTES; at += PAGE) {
        u8 *table = root;
        for (unsigned l = mode->levels; l > 1; l--) {
            u8 *entry = index_entry(table, (void *)at, l);
            if (!(entry_read(entry) & PTE_P))
                entry_write(entry, (ulong)table_new() | (is_pdpte(l) ? PTE_P : PTE_ALL));
            table = (u8 *)(ulong)(entry_read(entry) & 0xfffffffff000);
        }
        entry_write(index_entry(table, (void *)at, 1), at | PTE_ALL);
    }
    if (mode->levels == 3) /* PDPTEs are loaded with CR3 only: all present from the start */
        for (unsigned i = 1; i < 4; i++)
            entry_write(root + i * 8, (ulong)table_new() | PTE_P);
}

void paging_enter(const struct mode *m)
{
    mode = m;
    tables_used = pages_used = 0;
    u8 *root = table_new();
    identity(root);
    identity_tables = tables_used;
    outside_cr0 = read_cr0();
    outside_cr3 = read_cr3();
    outside_cr4 = read_cr4();
    home_cr3 = (ulong)root;
    write_cr4((outside_cr4 & ~CR4_PAE) | CR4_PSE | (m->entry_bytes == 8 ? CR4_PAE : 0));
    if (m->entry_bytes == 8 && cpu_has_nx())
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
    write_cr3(home_cr3);
    write_cr0(read_cr0() | CR0_PG | CR0_WP);
}

void paging_leave(void)
{
    if (!LONG_MODE)
        write_cr0(outside_cr0);
    write_cr3(outside_cr3);
    write_cr4(outside_cr4);
    mode = NULL;
}

static void clear_window(u8 *root)
{
    if (mode->levels == 2) {
        memset(root + 256 * 4, 0, 256 * 4);
    } else {
        u8 *pdpt = mode->levels == 3 ? root : (u8 *)(ulong)(entry_read(root) & 0xfffffffff000);
        if (mode->levels == 3)
            memset((void *)(ulong)(entry_read(pdpt + 8) & 0xfffff000), 0, PAGE);
        else
            entry_write(pdpt + 8, 0);
    }
}

void paging_reset_window(void)
{
    write_cr3(home_cr3);
    clear_window((u8 *)home_cr3);
    write_cr3(home_cr3);
    tables_used = identity_tables;
    pages_used = 0;
}

ulong paging_new_space(void)
{
    u8 *root = memcpy(table_new(), (void *)home_cr3, PAGE);
    if (mode->levels == 3) {
        entry_write(root + 8, (ulong)table_new() | PTE_P);
    } else if (mode->levels == 4) {
        u8 *pdpt = memcpy(table_new(), (void *)(ulong)(entry_read(root) & 0xfffffffff000), PAGE);
        entry_write(root, (ulong)pdpt | PTE_ALL);
    }
    clear_window(root);
    return (ulong)root;
}
