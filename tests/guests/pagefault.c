/* Every combination of rights, against what the manual says of it (SDM vol. 3, 4.6 and 4.7). */

#include "core/guest.h"

enum access { READ, WRITE, EXECUTE, ACCESSES };

static enum access access;
static u8 *target;

static void do_access(void)
{
    if (access == READ)
        (void)*(volatile u8 *)target;
    else if (access == WRITE)
        *(volatile u8 *)target = 0xc3;
    else
        ((void (*)(void))target)();
}

static void user_access(void)
{
    do_access();
    user_exit();
}

/* The page fault's error code, or ~0 for none. */
static ulong try_access(bool user)
{
    int v = user ? user_run(user_access, 0) : CATCH(do_access());
    if (v == NO_TRAP)
        return ~0ul;
    CHECK_EQ(v, PF);
    CHECK_EQ(trap_last.cr2, (ulong)target);
    return trap_last.error;
}

static ulong expected(u64 pde, u64 pte, bool user, bool wp)
{
    bool rsvd = pte & PTE_RSVD || (pte & PTE_NX && !has_nx());
    ulong error = (access == WRITE ? PF_W : 0) | (user ? PF_U : 0) |
                  (access == EXECUTE && has_nx() ? PF_I : 0);
    if (!(pte & PTE_P))
        return error;
    if (rsvd)
        return error | PF_P | PF_RSVD;
    bool denied = (user && !(pde & pte & PTE_U)) ||
                  (access == WRITE && !(pde & pte & PTE_W) && (user || wp)) ||
                  (access == EXECUTE && (pde | pte) & PTE_NX);
    return denied ? error | PF_P : ~0ul;
}

static void set_wp(bool on)
{
    write_cr0(on ? read_cr0() | CR0_WP : read_cr0() & ~CR0_WP);
}

/* Accessed and dirty bits after an access that went well: set; after one that did not: not dirty. */
static void check_ad(u64 pde, u64 pte, bool done)
{
    u64 now = paging_get(target, 1), above = paging_get(target, 2);
    if (done) {
        CHECK_EQ(now, pte | PTE_A | (access == WRITE ? PTE_D : 0));
        CHECK_EQ(above, pde | PTE_A);
    } else {
        CHECK_EQ(now & ~(u64)PTE_A, pte);
        CHECK_EQ(above & ~(u64)PTE_A, pde);
    }
}

static void one(u64 pde, u64 pte, bool user, bool wp)
{
    paging_set(target, 2, pde);
    paging_set(target, 1, pte);
    ulong got = try_access(user), want = expected(pde, pte, user, wp);
    CHECK_EQ(got, want);
    check_ad(pde, pte, got == ~0ul);
    CONTEXT("# pde %llx pte %llx access %d user %d wp %d\n", pde, pte, access, user, wp);
}

static u64 bits(unsigned i)
{
    return (i & 1 ? PTE_W : 0) | (i & 2 ? PTE_U : 0) | (i & 4 ? PTE_NX : 0);
}

static u64 map_target(void)
{
    u8 *page = page_alloc();
    *page = 0xc3; /* RET */
    target = WINDOW + 5 * PAGE;
    paging_map(target, page, PTE_ALL);
    return (ulong)page;
}

static void each_access(u64 pde, u64 pte)
{
    for (unsigned i = 0; i < ACCESSES * 4 && !test_failed(); i++) {
        access = i / 4;
        set_wp(i & 1);
        one(pde, pte, i & 2, i & 1);
    }
    set_wp(true);
}

TEST_PAGED(rights, "page fault error codes of rights in two levels")
{
    u64 page = map_target(), table = paging_get(target, 2) & ~0xfffull;
    unsigned n = has_nx() ? 8 : 4;
    for (unsigned i = 0; i < n * n; i++)
        each_access(table | PTE_P | bits(i / n), page | PTE_P | bits(i % n));
}

TEST_PAGED(not_present, "page fault error codes of entries that are not present")
{
    u64 page = map_target(), table = paging_get(target, 2) & ~0xfffull;
    for (unsigned i = 0; i < 8; i++)
        each_access(table | PTE_ALL, page | bits(mode->entry_bytes == 8 ? i : i & 3));
    each_access(table | PTE_ALL, 0);
    each_access(table | PTE_ALL, 0xfffff000 & ~1ull); /* a swapped-out page's entry */
}

TEST_PAGED(reserved, "page fault error codes of reserved bits")
{
    u64 page = map_target(), table = paging_get(target, 2) & ~0xfffull;
    if (mode->entry_bytes == 4 || max_phys_bits() > 51) {
        test_skip("no reserved bit in such an entry");
        return;
    }
    for (unsigned i = 0; i < 4; i++)
        each_access(table | PTE_ALL, page | PTE_P | PTE_RSVD | bits(i));
}

TEST_PAGED(nx_off, "the NX bit is reserved while EFER.NXE is off")
{
    u64 page = map_target(), table = paging_get(target, 2) & ~0xfffull;
    if (!has_nx()) {
        test_skip("no NX");
        return;
    }
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(u64)EFER_NXE);
    each_access(table | PTE_ALL, page | PTE_ALL | PTE_NX);
    each_access(table | PTE_ALL, page | PTE_P);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
    each_access(table | PTE_ALL, page | PTE_ALL | PTE_NX);
}

TEST_PAGED(upper_absent, "page faults of tables that are not present")
{
    map_target();
    /* PDPTEs are read at CR3 loads only; the root of 4 levels has one entry for everything. */
    for (unsigned level = 2; level <= mode->levels && level <= (mode->levels == 3 ? 2 : 3);
         level++) {
        target = WINDOW + 5 * PAGE;
        u64 entry = paging_get(target, level);
        for (access = READ; access < ACCESSES; access++)
            for (unsigned user = 0; user < 2; user++) {
                paging_set(target, level, entry & ~(u64)PTE_P);
                ulong got = try_access(user);
                CHECK_EQ(got, expected(0, 0, user, true));
                paging_set(target, level, entry);
                CHECK_EQ(try_access(user), ~0ul);
            }
    }
}

/* A handler that repairs the entry sees the instruction complete. */
static unsigned repairs;

static bool repair(struct frame *f)
{
    repairs++;
    paging_set((void *)read_cr2(), 1, paging_get((void *)read_cr2(), 1) | PTE_ALL);
    return repairs < 10 && f->vector == PF;
}

TEST_PAGED(restart, "an instruction restarts after its fault is repaired")
{
    u8 *page[2] = {page_alloc(), page_alloc()};
    static const u8 text[16] = "0123456789abcdef";
    paging_map(WINDOW, page[0], 0);
    paging_map(WINDOW + PAGE, page[1], 0);
    repairs = 0;
    trap_handle(PF, repair);
    memcpy(WINDOW + PAGE - 7, text, sizeof text);
    CHECK_EQ(repairs, 2);
    CHECK(!memcmp(page[0] + PAGE - 7, text, 7));
    CHECK(!memcmp(page[1], text + 7, 9));
    paging_map(WINDOW, page[0], PTE_P);
    paging_map(WINDOW + PAGE, page[1], 0);
    *(volatile u32 *)(WINDOW + PAGE - 2) = 0x11223344;
    CHECK_EQ(repairs, 4);
    CHECK_EQ(*(u16 *)(page[0] + PAGE - 2), 0x3344);
    CHECK_EQ(*(u16 *)page[1], 0x1122);
    trap_handle(PF, NULL);
}

TEST_PAGED(second_page, "a write that crosses into a page that faults writes nothing")
{
    u8 *page = page_alloc();
    memset(page, 0x55, PAGE);
    paging_map(WINDOW, page, PTE_ALL);
    paging_map(WINDOW + PAGE, page, 0);
    CHECK_EQ(CATCH(*(volatile u32 *)(WINDOW + PAGE - 2) = 0), PF);
    CHECK_EQ(trap_last.cr2, (ulong)WINDOW + PAGE);
    CHECK_EQ(trap_last.error, PF_W);
    CHECK_EQ(*(u16 *)(page + PAGE - 2), 0x5555);
    CHECK_EQ(CATCH((void)*(volatile u32 *)(WINDOW + PAGE - 1)), PF);
    CHECK_EQ(trap_last.cr2, (ulong)WINDOW + PAGE);
}
