/* PCI bus 0 behind configuration mechanism #1 (PCI Local Bus Specification 2.1, 3.7.4.1): the address
 * register at CF8h takes dwords only, CFCh to CFFh are a window of any size. */

#include "dev/pci.h"

#define ENABLE 0x80000000u
/* Bits 30:24 and 1:0 are reserved and read as zero. */
#define ADDRESS_BITS 0x80fffffcu

struct pci {
    u32 address;
    struct pci_func *func[32][8];
    u8 int_level[32]; /* by slot: which of INTA# to INTD# are asserted */
    u8 pirq_count[4]; /* how many slots' pins assert each PIRQ */
    void (*pirq)(void *state, unsigned pirq, bool level);
    void *pirq_state;
};

/* The function that the address register selects, or NULL: master abort. */
static struct pci_func *pci_selected(const struct pci *p)
{
    if (!(p->address & ENABLE) || (p->address >> 16 & 0xff))
        return NULL;
    return p->func[p->address >> 11 & 31][p->address >> 8 & 7];
}

static u32 address_read(void *state, u16 port, unsigned size)
{
    const struct pci *p = state;
    (void)port;
    return size == 4 ? p->address : ~0u;
}

static void address_write(void *state, u16 port, unsigned size, u32 value)
{
    struct pci *p = state;
    (void)port;
    if (size == 4)
        p->address = value & ADDRESS_BITS;
}

static u32 data_read(void *state, u16 port, unsigned size)
{
    const struct pci *p = state;
    const struct pci_func *f = pci_selected(p);
    unsigned offset = (p->address & 0xfc) | (port & 3);
    if (!f)
        return ~0u;
    u32 value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (u32)(offset + i < 256 ? f->config[offset + i] : 0xff) << (8 * i);
    return value;
}

static void data_write(void *state, u16 port, unsigned size, u32 value)
{
    struct pci *p = state;
    struct pci_func *f = pci_selected(p);
    unsigned offset = (p->address & 0xfc) | (port & 3);
    if (!f)
        return;
    size = min(size, 4 - (port & 3u)); /* a configuration cycle ends with its dword */
    for (unsigned i = 0; i < size; i++) {
        unsigned o = offset + i;
        u8 byte = (u8)(value >> (8 * i));
        u8 *c = &f->config[o];
        *c = (u8)((*c & ~f->writable[o]) | (byte & f->writable[o]));
        *c &= (u8) ~(byte & f->w1c[o]);
    }
    if (f->written)
        f->written(f->state, offset, size);
}

static const struct port_ops address_ops = {
    .read = address_read, .write = address_write, .sizes = 4};
static const struct port_ops data_ops = {
    .read = data_read, .write = data_write, .sizes = 1 | 2 | 4};

static bool pci_init(struct dev *d, const struct machine_config *config)
{
    (void)config;
    return dev_claim_ports(d, 0xcf8, 4, &address_ops) && dev_claim_ports(d, 0xcfc, 4, &data_ops);
}

static void pci_reset(struct dev *d)
{
    struct pci *p = d->state;
    p->address = 0;
}

bool dev_pci_add(struct dev *d, unsigned slot, unsigned function, struct pci_func *f)
{
    struct dev *bus = dev_find(d->machine, "pci");
    if (!bus || slot > 31 || function > 7)
        return false;
    struct pci *p = bus->state;
    if (p->func[slot][function])
        return false;
    p->func[slot][function] = f;
    if (!f->state)
        f->state = d->state;
    return true;
}

void pci_set_router(struct machine *m, void (*pirq)(void *state, unsigned pirq, bool level),
                    void *state)
{
    struct dev *bus = dev_find(m, "pci");
    if (!bus)
        return;
    struct pci *p = bus->state;
    p->pirq = pirq;
    p->pirq_state = state;
}

/* INTx# of a slot goes to PIRQ (slot - 1 + x) mod 4, the wiring that the firmware's PIR table says. */
void dev_pci_irq(struct dev *d, unsigned slot, unsigned pin, bool level)
{
    struct dev *bus = dev_find(d->machine, "pci");
    if (!bus || slot > 31 || pin > 3)
        return;
    struct pci *p = bus->state;
    u8 bit = (u8)(1u << pin);
    if (!!(p->int_level[slot] & bit) == level)
        return;
    p->int_level[slot] ^= bit;
    unsigned line = (slot + 3 + pin) & 3;
    bool was = p->pirq_count[line] != 0;
    p->pirq_count[line] = (u8)(p->pirq_count[line] + (level ? 1 : -1));
    bool now = p->pirq_count[line] != 0;
    if (was != now && p->pirq)
        p->pirq(p->pirq_state, line, now);
}

static const struct dev_type pci_type = {
    .name = "pci",
    .state_bytes = sizeof(struct pci),
    .init = pci_init,
    .reset = pci_reset,
};
DEVICE(pci_type);
