/* NMIs, which come from outside: with the word nmi=timer the boot loader has set up the machine so that each tick of a
 * timer makes one (tests/nmi.sh). */

#include "core/guest.h"

enum { NMI = 2, CMOS = 0x70, CMOS_OPEN = 0x0d, CMOS_MASKED = 0x8d, LIMIT = 400000000 };

static volatile unsigned seen, depth, deepest;
static volatile struct {
    ulong ip, flags, inside;
    u64 tsc;
} last, first;
static void (*volatile serve)(void); /* what the next NMI's handler does, once */
static u64 period;

static u64 rdtsc(void)
{
    u32 lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return lo | (u64)hi << 32;
}

static bool on_nmi(struct frame *f)
{
    void (*what)(void) = serve;
    last.ip = f->ip;
    last.flags = f->flags;
    last.inside = read_flags();
    last.tsc = rdtsc();
    if (!seen)
        first = last;
    seen++;
    deepest = ++depth > deepest ? depth : deepest;
    serve = NULL;
    if (what)
        what();
    depth--;
    return true;
}

/* The loop that is interrupted; it has no exits. */
static bool wait_for(unsigned n)
{
    for (unsigned i = 0; i < LIMIT && seen < n; i++)
        ;
    return seen >= n;
}

static void pass(u64 cycles)
{
    u64 begin = rdtsc();
    while (rdtsc() - begin < cycles)
        ;
}

static void restart(void (*what)(void))
{
    serve = what;
    seen = depth = deepest = 0;
}

/* Opens the gate, and measures the time between two that do not wait for it. */
static bool begin_nmis(void)
{
    if (!nmis_come()) {
        test_skip("no NMI comes here");
        return false;
    }
    restart(NULL);
    trap_handle(NMI, on_nmi);
    out8(CMOS, CMOS_OPEN);
    if (!wait_for(2))
        bail_out("no NMI");
    u64 begin = last.tsc;
    wait_for(3);
    period = last.tsc - begin;
    restart(NULL);
    return true;
}

TEST(nmi_with_if_clear, "NMI: it comes with interrupts off, and its handler runs with them off")
{
    if (!begin_nmis())
        return;
    CHECK(wait_for(1));
    CHECK(!(last.flags & FLAG_IF));
    __asm__ volatile("sti");
    CHECK(wait_for(2));
    __asm__ volatile("cli");
    CHECK(last.flags & FLAG_IF);
    CHECK(!(last.inside & FLAG_IF));
    CHECK_EQ(deepest, 1);
}

/* Several come meanwhile; the CPU keeps one. */
static void serve_long(void)
{
    pass(period * 7 / 2);
    CHECK_EQ(seen, 1);
}

TEST(nmi_blocks, "NMI: the next one waits for the IRET, and of several one comes")
{
    if (!begin_nmis())
        return;
    restart(serve_long);
    CHECK(wait_for(1));
    CHECK_EQ(seen, 2);
    CHECK_EQ(last.ip, first.ip); /* nothing ran in between */
    CHECK_EQ(deepest, 1);
    pass(period / 4);
    CHECK_EQ(seen, 2);
    CHECK(wait_for(3));
}

static bool skip_int3(struct frame *f)
{
    (void)f;
    return true;
}

static void serve_exception(void)
{
    pass(period * 3 / 2);
    CHECK_EQ(deepest, 1);
    __asm__ volatile("int3");
    CHECK_EQ(deepest, 2);
}

TEST(nmi_iret_inside, "NMI: the IRET of an exception in its handler lets the next one in")
{
    if (!begin_nmis())
        return;
    trap_handle(BP, skip_int3);
    restart(serve_exception);
    CHECK(wait_for(1));
    CHECK_EQ(deepest, 2);
    trap_handle(BP, NULL);
}

extern u8 vector_stubs[];
enum { STUB_BYTES = 16 };

static void iret_to_nowhere(void)
{
    __asm__ volatile("push %0; push %0; push $2; push %0; push %0; iret" LONG_OR_SHORT("q", "l")
                     :
                     : "r"(0ul));
}

static void serve_bad_iret(void)
{
    pass(period * 3 / 2);
    CHECK_EQ(CATCH(iret_to_nowhere()), GP);
    CHECK_EQ(seen, 2);
    CHECK_EQ(last.ip, (ulong)(vector_stubs + GP * STUB_BYTES));
}

TEST(nmi_bad_iret, "NMI: an IRET that faults has let the next one in")
{
    if (!begin_nmis())
        return;
    restart(serve_bad_iret);
    CHECK(wait_for(2));
}

TEST(nmi_wakes, "NMI: it ends HLT")
{
    if (!begin_nmis())
        return;
    for (unsigned i = 1; i <= 4; i++) {
        __asm__ volatile("sti; hlt; cli");
        CHECK_EQ(seen, i);
    }
}

TEST(nmi_mask, "NMI: bit 7 of port 70h holds one back")
{
    if (!begin_nmis())
        return;
    out8(CMOS, CMOS_MASKED);
    restart(NULL);
    pass(period * 7 / 2);
    CHECK_EQ(seen, 0);
    out8(CMOS, CMOS_OPEN);
    CHECK_EQ(seen, 1);
    pass(period / 4);
    CHECK_EQ(seen, 1);
}

/* On a hypervisor half of them come to that. */
TEST(nmi_exits, "NMI: none is lost among instructions that exit")
{
    if (!begin_nmis())
        return;
    wait_for(1);
    for (u64 begin = last.tsc; rdtsc() - begin < period * 21 / 2;)
        cpuid(0, 0);
    CHECK_EQ(seen, 11);
}

extern u8 nmi_shadow[];

/* Seven instructions, so that the ticks meet each of them. */
TEST(nmi_shadow_ss, "NMI: none between MOV to SS and the next instruction")
{
    if (!begin_nmis())
        return;
    for (unsigned n = 1; n <= 40 && !test_failed(); n++) {
        __asm__ volatile("mov %%ss, %%edx\n"
                         "1: mov %%edx, %%ss\n"
                         "nmi_shadow: mov %%edx, %%ecx\n"
                         "cmp %1, %0; nop; nop; nop\n"
                         "jb 1b"
                         :
                         : "m"(seen), "r"(n)
                         : "ecx", "edx", "cc", "memory");
        CHECK(last.ip != (ulong)nmi_shadow);
    }
}

/* Returns by a frame in a page that nothing has used by this address: on a hypervisor's tables IRET faults, unseen by
 * the guest, and is executed again. */
static struct env resumed;
extern u8 nmi_iret[];

static void landed(void)
{
    env_resume(&resumed);
}

static void serve_other_stack(void)
{
    u8 *page = page_alloc();
    ulong *frame = (ulong *)(page + PAGE) - 8;
    pass(period * 3 / 2);
    frame[0] = (ulong)landed;
    frame[1] = SEL_CODE;
    frame[2] = 2;
    frame[3] = (ulong)(frame + 6) & ~15ul; /* the stack, which IRET takes in 64-bit mode only */
    frame[4] = SEL_DATA;
    paging_map(WINDOW, page, PTE_ALL);
    depth--;
    __asm__ volatile(
        "mov %0, %%" LONG_OR_SHORT("rsp", "esp") "\nnmi_iret: iret" LONG_OR_SHORT("q", "l")
        :
        : "r"(WINDOW + PAGE - 8 * sizeof *frame));
    __builtin_unreachable();
}

TEST_PAGED(nmi_iret_again,
           "NMI: the next one comes after the IRET, though that finds its stack in a new page")
{
    if (!begin_nmis())
        return;
    paging_map(WINDOW + PAGE, page_alloc(), PTE_ALL); /* the table is in use */
    *(volatile u8 *)(WINDOW + PAGE) = 1;
    restart(serve_other_stack);
    if (!env_save(&resumed))
        wait_for(1);
    CHECK_EQ(seen, 2);
    CHECK_EQ(last.ip, (ulong)landed);
    CHECK(last.ip != (ulong)nmi_iret);
}
