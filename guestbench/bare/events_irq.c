/* Interrupts by instruction, from devices, and out of HLT. */

#include "bare.h"

enum { UART = 0x3f8, IER = 1, IIR = 2, MCR = 4, LSR = 5, IER_THRE = 2, LSR_TEMT = 0x40 };
enum { MCR_OUT2 = 8, IRQ_PIT = 0, IRQ_UART = 4, PIT_TICKS = 24 };
enum { SPINS = 10000000 }; /* turns after which an interrupt is lost */

static volatile u32 count; /* interrupts taken */

/* ---- INT ---- */

extern u32 soft_count;
void soft_stub(void);
__asm__(".data\n"
        ".balign 4\n"
        "soft_count: .long 0\n"
        ".text\n"
        "soft_stub: incl soft_count\n"
#ifdef __x86_64__
        "iretq\n"
#else
        "iret\n"
#endif
);

static void soft_setup(void)
{
    trap_gate(VEC_SOFT, GATE_INTERRUPT, 3, soft_stub);
}

static void soft_run(u32 n)
{
    soft_count = 0;
    for (u32 i = 0; i < n; i++)
        __asm__ volatile("int %0" : : "i"(VEC_SOFT) : "memory");
}

static void soft_verify(u32 n)
{
    CHECK_EQ(soft_count, n);
}

static void soft_finish(void)
{
    trap_gate(VEC_SOFT, GATE_INTERRUPT, 3, NULL);
}

BARE(int_soft, "int_soft", "INT n to a handler that counts and returns by IRET", .ops = 1,
     .setup = soft_setup, .run = soft_run, .verify = soft_verify, .finish = soft_finish);

/* ---- Devices: the UART's "transmitter empty" comes as soon as it is enabled ---- */

static bool uart_handler(struct frame *f)
{
    (void)f;
    in8(UART + IIR); /* takes the request back */
    pic_eoi(IRQ_UART);
    count++;
    return true;
}

static bool pit_handler(struct frame *f)
{
    (void)f;
    pic_eoi(IRQ_PIT);
    count++;
    return true;
}

static void uart_raise(void)
{
    out8(UART + IER, IER_THRE);
}

static void uart_lower(void)
{
    out8(UART + IER, 0);
}

static void pit_raise(void)
{
    pit_one_shot(PIT_TICKS);
}

static void nothing(void)
{
}

static const struct source {
    unsigned irq;
    bool (*handler)(struct frame *f);
    void (*raise)(void), (*lower)(void);
} sources[] = {
    {IRQ_UART, uart_handler, uart_raise, uart_lower},
    {IRQ_PIT, pit_handler, pit_raise, nothing},
};
enum { FROM_UART, FROM_PIT };

/* Interrupts are open and the handler runs as soon as the request is there. */
static void irq_run(u32 n)
{
    const struct source *s = &sources[current->param];
    count = 0;
    __asm__ volatile("sti" : : : "memory");
    for (u32 i = 0; i < n; i++) {
        s->raise();
        for (u32 spin = 0; count == i && spin < SPINS; spin++)
            __asm__ volatile("pause");
        s->lower();
        if (count != i + 1)
            break;
    }
    __asm__ volatile("cli" : : : "memory");
}

/* The request is raised with interrupts closed, or comes later; STI opens them after HLT began. */
static void hlt_run(u32 n)
{
    const struct source *s = &sources[current->param];
    count = 0;
    for (u32 i = 0; i < n; i++) {
        s->raise();
        __asm__ volatile("sti; hlt; cli" : : : "memory");
        s->lower();
    }
}

static void irq_verify(u32 n)
{
    CHECK_EQ(count, n);
}

static void irq_finish(void)
{
    const struct source *s = &sources[current->param];
    pic_mask(0xffff);
    s->lower();
    trap_handle(IRQ_BASE + (int)s->irq, NULL);
    out8(UART + MCR, 0);
}

/* HLT must not wait for an interrupt that never comes: the first is waited for by a loop. */
static void irq_setup(void)
{
    const struct source *s = &sources[current->param];
    for (u32 spin = 0; !(in8(UART + LSR) & LSR_TEMT) && spin < SPINS; spin++)
        ;
    out8(UART + MCR, MCR_OUT2);
    trap_handle(IRQ_BASE + (int)s->irq, s->handler);
    pic_mask((u16) ~(1u << s->irq));
    irq_run(1);
    if (count == 1)
        return;
    irq_finish();
    test_skip("the interrupt does not arrive");
}

BARE(irq_uart, "irq_uart", "the UART raises IRQ 4, handler with IIR and EOI, UART lowers it",
     .ops = 1, .param = FROM_UART, .setup = irq_setup, .run = irq_run, .verify = irq_verify,
     .finish = irq_finish);
BARE(irq_pit, "irq_pit", "PIT set to 24 ticks (20 us), its IRQ 0 waited for, handler with EOI",
     .ops = 1, .param = FROM_PIT, .setup = irq_setup, .run = irq_run, .verify = irq_verify,
     .finish = irq_finish);
BARE(hlt_uart, "hlt_uart", "HLT with the UART's IRQ 4 waiting, wake-up, handler as irq_uart",
     .ops = 1, .param = FROM_UART, .setup = irq_setup, .run = hlt_run, .verify = irq_verify,
     .finish = irq_finish);
BARE(hlt_pit, "hlt_pit", "PIT set to 24 ticks (20 us), HLT until its IRQ 0, handler with EOI",
     .ops = 1, .param = FROM_PIT, .setup = irq_setup, .run = hlt_run, .verify = irq_verify,
     .finish = irq_finish);
