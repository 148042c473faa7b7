/* The PIIX3's IDE function (82371SB data sheet, 2.3 and 2.7): PCI 0:1.1, two channels at their
 * compatible addresses, bus master behind BAR 4. */

#include "dev/ata.h"
#include "dev/pci.h"
#include "lib/string.h"

#define SLOT 1
#define FUNCTION 1

#define BMIBA 0x20
#define IDETIM 0x40 /* one word for each channel; bit 15 enables the decode */
#define SIDETIM 0x44

#define BM_PORTS 16u

struct ide {
    struct dev *dev;
    struct pci_func pci;
    struct ata_channel channel[2];
    struct ata_drive drive[4];
    u32 bm_base; /* where the bus master's ports are claimed; 0: nowhere */
};

/* 1F0h and 3F6h have address bit 7 set, 170h and 376h have not. */
static struct ata_channel *channel_of(struct ide *ide, u16 port)
{
    return &ide->channel[port & 0x80 ? 0 : 1];
}

/* ---- The command block: the data register takes words and dwords; the rest is bytes. ---- */

static u32 command_read(void *state, u16 port, unsigned size)
{
    struct ata_channel *c = channel_of(state, port);
    unsigned reg = port & 7;
    if (reg == 0)
        return ata_read_data(c, size);
    u32 value = 0;
    for (unsigned i = 0; i < size && reg + i < 8; i++)
        value |= (u32)ata_read_register(c, reg + i) << (8 * i);
    return value;
}

static void command_write(void *state, u16 port, unsigned size, u32 value)
{
    struct ata_channel *c = channel_of(state, port);
    unsigned reg = port & 7;
    if (reg == 0) {
        ata_write_data(c, size, value);
        return;
    }
    for (unsigned i = 0; i < size && reg + i < 8; i++)
        ata_write_register(c, reg + i, (u8)(value >> (8 * i)));
}

static u32 command_read_string(void *state, u16 port, unsigned size, void *buf, u32 count)
{
    return port & 7 ? 0 : ata_read_string(channel_of(state, port), size, buf, count);
}

static u32 command_write_string(void *state, u16 port, unsigned size, const void *buf, u32 count)
{
    return port & 7 ? 0 : ata_write_string(channel_of(state, port), size, buf, count);
}

static const struct port_ops command_ops = {
    .read = command_read,
    .write = command_write,
    .read_string = command_read_string,
    .write_string = command_write_string,
    .sizes = 1 | 2 | 4,
};

static u32 control_read(void *state, u16 port, unsigned size)
{
    (void)size;
    return ata_alternate_status(channel_of(state, port));
}

static void control_write(void *state, u16 port, unsigned size, u32 value)
{
    (void)size;
    ata_write_control(channel_of(state, port), (u8)value);
}

static const struct port_ops control_ops = {
    .read = control_read,
    .write = control_write,
    .sizes = 1,
};

/* ---- The bus master. ---- */

static u32 bm_read(void *state, u16 port, unsigned size)
{
    struct ide *ide = state;
    unsigned offset = port - ide->bm_base;
    return bmdma_read(&ide->channel[offset >> 3 & 1], offset & 7, size);
}

static void bm_write(void *state, u16 port, unsigned size, u32 value)
{
    struct ide *ide = state;
    unsigned offset = port - ide->bm_base;
    bmdma_write(&ide->channel[offset >> 3 & 1], offset & 7, size, value);
}

static const struct port_ops bm_ops = {.read = bm_read, .write = bm_write, .sizes = 1 | 2 | 4};

/* ---- What configuration space switches. ---- */

static void channel_decode(struct ide *ide, unsigned i, bool on)
{
    static const u16 command[2] = {0x1f0, 0x170}, control[2] = {0x3f6, 0x376};
    struct ata_channel *c = &ide->channel[i];
    if (on == c->decoded)
        return;
    c->decoded = on;
    if (on) {
        dev_claim_ports(ide->dev, command[i], 8, &command_ops);
        dev_claim_ports(ide->dev, control[i], 1, &control_ops);
    } else {
        dev_unclaim_ports(ide->dev, command[i], 8);
        dev_unclaim_ports(ide->dev, control[i], 1);
    }
}

static void bm_decode(struct ide *ide, u32 base)
{
    if (base == ide->bm_base)
        return;
    if (ide->bm_base)
        dev_unclaim_ports(ide->dev, (u16)ide->bm_base, BM_PORTS);
    ide->bm_base = base && dev_claim_ports(ide->dev, (u16)base, BM_PORTS, &bm_ops) ? base : 0;
}

static void config_apply(struct ide *ide)
{
    const u8 *config = ide->pci.config;
    u8 command = config[PCI_COMMAND];
    bool io = command & PCI_COMMAND_IO;
    u32 base = pci_get32(config, BMIBA) & ~(BM_PORTS - 1);
    for (unsigned i = 0; i < 2; i++) {
        struct ata_channel *c = &ide->channel[i];
        channel_decode(ide, i, io && (config[IDETIM + 2 * i + 1] & 0x80));
        c->bus_master_on = command & PCI_COMMAND_MASTER;
        bmdma_run(c);
    }
    bm_decode(ide, io && base < 0x10000 ? base : 0);
}

static void config_written(void *state, unsigned offset, unsigned size)
{
    bool command = offset < PCI_COMMAND + 2, bar = offset < BMIBA + 4 && offset + size > BMIBA;
    if (command || bar || (offset >= IDETIM && offset < SIDETIM))
        config_apply(state);
}

static void config_reset(struct ide *ide)
{
    struct pci_func *f = &ide->pci;
    memset(f->config, 0, sizeof(f->config));
    pci_identify(f, 0x8086, 0x7010, 0x010180, 0);
    pci_put16(f->config, 0x06, 0x0280); /* medium DEVSEL#, fast back to back */
    f->config[BMIBA] = 1;               /* I/O space */
    config_apply(ide);
}

static void config_init(struct ide *ide)
{
    struct pci_func *f = &ide->pci;
    f->written = config_written;
    f->writable[PCI_COMMAND] = PCI_COMMAND_IO | PCI_COMMAND_MASTER;
    pci_put16(f->w1c, 0x06, 0x3800); /* signaled target abort, received target and master abort */
    f->writable[0x0d] = 0xf0;
    /* All address bits, where the PIIX3 has 15:4: firmware sizes a BAR by 32 bits. Only a base
     * below 64 KiB is decoded. */
    pci_put32(f->writable, BMIBA, ~(BM_PORTS - 1));
    pci_put32(f->writable, IDETIM, ~0u);
    f->writable[SIDETIM] = 0xff;
}

/* ---- The device. ---- */

static bool drive_add(struct ide *ide, unsigned place, struct block *b, const struct ata_kind *kind)
{
    struct ata_drive *d = &ide->drive[place];
    void *ctx;
    const struct machine_ops *ops = dev_ops(ide->dev, &ctx);
    if (b->sectors < (kind == &ata_cdrom ? 4 : 1))
        return true; /* no medium, no drive */
    d->buffer = ops->alloc(ctx, ATA_BUFFER_SECTORS * ATA_SECTOR);
    d->in = d->buffer;
    d->kind = kind;
    ata_drive_init(d, &ide->channel[place / 2], place % 2, b);
    return d->buffer != NULL;
}

/* The second channel's master if free, else the first free place; 4: none. */
static unsigned cdrom_place(const struct machine_config *config)
{
    if (!config->disk[2])
        return 2;
    for (unsigned i = 0; i < 4; i++)
        if (!config->disk[i])
            return i;
    return 4;
}

static bool ide_init(struct dev *d, const struct machine_config *config)
{
    struct ide *ide = d->state;
    ide->dev = d;
    for (unsigned i = 0; i < 2; i++) {
        ide->channel[i].dev = d;
        ide->channel[i].irq = 14 + i;
    }
    for (unsigned i = 0; i < 4; i++)
        if (config->disk[i] && !drive_add(ide, i, config->disk[i], &ata_disk))
            return false;
    unsigned place = cdrom_place(config);
    if (config->cdrom && place < 4 && !drive_add(ide, place, config->cdrom, &ata_cdrom))
        return false;
    config_init(ide);
    return dev_pci_add(d, SLOT, FUNCTION, &ide->pci);
}

static void ide_reset(struct dev *d)
{
    struct ide *ide = d->state;
    for (unsigned i = 0; i < 2; i++) {
        struct ata_channel *c = &ide->channel[i];
        c->selected = c->control = 0;
        bmdma_reset(c);
        for (unsigned j = 0; j < 2; j++)
            if (c->drive[j])
                ata_reset(c->drive[j], true);
        c->intrq = false;
        dev_irq(d, c->irq, false);
    }
    config_reset(ide);
}

static void ide_poll(struct dev *d)
{
    struct ide *ide = d->state;
    for (unsigned i = 0; i < 4; i++)
        if (ide->drive[i].waiting)
            ata_poll(&ide->drive[i]);
}

static const struct dev_type ide_type = {
    .name = "ide",
    .state_bytes = sizeof(struct ide),
    .init = ide_init,
    .reset = ide_reset,
    .order = 10,
    .poll = ide_poll,
};
DEVICE(ide_type);
