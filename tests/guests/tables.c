/* Changes of page tables: what the next access must see (SDM vol. 3, 4.8 and 4.10). */

#include "core/guest.h"

/* Pages that say which one they are. */
static u8 *tagged(u8 tag)
{
    u8 *page = page_alloc();
    memset(page, tag, PAGE);
    return page;
}

static u8 seen(const volatile void *va)
{
    return *(const volatile u8 *)va;
}

TEST_PAGED(invlpg_remap, "after INVLPG the new translation")
{
    u8 *a = tagged(1), *b = tagged(2);
    for (unsigned i = 0; i < 20; i++) {
        paging_map(WINDOW, a, PTE_ALL);
        CHECK_EQ(seen(WINDOW), 1);
        paging_map(WINDOW, b, PTE_ALL);
        CHECK_EQ(seen(WINDOW), 2);
        *(volatile u8 *)(WINDOW + 1) = (u8)i;
        CHECK_EQ(b[1], (u8)i);
        CHECK_EQ(a[1], 1);
    }
    paging_set(WINDOW, 1, 0);
    CHECK_EQ(CATCH(seen(WINDOW)), PF);
}

TEST_PAGED(cr3_remap, "after a CR3 load the new translation")
{
    u8 *page[2] = {tagged(1), tagged(2)};
    paging_map(WINDOW, page[0], PTE_ALL);
    volatile u32 *entry = paging_entry(WINDOW, 1);
    for (unsigned i = 0; i < 20; i++) {
        *entry = (u32)(ulong)page[i & 1] | PTE_ALL;
        write_cr3(read_cr3());
        CHECK_EQ(seen(WINDOW), (i & 1) + 1);
    }
}

TEST_PAGED(narrowed, "rights that were taken away are gone after INVLPG")
{
    u8 *page = tagged(1);
    paging_map(WINDOW, page, PTE_ALL);
    *(volatile u8 *)WINDOW = 3;
    paging_map(WINDOW, page, PTE_P | PTE_U);
    CHECK_EQ(CATCH(*(volatile u8 *)WINDOW = 4), PF);
    CHECK_EQ(trap_last.error, PF_P | PF_W);
    CHECK_EQ(seen(WINDOW), 3);
}

/* The TLB may hold the narrower entry: at most one fault, after which the wider one is seen. */
static unsigned spurious;

static bool count_fault(struct frame *f)
{
    return ++spurious < 3 && f->vector == PF;
}

TEST_PAGED(widened, "rights that were given need no INVLPG")
{
    u8 *page = tagged(1);
    volatile u32 *entry = paging_entry(WINDOW, 1);
    spurious = 0;
    trap_handle(PF, count_fault);
    paging_map(WINDOW, page, PTE_P | PTE_U);
    CHECK_EQ(seen(WINDOW), 1);
    *entry |= PTE_W;
    *(volatile u8 *)WINDOW = 5;
    CHECK(spurious <= 1);
    CHECK_EQ(page[0], 5);
    spurious = 0;
    paging_map(WINDOW + PAGE, page, 0);
    *(volatile u32 *)paging_entry(WINDOW + PAGE, 1) |= PTE_ALL; /* never present: not in any TLB */
    CHECK_EQ(seen(WINDOW + PAGE), 5);
    CHECK_EQ(spurious, 0);
    trap_handle(PF, NULL);
}

TEST_PAGED(accessed_dirty, "A and D are set again after they were cleared")
{
    u8 *page = tagged(1);
    for (unsigned i = 0; i < 10; i++) {
        paging_map(WINDOW, page, PTE_ALL);
        CHECK_EQ(seen(WINDOW), 1);
        CHECK_EQ(paging_get(WINDOW, 1) & (PTE_A | PTE_D), PTE_A);
        paging_map(WINDOW, page, PTE_ALL | PTE_A);
        *(volatile u8 *)WINDOW = 1;
        CHECK_EQ(paging_get(WINDOW, 1) & (PTE_A | PTE_D), PTE_A | PTE_D);
        paging_set(WINDOW, 1, paging_get(WINDOW, 1) & ~(u64)PTE_D);
        CHECK_EQ(seen(WINDOW), 1);
        CHECK_EQ(paging_get(WINDOW, 1) & PTE_D, 0);
        *(volatile u8 *)WINDOW = 1;
        CHECK_EQ(paging_get(WINDOW, 1) & PTE_D, PTE_D);
    }
}

/* ---- Stores of every width into a table ---- */

struct store {
    const char *name;
    void (*run)(volatile u8 *at, u64 from, u64 to);
    unsigned min_entry; /* 8: for entries of 8 bytes only */
};

static void clear_present(volatile u8 *at)
{
    *at &= 0xfe;
}

static void by_bytes(volatile u8 *at, u64 from, u64 to)
{
    (void)from;
    clear_present(at);
    for (unsigned i = mode->entry_bytes; i--;)
        at[i] = (u8)(to >> i * 8);
}

static void by_words(volatile u8 *at, u64 from, u64 to)
{
    (void)from;
    clear_present(at);
    for (unsigned i = mode->entry_bytes / 2; i--;)
        ((volatile u16 *)at)[i] = (u16)(to >> i * 16);
}

static void by_unaligned(volatile u8 *at, u64 from, u64 to)
{
    (void)from;
    clear_present(at);
    *(volatile u16 *)(at + 1) = (u16)(to >> 8);
    at[3] = (u8)(to >> 24);
    at[0] = (u8)to;
}

static void by_dword(volatile u8 *at, u64 from, u64 to)
{
    (void)from;
    *(volatile u32 *)at = (u32)to;
}

static void by_xchg(volatile u8 *at, u64 from, u64 to)
{
    u32 v = (u32)to;
    __asm__ volatile("xchg %0, %1" : "+r"(v), "+m"(*(volatile u32 *)at));
    CHECK_EQ(v & ~(u32)(PTE_A | PTE_D), (u32)from);
}

static void by_cmpxchg(volatile u8 *at, u64 from, u64 to)
{
    u32 old = *(volatile u32 *)at;
    (void)from;
    __asm__ volatile("lock cmpxchg %2, %1" : "+a"(old), "+m"(*(volatile u32 *)at) : "r"((u32)to) : "cc");
}

static void by_cmpxchg8b(volatile u8 *at, u64 from, u64 to)
{
    u32 low = ((volatile u32 *)at)[0], high = ((volatile u32 *)at)[1];
    (void)from;
    __asm__ volatile("lock cmpxchg8b %0"
                     : "+m"(*(volatile u64 *)at), "+a"(low), "+d"(high)
                     : "b"((u32)to), "c"((u32)(to >> 32))
                     : "cc");
}

static void by_and_or(volatile u8 *at, u64 from, u64 to)
{
    volatile u32 *entry = (volatile u32 *)at;
    (void)from;
    __asm__ volatile("lock andl %1, %0" : "+m"(*entry) : "r"(0xffe));
    __asm__ volatile("orl %1, %0" : "+m"(*entry) : "r"((u32)to));
}

static void by_xor(volatile u8 *at, u64 from, u64 to)
{
    __asm__ volatile("xorl %1, %0" : "+m"(*(volatile u32 *)at) : "r"((u32)(from ^ to)));
}

static void by_add(volatile u8 *at, u64 from, u64 to)
{
    __asm__ volatile("addl %1, %0" : "+m"(*(volatile u32 *)at) : "r"((u32)(to - from)));
}

static void by_bits(volatile u8 *at, u64 from, u64 to)
{
    for (unsigned i = 0; i < 32; i++)
        if ((from ^ to) >> i & 1)
            __asm__ volatile("lock btcl %1, %0" : "+m"(*(volatile u32 *)at) : "r"(i) : "cc");
}

static void by_rep_stos(volatile u8 *at, u64 from, u64 to)
{
    ulong n = 1;
    (void)from;
    __asm__ volatile("rep stosl" : "+D"(at), "+c"(n) : "a"((u32)to) : "memory");
}

static void by_rep_movs(volatile u8 *at, u64 from, u64 to)
{
    ulong n = mode->entry_bytes;
    const void *source = &to;
    (void)from;
    clear_present(at);
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(source), "+c"(n) : : "memory");
}

static void by_push(volatile u8 *at, u64 from, u64 to)
{
    ulong sp, value = (ulong)to;
    (void)from;
    __asm__ volatile(LONG_OR_SHORT("mov %%rsp, %0; mov %1, %%rsp; push %2; mov %0, %%rsp",
                                   "mov %%esp, %0; mov %1, %%esp; push %2; mov %0, %%esp")
                     : "=&r"(sp)
                     : "r"(at + sizeof(ulong)), "r"(value)
                     : "memory");
}

static void by_not_neg(volatile u8 *at, u64 from, u64 to)
{
    volatile u32 *entry = (volatile u32 *)at;
    (void)from;
    __asm__ volatile("notl %0" : "+m"(*entry));
    *entry = ~(u32)to;
    __asm__ volatile("notl %0" : "+m"(*entry));
    __asm__ volatile("negl %0; negl %0" : "+m"(*entry) : : "cc");
}

static void by_inc_shift(volatile u8 *at, u64 from, u64 to)
{
    volatile u32 *entry = (volatile u32 *)at;
    (void)from;
    *entry = (u32)to >> 1; /* bit 0 of `to` is P, set again by INC */
    __asm__ volatile("shll $1, %0; incl %0" : "+m"(*entry) : : "cc");
}

static const struct store stores[] = {
    {"bytes", by_bytes, 4},       {"words", by_words, 4},         {"unaligned", by_unaligned, 4}, {"mov", by_dword, 4},
    {"xchg", by_xchg, 4},         {"cmpxchg", by_cmpxchg, 4},     {"cmpxchg8b", by_cmpxchg8b, 8}, {"and, or", by_and_or, 4},
    {"xor", by_xor, 4},           {"add", by_add, 4},             {"btc", by_bits, 4},            {"rep stos", by_rep_stos, 4},
    {"rep movs", by_rep_movs, 4}, {"push", by_push, sizeof(ulong)}, {"not, neg", by_not_neg, 4},  {"shl, inc", by_inc_shift, 4},
};

/* Sixteen entries in turn, so that the stores are not always to the same one. */
TEST_PAGED(store_widths, "stores of every kind into a page table")
{
    u8 *a = tagged(1), *b = tagged(2);
    for (unsigned i = 0; i < array_size(stores) * 4; i++) {
        const struct store *s = &stores[i / 4];
        u8 *va = WINDOW + (i % 16) * PAGE;
        u64 from = (ulong)a | PTE_ALL, to = (ulong)b | PTE_ALL;
        if (s->min_entry > mode->entry_bytes)
            continue;
        paging_map(va, a, PTE_ALL);
        CHECK_EQ(seen(va), 1);
        paging_set(va, 1, from); /* without A */
        s->run(paging_entry(va, 1), from, to);
        invlpg(va);
        CHECK_EQ(seen(va), 2);
        CHECK_EQ(paging_get(va, 1), to | PTE_A);
        *(volatile u8 *)va = 2;
        CHECK_EQ(paging_get(va, 1), to | PTE_A | PTE_D);
        CONTEXT("# by %s\n", s->name);
    }
}

TEST_PAGED(sse_stores, "stores of 16 bytes into a page table")
{
    u8 *page[4] = {tagged(1), tagged(2), tagged(3), tagged(4)};
    u64 wide[2] __attribute__((aligned(16))) = {0, 0};
    unsigned n = 16 / mode->entry_bytes;
    write_cr0(read_cr0() & ~(CR0_EM | CR0_TS));
    write_cr4(read_cr4() | CR4_OSFXSR);
    for (unsigned i = 0; i <= n; i++) {
        paging_map(WINDOW + i * PAGE, page[3], PTE_ALL);
        CHECK_EQ(seen(WINDOW + i * PAGE), 4);
    }
    for (unsigned i = 0; i < n; i++)
        memcpy((u8 *)wide + i * mode->entry_bytes, &(u64){(ulong)page[i] | PTE_ALL}, mode->entry_bytes);
    __asm__ volatile("movups %0, %%xmm3; movups %%xmm3, (%1)" : : "m"(*(u8(*)[16])wide), "r"(paging_entry(WINDOW, 1)) : "memory");
    write_cr3(read_cr3());
    for (unsigned i = 0; i < n; i++)
        CHECK_EQ(seen(WINDOW + i * PAGE), i + 1);
    CHECK_EQ(seen(WINDOW + n * PAGE), 4);
}

TEST_PAGED(table_replaced, "a page table exchanged in the entry above")
{
    u8 *page[2] = {tagged(1), tagged(2)}, *table[2] = {page_alloc(), page_alloc()};
    for (unsigned i = 0; i < 2; i++)
        memcpy(table[i], &(u64){(ulong)page[i] | PTE_ALL}, mode->entry_bytes);
    for (unsigned i = 0; i < 10; i++) {
        paging_set(WINDOW, 2, (ulong)table[i & 1] | PTE_ALL);
        CHECK_EQ(seen(WINDOW), (i & 1) + 1);
    }
}

TEST_PAGED(table_reused, "a page that was a table holds data again, and a table again")
{
    u8 *page = tagged(1), *table = page_alloc();
    u64 entry = (ulong)page | PTE_ALL;
    for (unsigned i = 0; i < 5; i++) {
        memset(table, 0, PAGE);
        memcpy(table, &entry, mode->entry_bytes);
        paging_set(WINDOW, 2, (ulong)table | PTE_ALL);
        CHECK_EQ(seen(WINDOW), 1);
        paging_set(WINDOW, 2, 0);
        for (unsigned j = 0; j < PAGE; j++)
            ((volatile u8 *)table)[j] = (u8)(i + j);
        for (unsigned j = 0; j < PAGE; j += 97)
            CHECK_EQ(table[j], (u8)(i + j));
    }
}

TEST_PAGED(one_table_twice, "a page table at two places of the tree")
{
    u8 *a = tagged(1), *b = tagged(2);
    unsigned span = paging_large_level2_bytes();
    paging_map(WINDOW, a, PTE_ALL);
    paging_set(WINDOW + span, 2, paging_get(WINDOW, 2));
    CHECK_EQ(seen(WINDOW), 1);
    CHECK_EQ(seen(WINDOW + span), 1);
    paging_map(WINDOW, b, PTE_ALL);
    invlpg(WINDOW + span);
    CHECK_EQ(seen(WINDOW + span), 2);
    paging_set(WINDOW + span, 2, paging_get(WINDOW + span, 2) & ~(u64)PTE_W);
    CHECK_EQ(CATCH(*(volatile u8 *)(WINDOW + span) = 9), PF);
    *(volatile u8 *)WINDOW = 9;
    CHECK_EQ(seen(WINDOW + span), 9);
}

/* The entry of va as seen through the table that maps itself. */
static volatile u32 *recursive(const u8 *va)
{
    ulong root = read_cr3() & ~0xffful, page = (ulong)va >> 12;
    if (mode->levels == 2) {
        ((volatile u32 *)root)[1023] = (u32)root | PTE_P | PTE_W;
        return (volatile u32 *)(ulong)(0xffc00000 + page * 4);
    }
#ifdef __x86_64__
    ((volatile u64 *)root)[510] = root | PTE_P | PTE_W;
    return (volatile u32 *)(0xffffff0000000000 + (page & 0xfffffffff) * 8);
#else
    volatile u64 *pdpt = (volatile u64 *)root;
    volatile u64 *last = (volatile u64 *)(ulong)(pdpt[3] & 0xfffff000);
    for (unsigned i = 0; i < 4; i++)
        last[508 + i] = (pdpt[i] & 0xfffff000) | PTE_P | PTE_W;
    return (volatile u32 *)(ulong)(0xff800000 + page * 8);
#endif
}

TEST_PAGED(recursive_map, "entries written through a recursive mapping")
{
    u8 *page[2] = {tagged(1), tagged(2)};
    paging_map(WINDOW, page[0], PTE_ALL);
    volatile u32 *entry = recursive(WINDOW);
    write_cr3(read_cr3());
    CHECK_EQ(*entry & 0xfffff000, (u32)(ulong)page[0]);
    for (unsigned i = 0; i < 100; i++) {
        *entry = (u32)(ulong)page[i & 1] | PTE_ALL;
        invlpg(WINDOW);
        CHECK_EQ(seen(WINDOW), (i & 1) + 1);
        CHECK_EQ(*entry, (u32)(ulong)page[i & 1] | PTE_ALL | PTE_A);
    }
}

TEST_PAGED(table_maps_itself, "a page table mapped by its own entry")
{
    u8 *a = tagged(1), *b = tagged(2);
    paging_map(WINDOW, a, PTE_ALL);
    ulong table = (ulong)paging_get(WINDOW, 2) & ~0xffful;
    paging_map(WINDOW + PAGE, (void *)table, PTE_ALL);
    volatile u32 *entry = (volatile u32 *)(WINDOW + PAGE);
    CHECK_EQ(seen(WINDOW), 1);
    *entry = (u32)(ulong)b | PTE_ALL;
    invlpg(WINDOW);
    CHECK_EQ(seen(WINDOW), 2);
    entry[mode->entry_bytes / 4] = 0; /* its own entry */
    invlpg(entry);
    CHECK_EQ(CATCH((void)*entry), PF);
}

/* ---- Large pages ---- */

enum { LARGE_AT = 8 << 20 }; /* physical, within the identity map, free */

static void check_large(u8 *va, u8 *identity, unsigned bytes)
{
    for (unsigned at = 0; at < bytes; at += bytes / 16 + PAGE) {
        identity[at] = (u8)(at >> 12);
        CHECK_EQ(va[at], (u8)(at >> 12));
        va[at + 1] = (u8)~(at >> 12);
        CHECK_EQ(identity[at + 1], (u8)~(at >> 12));
    }
}

TEST_PAGED(large_page, "a large page")
{
    unsigned bytes = paging_large_level2_bytes();
    paging_set(WINDOW, 2, LARGE_AT | PTE_ALL | PTE_PS);
    check_large(WINDOW, (u8 *)LARGE_AT, bytes);
    CHECK_EQ(paging_get(WINDOW, 2), LARGE_AT | PTE_ALL | PTE_PS | PTE_A | PTE_D);
    paging_set(WINDOW, 2, LARGE_AT | PTE_P | PTE_PS);
    CHECK_EQ(CATCH(*(volatile u8 *)(WINDOW + 5 * PAGE) = 1), PF);
    CHECK_EQ(trap_last.error, PF_P | PF_W);
    CHECK_EQ(CATCH((void)seen(WINDOW + 5 * PAGE)), NO_TRAP);
    CHECK_EQ(paging_get(WINDOW, 2), LARGE_AT | PTE_P | PTE_PS | PTE_A);
}

TEST_PAGED(large_split, "a large page split into a table, and joined")
{
    unsigned bytes = paging_large_level2_bytes();
    u8 *other = tagged(0xaa), *table = page_alloc();
    ((volatile u8 *)LARGE_AT)[3 * PAGE] = 7;
    for (unsigned i = 0; i < bytes / PAGE; i++)
        memcpy(table + i * mode->entry_bytes, &(u64){(i == 3 ? (ulong)other : LARGE_AT + i * PAGE) | PTE_ALL}, mode->entry_bytes);
    for (unsigned i = 0; i < 5; i++) {
        paging_set(WINDOW, 2, LARGE_AT | PTE_ALL | PTE_PS);
        write_cr3(read_cr3());
        CHECK_EQ(seen(WINDOW + 3 * PAGE), 7);
        paging_set(WINDOW, 2, (ulong)table | PTE_ALL);
        write_cr3(read_cr3());
        CHECK_EQ(seen(WINDOW + 3 * PAGE), 0xaa);
        check_large(WINDOW + 4 * PAGE, (u8 *)LARGE_AT + 4 * PAGE, bytes - 4 * PAGE - bytes / 16);
    }
}

TEST_PAGED(large_reserved, "a reserved bit of a large page's entry")
{
    unsigned bit = mode->entry_bytes == 4 ? 21 : 13;
    paging_set(WINDOW, 2, LARGE_AT | PTE_ALL | PTE_PS | 1u << bit);
    CHECK_EQ(CATCH((void)seen(WINDOW)), PF);
    CHECK_EQ(trap_last.error, PF_P | PF_RSVD);
}

TEST_PAGED(large_over_table, "a large page over a page table that is in use")
{
    u8 *a = tagged(1), *b = tagged(2);
    unsigned span = paging_large_level2_bytes();
    paging_map(WINDOW, a, PTE_ALL);
    CHECK_EQ(seen(WINDOW), 1);
    u8 *entry = paging_entry(WINDOW, 1);
    ulong base = (ulong)entry & ~(ulong)(span - 1);
    paging_set(WINDOW + span, 2, base | PTE_ALL | PTE_PS);
    *(volatile u32 *)(WINDOW + span + ((ulong)entry - base)) = (u32)(ulong)b | PTE_ALL;
    invlpg(WINDOW);
    CHECK_EQ(seen(WINDOW), 2);
}

TEST_PAGED(gigabyte_page, "a page of 1 GiB")
{
    if (mode->levels != 4 || !(cpuid(0x80000001, 0).edx & 1u << 26)) {
        test_skip("none in this mode");
        return;
    }
    paging_set(WINDOW, 3, PTE_ALL | PTE_PS);
    check_large(WINDOW + LARGE_AT, (u8 *)LARGE_AT, 4 << 20);
    CHECK_EQ(paging_get(WINDOW, 3), PTE_ALL | PTE_PS | PTE_A | PTE_D);
    paging_set(WINDOW, 3, 0);
    CHECK_EQ(CATCH((void)seen(WINDOW + LARGE_AT)), PF);
}

/* ---- Global pages ---- */

TEST_PAGED(global_toggle, "a change of CR4.PGE drops global translations")
{
    u8 *page[2] = {tagged(1), tagged(2)};
    ulong cr4 = read_cr4();
    volatile u32 *entry = paging_entry(WINDOW, 1);
    for (unsigned i = 0; i < 10; i++) {
        write_cr4(cr4 | CR4_PGE);
        *entry = (u32)(ulong)page[i & 1] | PTE_ALL | PTE_G;
        write_cr4(cr4 & ~CR4_PGE);
        CHECK_EQ(seen(WINDOW), (i & 1) + 1);
        write_cr4(cr4 | CR4_PGE);
        CHECK_EQ(seen(WINDOW), (i & 1) + 1);
    }
    *entry = (u32)(ulong)page[0] | PTE_ALL | PTE_G;
    invlpg(WINDOW); /* global ones too */
    CHECK_EQ(seen(WINDOW), 1);
    write_cr4(cr4);
}

TEST_PAGED(spaces, "two address spaces keep their own mappings")
{
    u8 *page[2] = {tagged(1), tagged(2)};
    ulong space[2] = {read_cr3(), paging_new_space()};
    for (unsigned i = 0; i < 50; i++) {
        write_cr3(space[i & 1]);
        paging_map(WINDOW + i * PAGE, page[i & 1], PTE_ALL);
        for (unsigned j = i & 1; j <= i; j += 2)
            CHECK_EQ(seen(WINDOW + j * PAGE), (i & 1) + 1);
        CHECK_EQ(CATCH((void)seen(WINDOW + (i ^ 1) * PAGE)), PF);
        CHECK_EQ(CATCH((void)seen(WINDOW + (i + 2) * PAGE)), PF);
    }
    write_cr3(space[0]);
}

/* ---- Code ---- */

TEST_PAGED(code_changes, "code written through another mapping runs as written")
{
    u8 *page = page_alloc();
    paging_map(WINDOW, page, PTE_P);
    for (unsigned i = 0; i < 20; i++) {
        ulong ax;
        page[0] = 0xb8; /* MOV EAX, imm32 */
        memcpy(page + 1, &(u32){i * 0x01010101}, 4);
        page[5] = 0xc3;
        (void)cpuid(0, 0); /* serializes (SDM vol. 3, 8.1.3) */
        __asm__ volatile("call *%1" : "=a"(ax) : "r"(WINDOW) : "memory");
        CHECK_EQ(ax, i * 0x01010101);
    }
}
