/* Segmentation as 32-bit code has it: limits and types (SDM vol. 3, 5.3 to 5.5), gates of 16 bits. */

#include "../core/guest.h"

#define MEMORY 0x200000u
#define DESC(base, limit, access, flags)                                                           \
    (((u64)(limit)&0xffff) | ((u64)(base)&0xffffff) << 16 | (u64)(access) << 40 |                  \
     ((u64)(limit) >> 16 & 0xf) << 48 | (u64)(flags) << 52 | (u64)((base) >> 24) << 56)
enum { RW = 0x92, RO = 0x90, DOWN = 0x96, CODE = 0x9a };
enum { BIG = 4, PAGES = 8 }; /* flags: D/B, G */

static void fs_is(u64 descriptor)
{
    gdt_set(SEL_FREE, descriptor);
    __asm__ volatile("mov %w0, %%fs" : : "r"(SEL_FREE));
}

static void fs_done(void)
{
    __asm__ volatile("mov %w0, %%fs" : : "r"(0));
    gdt_set(SEL_FREE, 0);
}

static int read8(u32 at)
{
    return CATCH(__asm__ volatile("movb %%fs:(%0), %%al" : : "r"(at) : "eax", "memory"));
}

static int read32(u32 at)
{
    return CATCH(__asm__ volatile("movl %%fs:(%0), %%eax" : : "r"(at) : "eax", "memory"));
}

static int write8(u32 at)
{
    return CATCH(__asm__ volatile("movb $1, %%fs:(%0)" : : "r"(at) : "memory"));
}

TEST(segment_limit, "a segment's limit: the last byte and the one behind it")
{
    fs_is(DESC(MEMORY, 0xfff, RW, BIG));
    CHECK_EQ(read8(0xfff), NO_TRAP);
    CHECK_EQ(read8(0x1000), GP);
    CHECK_EQ(trap_last.error, 0);
    CHECK_EQ(write8(0x1000), GP);
    CHECK_EQ(read32(0xffc), NO_TRAP);
    CHECK_EQ(read32(0xffd), GP);
    CHECK_EQ(read32(0xfffffffe), GP);
    fs_is(DESC(MEMORY, 1, RW, BIG | PAGES));
    CHECK_EQ(read8(0x1fff), NO_TRAP);
    CHECK_EQ(read8(0x2000), GP);
    CHECK_EQ(trap_last.error, 0);
    fs_done();
}

TEST(expand_down, "an expand-down segment's limit")
{
    fs_is(DESC(MEMORY, 0xfff, DOWN, BIG));
    CHECK_EQ(read8(0xfff), GP);
    CHECK_EQ(read8(0x1000), NO_TRAP);
    CHECK_EQ(read32(0xffe), GP);
    CHECK_EQ(read8(0x20000), NO_TRAP);
    fs_is(DESC(MEMORY, 0xfff, DOWN, 0));
    CHECK_EQ(read8(0xffff), NO_TRAP);
    CHECK_EQ(read8(0x10000), GP);
    CHECK_EQ(read32(0xfffd), GP);
    fs_done();
}

TEST(segment_type, "writes to read-only data and to code raise #GP(0), and so does a null segment")
{
    fs_is(DESC(MEMORY, 0xfffff, RO, BIG | PAGES));
    CHECK_EQ(read8(0), NO_TRAP);
    CHECK_EQ(write8(0), GP);
    CHECK_EQ(trap_last.error, 0);
    fs_is(DESC(MEMORY, 0xfffff, CODE, BIG | PAGES));
    CHECK_EQ(read8(0), NO_TRAP);
    CHECK_EQ(write8(0), GP);
    fs_done();
    CHECK_EQ(read8(0), GP);
    CHECK_EQ(trap_last.error, 0);
    CHECK_EQ(CATCH(__asm__ volatile("movb $0xc3, %%cs:(%0)" : : "r"(MEMORY) : "memory")), GP);
}

TEST(stack_limit, "an access beyond the stack segment's limit raises #SS(0)")
{
    gdt_set(SEL_FREE, DESC(0, 0xfff, RW, BIG | PAGES)); /* 16 MiB */
    CHECK_EQ(CATCH(__asm__ volatile("mov %w0, %%ss; movl %%ss:0x1000000, %%eax"
                                    :
                                    : "r"(SEL_FREE)
                                    : "eax", "memory")),
             SS);
    CHECK_EQ(trap_last.error, 0);
    __asm__ volatile("mov %w0, %%ss" : : "r"(SEL_FREE));
    CHECK_EQ(CATCH(__asm__ volatile("mov %%ebp, %%ebx; mov $0x1000000, %%ebp; movl 4(%%ebp), %%eax;"
                                    "mov %%ebx, %%ebp"
                                    :
                                    :
                                    : "eax", "ebx", "memory")),
             SS);
    __asm__ volatile("mov %w0, %%ss" : : "r"(SEL_DATA));
    gdt_set(SEL_FREE, 0);
}

static ulong fault_cx, fault_si, fault_di;

static bool note_string(struct frame *f)
{
    fault_cx = f->cx;
    fault_si = f->si;
    fault_di = f->di;
    return false;
}

TEST(string_limit, "REP OUTSB, INSB and MOVSB stop at a segment's limit")
{
    trap_handle(GP, note_string);
    fs_is(DESC(MEMORY, 0xfff, RW, BIG));
    CHECK_EQ(CATCH(__asm__ volatile("rep outsb %%fs:(%%esi), %%dx"
                                    :
                                    : "S"(0xff0), "c"(100), "d"(0xee)
                                    : "memory")),
             GP);
    CHECK_EQ(fault_cx, 84);
    CHECK_EQ(fault_si, 0x1000);
    CHECK_EQ(CATCH(__asm__ volatile("push %%fs; pop %%es; rep insb"
                                    :
                                    : "D"(0xff0), "c"(100), "d"(0x240)
                                    : "memory")),
             GP);
    CHECK_EQ(fault_cx, 84);
    CHECK_EQ(fault_di, 0x1000);
    CHECK_EQ(CATCH(__asm__ volatile("push %%fs; pop %%es; rep movsb"
                                    :
                                    : "S"(0xb8000), "D"(0xff0), "c"(100)
                                    : "memory")),
             GP);
    CHECK_EQ(fault_cx, 84);
    CHECK_EQ(fault_si, 0xb8000 + 16);
    __asm__ volatile("mov %w0, %%es" : : "r"(SEL_DATA));
    fs_done();
    trap_handle(GP, NULL);
}

TEST(device_segment, "device memory through a segment with a base and a limit")
{
    volatile u8 *text = (volatile u8 *)0xb8f00;
    u8 kept = text[4];
    u32 v;
    fs_is(DESC(0xb8f00, 7, RW, BIG));
    text[4] = 0x5a;
    __asm__ volatile("movzbl %%fs:4, %0" : "=r"(v));
    CHECK_EQ(v, 0x5a);
    CHECK_EQ(write8(7), NO_TRAP);
    CHECK_EQ(write8(8), GP);
    CHECK_EQ(read32(5), GP);
    CHECK_EQ(read32(4), NO_TRAP);
    fs_done();
    text[4] = kept;
}

TEST(code_limit, "a jump beyond the code segment's limit raises #GP(0)")
{
    static struct {
        u32 offset;
        u16 selector;
    } __attribute__((packed)) target = {0x2000, SEL_FREE};
    gdt_set(SEL_FREE, DESC(0, 0x1fff, CODE, BIG));
    CHECK_EQ(CATCH(__asm__ volatile("ljmp *%0" : : "m"(target))), GP);
    CHECK_EQ(trap_last.error, 0);
    CHECK_EQ(trap_last.cs, SEL_CODE);
    gdt_set(SEL_FREE, 0);
}

TEST(into_bound, "INTO is a trap, BOUND a fault")
{
    static const u32 bounds[2] = {10, 20};
    CHECK_EQ(CATCH(__asm__ volatile("mov $0x7fffffff, %%eax; inc %%eax; into"
                                    :
                                    :
                                    : "eax", "cc")),
             OF);
    CHECK_EQ(CATCH(__asm__ volatile("xor %%eax, %%eax; into" : : : "eax", "cc")), NO_TRAP);
    CHECK_EQ(CATCH(__asm__ volatile("bound %0, %1" : : "r"(15), "m"(bounds))), NO_TRAP);
    CHECK_EQ(CATCH(__asm__ volatile("bound %0, %1" : : "r"(21), "m"(bounds))), BR);
    CHECK_EQ(CATCH(__asm__ volatile("bound %0, %1" : : "r"(-1), "m"(bounds))), BR);
}

TEST(arpl, "ARPL raises the RPL and sets ZF")
{
    u32 a = 0x10;
    u8 zf;
    __asm__ volatile("arpl %w2, %w0; setz %1" : "+r"(a), "=q"(zf) : "r"(3) : "cc");
    CHECK_EQ(a, 0x13);
    CHECK_EQ(zf, 1);
    __asm__ volatile("arpl %w2, %w0; setz %1" : "+r"(a), "=q"(zf) : "r"(2) : "cc");
    CHECK_EQ(a, 0x13);
    CHECK_EQ(zf, 0);
}

TEST(far_pointers, "LFS, LES and LSS load both halves or fault")
{
    struct pointer {
        u32 offset;
        u16 selector;
    } __attribute__((packed));
    static struct pointer good = {0x1234, SEL_DATA}, bad = {0x1234, 0x1000};
    u32 v = 0, s = 0;
    __asm__ volatile("lfs %2, %0; mov %%fs, %1" : "=r"(v), "=r"(s) : "m"(good));
    CHECK_EQ(v, 0x1234);
    CHECK_EQ(s & 0xffff, SEL_DATA);
    CHECK_EQ(CATCH(__asm__ volatile("lfs %0, %%eax" : : "m"(bad) : "eax")), GP);
    CHECK_EQ(trap_last.error, 0x1000);
    CHECK_EQ(CATCH(__asm__ volatile("lss %0, %%esp" : : "m"(bad))), GP);
    CHECK_EQ(trap_last.error, 0x1000);
    __asm__ volatile("mov %w0, %%fs" : : "r"(0));
}

/* ---- Gates of 16 bits ---- */

enum { LOW = 0xb000, VECTOR = 0x32, GATE_INT16 = 0x86, GATE_TRAP16 = 0x87 };
extern u8 low16_begin[], low16_end[], low16_int[], low16_handler[], low16_fault[],
    low16_error_handler[], low16_code[], low16_result[];

#define LOW_AT(label) (LOW + ((label)-low16_begin))

static const volatile u32 *low16_run(const u8 *code)
{
    memcpy((void *)LOW, low16_begin, (ulong)(low16_end - low16_begin));
    ((void (*)(void))LOW_AT(code))();
    return (const volatile u32 *)LOW_AT(low16_result);
}

TEST(gate16, "interrupt and trap gates of 16 bits push words")
{
    for (unsigned i = 0; i < 2; i++) {
        trap_gate(VECTOR, i ? GATE_TRAP16 : GATE_INT16, 0, (void (*)(void))LOW_AT(low16_handler));
        const volatile u32 *r = low16_run(low16_int);
        CHECK_EQ(r[1], r[0]);
        CHECK_EQ(r[3], r[0] - 6);
        CHECK_EQ(r[4], r[2] | SEL_CODE << 16);
        CHECK(!(r[5] & FLAG_IF));
    }
    trap_gate(VECTOR, GATE_INTERRUPT, 0, NULL);
}

TEST(gate16_error, "a gate of 16 bits pushes the error code as a word")
{
    trap_gate(GP, GATE_INT16, 0, (void (*)(void))LOW_AT(low16_error_handler));
    const volatile u32 *r = low16_run(low16_fault);
    trap_gate(GP, GATE_INTERRUPT, 0, NULL);
    CHECK_EQ(r[1], r[0]);
    CHECK_EQ(r[3] & 0xffff, 0x1230);
    CHECK_EQ(r[4], r[0] - 8);
}

static bool resume(struct frame *f)
{
    return f->cs == SEL_CODE16;
}

TEST(code16, "protected-mode code of 16 bits: INT through a gate of 32 bits, IRET, CALL, PUSH")
{
    trap_handle(VEC_SOFT, resume);
    const volatile u32 *r = low16_run(low16_code);
    trap_handle(VEC_SOFT, NULL);
    CHECK_EQ(r[0], 0x11112222);
    CHECK_EQ(r[1] & 0xffff, SEL_CODE16);
    CHECK_EQ(r[2], 0x33334444);
    CHECK_EQ(r[3] & 0xffff, 0x5555);
}
