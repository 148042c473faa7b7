/* PIIX3, 82371SB (Intel 290550): PCI-to-ISA bridge 0:1.0, PIRQ routing (60h to 63h) and the reset control
 * register CF9h. The level/edge registers 4D0h and 4D1h are in pic.c. */

#include "dev/pci.h"
#include "lib/string.h"

#define PIRQ_ROUTE 0x60
#define ROUTE_OFF 0x80
/* IRQs a PIRQ may be steered to: not 0, 1, 2, 8 and 13. */
#define ROUTABLE 0xdef8u

#define RESET_CPU 0x04
#define RESET_HARD 0x02

struct piix3 {
    struct pci_func pci;
    struct dev *dev;
    u8 pirq; /* levels of PIRQA# to PIRQD# */
    u16 irq; /* the ISA lines that they hold up */
    u8 reset_control;
};

static void route_update(struct piix3 *s)
{
    u32 irq = 0;
    for (unsigned i = 0; i < 4; i++) {
        u8 route = s->pci.config[PIRQ_ROUTE + i];
        if ((s->pirq >> i & 1) && !(route & ROUTE_OFF))
            irq |= 1u << (route & 15);
    }
    irq &= ROUTABLE;
    u32 changed = irq ^ s->irq;
    s->irq = (u16)irq;
    for (unsigned i = 0; changed; i++, changed >>= 1)
        if (changed & 1)
            dev_irq(s->dev, i, irq >> i & 1);
}

static void piix3_pirq(void *state, unsigned pirq, bool level)
{
    struct piix3 *s = state;
    s->pirq = (u8)((s->pirq & ~(1u << pirq)) | (unsigned)level << pirq);
    route_update(s);
}

static void piix3_written(void *state, unsigned offset, unsigned size)
{
    if (offset < PIRQ_ROUTE + 4 && offset + size > PIRQ_ROUTE)
        route_update(state);
}

static u32 reset_read(void *state, u16 port, unsigned size)
{
    const struct piix3 *s = state;
    (void)port, (void)size;
    return s->reset_control;
}

/* A 0 to 1 change of bit 2 resets; bit 1 chooses hard (PCIRST#) or soft (INIT). Both are how an OS reboots. */
static void reset_write(void *state, u16 port, unsigned size, u32 value)
{
    struct piix3 *s = state;
    (void)port, (void)size;
    if ((value & RESET_CPU) && !(s->reset_control & RESET_CPU)) {
        void *ctx;
        const struct machine_ops *ops = dev_ops(s->dev, &ctx);
        ops->end(ctx, VM_REBOOT,
                 value & RESET_HARD ? "hard reset by port CF9h" : "soft reset by port CF9h");
    }
    s->reset_control = value & RESET_HARD; /* bit 2 clears itself with the reset */
}

static const struct port_ops reset_ops = {.read = reset_read, .write = reset_write, .sizes = 1};

static bool piix3_init(struct dev *d, const struct machine_config *config)
{
    struct piix3 *s = d->state;
    struct pci_func *f = &s->pci;
    (void)config;
    s->dev = d;
    f->written = piix3_written;
    pci_put16(f->writable, PCI_COMMAND, 0x0108); /* SERR#, special cycles; the rest is fixed */
    pci_put16(f->w1c, 0x06, 0x7800);
    f->writable[0x4c] = 0xff;             /* ISA I/O recovery */
    pci_put16(f->writable, 0x4e, 0x07ff); /* X-bus chip selects */
    memset(&f->writable[PIRQ_ROUTE], 0x8f, 4);
    f->writable[0x69] = 0xfe;             /* top of memory for ISA masters */
    pci_put16(f->writable, 0x6a, 0x0010); /* miscellaneous status */
    memset(&f->writable[0x70], 0xcf, 2);
    memset(&f->writable[0x76], 0x8f, 2);
    f->writable[0x80] = 0x7f; /* APIC base */
    f->writable[0x82] = 0x0f;
    f->writable[0xa0] = 0x1f;
    memset(&f->writable[0xa2], 0xff, 6);
    f->writable[0xa8] = 0xff;
    f->writable[0xaa] = f->writable[0xac] = f->writable[0xae] = 0xff;
    pci_set_router(d->machine, piix3_pirq, s);
    return dev_claim_ports(d, 0xcf9, 1, &reset_ops) && dev_pci_add(d, 1, 0, f);
}

static void piix3_reset(struct dev *d)
{
    struct piix3 *s = d->state;
    struct pci_func *f = &s->pci;
    memset(f->config, 0, sizeof f->config);
    pci_identify(f, 0x8086, 0x7000, 0x060100, 0);
    pci_put16(f->config, PCI_COMMAND, 0x0007);
    pci_put16(f->config, 0x06, 0x0200); /* medium DEVSEL# */
    f->config[0x0e] = 0x80;             /* more functions: IDE, power management */
    f->config[0x4c] = 0x4d;
    f->config[0x4e] = 0x03;
    memset(&f->config[PIRQ_ROUTE], ROUTE_OFF, 4);
    f->config[0x69] = 0x02;
    f->config[0x70] = f->config[0x71] = 0x80;
    f->config[0x76] = f->config[0x77] = 0x0c;
    f->config[0xa0] = 0x08;
    f->config[0xa8] = 0x0f;
    s->reset_control = 0;
    route_update(s);
}

static const struct dev_type piix3_type = {
    .name = "piix3",
    .state_bytes = sizeof(struct piix3),
    .init = piix3_init,
    .reset = piix3_reset,
    .order = 1,
};
DEVICE(piix3_type);
