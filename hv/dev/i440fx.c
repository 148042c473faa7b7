/* 440FX host bridge, 82441FX PMC (Intel 290549): PCI function 0:0.0 and the memory map below 4 GiB.
 *
 *   4 GiB - size  firmware ROM
 *   top of RAM    PCI
 *   1 MiB         RAM
 *   C0000h        twelve 16-KiB segments and F0000h-FFFFFh, each by its PAM field:
 *                 reads from RAM or PCI, writes to RAM or PCI; the firmware's last 128 KiB answer on
 *                 PCI at E0000h
 *   A0000h        PCI (the VGA maps its memory there)
 *   0             RAM
 *
 * SMRAM (72h) keeps its fields, but D_OPEN opens nothing: there is no SMM in this machine (see pm.c). */

#include "dev/pci.h"
#include "lib/string.h"

#define PAM0 0x59
#define SMRAM 0x72
#define SMRAM_D_OPEN 0x40
#define SMRAM_D_LCK 0x10
#define PAM_READ 1u
#define PAM_WRITE 2u
#define SEGMENTS 13
#define FIRST_SEGMENT 0xc0000u
#define LOW_ROM 0xe0000u /* the ROM's copy below 1 MiB begins here at the earliest */

struct i440fx {
    struct pci_func pci;
    struct dev *dev;
    u8 *rom;
    u32 rom_bytes;
    u8 *ram; /* the RAM under C0000h to FFFFFh */
    u8 attr[SEGMENTS];
    bool mapped; /* attr says what is mapped */
};

/* Segments 0 to 11 are 16 KiB from C0000h, 12 is F0000h to FFFFFh. */
static u32 segment_size(unsigned i)
{
    return i < 12 ? 0x4000 : 0x10000;
}

/* What a PCI read at gpa finds: the ROM's byte, or NULL. */
static u8 *rom_at(struct i440fx *s, gpa_t gpa)
{
    u64 from_top = 0x100000 - gpa;
    return gpa >= LOW_ROM && from_top <= s->rom_bytes ? s->rom + s->rom_bytes - from_top : NULL;
}

static u8 *ram_at(struct i440fx *s, gpa_t gpa)
{
    return s->ram ? s->ram + (gpa - FIRST_SEGMENT) : NULL;
}

static unsigned segment_of(gpa_t gpa)
{
    return min((unsigned)((gpa - FIRST_SEGMENT) >> 14), SEGMENTS - 1u);
}

/* One segment by its PAM field. Where reads and writes go to different places and neither side may be
 * mapped as it is, the accesses come to shadow_ops. */
static void segment_map(struct i440fx *s, unsigned i)
{
    void *ctx;
    const struct machine_ops *ops = dev_ops(s->dev, &ctx);
    gpa_t gpa = FIRST_SEGMENT + 0x4000u * i;
    u32 size = segment_size(i);
    u8 *rom = rom_at(s, gpa);
    switch (s->attr[i]) {
    case PAM_READ | PAM_WRITE: ops->map(ctx, gpa, size, MEM_RAM, NULL); break;
    case PAM_READ: ops->map(ctx, gpa, size, MEM_ROM, ram_at(s, gpa)); break;
    case PAM_WRITE: ops->map(ctx, gpa, size, MEM_MMIO, NULL); break;
    default: ops->map(ctx, gpa, size, rom ? MEM_ROM : MEM_MMIO, rom); break;
    }
}

static u64 shadow_read(void *state, gpa_t gpa, unsigned size)
{
    struct i440fx *s = state;
    u64 value = 0;
    for (unsigned i = 0; i < size; i++) {
        const u8 *p =
            s->attr[segment_of(gpa + i)] & PAM_READ ? ram_at(s, gpa + i) : rom_at(s, gpa + i);
        value |= (u64)(p ? *p : 0xff) << (8 * i);
    }
    return value;
}

static void shadow_write(void *state, gpa_t gpa, unsigned size, u64 value)
{
    struct i440fx *s = state;
    for (unsigned i = 0; i < size; i++) {
        u8 *p = ram_at(s, gpa + i);
        if (p && (s->attr[segment_of(gpa + i)] & PAM_WRITE))
            *p = (u8)(value >> (8 * i));
    }
}

static const struct mmio_ops shadow_ops = {.read = shadow_read, .write = shadow_write};

/* PAM0 bits 5:4 are F0000h's; PAM1 to PAM6 have two segments each, the lower in bits 1:0. */
static u8 segment_attr(const struct i440fx *s, unsigned i)
{
    const u8 *pam = &s->pci.config[PAM0];
    u8 field = i == 12 ? pam[0] >> 4 : (u8)(pam[1 + i / 2] >> (i % 2 * 4));
    return field & (PAM_READ | PAM_WRITE);
}

static void pam_update(struct i440fx *s)
{
    for (unsigned i = 0; i < SEGMENTS; i++) {
        u8 attr = segment_attr(s, i);
        if (s->mapped && attr == s->attr[i])
            continue;
        s->attr[i] = attr;
        segment_map(s, i);
    }
    s->mapped = true;
}

static void i440fx_written(void *state, unsigned offset, unsigned size)
{
    struct i440fx *s = state;
    if (offset + size > PAM0 && offset < PAM0 + 7)
        pam_update(s);
    if (offset <= SMRAM && offset + size > SMRAM && (s->pci.config[SMRAM] & SMRAM_D_LCK)) {
        s->pci.config[SMRAM] &= (u8)~SMRAM_D_OPEN; /* D_LCK locks the register until reset */
        s->pci.writable[SMRAM] = 0;
    }
}

static void i440fx_reset(struct dev *d)
{
    struct i440fx *s = d->state;
    struct pci_func *f = &s->pci;
    memset(f->config, 0, sizeof f->config);
    pci_identify(f, 0x8086, 0x1237, 0x060000, 2);
    pci_put16(f->config, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_put16(f->config, 0x06, 0x0280); /* medium DEVSEL#, fast back-to-back */
    /* The subsystem by which the firmware knows the virtual board that it is built for. */
    pci_put16(f->config, 0x2c, 0x1af4);
    pci_put16(f->config, 0x2e, 0x1100);
    f->config[SMRAM] = 0x02; /* C_BASE_SEG: A0000h */
    f->writable[SMRAM] = 0x78;
    pam_update(s);
}

/* Registers a write changes (290549, table 4). */
static void i440fx_masks(struct pci_func *f)
{
    pci_put16(f->writable, PCI_COMMAND, 0x0140); /* SERR#, parity; memory and master are fixed */
    pci_put16(f->w1c, 0x06, 0xf900);
    f->writable[0x0d] = 0xf8; /* master latency */
    memset(&f->writable[0x50], 0xff, 0x59 - 0x50);
    f->writable[PAM0] = 0x30;
    memset(&f->writable[PAM0 + 1], 0x33, 6);
    memset(&f->writable[0x60], 0xff, 0x72 - 0x60); /* DRAM rows, fixed DRAM hole, refresh */
    memset(&f->writable[0x90], 0xff, 4); /* error command and status, reset control of CPU */
    f->writable[0x93] = 0;               /* TRC: CF9h of the PIIX resets instead */
}

/* The parts of the map that no register moves. */
static bool memory_map(struct dev *d, const struct machine_config *config)
{
    struct i440fx *s = d->state;
    void *ctx;
    const struct machine_ops *ops = dev_ops(d, &ctx);
    ops->map(ctx, 0, 0xa0000, MEM_RAM, NULL);
    ops->map(ctx, 0xa0000, 0x20000, MEM_MMIO, NULL);
    ops->map(ctx, FIRST_SEGMENT, 0x40000, MEM_RAM, NULL);
    s->ram = ops->ptr(ctx, FIRST_SEGMENT, 0x40000);
    if (config->ram_bytes > MiB)
        ops->map(ctx, MiB, config->ram_bytes - MiB, MEM_RAM, NULL);

    s->rom = ops->alloc(ctx, config->firmware_bytes);
    if (!s->rom)
        return false;
    s->rom_bytes = config->firmware_bytes;
    memcpy(s->rom, config->firmware, s->rom_bytes);
    ops->map(ctx, 4 * GiB - s->rom_bytes, s->rom_bytes, MEM_ROM, s->rom);
    return dev_claim_mmio(d, FIRST_SEGMENT, 0x40000, &shadow_ops);
}

static bool i440fx_init(struct dev *d, const struct machine_config *config)
{
    struct i440fx *s = d->state;
    s->dev = d;
    s->pci.written = i440fx_written;
    i440fx_masks(&s->pci);
    return memory_map(d, config) && dev_pci_add(d, 0, 0, &s->pci);
}

static const struct dev_type i440fx_type = {
    .name = "i440fx",
    .state_bytes = sizeof(struct i440fx),
    .init = i440fx_init,
    .reset = i440fx_reset,
};
DEVICE(i440fx_type);
