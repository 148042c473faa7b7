/* The Bochs VBE extension (DISPI, ports 1CEh and 1CFh) and the card's PCI function 1234:1111 with
 * its linear frame buffer: what the VGA BIOS for them and the guests' drivers expect. */

#include "dev/pci.h"
#include "dev/vga.h"
#include "lib/string.h"

#define SLOT 2
#define BAR0 0x10
#define PREFETCHABLE 0x08

#define ID_FIRST 0xb0c0
#define ID_LAST 0xb0c5
#define ENABLE_BITS 0xe3u /* enabled, get capabilities, 8-bit DAC, LFB, no clear */
#define GET_CAPABILITIES 0x02
#define NO_CLEAR 0x80
#define MAX_XRES 2560u
#define MAX_YRES 1600u
#define MAX_BPP 32u

/* Fixed pages that no BAR may cover: I/O APIC, local APIC, firmware. */
#define BAR_LIMIT 0xfec00000ull

static u32 line_bytes(const struct vga *v, u32 width)
{
    u32 bpp = v->dispi[DISPI_BPP];
    return bpp == 4 ? width / 8 : width * ((bpp + 7) / 8);
}

/* The memory that scans out: all of vram, or the planes. */
static u32 memory_bytes(const struct vga *v)
{
    return v->dispi[DISPI_BPP] == 4 ? VGA_PLANE : VGA_VRAM;
}

static bool mode_valid(const struct vga *v)
{
    u32 x = v->dispi[DISPI_XRES], y = v->dispi[DISPI_YRES];
    return x && y && x <= MAX_XRES && y <= MAX_YRES && line_bytes(v, x) &&
           (u64)line_bytes(v, x) * y <= memory_bytes(v);
}

static void virtual_width_set(struct vga *v, u32 width)
{
    width = max(width, (u32)v->dispi[DISPI_XRES]);
    u32 line = line_bytes(v, width);
    if (!line || memory_bytes(v) / line < v->dispi[DISPI_YRES])
        return;
    v->dispi[DISPI_VIRT_WIDTH] = (u16)width;
    v->dispi[DISPI_VIRT_HEIGHT] = (u16)min(memory_bytes(v) / line, 0xffffu);
}

static void mode_set(struct vga *v, bool clear)
{
    virtual_width_set(v, v->dispi[DISPI_XRES]);
    v->dispi[DISPI_X_OFFSET] = v->dispi[DISPI_Y_OFFSET] = v->dispi[DISPI_BANK] = 0;
    if (!clear)
        return;
    if (v->dispi[DISPI_BPP] == 4)
        memset(v->plane[0], 0, 5 * VGA_PLANE); /* and the window, which follows them */
    else
        memset(v->vram, 0, line_bytes(v, v->dispi[DISPI_XRES]) * v->dispi[DISPI_YRES]);
}

static void enable_write(struct vga *v, u16 value)
{
    u16 old = v->dispi[DISPI_ENABLE];
    value &= ENABLE_BITS;
    if ((value & ~old & DISPI_ENABLED) && !mode_valid(v))
        value &= ~DISPI_ENABLED;
    if (!((value ^ old) & DISPI_ENABLED)) {
        v->dispi[DISPI_ENABLE] = value;
        return;
    }
    v->dispi[DISPI_ENABLE] = value & ~DISPI_ENABLED;
    vga_remap(v); /* the planes are up to date while a mode is set */
    if (value & ~old & DISPI_ENABLED)
        mode_set(v, !(value & NO_CLEAR));
    v->dispi[DISPI_ENABLE] = value;
    vga_remap(v);
}

static void bpp_write(struct vga *v, u16 value)
{
    if (!value)
        value = 8;
    if (value == 4 || value == 8 || value == 15 || value == 16 || value == 24 || value == 32)
        v->dispi[DISPI_BPP] = value;
}

static void bank_write(struct vga *v, u16 value)
{
    value &= 0x1ff; /* the upper bits select read and write banks in later versions */
    if (value >= VGA_VRAM / (64 * KiB))
        return;
    v->dispi[DISPI_BANK] = value;
    vga_remap(v);
}

static void data_write(struct vga *v, u16 value)
{
    bool enabled = v->dispi[DISPI_ENABLE] & DISPI_ENABLED;
    u16 index = v->dispi_index;
    switch (index) {
    case DISPI_ID:
        if (value >= ID_FIRST && value <= ID_LAST)
            v->dispi[DISPI_ID] = value;
        break;
    case DISPI_XRES:
    case DISPI_YRES: /* the size is fixed while enabled */
        if (!enabled)
            v->dispi[index] = value;
        break;
    case DISPI_BPP:
        if (!enabled)
            bpp_write(v, value);
        break;
    case DISPI_ENABLE: enable_write(v, value); break;
    case DISPI_BANK: bank_write(v, value); break;
    case DISPI_VIRT_WIDTH: virtual_width_set(v, value); break;
    case DISPI_X_OFFSET:
    case DISPI_Y_OFFSET: v->dispi[index] = value; break;
    default: break;
    }
}

static u16 data_read(const struct vga *v)
{
    bool capabilities = v->dispi[DISPI_ENABLE] & GET_CAPABILITIES;
    switch (v->dispi_index) {
    case DISPI_XRES: return capabilities ? MAX_XRES : v->dispi[DISPI_XRES];
    case DISPI_YRES: return capabilities ? MAX_YRES : v->dispi[DISPI_YRES];
    case DISPI_BPP: return capabilities ? MAX_BPP : v->dispi[DISPI_BPP];
    case DISPI_MEMORY: return VGA_VRAM / (64 * KiB);
    default: return v->dispi_index < array_size(v->dispi) ? v->dispi[v->dispi_index] : 0;
    }
}

static u32 port_read(void *state, u16 port, unsigned size)
{
    struct vga *v = state;
    (void)size;
    return port == 0x1ce ? v->dispi_index : data_read(v);
}

static void port_write(void *state, u16 port, unsigned size, u32 value)
{
    struct vga *v = state;
    (void)size;
    if (port == 0x1ce)
        v->dispi_index = (u16)value;
    else
        data_write(v, (u16)value);
}

static const struct port_ops dispi_ops = {.read = port_read, .write = port_write, .sizes = 2};

/* ---- PCI. ---- */

static void lfb_map(struct vga *v)
{
    void *ctx;
    const struct machine_ops *ops = dev_ops(v->dev, &ctx);
    u64 base = pci_get32(v->pci.config, BAR0) & ~(VGA_VRAM - 1);
    bool on = v->pci.config[PCI_COMMAND] & PCI_COMMAND_MEMORY;
    /* RAM and the fixed pages win over a base that lies on them. */
    if (!on || base < dev_config(v->dev)->ram_bytes || base + VGA_VRAM > BAR_LIMIT)
        base = 0;
    if (base == v->lfb)
        return;
    if (v->lfb)
        ops->map(ctx, v->lfb, VGA_VRAM, MEM_MMIO, NULL);
    if (base)
        ops->map(ctx, base, VGA_VRAM, MEM_RAM, v->vram);
    v->lfb = base;
}

static void config_written(void *state, unsigned offset, unsigned size)
{
    if (offset < PCI_COMMAND + 2 || (offset < BAR0 + 4 && offset + size > BAR0))
        lfb_map(state);
}

bool vga_dispi_init(struct vga *v)
{
    v->pci.written = config_written;
    v->pci.writable[PCI_COMMAND] = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
    pci_put32(v->pci.writable, BAR0, ~(u32)(VGA_VRAM - 1));
    return dev_claim_ports(v->dev, 0x1ce, 2, &dispi_ops) && dev_pci_add(v->dev, SLOT, 0, &v->pci);
}

void vga_dispi_reset(struct vga *v)
{
    memset(v->pci.config, 0, sizeof(v->pci.config));
    pci_identify(&v->pci, 0x1234, 0x1111, 0x030000, 2);
    v->pci.config[BAR0] = PREFETCHABLE;
    lfb_map(v);
    v->dispi_index = 0;
    memset(v->dispi, 0, sizeof(v->dispi));
    v->dispi[DISPI_ID] = ID_LAST;
    v->dispi[DISPI_BPP] = 8;
}
