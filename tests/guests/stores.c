/* Stores of every width and kind into a page table: what the next access must see. */

#include "pages.h"

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
    __asm__ volatile("lock cmpxchg %2, %1"
                     : "+a"(old), "+m"(*(volatile u32 *)at)
                     : "r"((u32)to)
                     : "cc");
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
    {"bytes", by_bytes, 4},
    {"words", by_words, 4},
    {"unaligned", by_unaligned, 4},
    {"mov", by_dword, 4},
    {"xchg", by_xchg, 4},
    {"cmpxchg", by_cmpxchg, 4},
    {"cmpxchg8b", by_cmpxchg8b, 8},
    {"and, or", by_and_or, 4},
    {"xor", by_xor, 4},
    {"add", by_add, 4},
    {"btc", by_bits, 4},
    {"rep stos", by_rep_stos, 4},
    {"rep movs", by_rep_movs, 4},
    {"push", by_push, sizeof(ulong)},
    {"not, neg", by_not_neg, 4},
    {"shl, inc", by_inc_shift, 4},
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
        memcpy((u8 *)wide + i * mode->entry_bytes, &(u64){(ulong)page[i] | PTE_ALL},
               mode->entry_bytes);
    __asm__ volatile("movups %0, %%xmm3; movups %%xmm3, (%1)"
                     :
                     : "m"(*(u8(*)[16])wide), "r"(paging_entry(WINDOW, 1))
                     : "memory");
    write_cr3(read_cr3());
    for (unsigned i = 0; i < n; i++)
        CHECK_EQ(seen(WINDOW + i * PAGE), i + 1);
    CHECK_EQ(seen(WINDOW + n * PAGE), 4);
}
