/* 16550A UART (National Semiconductor PC16550D) as COM1: ports 3F8h to 3FFh, IRQ 4 gated by OUT2.
 *
 * A byte written is on the line at once, so that THRE is always set and its interrupt follows each
 * write; received bytes below the trigger level raise the timeout interrupt without the wait of four
 * character times. Both save exits and change no program's result. */

#include "dev/dev.h"
#include "lib/string.h"

#define BASE 0x3f8
#define IRQ 4
#define FIFO 16

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };

#define IER_RX 1u
#define IER_THRE 2u
#define IER_LINE 4u
#define IER_MODEM 8u
#define IIR_NONE 1
#define IIR_MODEM 0
#define IIR_THRE 2
#define IIR_RX 4
#define IIR_LINE 6
#define IIR_TIMEOUT 0x0c
#define IIR_FIFO 0xc0
#define FCR_ENABLE 1u
#define FCR_CLEAR_RX 2u
#define LCR_BREAK 0x40
#define LCR_DLAB 0x80
#define MCR_DTR 1u
#define MCR_RTS 2u
#define MCR_OUT1 4u
#define MCR_OUT2 8u
#define MCR_LOOP 0x10u
#define LSR_DR 1u
#define LSR_OE 2u
#define LSR_BI 0x10u
#define LSR_THRE 0x20u
#define LSR_TEMT 0x40u
#define LSR_ERRORS 0x1eu
#define MSR_CTS 0x10u
#define MSR_DSR 0x20u
#define MSR_RI 0x40u
#define MSR_DCD 0x80u

struct uart {
    struct dev *dev;
    u8 ier, fcr, lcr, mcr, lsr, msr, scr;
    u8 divisor[2];
    bool thre_pending; /* the THRE interrupt, until IIR is read or THR written */
    u8 rx[FIFO];
    unsigned rx_at, rx_count;
};

static unsigned rx_trigger(const struct uart *u)
{
    static const u8 level[4] = {1, 4, 8, 14};
    return u->fcr & FCR_ENABLE ? level[u->fcr >> 6] : 1;
}

static unsigned rx_capacity(const struct uart *u)
{
    return u->fcr & FCR_ENABLE ? FIFO : 1;
}

/* The pending interrupt of the highest priority (PC16550D, table IV). */
static u8 iir_value(const struct uart *u)
{
    if ((u->ier & IER_LINE) && (u->lsr & LSR_ERRORS))
        return IIR_LINE;
    if ((u->ier & IER_RX) && u->rx_count)
        return u->rx_count >= rx_trigger(u) ? IIR_RX : IIR_TIMEOUT;
    if ((u->ier & IER_THRE) && u->thre_pending)
        return IIR_THRE;
    if ((u->ier & IER_MODEM) && (u->msr & 0x0f))
        return IIR_MODEM;
    return IIR_NONE;
}

/* In loopback the OUT2 pin is inactive, which takes the line from the bus. */
static void irq_update(struct uart *u)
{
    bool gate = (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
    dev_irq(u->dev, IRQ, gate && iir_value(u) != IIR_NONE);
}

static void rx_put(struct uart *u, u8 byte)
{
    if (u->rx_count == rx_capacity(u)) { /* overrun; without a FIFO the new byte replaces the old */
        u->lsr |= LSR_OE;
        if (u->fcr & FCR_ENABLE)
            return;
        u->rx_count--;
    }
    u->rx[(u->rx_at + u->rx_count++) % FIFO] = byte;
    u->lsr |= LSR_DR;
}

static u8 rx_get(struct uart *u)
{
    u8 byte = u->rx[u->rx_at];
    if (u->rx_count) {
        u->rx_at = (u->rx_at + 1) % FIFO;
        u->rx_count--;
    }
    if (!u->rx_count)
        u->lsr &= (u8)~LSR_DR;
    return byte;
}

static void rx_clear(struct uart *u)
{
    u->rx_count = u->rx_at = 0;
    u->lsr &= (u8) ~(LSR_DR | LSR_ERRORS);
}

/* Takes what the console has, as far as there is room. */
static void uart_fill(struct uart *u)
{
    void *ctx;
    const struct machine_ops *ops = dev_ops(u->dev, &ctx);
    if ((u->mcr & MCR_LOOP) || !ops->console_get)
        return;
    while (u->rx_count < rx_capacity(u)) {
        int byte = ops->console_get(ctx);
        if (byte < 0)
            break;
        rx_put(u, (u8)byte);
    }
}

static void uart_poll(struct dev *d)
{
    struct uart *u = d->state;
    uart_fill(u);
    irq_update(u);
}

/* Modem lines: of MCR in loopback, else of a partner that is there and ready. RI counts on its fall. */
static void msr_update(struct uart *u)
{
    u8 m = u->mcr, lines = MSR_CTS | MSR_DSR | MSR_DCD, old = u->msr & 0xf0;
    if (m & MCR_LOOP)
        lines = (u8)((m & MCR_RTS ? MSR_CTS : 0) | (m & MCR_DTR ? MSR_DSR : 0) |
                     (m & MCR_OUT1 ? MSR_RI : 0) | (m & MCR_OUT2 ? MSR_DCD : 0));
    u8 changed = (lines ^ old) & (u8)~MSR_RI;
    changed |= old & ~lines & MSR_RI;
    u->msr = (u8)(lines | (u->msr & 0x0f) | changed >> 4);
}

static void thr_write(struct uart *u, u8 byte)
{
    u->thre_pending = true; /* shifted out at once */
    if (u->mcr & MCR_LOOP) {
        rx_put(u, byte);
        return;
    }
    void *ctx;
    const struct machine_ops *ops = dev_ops(u->dev, &ctx);
    ops->console_put(ctx, byte);
}

static void fcr_write(struct uart *u, u8 value)
{
    if ((value ^ u->fcr) & FCR_ENABLE) {
        rx_clear(u);
        u->thre_pending = true;
    }
    if ((value & FCR_ENABLE) && (value & FCR_CLEAR_RX))
        rx_clear(u);
    u->fcr = value & FCR_ENABLE ? value & 0xc9 : 0;
}

static void lcr_write(struct uart *u, u8 value)
{
    bool break_begins = (value & ~u->lcr & LCR_BREAK) && (u->mcr & MCR_LOOP);
    u->lcr = value;
    if (break_begins) { /* heard as a zero byte with break */
        rx_put(u, 0);
        u->lsr |= LSR_BI;
    }
}

static void uart_write(void *state, u16 port, unsigned size, u32 wide)
{
    struct uart *u = state;
    u8 value = (u8)wide;
    (void)size;
    switch (port & 7) {
    case RBR:
        if (u->lcr & LCR_DLAB)
            u->divisor[0] = value;
        else
            thr_write(u, value);
        break;
    case IER:
        if (u->lcr & LCR_DLAB) {
            u->divisor[1] = value;
            break;
        }
        if (value & ~u->ier & IER_THRE) /* enabling it finds the register empty */
            u->thre_pending = true;
        u->ier = value & 0x0f;
        break;
    case IIR: fcr_write(u, value); break;
    case LCR: lcr_write(u, value); break;
    case MCR:
        u->mcr = value & 0x1f;
        msr_update(u);
        break;
    case SCR: u->scr = value; break;
    default: return; /* LSR and MSR writes are for factory tests */
    }
    irq_update(u);
}

static u8 iir_read(struct uart *u)
{
    u8 value = iir_value(u);
    if (value == IIR_THRE) {
        u->thre_pending = false;
        irq_update(u);
    }
    return (u8)(value | (u->fcr & FCR_ENABLE ? IIR_FIFO : 0));
}

static u32 uart_read(void *state, u16 port, unsigned size)
{
    struct uart *u = state;
    u8 value;
    (void)size;
    switch (port & 7) {
    case RBR:
        if (u->lcr & LCR_DLAB)
            return u->divisor[0];
        value = rx_get(u);
        if (!u->rx_count)
            uart_fill(u);
        break;
    case IER: return u->lcr & LCR_DLAB ? u->divisor[1] : u->ier;
    case IIR: return iir_read(u);
    case LCR: return u->lcr;
    case MCR: return u->mcr;
    case LSR:
        value = u->lsr | LSR_THRE | LSR_TEMT;
        if (!(u->lsr & LSR_ERRORS))
            return value;
        u->lsr &= (u8)~LSR_ERRORS;
        break;
    case MSR:
        value = u->msr;
        u->msr &= 0xf0;
        break;
    default: return u->scr;
    }
    irq_update(u);
    return value;
}

static const struct port_ops uart_ops = {.read = uart_read, .write = uart_write, .sizes = 1};

static bool uart_init(struct dev *d, const struct machine_config *config)
{
    struct uart *u = d->state;
    (void)config;
    u->dev = d;
    return dev_claim_ports(d, BASE, 8, &uart_ops);
}

static void uart_reset(struct dev *d)
{
    struct uart *u = d->state;
    *u = (struct uart){.dev = d, .divisor = {12, 0}, .msr = MSR_CTS | MSR_DSR | MSR_DCD};
    irq_update(u);
}

static const struct dev_type uart_type = {
    .name = "uart",
    .state_bytes = sizeof(struct uart),
    .init = uart_init,
    .reset = uart_reset,
    .order = 10,
    .poll = uart_poll,
};
DEVICE(uart_type);
