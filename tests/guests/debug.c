/* Breakpoints of every kind and single steps (SDM vol. 3, 17.2 and 17.3). */

#include "debug.h"

volatile unsigned steps;
volatile ulong step_ip[STEPS], step_dr6;
static volatile ulong stop_at;

static bool note_step(struct frame *f)
{
    if (steps < STEPS)
        step_ip[steps] = f->ip;
    steps++;
    step_dr6 = read_dr6();
    write_dr6(0);
    if (f->ip == stop_at || steps >= STEPS)
        f->flags &= ~FLAG_TF;
    f->flags |= FLAG_RF;
    return true;
}

void debug_begin(ulong until)
{
    steps = 0;
    step_dr6 = 0;
    stop_at = until;
    write_dr6(0);
    trap_handle(DB, note_step);
}

void debug_end(void)
{
    write_dr7(DR7_SET);
    trap_handle(DB, NULL);
}

/* Steps through the instructions of text; the labels are 661 before the first and 662 behind the last. */
#define STEP_THROUGH(first, text, ...)                                                             \
    do {                                                                                           \
        ulong last_;                                                                               \
        __asm__ volatile("lea 661f, %0" : "=r"(first));                                            \
        __asm__ volatile("lea 662f, %0" : "=r"(last_));                                            \
        debug_begin(last_);                                                                        \
        __asm__ volatile("push %0; popf\n661: " text "\n662: nop"                                  \
                         :                                                                         \
                         : "r"(read_flags() | FLAG_TF), ##__VA_ARGS__                              \
                         : "memory", "cc", "eax", "ebx", "ecx", "edx");                            \
        debug_end();                                                                               \
    } while (0)

TEST(dr_values, "debug registers hold what was written, DR6 and DR7 their fixed bits")
{
    write_dr0(0x1234567);
    write_dr1(0x89abcde);
    write_dr2(0xfedcba);
    write_dr3(0x7654321);
    (void)cpuid(0, 0);
    CHECK_EQ(read_dr0(), 0x1234567);
    CHECK_EQ(read_dr1(), 0x89abcde);
    CHECK_EQ(read_dr2(), 0xfedcba);
    CHECK_EQ(read_dr3(), 0x7654321);
    write_dr6(0);
    CHECK_EQ(read_dr6(), 0xffff0ff0);
    write_dr7(0);
    CHECK_EQ(read_dr7(), 0x400);
    write_dr7(0xffff0155);
    CHECK_EQ(read_dr7(), 0xffff0555);
    write_dr7(DR7_SET);
    write_dr0(0);
    write_dr1(0);
    write_dr2(0);
    write_dr3(0);
}

TEST(dr_alias, "DR4 and DR5 are DR6 and DR7 without CR4.DE, and #UD with it")
{
    static ulong v4, v5;
    ulong cr4 = read_cr4();
    write_cr4(cr4 & ~CR4_DE);
    write_dr6(0);
    CHECK_EQ(CATCH(__asm__ volatile(".byte 0x0f, 0x21, 0xe0" : "=a"(v4))), NO_TRAP);
    CHECK_EQ(CATCH(__asm__ volatile(".byte 0x0f, 0x21, 0xe8" : "=a"(v5))), NO_TRAP);
    CHECK_EQ(v4, read_dr6());
    CHECK_EQ(v5, read_dr7());
    write_cr4(cr4 | CR4_DE);
    CHECK_EQ(CATCH(__asm__ volatile(".byte 0x0f, 0x21, 0xe0" : : : "eax")), UD);
    CHECK_EQ(CATCH(__asm__ volatile(".byte 0x0f, 0x21, 0xe8" : : : "eax")), UD);
    write_cr4(cr4);
}

TEST(watch_reads, "a breakpoint on reads and writes takes both, of any width that touches it")
{
    static volatile u8 cell[16] __attribute__((aligned(16)));
    debug_begin(0);
    write_dr1((ulong)&cell[5]);
    write_dr7(DR7_ON(1, BREAK_RW, 1));
    (void)cell[4];
    cell[6] = 1;
    CHECK_EQ(steps, 0);
    (void)cell[5];
    CHECK_EQ(steps, 1);
    CHECK_EQ(step_dr6 & 0xf, 2);
    (void)*(volatile u32 *)(cell + 4);
    CHECK_EQ(steps, 2);
    (void)*(volatile u16 *)(cell + 4);
    CHECK_EQ(steps, 3);
    *(volatile u32 *)(cell + 2) = 0;
    CHECK_EQ(steps, 4);
    *(volatile u32 *)(cell + 1) = 0;
    CHECK_EQ(steps, 4);
    debug_end();
}

TEST(watch_lengths, "breakpoints of 1, 2 and 4 bytes take in that much")
{
    static volatile u8 cell[16] __attribute__((aligned(16)));
    for (unsigned bytes = 1; bytes <= 4; bytes *= 2) {
        debug_begin(0);
        write_dr2((ulong)&cell[4]);
        write_dr7(DR7_ON(2, BREAK_W, bytes));
        for (unsigned i = 0; i < 16; i++)
            cell[i] = 1;
        debug_end();
        CHECK_EQ(steps, bytes);
        CHECK_EQ(step_dr6 & 0xf, 4);
    }
}

TEST(watch_two, "two breakpoints that match at once are both in DR6")
{
    static volatile u32 cell;
    debug_begin(0);
    write_dr0((ulong)&cell);
    write_dr3((ulong)&cell);
    write_dr7(DR7_ON(0, BREAK_W, 4) | DR7_ON(3, BREAK_RW, 4));
    cell = 1;
    debug_end();
    CHECK_EQ(steps, 1);
    CHECK_EQ(step_dr6 & 0xf, 9);
}

TEST(watch_rep, "a data breakpoint in a REP MOVS traps after its iteration")
{
    static u8 from[8], to[8];
    ulong n = 8, left, si = (ulong)from, di = (ulong)to;
    debug_begin(0);
    write_dr0((ulong)&to[2]);
    write_dr7(DR7_ON(0, BREAK_W, 1));
    __asm__ volatile("rep movsb" : "+c"(n), "+S"(si), "+D"(di) : : "memory");
    left = n;
    debug_end();
    CHECK_EQ(steps, 1);
    CHECK_EQ(left, 0);
}

TEST(break_io, "an I/O breakpoint traps after IN and OUT of its port")
{
    ulong cr4 = read_cr4();
    u8 mask = in8(0x21);
    write_cr4(cr4 | CR4_DE);
    debug_begin(0);
    write_dr0(0x21);
    write_dr7(DR7_ON(0, BREAK_IO, 1));
    (void)in8(0x20);
    CHECK_EQ(steps, 0);
    CHECK_EQ(in8(0x21), mask);
    CHECK_EQ(steps, 1);
    out8(0x21, mask);
    CHECK_EQ(steps, 2);
    CHECK_EQ(step_dr6 & 0xf, 1);
    debug_end();
    write_cr4(cr4);
}

static u8 code_mov[] = {0xb8, 1, 0, 0, 0, 0x90, 0xc3}; /* MOV EAX, 1; NOP; RET */

TEST(break_code_off,
     "an instruction breakpoint that is off, or inside an instruction, does nothing")
{
    debug_begin(0);
    write_dr0((ulong)code_mov);
    write_dr1((ulong)code_mov + 1);
    write_dr7(DR7_SET);
    ((void (*)(void))code_mov)();
    CHECK_EQ(steps, 0);
    write_dr7(DR7_ON(1, BREAK_X, 1));
    ((void (*)(void))code_mov)();
    CHECK_EQ(steps, 0);
    write_dr7(DR7_ON(0, BREAK_X, 1));
    ((void (*)(void))code_mov)();
    debug_end();
    CHECK_EQ(steps, 1);
    CHECK_EQ(step_ip[0], (ulong)code_mov);
}

TEST(break_cpuid, "an instruction breakpoint on an instruction that exits")
{
    ulong at;
    __asm__ volatile("lea 1f, %0" : "=r"(at));
    debug_begin(0);
    write_dr0(at);
    write_dr7(DR7_ON(0, BREAK_X, 1));
    __asm__ volatile("xor %%eax, %%eax\n1: cpuid" : : : "eax", "ebx", "ecx", "edx");
    debug_end();
    CHECK_EQ(steps, 1);
    CHECK_EQ(step_ip[0], at);
}

static volatile ulong fault_flags;

static bool note_fault_flags(struct frame *f)
{
    fault_flags = f->flags;
    f->ip += 2;
    return true;
}

TEST(rf_fault, "a fault pushes RF set, a trap and INT n do not")
{
    trap_handle(UD, note_fault_flags);
    __asm__ volatile("ud2");
    trap_handle(UD, NULL);
    CHECK(fault_flags & FLAG_RF);
    CHECK_EQ(CATCH(__asm__ volatile("int3")), BP);
    CHECK(!(trap_last.flags & FLAG_RF));
    CHECK_EQ(CATCH(__asm__ volatile("int $0x31")), VEC_SOFT);
    CHECK(!(trap_last.flags & FLAG_RF));
    CHECK(!(read_flags() & FLAG_RF)); /* PUSHF shows it clear */
}

TEST(step_rep, "a single step in a REP MOVS is one iteration")
{
    static u8 from[4], to[4];
    ulong first, n = 3, si = (ulong)from, di = (ulong)to;
    __asm__ volatile("lea 661f, %0" : "=r"(first));
    debug_begin(0);
    __asm__ volatile(
        "push %3; popf\n661: rep movsb\npushf; and %4, (%%" LONG_OR_SHORT("rsp", "esp") "); popf"
        : "+c"(n), "+S"(si), "+D"(di)
        : "r"(read_flags() | FLAG_TF), "r"(~FLAG_TF)
        : "memory", "cc");
    debug_end();
    CHECK_EQ(n, 0);
    CHECK_EQ(step_ip[0], first);
    CHECK_EQ(step_ip[1], first);
    CHECK_EQ(step_ip[2], first + 2);
}

static bool resume(struct frame *f)
{
    (void)f;
    return true;
}

TEST(step_int,
     "a single step of INT n stops neither in its handler nor before the next instruction")
{
    ulong first;
    trap_handle(VEC_SOFT, resume);
    STEP_THROUGH(first, "nop; int $0x31; nop; nop");
    trap_handle(VEC_SOFT, NULL);
    CHECK_EQ(step_ip[0], first + 1);
    CHECK_EQ(step_ip[1], first + 4);
    CHECK_EQ(step_ip[2], first + 5);
    CHECK_EQ(steps, 3);
}

TEST(step_mov_ss, "a single step after MOV to SS waits for the instruction behind it")
{
    ulong first;
    STEP_THROUGH(first, "mov %%ss, %%eax; mov %%eax, %%ss; nop; nop");
    CHECK_EQ(step_ip[0], first + 2);
    CHECK_EQ(step_ip[1], first + 5);
    CHECK_EQ(step_ip[2], first + 6);
    CHECK_EQ(steps, 3);
}

TEST(step_exits, "single steps of instructions that exit, each of them once")
{
    ulong first;
    STEP_THROUGH(first, "mov $0xc0000080, %%ecx\n" /* 5 bytes */
                        "rdmsr\n"
                        "wrmsr\n"
                        "xor %%eax, %%eax; xor %%ecx, %%ecx\n"
                        "cpuid\n"
                        "in $0x21, %%al\n"
                        "out %%al, $0x21\n"
                        "wbinvd\n");
    static const u8 at[] = {5, 7, 9, 11, 13, 15, 17, 19, 21};
    CHECK_EQ(steps, array_size(at));
    for (unsigned i = 0; i < array_size(at); i++)
        CHECK_EQ(step_ip[i], first + at[i]);
    CHECK(step_dr6 & DR6_BS);
}

TEST(step_and_watch, "a step and a breakpoint at once are one trap")
{
    static volatile u32 cell;
    ulong last;
    __asm__ volatile("lea 1f, %0" : "=r"(last));
    debug_begin(last);
    write_dr0((ulong)&cell);
    write_dr7(DR7_ON(0, BREAK_W, 4));
    __asm__ volatile("push %1; popf; incl %0\n1: nop"
                     : "+m"(cell)
                     : "r"(read_flags() | FLAG_TF)
                     : "memory", "cc");
    debug_end();
    CHECK_EQ(steps, 1);
    CHECK_EQ(step_dr6 & 0xf, 1);
    CHECK(step_dr6 & DR6_BS);
}

static volatile u32 user_cell;

static void u_store(void)
{
    user_cell = 1;
    user_exit();
}

TEST(watch_user, "a data breakpoint in ring 3")
{
    debug_begin(0);
    write_dr0((ulong)&user_cell);
    write_dr7(DR7_ON(0, BREAK_W, 4));
    CHECK_EQ(user_run(u_store, 0), NO_TRAP);
    debug_end();
    CHECK_EQ(steps, 1);
}
