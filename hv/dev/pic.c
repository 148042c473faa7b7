/* Two 8259A interrupt controllers (Intel 231468) as in the PIIX3: master at 20h with the slave on its
 * input 2, slave at A0h, level/edge control (ELCR) at 4D0h and 4D1h. */

#include "dev/dev.h"
#include "lib/string.h"

#define ICW1_INIT 0x10
#define ICW1_LTIM 0x08
#define ICW1_SNGL 0x02
#define ICW1_IC4 0x01
#define ICW4_AEOI 0x02
#define ICW4_SFNM 0x10
#define OCW3 0x08
#define SLAVE_INPUT 2

struct i8259 {
    u8 lines; /* input levels */
    u8 irr;   /* request latches: edges taken; level inputs follow lines */
    u8 isr, imr;
    u8 elcr;      /* per input: level */
    u8 elcr_bits; /* inputs whose ELCR bit can be set */
    u8 base;      /* ICW2, bits 7:3 */
    u8 lowest;    /* the input of the lowest priority now */
    u8 icw_next;  /* which ICW a write to the odd address is (2 to 4); 0: OCW1 */
    bool icw4_wanted, single, ltim, aeoi, rotate_aeoi, sfnm, smm, read_isr, poll;
    bool slave;
    bool out; /* the INT pin */
};

struct pic {
    struct i8259 chip[2];
    struct dev *dev;
};

static bool is_level(const struct i8259 *c, unsigned input)
{
    return c->ltim || (c->elcr >> input & 1);
}

/* The highest-priority set bit, or 8: priorities fall from lowest + 1 round to lowest. */
static unsigned highest(const struct i8259 *c, u8 bits)
{
    if (!bits)
        return 8;
    unsigned first = (c->lowest + 1u) & 7;
    u32 turned = (bits | (u32)bits << 8) >> first & 0xff;
    return ((unsigned)__builtin_ctz(turned) + first) & 7;
}

/* How far an input is from the top priority: 0 is highest, 8 for none. */
static unsigned rank(const struct i8259 *c, unsigned input)
{
    return input == 8 ? 8 : (input - c->lowest - 1u) & 7;
}

/* The request that may interrupt now, or 8. */
static unsigned request(const struct i8259 *c)
{
    unsigned irq = highest(c, c->irr & (u8)~c->imr);
    if (irq == 8)
        return 8;
    if (c->smm) /* special mask mode: only the same level in service stands in the way */
        return highest(c, c->irr & (u8)~c->imr & (u8)~c->isr);
    unsigned in_service = highest(c, c->isr);
    /* Special fully nested mode: the slave's own priorities pass within its level. */
    if (c->sfnm && !c->slave && in_service == SLAVE_INPUT && irq == SLAVE_INPUT)
        return irq;
    return rank(c, irq) < rank(c, in_service) ? irq : 8;
}

static void input_set(struct i8259 *c, unsigned input, bool level)
{
    u8 bit = (u8)(1u << input);
    if (level) {
        if (is_level(c, input) || !(c->lines & bit))
            c->irr |= bit;
        c->lines |= bit;
    } else {
        /* The request latch follows the input down: a request gone before INTA is spurious. */
        c->lines &= (u8)~bit;
        c->irr &= (u8)~bit;
    }
}

static void pic_update(struct pic *p)
{
    struct i8259 *master = &p->chip[0], *slave = &p->chip[1];
    bool out = request(slave) != 8 && !slave->icw_next;
    if (out != slave->out) {
        slave->out = out;
        input_set(master, SLAVE_INPUT, out);
    }
    out = request(master) != 8 && !master->icw_next;
    if (out != master->out) {
        master->out = out;
        dev_intr(p->dev, out);
    }
}

/* INTA or a poll read: the request goes into service. */
static void service(struct i8259 *c, unsigned irq)
{
    u8 bit = (u8)(1u << irq);
    if (c->aeoi) {
        if (c->rotate_aeoi)
            c->lowest = (u8)irq;
    } else {
        c->isr |= bit;
    }
    if (!is_level(c, irq))
        c->irr &= (u8)~bit;
}

static u8 pic_ack(void *state)
{
    struct pic *p = state;
    struct i8259 *master = &p->chip[0], *slave = &p->chip[1];
    unsigned irq = request(master);
    u8 vector;
    if (irq == 8) {
        vector = master->base | 7; /* spurious: no ISR bit */
    } else {
        service(master, irq);
        vector = (u8)(master->base | irq);
        if (irq == SLAVE_INPUT && !master->single) {
            irq = request(slave);
            if (irq != 8)
                service(slave, irq);
            vector = (u8)(slave->base | (irq == 8 ? 7 : irq));
            /* A new request of the slave is a new edge to the master. */
            if (slave->out) {
                slave->out = false;
                input_set(master, SLAVE_INPUT, false);
            }
        }
    }
    pic_update(p);
    return vector;
}

static void pic_set_irq(void *state, unsigned irq, bool level)
{
    struct pic *p = state;
    if (irq == SLAVE_INPUT) /* the cascade is no pin of the bus */
        return;
    input_set(&p->chip[irq >> 3], irq & 7, level);
    pic_update(p);
}

/* ---- Registers. ---- */

static void icw1_write(struct i8259 *c, u8 value)
{
    /* 231468, ICW1: edge sense is reset, IMR cleared, input 7 lowest, SMM and status read back off. */
    c->ltim = value & ICW1_LTIM;
    c->single = value & ICW1_SNGL;
    c->icw4_wanted = value & ICW1_IC4;
    c->irr = 0;
    for (unsigned i = 0; i < 8; i++)
        if (is_level(c, i) && (c->lines >> i & 1))
            c->irr |= (u8)(1u << i);
    c->isr = c->imr = 0;
    c->lowest = 7;
    c->smm = c->read_isr = c->poll = c->aeoi = c->rotate_aeoi = c->sfnm = false;
    c->icw_next = 2;
}

/* OCW2 bits 7:5: R, SL, EOI. */
static void ocw2_write(struct i8259 *c, u8 value)
{
    unsigned level = value & 7;
    switch (value >> 5) {
    case 0: c->rotate_aeoi = false; break;
    case 4: c->rotate_aeoi = true; break;
    case 1: /* non-specific EOI */
    case 5: /* ... and rotate */
        /* In special mask mode a masked level is not what the EOI means. */
        level = highest(c, c->smm ? c->isr & (u8)~c->imr : c->isr);
        if (level == 8)
            break;
        c->isr &= (u8) ~(1u << level);
        if (value >> 5 == 5)
            c->lowest = (u8)level;
        break;
    case 3: c->isr &= (u8) ~(1u << level); break;
    case 7:
        c->isr &= (u8) ~(1u << level);
        c->lowest = (u8)level;
        break;
    case 6: c->lowest = (u8)level; break;
    default: break; /* 2: no operation */
    }
}

static void ocw3_write(struct i8259 *c, u8 value)
{
    if (value & 0x40)
        c->smm = value & 0x20;
    if (value & 0x02)
        c->read_isr = value & 0x01;
    c->poll = value & 0x04;
}

static void odd_write(struct i8259 *c, u8 value)
{
    switch (c->icw_next) {
    case 2:
        c->base = value & 0xf8;
        c->icw_next = !c->single ? 3 : c->icw4_wanted ? 4 : 0;
        break;
    case 3: /* the cascade is wired as it is */ c->icw_next = c->icw4_wanted ? 4 : 0; break;
    case 4:
        c->aeoi = value & ICW4_AEOI;
        c->sfnm = value & ICW4_SFNM;
        c->icw_next = 0;
        break;
    default: c->imr = value; break;
    }
}

static struct i8259 *chip_of(struct pic *p, u16 port)
{
    return &p->chip[port >> 7 & 1];
}

static void pic_write(void *state, u16 port, unsigned size, u32 value)
{
    struct pic *p = state;
    struct i8259 *c = chip_of(p, port);
    (void)size;
    if (port & 1)
        odd_write(c, (u8)value);
    else if (value & ICW1_INIT)
        icw1_write(c, (u8)value);
    else if (value & OCW3)
        ocw3_write(c, (u8)value);
    else
        ocw2_write(c, (u8)value);
    pic_update(p);
}

/* A poll read acknowledges: bit 7 if there was a request, its number in bits 2:0. */
static u8 poll_read(struct pic *p, struct i8259 *c)
{
    unsigned irq = request(c);
    c->poll = false;
    if (irq == 8)
        return 0;
    service(c, irq);
    if (c->slave && c->out) {
        c->out = false;
        input_set(&p->chip[0], SLAVE_INPUT, false);
    }
    pic_update(p);
    return (u8)(0x80 | irq);
}

static u32 pic_read(void *state, u16 port, unsigned size)
{
    struct pic *p = state;
    struct i8259 *c = chip_of(p, port);
    (void)size;
    if (c->poll)
        return poll_read(p, c);
    if (port & 1)
        return c->imr;
    return c->read_isr ? c->isr : c->irr;
}

static u32 elcr_read(void *state, u16 port, unsigned size)
{
    struct pic *p = state;
    (void)size;
    return p->chip[port & 1].elcr;
}

static void elcr_write(void *state, u16 port, unsigned size, u32 value)
{
    struct pic *p = state;
    struct i8259 *c = &p->chip[port & 1];
    (void)size;
    c->elcr = (u8)value & c->elcr_bits;
    for (unsigned i = 0; i < 8; i++) /* an input that is level now requests while it is up */
        if ((c->elcr & c->lines) >> i & 1)
            c->irr |= (u8)(1u << i);
    pic_update(p);
}

static const struct port_ops pic_ops = {.read = pic_read, .write = pic_write, .sizes = 1};
static const struct port_ops elcr_ops = {.read = elcr_read, .write = elcr_write, .sizes = 1};
static const struct irq_chip pic_chip = {.set_irq = pic_set_irq, .ack = pic_ack};

static bool pic_init(struct dev *d, const struct machine_config *config)
{
    struct pic *p = d->state;
    (void)config;
    p->dev = d;
    p->chip[1].slave = true;
    /* 290550, ELCR: IRQ 0, 1, 2, 8 and 13 are always edge triggered. */
    p->chip[0].elcr_bits = 0xf8;
    p->chip[1].elcr_bits = 0xde;
    dev_irq_chip(d, &pic_chip);
    return dev_claim_ports(d, 0x20, 2, &pic_ops) && dev_claim_ports(d, 0xa0, 2, &pic_ops) &&
           dev_claim_ports(d, 0x4d0, 2, &elcr_ops);
}

static void pic_reset(struct dev *d)
{
    struct pic *p = d->state;
    for (unsigned i = 0; i < 2; i++) {
        struct i8259 *c = &p->chip[i];
        *c = (struct i8259){.lines = c->lines,
                            .elcr_bits = c->elcr_bits,
                            .slave = c->slave,
                            .lowest = 7,
                            .imr = 0xff};
    }
    dev_intr(d, false);
}

static const struct dev_type pic_type = {
    .name = "pic",
    .state_bytes = sizeof(struct pic),
    .init = pic_init,
    .reset = pic_reset,
    .order = 1,
};
DEVICE(pic_type);
