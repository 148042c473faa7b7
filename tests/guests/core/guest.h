#pragma once

/* Tiny guests: a Multiboot kernel in 32 bits and one in 64, made of a table of tests of one property
 * each. Run natively and under the hypervisor they print the same TAP on COM1. A test is registered by
 * TEST or TEST_PAGED beside its function; the linker gathers the table. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64; /* on both widths, for printf formats */
typedef unsigned long ulong;    /* as wide as a register */

#ifdef __x86_64__
#define LONG_MODE true
#define LONG_OR_SHORT(l, s) l
#else
#define LONG_MODE false
#define LONG_OR_SHORT(l, s) s
#endif

#define PAGE 4096ul
#define array_size(a) (sizeof(a) / sizeof *(a))
#define aligned_page __attribute__((aligned(4096)))

/* ---- The table of tests ---- */

struct test {
    const char *name;
    void (*run)(void);
    bool paged; /* run in each paging mode, with paging on */
    const char *
        exits; /* what the hypervisor must count between begin() and end(), as `cpuid=100 all<=210` */
};

#define TEST_ENTRY(fn, title, each_mode, counts)                                                   \
    static void fn(void);                                                                          \
    static const struct test entry_##fn                                                            \
        __attribute__((section("tests"), used, aligned(8))) = {title, fn, each_mode, counts};      \
    static void fn(void)
#define TEST(fn, title) TEST_ENTRY(fn, title, false, NULL)
#define TEST_EXITS(fn, title, counts) TEST_ENTRY(fn, title, false, counts)
#define TEST_PAGED(fn, title) TEST_ENTRY(fn, title, true, NULL)
#define TEST_PAGED_EXITS(fn, title, counts) TEST_ENTRY(fn, title, true, counts)

/* tap.c: a failed check prints where and what, and the test goes on. */
void check_true(bool ok, const char *file, int line, const char *text);
void check_equal(u64 got, u64 want, const char *file, int line, const char *text);
#define CHECK(cond) check_true(cond, __FILE__, __LINE__, #cond)
#define CHECK_EQ(got, want) check_equal(got, want, __FILE__, __LINE__, #got)
/* Says what a loop was at, after a check in it has failed. */
#define CONTEXT(...)                                                                               \
    do {                                                                                           \
        if (test_failed())                                                                         \
            print(__VA_ARGS__);                                                                    \
    } while (0)
bool test_failed(void);
void test_skip(const char *why);
void tests_run(const char *only);
/* The hypervisor's marks around what test.exits is about (docs/reference.md). */
void begin(void);
void end(void);

/* print.c: %s, %d, %u and %x with l or ll */
void console_init(void);
void console_drain(void); /* what was printed is on the line */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void bail_out(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* string.c */
void *memset(void *to, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
int strcmp(const char *a, const char *b);
size_t strlen(const char *s);
/* The value after key in a command line, copied to out; false: no such word. */
bool word_value(const char *line, const char *key, char *out, size_t size);

/* ---- The CPU ---- */

#define CR0_PE (1ul << 0)
#define CR0_MP (1ul << 1)
#define CR0_EM (1ul << 2)
#define CR0_TS (1ul << 3)
#define CR0_WP (1ul << 16)
#define CR0_AM (1ul << 18)
#define CR0_PG (1ul << 31)
#define CR4_TSD (1ul << 2)
#define CR4_DE (1ul << 3)
#define CR4_PSE (1ul << 4)
#define CR4_PAE (1ul << 5)
#define CR4_PGE (1ul << 7)
#define CR4_OSFXSR (1ul << 9)
#define CR4_SMEP (1ul << 20)
#define CR4_SMAP (1ul << 21)

#define MSR_EFER 0xc0000080
#define EFER_SCE (1u << 0)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define EFER_NXE (1u << 11)

#define FLAG_CF (1ul << 0)
#define FLAG_ZF (1ul << 6)
#define FLAG_TF (1ul << 8)
#define FLAG_IF (1ul << 9)
#define FLAG_RF (1ul << 16)
#define FLAG_AC (1ul << 18)

enum {
    DE = 0,
    DB = 1,
    BP = 3,
    OF = 4,
    BR = 5,
    UD = 6,
    NM = 7,
    DF = 8,
    TS = 10,
    NP = 11,
    SS = 12,
    GP = 13,
    PF = 14,
    MF = 16,
    AC = 17,
    XM = 19
};
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16 };

/* Selectors; the order is what SYSENTER, SYSEXIT and SYSRET want. */
enum {
    SEL_CODE = 0x08,
    SEL_DATA = 0x10,
    SEL_UCODE32 = 0x18 | 3,
    SEL_UDATA = 0x20 | 3,
    SEL_UCODE64 = 0x28 | 3,
    SEL_CODE16 = 0x38,
    SEL_DATA16 = 0x40,
    SEL_OTHER = 0x48, /* code of the other kernel's width */
    SEL_FREE = 0x50,  /* for a test to write */
    SEL_TSS = 0x58,
    SEL_LDT = 0x68,
    SEL_UCODE = LONG_MODE ? SEL_UCODE64 : SEL_UCODE32,
};
enum { GDT_ENTRIES = 16 };

#define CR_ACCESS(n)                                                                               \
    static inline ulong read_cr##n(void)                                                           \
    {                                                                                              \
        ulong v;                                                                                   \
        __asm__ volatile("mov %%cr" #n ", %0" : "=r"(v));                                          \
        return v;                                                                                  \
    }                                                                                              \
    static inline void write_cr##n(ulong v)                                                        \
    {                                                                                              \
        __asm__ volatile("mov %0, %%cr" #n : : "r"(v) : "memory");                                 \
    }
CR_ACCESS(0)
CR_ACCESS(2)
CR_ACCESS(3)
CR_ACCESS(4)

struct cpuid {
    u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(u32 leaf, u32 subleaf)
{
    struct cpuid r;
    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

static inline u64 rdmsr(u32 index)
{
    u32 lo, hi;
    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(index));
    return lo | (u64)hi << 32;
}

static inline void wrmsr(u32 index, u64 value)
{
    __asm__ volatile("wrmsr" : : "c"(index), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

#define PORT_ACCESS(type, suffix, bits)                                                            \
    static inline type in##bits(u16 port)                                                          \
    {                                                                                              \
        type v;                                                                                    \
        __asm__ volatile("in" suffix " %1, %0" : "=a"(v) : "Nd"(port));                            \
        return v;                                                                                  \
    }                                                                                              \
    static inline void out##bits(u16 port, type v)                                                 \
    {                                                                                              \
        __asm__ volatile("out" suffix " %0, %1" : : "a"(v), "Nd"(port));                           \
    }
PORT_ACCESS(u8, "b", 8)
PORT_ACCESS(u16, "w", 16)
PORT_ACCESS(u32, "l", 32)

static inline void invlpg(const volatile void *p)
{
    __asm__ volatile("invlpg (%0)" : : "r"(p) : "memory");
}

static inline ulong read_flags(void)
{
    ulong f;
    __asm__ volatile("pushf; pop %0" : "=r"(f) : : "memory");
    return f;
}

static inline void write_flags(ulong f)
{
    __asm__ volatile("push %0; popf" : : "r"(f) : "memory", "cc");
}

/* trap.c, vectors.S: exceptions and interrupts. */
struct frame {
#ifdef __x86_64__
    ulong r15, r14, r13, r12, r11, r10, r9, r8;
#else
    ulong es, ds;
#endif
    ulong di, si, bp, sp_unused, bx, dx, cx, ax;
    ulong vector, error, ip, cs, flags;
    ulong sp, ss; /* in 32 bits only from ring 3 */
};

struct trap {
    int vector; /* NO_TRAP: none */
    ulong error, cr2, ip, flags, cs;
};
enum { NO_TRAP = -1, IRQ_BASE = 0x20, VEC_USER_EXIT = 0x30, VEC_SOFT = 0x31 };

struct env {
    ulong reg[10];
};
int env_save(struct env *env) __attribute__((returns_twice));
void env_resume(struct env *env) __attribute__((noreturn));

extern struct env trap_env;
extern volatile bool trap_catching;
extern volatile struct trap trap_last;
extern volatile unsigned irq_seen[16];

/* Runs code; the vector of the exception that ended it, or NO_TRAP. The rest is in trap_last. */
#define CATCH(code)                                                                                \
    ({                                                                                             \
        trap_last.vector = NO_TRAP;                                                                \
        if (!env_save(&trap_env)) {                                                                \
            trap_catching = true;                                                                  \
            code;                                                                                  \
        }                                                                                          \
        trap_catching = false;                                                                     \
        trap_last.vector;                                                                          \
    })

/* A handler returns true to resume the interrupted code (with what it changed in the frame). */
typedef bool trap_handler(struct frame *f);
void trap_init(void);
void trap_handle(int vector, trap_handler *handler);
enum { GATE_INTERRUPT = 0x8e, GATE_TRAP = 0x8f, GATE_ABSENT = 0x0e };
/* dpl 0 or 3; stub NULL: the usual one. */
void trap_gate(int vector, unsigned type, unsigned dpl, void (*stub)(void));
void gdt_set(unsigned selector, u64 descriptor);
u64 gdt_get(unsigned selector);
/* The I/O permission bitmap of the TSS: 1 forbids. */
enum { IO_BITMAP_PORTS = 1024 };
void tss_io_allow(u16 port, bool allow);
/* Runs fn in ring 3 with IOPL and the flags given; its end or an exception (see CATCH) comes back here. */
int user_run(void (*fn)(void), ulong flags);
/* Ends what user_run runs. */
void user_exit(void);

/* machine.c */
enum mark_kind { MARK_BEGIN = 1, MARK_END = 2, MARK_NOTE = 3 };
/* Tells the hypervisor what its counters belong to (docs/reference.md). */
void mark(enum mark_kind kind, unsigned id);
u32 pci_read(unsigned bus, unsigned devfn, unsigned reg);
void pci_write(unsigned bus, unsigned devfn, unsigned reg, u32 value);
void power_off(void) __attribute__((noreturn));
void pic_init(u8 base0, u8 base1, u16 mask);
void pic_mask(u16 mask);
void pic_eoi(unsigned irq);
void pit_one_shot(u16 ticks);
void pit_periodic(u16 ticks);
void pit_stop(void); /* mode 0 without a count: no interrupt and no timer of the machine */
u16 pit_read(void);

/* paging.c: the guest's tables, in the mode under test. */
enum {
    PTE_P = 1,
    PTE_W = 2,
    PTE_U = 4,
    PTE_A = 0x20,
    PTE_D = 0x40,
    PTE_PS = 0x80,
    PTE_G = 0x100,
    PTE_ALL = PTE_P | PTE_W | PTE_U,
};
#define PTE_NX (1ull << 63)
#define PTE_RSVD (1ull << 51)

struct mode {
    const char *name;
    unsigned levels, entry_bytes, index_bits;
};
extern const struct mode *mode; /* NULL: paging off */
extern const struct mode paging_modes[];
extern const unsigned paging_mode_count;

/* Free for tests: 1 GiB of linear addresses that nothing else uses. */
#define WINDOW ((u8 *)0x40000000)

void paging_enter(const struct mode *m);
void paging_leave(void);
/* Empties the window, and takes back what page_alloc gave. */
void paging_reset_window(void);
void *page_alloc(void); /* zeroed; linear = physical */
/* The entry of va in its table at level (1 is the page table); missing tables above are made. */
void *paging_entry(const volatile void *va, unsigned level);
u64 paging_get(const volatile void *va, unsigned level);
void paging_set(const volatile void *va, unsigned level, u64 value); /* and INVLPG */
void paging_map(const volatile void *va, const void *page, u64 flags);
unsigned paging_large_level2_bytes(void); /* 4 MiB or 2 MiB */
bool has_nx(void);                        /* EFER.NXE is on and this mode has the bit */
unsigned max_phys_bits(void);
/* A second address space that shares all but the window. */
ulong paging_new_space(void);

/* main.c */
/* The word native=emulator: the CPU is the emulator itself, for which some tests are fatal. */
bool on_emulator(void);
/* Not with the word tasks=no: a CPU that switches tasks without the exit that the hypervisor asked for. */
bool tasks_exit(void);
/* With the word nmi=timer: this machine makes NMIs, at each tick of a timer that no test can stop. */
bool nmis_come(void);
