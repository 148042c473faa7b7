/* The firmware configuration device of QEMU's PC, which SeaBIOS takes its set-up from (QEMU
 * docs/specs/fw_cfg): items selected at 510h and read at 511h, or moved by the DMA interface at 514h. */

#include "dev/dev.h"
#include "lib/string.h"

#define PORT_SELECT 0x510
#define PORT_DATA 0x511
#define PORT_DMA 0x514

enum {
    KEY_SIGNATURE = 0x00,
    KEY_ID = 0x01,
    KEY_RAM_SIZE = 0x03,
    KEY_NB_CPUS = 0x05,
    KEY_MAX_CPUS = 0x0f,
    KEY_FILE_DIR = 0x19,
    KEY_FILES = 0x20,
};

#define ID_TRADITIONAL 1u
#define ID_DMA 2u
#define DMA_ERROR 1u
#define DMA_READ 2u
#define DMA_SKIP 4u
#define DMA_SELECT 8u
#define DMA_WRITE 16u
#define DMA_MAX (16 * MiB) /* more than any item: a longer transfer is an error */
#define FILES 8
#define NAME_BYTES 56

/* A directory entry as the guest reads it; numbers are big-endian. */
struct fw_file {
    u8 size[4], select[2], reserved[2];
    char name[NAME_BYTES];
};

struct e820_entry {
    u8 address[8], length[8], type[4];
};

struct item {
    const void *data;
    u32 bytes;
};

struct fw_cfg {
    struct dev *dev;
    u16 selected;
    u32 offset;
    u32 dma_high;
    u16 cpus;
    u32 id;
    u64 ram_bytes;
    struct {
        u8 count[4];
        struct fw_file file[FILES];
    } dir;
    unsigned files;
    struct item file[FILES];
    struct e820_entry e820[2];
};

static void be_put(u8 *to, u64 value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (u8)(value >> (8 * (bytes - 1 - i)));
}

static u64 be_get(const u8 *from, unsigned bytes)
{
    u64 value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | from[i];
    return value;
}

static void le_put(u8 *to, u64 value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (u8)(value >> (8 * i));
}

/* An unknown item is empty, and what follows an item's end reads as zero. */
static struct item item_of(const struct fw_cfg *f, u16 key)
{
    switch (key) {
    case KEY_SIGNATURE: return (struct item){"QEMU", 4};
    case KEY_ID: return (struct item){&f->id, sizeof f->id};
    case KEY_RAM_SIZE: return (struct item){&f->ram_bytes, sizeof f->ram_bytes};
    case KEY_NB_CPUS:
    case KEY_MAX_CPUS: return (struct item){&f->cpus, sizeof f->cpus};
    case KEY_FILE_DIR: return (struct item){&f->dir, (u32)(4 + f->files * sizeof(struct fw_file))};
    }
    if (key >= KEY_FILES && (u32)(key - KEY_FILES) < f->files)
        return f->file[key - KEY_FILES];
    return (struct item){NULL, 0};
}

static void file_add(struct fw_cfg *f, const char *name, const void *data, u32 bytes)
{
    struct fw_file *e = &f->dir.file[f->files];
    size_t length = strlen(name);
    if (f->files == FILES || length >= NAME_BYTES)
        return;
    be_put(e->size, bytes, 4);
    be_put(e->select, KEY_FILES + f->files, 2);
    memcpy(e->name, name, length);
    f->file[f->files++] = (struct item){data, bytes};
    be_put(f->dir.count, f->files, 4);
}

/* Reads on from the item's offset, to the very end of `bytes`. */
static void item_read(struct fw_cfg *f, u8 *to, u32 bytes)
{
    struct item item = item_of(f, f->selected);
    u32 have = f->offset < item.bytes ? min(item.bytes - f->offset, bytes) : 0;
    if (have)
        memcpy(to, (const u8 *)item.data + f->offset, have);
    memset(to + have, 0, bytes - have);
    f->offset = bytes > ~0u - f->offset ? ~0u : f->offset + bytes;
}

static void item_select(struct fw_cfg *f, u16 key)
{
    f->selected = key;
    f->offset = 0;
}

static bool dma_to_guest(struct fw_cfg *f, gpa_t gpa, u32 bytes)
{
    void *ctx;
    const struct machine_ops *ops = dev_ops(f->dev, &ctx);
    u8 part[1024];
    while (bytes) {
        u32 n = min(bytes, (u32)sizeof part);
        item_read(f, part, n);
        if (!ops->write(ctx, gpa, part, n))
            return false;
        gpa += n;
        bytes -= n;
    }
    return true;
}

/* The descriptor: control (4), length (4), address (8), all big-endian. Control is written back: zero, or
 * the error bit. */
static void dma_run(struct fw_cfg *f, gpa_t descriptor)
{
    void *ctx;
    const struct machine_ops *ops = dev_ops(f->dev, &ctx);
    u8 d[16];
    if (descriptor > ~0ull - sizeof d || !ops->read(ctx, descriptor, d, sizeof d))
        return;
    u32 control = (u32)be_get(d, 4), bytes = (u32)be_get(d + 4, 4);
    gpa_t gpa = be_get(d + 8, 8);
    bool ok = bytes <= DMA_MAX && gpa <= ~0ull - bytes;
    if (control & DMA_SELECT)
        item_select(f, (u16)(control >> 16));
    if (ok && (control & DMA_READ))
        ok = dma_to_guest(f, gpa, bytes);
    else if (control & DMA_WRITE)
        ok = false; /* no item can be written */
    else if (ok && (control & DMA_SKIP))
        f->offset = bytes > ~0u - f->offset ? ~0u : f->offset + bytes;
    be_put(d, ok ? 0 : DMA_ERROR, 4);
    ops->write(ctx, descriptor, d, 4);
}

static u32 fw_read(void *state, u16 port, unsigned size)
{
    struct fw_cfg *f = state;
    u8 byte;
    (void)size;
    if (port != PORT_DATA)
        return ~0u;
    item_read(f, &byte, 1);
    return byte;
}

static u32 fw_read_string(void *state, u16 port, unsigned size, void *buf, u32 count)
{
    struct fw_cfg *f = state;
    if (port == PORT_DATA && size == 1)
        item_read(f, buf, count);
    else
        memset(buf, 0xff, (size_t)count * size);
    return count;
}

/* A word to 510h selects; data writes have been without effect since QEMU 2.4. */
static void fw_write(void *state, u16 port, unsigned size, u32 value)
{
    if (port == PORT_SELECT && size == 2)
        item_select(state, (u16)value);
}

static u32 dma_read(void *state, u16 port, unsigned size)
{
    static const u8 signature[8] = {'Q', 'E', 'M', 'U', ' ', 'C', 'F', 'G'};
    u32 value = 0;
    (void)state;
    for (unsigned i = 0; i < size && (port & 3) + i < 4; i++)
        value |= (u32)signature[(port - PORT_DMA) + i] << (8 * i);
    return value;
}

/* The address is big-endian: the half at 514h is the high one, the half at 518h starts. */
static void dma_write(void *state, u16 port, unsigned size, u32 value)
{
    struct fw_cfg *f = state;
    u32 half = __builtin_bswap32(value);
    if (size != 4)
        return;
    if (port == PORT_DMA) {
        f->dma_high = half;
    } else if (port == PORT_DMA + 4) {
        gpa_t descriptor = (u64)f->dma_high << 32 | half;
        f->dma_high = 0;
        dma_run(f, descriptor);
    }
}

static const struct port_ops fw_ops = {
    .read = fw_read, .write = fw_write, .read_string = fw_read_string, .sizes = 1 | 2};
static const struct port_ops dma_ops = {.read = dma_read, .write = dma_write, .sizes = 1 | 2 | 4};

static void e820_put(struct e820_entry *e, u64 address, u64 length, u32 type)
{
    le_put(e->address, address, 8);
    le_put(e->length, length, 8);
    le_put(e->type, type, 4);
}

static bool fw_cfg_init(struct dev *d, const struct machine_config *config)
{
    struct fw_cfg *f = d->state;
    f->dev = d;
    f->id = ID_TRADITIONAL | ID_DMA;
    f->ram_bytes = config->ram_bytes;
    f->cpus = (u16)max(config->cpu_count, 1u);
    e820_put(&f->e820[0], 0, config->ram_bytes, 1);
    file_add(f, "etc/e820", f->e820, sizeof f->e820[0]);
    if (config->vga_rom && config->vga_rom_bytes)
        /* By this name the firmware runs it as the ROM of that PCI function, so that it learns where
         * the frame buffer is; under vgaroms/ it would not. */
        file_add(f, "pci1234,1111.rom", config->vga_rom, config->vga_rom_bytes);
    return dev_claim_ports(d, PORT_SELECT, 2, &fw_ops) && dev_claim_ports(d, PORT_DMA, 8, &dma_ops);
}

static void fw_cfg_reset(struct dev *d)
{
    struct fw_cfg *f = d->state;
    item_select(f, 0);
    f->dma_high = 0;
}

static const struct dev_type fw_cfg_type = {
    .name = "fw_cfg",
    .state_bytes = sizeof(struct fw_cfg),
    .init = fw_cfg_init,
    .reset = fw_cfg_reset,
    .order = 10,
};
DEVICE(fw_cfg_type);
