/* The two 8237A DMA controllers of the PC (Intel 231466) as registers: channels 0 to 3 in bytes at 00h to
 * 0Fh, 4 to 7 in words at C0h to DFh, and the page registers at 81h to 8Fh (80h is the POST code's). No
 * device of this machine asks for DREQ yet, so no channel ever moves. */

#include "dev/dev.h"
#include "lib/string.h"

struct i8237 {
    u16 base_address[4], base_count[4];
    u16 address[4], count[4];
    u8 mode[4];
    u8 command, status, request, mask, temporary;
    bool high; /* the byte pointer flip-flop */
};

struct dma {
    struct i8237 chip[2];
    u8 page[16];
};

static void master_clear(struct i8237 *c)
{
    c->command = c->status = c->request = c->temporary = 0;
    c->mask = 0x0f;
    c->high = false;
}

/* One byte of a 16-bit register pair, by the flip-flop. */
static void pair_write(struct i8237 *c, u16 *base, u16 *current, u8 value)
{
    *base = c->high ? (u16)((*base & 0xff) | value << 8) : (u16)((*base & 0xff00) | value);
    *current = *base;
    c->high = !c->high;
}

static u8 pair_read(struct i8237 *c, u16 current)
{
    u8 value = (u8)(c->high ? current >> 8 : current);
    c->high = !c->high;
    return value;
}

/* Registers 8 to 15 (231466, figure 5). */
static void control_write(struct i8237 *c, unsigned reg, u8 value)
{
    u8 bit = (u8)(1u << (value & 3));
    switch (reg) {
    case 8: c->command = value; break;
    case 9: c->request = (u8)(value & 4 ? c->request | bit : c->request & ~bit); break;
    case 10: c->mask = (u8)(value & 4 ? c->mask | bit : c->mask & ~bit); break;
    case 11: c->mode[value & 3] = value & 0xfc; break;
    case 12: c->high = false; break;
    case 13: master_clear(c); break;
    case 14: c->mask = 0; break;
    default: c->mask = value & 0x0f; break;
    }
}

static u8 control_read(struct i8237 *c, unsigned reg)
{
    u8 value;
    switch (reg) {
    case 8: /* requests in the high half; the terminal counts clear by the read */
        value = (u8)(c->request << 4 | (c->status & 0x0f));
        c->status &= 0xf0;
        return value;
    case 13: return c->temporary;
    case 15: return c->mask | 0xf0;
    default: return 0xff;
    }
}

static void register_write(struct i8237 *c, unsigned reg, u8 value)
{
    unsigned channel = reg >> 1;
    if (reg >= 8)
        control_write(c, reg, value);
    else if (reg & 1)
        pair_write(c, &c->base_count[channel], &c->count[channel], value);
    else
        pair_write(c, &c->base_address[channel], &c->address[channel], value);
}

static u8 register_read(struct i8237 *c, unsigned reg)
{
    if (reg >= 8)
        return control_read(c, reg);
    return pair_read(c, reg & 1 ? c->count[reg >> 1] : c->address[reg >> 1]);
}

/* The second controller's registers are two ports apart. */
static u32 dma_read(void *state, u16 port, unsigned size)
{
    struct dma *d = state;
    (void)size;
    return port < 0x10 ? register_read(&d->chip[0], port)
                       : register_read(&d->chip[1], (port - 0xc0u) >> 1);
}

static void dma_write(void *state, u16 port, unsigned size, u32 value)
{
    struct dma *d = state;
    (void)size;
    if (port < 0x10)
        register_write(&d->chip[0], port, (u8)value);
    else
        register_write(&d->chip[1], (port - 0xc0u) >> 1, (u8)value);
}

static u32 page_read(void *state, u16 port, unsigned size)
{
    const struct dma *d = state;
    (void)size;
    return d->page[port & 15];
}

static void page_write(void *state, u16 port, unsigned size, u32 value)
{
    struct dma *d = state;
    (void)size;
    d->page[port & 15] = (u8)value;
}

static const struct port_ops dma_ops = {.read = dma_read, .write = dma_write, .sizes = 1};
static const struct port_ops page_ops = {.read = page_read, .write = page_write, .sizes = 1};

static bool dma_init(struct dev *d, const struct machine_config *config)
{
    (void)config;
    return dev_claim_ports(d, 0x00, 16, &dma_ops) && dev_claim_ports(d, 0xc0, 32, &dma_ops) &&
           dev_claim_ports(d, 0x81, 15, &page_ops);
}

static void dma_reset(struct dev *d)
{
    struct dma *s = d->state;
    master_clear(&s->chip[0]);
    master_clear(&s->chip[1]);
}

static const struct dev_type dma_type = {
    .name = "dma8237",
    .state_bytes = sizeof(struct dma),
    .init = dma_init,
    .reset = dma_reset,
    .order = 10,
};
DEVICE(dma_type);
