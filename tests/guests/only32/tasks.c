/* Hardware task switches (SDM vol. 3, chapter 7). */

#include "../core/guest.h"

enum { SEL_TASK = 0x70, SEL_GATE = 0x78, STACK_BYTES = 4096, TSS_TYPE = 0x89, GATE_TYPE = 0x85 };

struct tss {
    u32 link, stacks[6], cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    u32 es, cs, ss, ds, fs, gs, ldt;
    u16 trap, io;
};
_Static_assert(sizeof(struct tss) == 104, "SDM vol. 3, figure 7-2");

struct entry { /* what task_entry has pushed */
    u32 flags, edi, esi, ebp, esp, ebx, edx, ecx, eax, error;
};

struct far {
    u32 offset;
    u16 sel;
};

extern u8 task_entry[], task_called[];
void task_call(void);
void task_jump(void);
void task_body(const struct entry *e);

struct far task_there = {0, SEL_TASK}, task_back = {0, SEL_TSS};
volatile u32 task_leaves_by_jump, task_drop, task_kept;

static struct tss task __attribute__((aligned(128)));
static u8 stack[STACK_BYTES] aligned_page;
static struct {
    u32 runs, flags, error, eax, cr3, tr, skip;
    bool ts;
} volatile seen;

static struct tss *main_tss(void)
{
    u64 d = gdt_get(SEL_TSS);
    return (struct tss *)(ulong)((d >> 16 & 0xffffff) | (d >> 56) << 24);
}

static u32 selector_of_tr(void)
{
    u32 sel;
    __asm__ volatile("str %0" : "=r"(sel));
    return sel & 0xffff;
}

/* Runs in the second task. */
void task_body(const struct entry *e)
{
    seen.runs++;
    seen.flags = e->flags;
    seen.eax = e->eax;
    seen.error = e->error;
    seen.cr3 = (u32)read_cr3();
    seen.tr = selector_of_tr();
    seen.ts = read_cr0() & CR0_TS;
    main_tss()->eip += seen.skip;
}

static u64 system_descriptor(const void *base, u32 limit, u8 type)
{
    ulong at = (ulong)base;
    return limit | (u64)(at & 0xffffff) << 16 | (u64)type << 40 | (u64)(at >> 24) << 56;
}

static bool busy(unsigned selector)
{
    return gdt_get(selector) >> 41 & 1;
}

static u64 idt_swap(unsigned vector, u64 gate)
{
    struct {
        u16 limit;
        u64 *base;
    } __attribute__((packed)) idtr;
    __asm__ volatile("sidt %0" : "=m"(idtr));
    u64 old = idtr.base[vector];
    idtr.base[vector] = gate;
    return old;
}

#define TASK_GATE(dpl) ((u64)SEL_TASK << 16 | (u64)(GATE_TYPE | (dpl) << 5) << 40)

/* Both tasks ready: the first with the CR3 that a switch back loads. */
static void prepare(void)
{
    memset(&task, 0, sizeof task);
    task.cr3 = main_tss()->cr3 = (u32)read_cr3();
    task.eip = (u32)task_entry;
    task.eflags = 2;
    task.eax = 0x12345678;
    task.esp = (u32)(stack + sizeof stack);
    task.cs = SEL_CODE;
    task.ss = SEL_DATA;
    task.ds = SEL_DATA;
    task.io = sizeof task;
    gdt_set(SEL_TASK, system_descriptor(&task, sizeof task - 1, TSS_TYPE));
    gdt_set(SEL_GATE, TASK_GATE(0));
    task_there.sel = SEL_TASK;
    task_leaves_by_jump = task_drop = task_kept = 0;
    memset((void *)&seen, 0, sizeof seen);
}

static bool skipped(void)
{
    if (tasks_exit())
        return false;
    test_skip("this CPU does not let the hypervisor see task switches");
    return true;
}

#define TASK_TEST(fn, title)                                                                       \
    static void fn##_body(void);                                                                   \
    TEST_PAGED(fn, "task switch: " title)                                                          \
    {                                                                                              \
        if (skipped())                                                                             \
            return;                                                                                \
        prepare();                                                                                 \
        fn##_body();                                                                               \
        __asm__ volatile("clts");                                                                  \
    }                                                                                              \
    static void fn##_body(void)

TASK_TEST(task_nested, "a task by CALL, and back by IRET")
{
    for (unsigned i = 1; i <= 3; i++) {
        __asm__ volatile("clts");
        task_call();
        CHECK_EQ(seen.runs, i);
        CHECK_EQ(task_kept, i);
        CHECK(seen.flags & 1 << 14);
        CHECK(seen.ts);
        CHECK_EQ(seen.tr, SEL_TASK);
        CHECK_EQ(selector_of_tr(), SEL_TSS);
        CHECK_EQ(task.link & 0xffff, SEL_TSS);
        CHECK_EQ(main_tss()->eip, (ulong)task_called);
        CHECK(!(task.eflags & 1 << 14)); /* IRET does not save NT */
        CHECK(!(read_flags() & 1 << 14));
        CHECK(busy(SEL_TSS) && !busy(SEL_TASK));
    }
    CHECK_EQ(seen.eax, 0x12345678);
}

TASK_TEST(task_jumps, "a task by JMP, and back by JMP")
{
    task_leaves_by_jump = 1;
    for (unsigned i = 1; i <= 3; i++) {
        task_jump();
        CHECK_EQ(seen.runs, i);
        CHECK_EQ(task_kept, i);
        CHECK(!(seen.flags & 1 << 14));
        CHECK_EQ(task.link, 0);
        CHECK(busy(SEL_TSS) && !busy(SEL_TASK));
    }
}

TASK_TEST(task_gates, "a task through a gate in the GDT")
{
    task_there.sel = SEL_GATE;
    task_call();
    CHECK_EQ(seen.runs, 1);
    CHECK_EQ(seen.tr, SEL_TASK);
    gdt_set(SEL_GATE, TASK_GATE(0) & ~(1ull << 47));
    CHECK_EQ(CATCH(task_call()), NP);
    CHECK_EQ(trap_last.error, SEL_GATE);
}

TASK_TEST(task_space, "a task with a page directory of its own")
{
    u8 *page = page_alloc();
    paging_map(WINDOW, page, PTE_ALL);
    *page = 5;
    ulong here = read_cr3(), there = paging_new_space();
    task.cr3 = (u32)there;
    for (unsigned i = 0; i < 3; i++) {
        task_call();
        CHECK_EQ(seen.cr3, there);
        CHECK_EQ(read_cr3(), here);
        CHECK_EQ(*(volatile u8 *)WINDOW, 5);
    }
}

TASK_TEST(task_exception, "an exception with error code through a task gate")
{
    u64 gate = idt_swap(GP, TASK_GATE(0));
    task_drop = 4;
    seen.skip = 2; /* mov %ax, %fs below */
    __asm__ volatile("mov %0, %%eax; mov %%ax, %%fs" : : "i"(SEL_TSS) : "eax");
    idt_swap(GP, gate);
    CHECK_EQ(seen.runs, 1);
    CHECK_EQ(seen.error, SEL_TSS);
    CHECK(main_tss()->eflags & FLAG_RF);
    CHECK_EQ(selector_of_tr(), SEL_TSS);
}

static void soft_interrupt(void)
{
    __asm__ volatile("int $0x31");
    __asm__ volatile("int $0x31");
}

TASK_TEST(task_interrupt, "INT n in ring 3 through a task gate")
{
    u64 gate = idt_swap(VEC_SOFT, TASK_GATE(3));
    CHECK_EQ(user_run(soft_interrupt, 0), NO_TRAP);
    CHECK_EQ(seen.runs, 2);
    CHECK_EQ(main_tss()->cs & 0xffff, SEL_UCODE);
    idt_swap(VEC_SOFT, TASK_GATE(0));
    CHECK_EQ(user_run(soft_interrupt, 0), GP);
    CHECK_EQ(trap_last.error, VEC_SOFT * 8 + 2);
    idt_swap(VEC_SOFT, gate);
}

TASK_TEST(task_double_fault, "a double fault through a task gate")
{
    u64 df = idt_swap(DF, TASK_GATE(0)), gp = idt_swap(GP, 0);
    task_drop = 4;
    seen.skip = 2;
    __asm__ volatile("mov %0, %%eax; mov %%ax, %%fs" : : "i"(SEL_TSS) : "eax");
    idt_swap(DF, df);
    idt_swap(GP, gp);
    CHECK_EQ(seen.runs, 1);
    CHECK_EQ(seen.error, 0);
}

/* A timer interrupt while the main task waits. */
TASK_TEST(task_irq, "an interrupt through a task gate")
{
    u64 gate = idt_swap(IRQ_BASE, TASK_GATE(0));
    pic_mask(0xfffe);
    pit_one_shot(1000);
    for (unsigned i = 0; i < 100 && !seen.runs; i++)
        __asm__ volatile("sti; hlt; cli");
    pic_mask(0xffff);
    pic_eoi(0);
    idt_swap(IRQ_BASE, gate);
    CHECK_EQ(seen.runs, 1);
    CHECK(main_tss()->eflags & FLAG_IF);
    CHECK(!(seen.flags & FLAG_IF));
}

TASK_TEST(task_checks, "what a TSS has to be")
{
    u64 d = gdt_get(SEL_TASK);
    gdt_set(SEL_TASK, d | 2ull << 40);
    CHECK_EQ(CATCH(task_call()), GP);
    CHECK_EQ(trap_last.error, SEL_TASK);
    gdt_set(SEL_TASK, d & ~(1ull << 47));
    CHECK_EQ(CATCH(task_call()), NP);
    CHECK_EQ(trap_last.error, SEL_TASK);
    gdt_set(SEL_TASK, d - 1);
    CHECK_EQ(CATCH(task_call()), TS);
    CHECK_EQ(trap_last.error, SEL_TASK);
    gdt_set(SEL_TASK, d);
    CHECK_EQ(selector_of_tr(), SEL_TSS);
    CHECK_EQ(seen.runs, 0);
}

static volatile u32 fault_error, fault_tr, fault_ip;

static bool repair(struct frame *f)
{
    fault_ip = (u32)f->ip;
    f->ip = (ulong)task_entry;
    f->ds = SEL_DATA; /* or the handler's end would fault again */
    fault_error = (u32)f->error;
    fault_tr = selector_of_tr();
    return true;
}

TASK_TEST(task_fault_inside, "a segment that is absent: #NP in the new task")
{
    gdt_set(SEL_GATE, 0x00cf12000000ffff); /* data, not present */
    task.ds = SEL_GATE;
    trap_handle(NP, repair);
    task_call();
    trap_handle(NP, NULL);
    CHECK_EQ(fault_error, SEL_GATE);
    CHECK_EQ(fault_tr, SEL_TASK);
    CHECK_EQ(fault_ip, (ulong)task_entry);
    CHECK_EQ(seen.runs, 1);
    CHECK_EQ(selector_of_tr(), SEL_TSS);
}

static volatile u32 debug_dr6, debug_ip;

static bool on_debug(struct frame *f)
{
    __asm__ volatile("mov %%dr6, %0" : "=r"(debug_dr6));
    debug_ip = (u32)f->ip;
    return true;
}

TASK_TEST(task_debug, "the T bit of a TSS traps; local breakpoints end")
{
    u32 dr7;
    task.trap = 1;
    trap_handle(DB, on_debug);
    __asm__ volatile("mov %0, %%dr6; mov %0, %%dr0; mov %1, %%dr7" : : "r"(0), "r"(0x403));
    task_call();
    __asm__ volatile("mov %%dr7, %0; mov %1, %%dr7" : "=&r"(dr7) : "r"(0x400));
    trap_handle(DB, NULL);
    CHECK_EQ(debug_dr6 & 0xe00f, 0x8000);
    CHECK_EQ(debug_ip, (ulong)task_entry);
    CHECK_EQ(dr7 & 0xff, 2);
    CHECK_EQ(seen.runs, 1);
}

/* With the 16-bit format the upper halves are nobody's, so the stack and the code are low. */
TASK_TEST(task_16bit, "a 16-bit TSS")
{
    static u16 old[22] __attribute__((aligned(64)));
    u16 *low = (u16 *)0x7000;
    static const u8 code[] = {0xcf}; /* IRET */
    memset(old, 0, sizeof old);
    memcpy(low, code, sizeof code);
    old[7] = 0x7000;
    old[8] = 2;
    old[9] = 0x4321;
    old[13] = 0x6ff0;
    old[18] = SEL_CODE16;
    old[19] = SEL_DATA16;
    gdt_set(SEL_TASK, system_descriptor(old, sizeof old - 1, 0x81));
    for (unsigned i = 1; i <= 3; i++) {
        old[7] = 0x7000;
        task_call();
        CHECK_EQ(task_kept, i);
        CHECK_EQ(old[0], SEL_TSS);
        CHECK_EQ(old[7], 0x7001);
        CHECK_EQ(old[9], 0x4321);
        CHECK_EQ(old[13], 0x6ff0);
    }
    CHECK_EQ(selector_of_tr(), SEL_TSS);
}
