/* PIIX4 power management function 0:1.3, 82371AB (Intel 290562, chapter 7): ACPI PM1 and GPE registers, the
 * 3.58 MHz timer, power off by PM1_CNT, the SMBus host without devices, and the SMI command ports B2h and B3h.
 *
 * There is no SMM in this machine. DEVACTB's APMC_EN is set at reset, which is how firmware sees that a
 * handler is in place already (SeaBIOS then leaves SMM alone); what its handler would do for ACPI, turning
 * SCI_EN on and off by commands F1h and F0h, the chip does. */

#include "dev/pci.h"
#include "lib/string.h"

#define PM_HZ 3579545u
#define SCI_IRQ 9

#define PMBASE 0x40
#define DEVACTB 0x58
#define DEVACTB_APMC_EN (1u << 25)
#define PMREGMISC 0x80
#define SMBBASE 0x90
#define SMBHSTCFG 0xd2
#define PM_PORTS 64
#define SMB_PORTS 16
#define GPE_PORT 0xafe0 /* where the firmware's FADT says GPE0 is */

#define PM1_TMR (1u << 0)
#define PM1_STATUS_BITS 0x8d31u /* timer, bus master, global, power button, resume */
#define PM1_ENABLE_BITS 0x0521u
#define PM1_SCI_EN 0x0001u
#define PM1_CONTROL_BITS 0x1c03u
#define SLP_EN 0x2000u
#define SLP_TYPE(control) ((control) >> 10 & 7)
#define SLP_SOFT_OFF 0

#define ACPI_ENABLE 0xf1
#define ACPI_DISABLE 0xf0

struct pm {
    struct pci_func pci;
    struct dev *dev;
    struct dev_timer overflow;
    u16 base, smb_base; /* where the ports are claimed now; 0: nowhere */
    u16 status, enable, control;
    u8 extra[PM_PORTS];
    u16 gpe_status, gpe_enable;
    u64 half; /* the timer's half period (2^23 ticks) that TMR_STS is up to date with */
    u8 apm_command, apm_status;
    u8 smb[SMB_PORTS];
};

static u32 timer_value(const struct pm *p)
{
    return (u32)dev_ticks(p->dev, PM_HZ) & 0xffffff;
}

/* TMR_STS is set each time bit 23 of the timer changes. */
static void timer_status(struct pm *p)
{
    u64 half = dev_ticks(p->dev, PM_HZ) >> 23;
    if (half != p->half)
        p->status |= PM1_TMR;
    p->half = half;
}

static void sci_update(struct pm *p)
{
    timer_status(p);
    bool up = (p->control & PM1_SCI_EN) &&
              ((p->status & p->enable & PM1_ENABLE_BITS) || (p->gpe_status & p->gpe_enable));
    dev_irq(p->dev, SCI_IRQ, up);
    /* The timer's next change matters only while it would raise the line. */
    bool wait = (p->control & PM1_SCI_EN) && (p->enable & PM1_TMR) && !(p->status & PM1_TMR);
    dev_timer_set(&p->overflow,
                  wait ? dev_tsc_of_ticks(p->dev, (p->half + 1) << 23, PM_HZ) : ~0ull);
}

static void pm_overflow(void *state)
{
    sci_update(state);
}

static void control_write(struct pm *p, u16 value)
{
    p->control = value & PM1_CONTROL_BITS;
    if (value & SLP_EN) {
        void *ctx;
        const struct machine_ops *ops = dev_ops(p->dev, &ctx);
        if (SLP_TYPE(value) == SLP_SOFT_OFF)
            ops->end(ctx, VM_POWEROFF, "ACPI soft off");
        else
            ops->log(ctx, "pm: sleep states other than soft off are not there");
    }
    sci_update(p);
}

/* ---- The I/O registers, in bytes. ---- */

static u8 pm_byte_read(struct pm *p, unsigned offset)
{
    u16 word;
    switch (offset & ~1u) {
    case 0x00: word = p->status; break;
    case 0x02: word = p->enable; break;
    case 0x04: word = p->control; break;
    case 0x0c: word = p->gpe_status; break;
    case 0x0e: word = p->gpe_enable; break;
    default: return p->extra[offset];
    }
    return (u8)(word >> (8 * (offset & 1)));
}

static void pm_byte_write(struct pm *p, unsigned offset, u8 value)
{
    u16 mask = offset & 1 ? 0xff00 : 0x00ff, word = offset & 1 ? (u16)(value << 8) : value;
    switch (offset & ~1u) {
    case 0x00: p->status &= (u16)~word; break;
    case 0x02: p->enable = ((p->enable & ~mask) | word) & PM1_ENABLE_BITS; break;
    case 0x04: control_write(p, (p->control & ~mask) | word); break;
    case 0x0c: p->gpe_status &= (u16)~word; break;
    case 0x0e: p->gpe_enable = (p->gpe_enable & ~mask) | word; break;
    case 0x08:
    case 0x0a: break; /* the timer */
    default: p->extra[offset] = value; break;
    }
}

static u32 pm_read(void *state, u16 port, unsigned size)
{
    struct pm *p = state;
    unsigned offset = port - p->base;
    u32 value = 0;
    if (offset >= 8 && offset < 12)
        return timer_value(p) >> (8 * (offset - 8));
    timer_status(p);
    for (unsigned i = 0; i < size && offset + i < PM_PORTS; i++)
        value |= (u32)pm_byte_read(p, offset + i) << (8 * i);
    return value;
}

static void pm_write(void *state, u16 port, unsigned size, u32 value)
{
    struct pm *p = state;
    unsigned offset = port - p->base;
    timer_status(p);
    if (offset == 4 && size > 1) { /* at once: SLP_EN goes with its SLP_TYP */
        control_write(p, (u16)value);
    } else {
        for (unsigned i = 0; i < size && offset + i < PM_PORTS; i++)
            pm_byte_write(p, offset + i, (u8)(value >> (8 * i)));
    }
    sci_update(p);
}

static u32 gpe_read(void *state, u16 port, unsigned size)
{
    struct pm *p = state;
    (void)size;
    return pm_byte_read(p, 0x0c + (port - GPE_PORT));
}

static void gpe_write(void *state, u16 port, unsigned size, u32 value)
{
    struct pm *p = state;
    (void)size;
    pm_byte_write(p, 0x0c + (port - GPE_PORT), (u8)value);
    sci_update(p);
}

/* ---- SMI command (B2h, APMC) and status (B3h, APMS). ---- */

static u32 apm_read(void *state, u16 port, unsigned size)
{
    const struct pm *p = state;
    (void)size;
    return port & 1 ? p->apm_status : p->apm_command;
}

static void apm_write(void *state, u16 port, unsigned size, u32 value)
{
    struct pm *p = state;
    (void)size;
    if (port & 1) {
        p->apm_status = (u8)value;
        return;
    }
    p->apm_command = (u8)value;
    if (value == ACPI_ENABLE)
        p->control |= PM1_SCI_EN;
    else if (value == ACPI_DISABLE)
        p->control &= (u16)~PM1_SCI_EN;
    sci_update(p);
}

/* ---- SMBus host (7.3): no device answers, so a transfer ends with DEV_ERR. ---- */

#define SMB_DEV_ERR 0x04
#define SMB_START 0x40

static u32 smb_read(void *state, u16 port, unsigned size)
{
    const struct pm *p = state;
    (void)size;
    return p->smb[port - p->smb_base];
}

static void smb_write(void *state, u16 port, unsigned size, u32 value)
{
    struct pm *p = state;
    unsigned offset = port - p->smb_base;
    (void)size;
    switch (offset) {
    case 0: p->smb[0] &= (u8) ~(value & 0x1e); break;
    case 2:
        p->smb[2] = (u8)value & 0x1f;
        if (value & SMB_START)
            p->smb[0] |= SMB_DEV_ERR;
        break;
    default: p->smb[offset] = (u8)value; break;
    }
}

static const struct port_ops pm_ops = {.read = pm_read, .write = pm_write, .sizes = 1 | 2 | 4};
static const struct port_ops gpe_ops = {.read = gpe_read, .write = gpe_write, .sizes = 1};
static const struct port_ops apm_ops = {.read = apm_read, .write = apm_write, .sizes = 1};
static const struct port_ops smb_ops = {.read = smb_read, .write = smb_write, .sizes = 1};

/* Moves a block of ports to where the configuration says; 0: off. */
static void ports_move(struct dev *d, u16 *at, u16 to, u32 count, const struct port_ops *ops)
{
    if (*at == to)
        return;
    if (*at)
        dev_unclaim_ports(d, *at, count);
    *at = to && dev_claim_ports(d, to, count, ops) ? to : 0;
}

static void pm_written(void *state, unsigned offset, unsigned size)
{
    struct pm *p = state;
    const u8 *c = p->pci.config;
    (void)offset, (void)size;
    u16 base = c[PMREGMISC] & 1 ? pci_get32(c, PMBASE) & 0xffc0 : 0;
    u16 smb = (c[PCI_COMMAND] & PCI_COMMAND_IO) && (c[SMBHSTCFG] & 1)
                  ? pci_get32(c, SMBBASE) & 0xfff0
                  : 0;
    ports_move(p->dev, &p->base, base, PM_PORTS, &pm_ops);
    ports_move(p->dev, &p->smb_base, smb, SMB_PORTS, &smb_ops);
}

static bool pm_init(struct dev *d, const struct machine_config *config)
{
    struct pm *p = d->state;
    struct pci_func *f = &p->pci;
    (void)config;
    p->dev = d;
    f->written = pm_written;
    pci_put16(f->writable, PCI_COMMAND, 0x0001);
    pci_put16(f->w1c, 0x06, 0x0a00);
    f->writable[0x3c] = 0xff;
    pci_put32(f->writable, PMBASE, 0xffc0);
    memset(&f->writable[0x44], 0xff, 0x68 - 0x44); /* device activity and resources */
    f->writable[PMREGMISC] = 0x01;
    pci_put32(f->writable, SMBBASE, 0xfff0);
    memset(&f->writable[SMBHSTCFG], 0xff, 4);
    dev_timer_init(d, &p->overflow, pm_overflow);
    return dev_claim_ports(d, GPE_PORT, 4, &gpe_ops) && dev_claim_ports(d, 0xb2, 2, &apm_ops) &&
           dev_pci_add(d, 1, 3, f);
}

static void pm_reset(struct dev *d)
{
    struct pm *p = d->state;
    struct pci_func *f = &p->pci;
    memset(f->config, 0, sizeof f->config);
    pci_identify(f, 0x8086, 0x7113, 0x068000, 3);
    pci_put16(f->config, 0x06, 0x0280);
    f->config[0x3d] = 1;                        /* INTA#, which the chip wires to IRQ 9 */
    f->config[PMBASE] = f->config[SMBBASE] = 1; /* I/O space */
    pci_put32(f->config, DEVACTB, DEVACTB_APMC_EN);
    p->status = p->enable = p->control = p->gpe_status = p->gpe_enable = 0;
    memset(p->extra, 0, sizeof p->extra);
    memset(p->smb, 0, sizeof p->smb);
    p->half = dev_ticks(d, PM_HZ) >> 23;
    pm_written(p, 0, 0);
    sci_update(p);
}

static const struct dev_type pm_type = {
    .name = "pm",
    .state_bytes = sizeof(struct pm),
    .init = pm_init,
    .reset = pm_reset,
    .order = 10,
};
DEVICE(pm_type);
