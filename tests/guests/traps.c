/* Exceptions, interrupts and debugging (SDM vol. 3, chapters 6 and 17). */

#include "debug.h"

/* Runs the instructions up to the label `after`, and checks that the trap's IP is the faulting one's. */
#define FAULT_IP(text, ...)                                                                        \
    ({                                                                                             \
        ulong at_;                                                                                 \
        __asm__ volatile("lea 771f, %0" : "=r"(at_));                                              \
        int v_ = CATCH(__asm__ volatile("771: " text : : __VA_ARGS__ : "memory", "cc"));           \
        CHECK_EQ(trap_last.ip, at_);                                                               \
        v_;                                                                                        \
    })

TEST(no_error_code, "exceptions without an error code")
{
    CHECK_EQ(FAULT_IP("div %0", "r"(0), "a"(1), "d"(0)), DE);
    CHECK_EQ(FAULT_IP("ud2", "r"(0)), UD);
    CHECK_EQ(CATCH(__asm__ volatile("int3")), BP);
    CHECK_EQ(CATCH(__asm__ volatile("int $3")), BP);
    CHECK_EQ(CATCH(__asm__ volatile("int $4")), OF);
    CHECK_EQ(CATCH(__asm__ volatile("lock; nop")), UD);
}

TEST(trap_ip, "a trap's IP is behind its instruction, a fault's at it")
{
    ulong at, after;
    __asm__ volatile("lea 1f, %0" : "=r"(at));
    __asm__ volatile("lea 2f, %0" : "=r"(after));
    CHECK_EQ(CATCH(__asm__ volatile("1: int3\n2:")), BP);
    CHECK_EQ(trap_last.ip, after);
    CHECK_EQ(after - at, 1);
}

TEST(icebp, "INT1 is a trap to vector 1")
{
    CHECK_EQ(CATCH(__asm__ volatile(".byte 0xf1")), DB);
}

TEST(device_not_available, "#NM with CR0.TS, none after CLTS")
{
    write_cr0((read_cr0() & ~CR0_EM) | CR0_TS);
    CHECK_EQ(FAULT_IP("fninit", "r"(0)), NM);
    __asm__ volatile("clts; fninit");
    write_cr0(read_cr0() | CR0_TS | CR0_MP);
    CHECK_EQ(FAULT_IP("fwait", "r"(0)), NM);
    __asm__ volatile("clts; fwait");
    write_cr0(read_cr0() & ~CR0_MP);
}

TEST(fpu_error, "#MF with CR0.NE")
{
    u16 control = 0x37b; /* division by zero unmasked */
    write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | 1ul << 5);
    __asm__ volatile("fninit; fldcw %0; fldz; fld1; fdivp" : : "m"(control));
    CHECK_EQ(CATCH(__asm__ volatile("fwait")), MF);
    __asm__ volatile("fnclex; fninit");
}

TEST(selector_errors, "exceptions with a selector as error code")
{
    const u64 absent = gdt_get(SEL_DATA) & ~(1ull << 47);
    CHECK_EQ(FAULT_IP("mov %w0, %%ds", "r"(0x1230)), GP);
    CHECK_EQ(trap_last.error, 0x1230);
    gdt_set(SEL_FREE, absent);
    CHECK_EQ(FAULT_IP("mov %w0, %%fs", "r"(SEL_FREE)), NP);
    CHECK_EQ(trap_last.error, SEL_FREE);
    CHECK_EQ(FAULT_IP("mov %w0, %%ss", "r"(SEL_FREE)), SS);
    CHECK_EQ(trap_last.error, SEL_FREE);
    CHECK_EQ(FAULT_IP("ltr %w0", "r"(SEL_DATA)), GP);
    CHECK_EQ(trap_last.error, SEL_DATA);
    gdt_set(SEL_FREE, 0);
}

TEST(idt_errors, "gates beyond the limit, not present, without privilege")
{
    CHECK_EQ(CATCH(__asm__ volatile("int $0x80")), GP);
    trap_gate(0x32, GATE_ABSENT, 0, NULL);
    CHECK_EQ(CATCH(__asm__ volatile("int $0x32")), NP);
    trap_gate(0x32, GATE_INTERRUPT, 0, NULL);
    CHECK_EQ(CATCH(__asm__ volatile("int $0x32")), 0x32);
}

TEST(idt_error_code, "the error code of a vector beyond the IDT's limit")
{
    CHECK_EQ(CATCH(__asm__ volatile("int $0x80")), GP);
    CHECK_EQ(trap_last.error, 0x80 * 8 + 2);
}

static volatile ulong handler_flags, frame_flags;

static bool note_flags(struct frame *f)
{
    handler_flags = read_flags();
    frame_flags = f->flags;
    return true;
}

TEST(gates, "interrupt gates clear IF, trap gates do not, IRET restores it")
{
    trap_handle(VEC_SOFT, note_flags);
    __asm__ volatile("sti; nop; int $0x31");
    CHECK(!(handler_flags & FLAG_IF));
    CHECK(frame_flags & FLAG_IF);
    CHECK(read_flags() & FLAG_IF);
    trap_gate(VEC_SOFT, GATE_TRAP, 3, NULL);
    __asm__ volatile("int $0x31");
    CHECK(handler_flags & FLAG_IF);
    CHECK(read_flags() & FLAG_IF);
    __asm__ volatile("cli");
    trap_gate(VEC_SOFT, GATE_INTERRUPT, 3, NULL);
    trap_handle(VEC_SOFT, NULL);
}

static bool skip_two(struct frame *f)
{
    f->ip += 2;
    f->ax = 0x1234;
    return true;
}

TEST(iret_to_changed_frame, "a handler's changes of the frame take effect")
{
    ulong ax = 0;
    trap_handle(UD, skip_two);
    __asm__ volatile("ud2" : "+a"(ax));
    trap_handle(UD, NULL);
    CHECK_EQ(ax, 0x1234);
}

/* ---- Single step and debug registers ---- */

extern u8 step_first[], step_last[];

TEST(single_step, "TF traps after every instruction, those that exit too")
{
    static volatile u32 cell;
    debug_begin((ulong)step_last);
    ulong a = 0, c = 0;
    __asm__ volatile("push %[tf]; popf\n"
                     "step_first: nop\n"
                     "nop\n"
                     "cpuid\n"
                     "nop\n"
                     "in $0x21, %%al\n"
                     "incl %[cell]\n"
                     "mov %%cr0, %%" LONG_OR_SHORT("rax", "eax") "\n"
                                                                 "nop\n"
                                                                 "step_last: nop\n"
                     : "+a"(a), "+c"(c), [cell] "+m"(cell)
                     : [tf] "r"(read_flags() | FLAG_TF)
                     : "ebx", "edx", "memory", "cc");
    debug_end();
    CHECK_EQ(steps, 8);
    CHECK_EQ(step_ip[0], (ulong)step_first + 1);
    CHECK_EQ(step_ip[1], (ulong)step_first + 2);
    CHECK_EQ(step_ip[2], (ulong)step_first + 4);
    CHECK_EQ(step_ip[3], (ulong)step_first + 5);
    CHECK_EQ(step_ip[4], (ulong)step_first + 7);
    CHECK(step_dr6 & 1 << 14);
}

TEST(instruction_breakpoint, "an instruction breakpoint faults before it")
{
    ulong at;
    __asm__ volatile("lea 1f, %0" : "=r"(at));
    debug_begin(0);
    write_dr0(at);
    write_dr7(1 << 9 | 1 << 1 | 0x400); /* G0, GE: execution */
    __asm__ volatile("nop\n1: nop");
    debug_end();
    CHECK_EQ(steps, 1);
    CHECK_EQ(step_ip[0], at);
    CHECK_EQ(step_dr6 & 0xf, 1);
    CHECK(!(step_dr6 & 1 << 14));
}

TEST(data_breakpoint, "a data breakpoint traps after the write, reads do not")
{
    static volatile u32 cell[2] __attribute__((aligned(8)));
    debug_begin(0);
    write_dr0((ulong)&cell[0]);
    write_dr7(1 << 1 | 1 << 9 | 0x400 | 1u << 16 | 3u << 18); /* G0: writes, 4 bytes */
    cell[1] = 1;
    (void)cell[0];
    CHECK_EQ(steps, 0);
    cell[0] = 1;
    debug_end();
    CHECK_EQ(steps, 1);
    CHECK_EQ(step_dr6 & 0xf, 1);
    CHECK_EQ(cell[0], 1);
}

TEST(general_detect, "DR7.GD: an access to a debug register faults")
{
    write_dr6(0);
    write_dr7(1 << 13 | 0x400);
    CHECK_EQ(CATCH(read_dr6()), DB);
    CHECK(read_dr6() & 1 << 13); /* the exception cleared GD */
    CHECK(!(read_dr7() & 1 << 13));
    write_dr6(0);
    write_dr7(0x400);
}

TEST(double_fault, "an exception while #NP is delivered is a double fault")
{
    trap_gate(UD, GATE_ABSENT, 0, NULL);
    trap_gate(NP, GATE_ABSENT, 0, NULL);
    CHECK_EQ(CATCH(__asm__ volatile("ud2")), DF);
    CHECK_EQ(trap_last.error, 0);
    trap_gate(UD, GATE_INTERRUPT, 0, NULL);
    trap_gate(NP, GATE_INTERRUPT, 0, NULL);
}
