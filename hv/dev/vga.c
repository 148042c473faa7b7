/* The VGA's registers (IBM Video Subsystem reference, section 2; ports 3B4h to 3DAh). */

#include "dev/vga.h"
#include "lib/string.h"

#define MISC_COLOR 0x01
#define SEQ_REGS 5u
#define GC_REGS 9u
#define CRTC_REGS 0x19u
#define ATTR_REGS 0x15u
#define CRTC_PROTECT 0x80 /* in the vertical retrace end register */

static const u8 seq_bits[SEQ_REGS] = {0x03, 0x3d, 0x0f, 0x3f, 0x0e};
static const u8 gc_bits[GC_REGS] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff};

/* ---- Input status 1: where the beam is, as a function of time. ---- */

static u32 vertical(const struct vga *v, unsigned reg, unsigned bit8, unsigned bit9)
{
    u8 overflow = v->crtc[7];
    return v->crtc[reg] | (u32)(overflow >> bit8 & 1) << 8 | (u32)(overflow >> bit9 & 1) << 9;
}

static u32 character_hz(const struct vga *v)
{
    u32 hz = (v->misc >> 2 & 3) == 1 ? 28322000 : 25175000;
    hz /= v->seq[1] & 1 ? 8 : 9;
    return v->seq[1] & 8 ? hz / 2 : hz;
}

static u8 input_status_1(struct vga *v)
{
    u32 line_length = v->crtc[0] + 5u, lines = vertical(v, 6, 0, 5) + 2;
    u32 at = (u32)(dev_ticks(v->dev, character_hz(v)) % (line_length * lines));
    u32 line = at / line_length, column = at % line_length;
    u32 retrace = vertical(v, 0x10, 2, 7);
    u32 retrace_lines = (v->crtc[0x11] - retrace) & 0xf;
    u8 status = 0;
    if (line > vertical(v, 0x12, 1, 6) || column > v->crtc[1])
        status |= 0x01; /* display is off */
    if (line >= retrace && line - retrace < (retrace_lines ? retrace_lines : 16))
        status |= 0x08;
    v->attr_data = false;
    return status;
}

/* ---- Attribute controller: one port, address and data in turn. ---- */

static void attr_write(struct vga *v, u8 value)
{
    static const u8 bits[ATTR_REGS] = {[0 ... 15] = 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f};
    unsigned i = v->attr_index & 0x1f;
    if (!v->attr_data)
        v->attr_index = value & 0x3f;
    else if (i < ATTR_REGS)
        v->attr[i] = value & bits[i];
    v->attr_data = !v->attr_data;
}

/* ---- DAC: three bytes a colour, the index steps by itself. ---- */

static void dac_data_write(struct vga *v, u8 value)
{
    bool wide = v->dispi[DISPI_ENABLE] & DISPI_8BIT_DAC;
    v->dac[v->dac_write_index][v->dac_part] = wide ? value : value & 0x3f;
    if (++v->dac_part == 3) {
        v->dac_part = 0;
        v->dac_write_index++;
    }
}

static u8 dac_data_read(struct vga *v)
{
    u8 value = v->dac[v->dac_read_index][v->dac_part];
    if (++v->dac_part == 3) {
        v->dac_part = 0;
        v->dac_read_index++;
    }
    return value;
}

/* ---- CRT controller. ---- */

static void crtc_write(struct vga *v, u8 value)
{
    unsigned i = v->crtc_index;
    if (i >= CRTC_REGS)
        return;
    if (i <= 7 && (v->crtc[0x11] & CRTC_PROTECT)) {
        if (i == 7) /* line compare bit 8 stays open */
            v->crtc[7] = (v->crtc[7] & ~0x10) | (value & 0x10);
        return;
    }
    v->crtc[i] = value;
}

/* 3Bxh answers in monochrome, 3Dxh in colour. */
static bool crtc_decoded(const struct vga *v, u16 port)
{
    return ((port & 0xf0) == 0xd0) == (v->misc & MISC_COLOR);
}

static u32 crtc_port_read(void *state, u16 port, unsigned size)
{
    struct vga *v = state;
    (void)size;
    if (!crtc_decoded(v, port))
        return 0xff;
    switch (port & 0xf) {
    case 0x4: return v->crtc_index;
    case 0x5: return v->crtc_index < CRTC_REGS ? v->crtc[v->crtc_index] : 0;
    default: return input_status_1(v);
    }
}

static void crtc_port_write(void *state, u16 port, unsigned size, u32 value)
{
    struct vga *v = state;
    (void)size;
    if (!crtc_decoded(v, port))
        return;
    switch (port & 0xf) {
    case 0x4: v->crtc_index = value & 0x3f; break;
    case 0x5: crtc_write(v, (u8)value); break;
    default: v->feature = (u8)value; break;
    }
}

static const struct port_ops crtc_ops = {
    .read = crtc_port_read, .write = crtc_port_write, .sizes = 1};

/* ---- 3C0h to 3CFh. ---- */

static u32 vga_read(void *state, u16 port, unsigned size)
{
    struct vga *v = state;
    (void)size;
    switch (port) {
    case 0x3c0: return v->attr_index;
    case 0x3c1: return (v->attr_index & 0x1f) < ATTR_REGS ? v->attr[v->attr_index & 0x1f] : 0;
    case 0x3c2: return 0x10; /* switch sense: a colour display */
    case 0x3c4: return v->seq_index;
    case 0x3c5: return v->seq_index < SEQ_REGS ? v->seq[v->seq_index] : 0;
    case 0x3c6: return v->dac_mask;
    case 0x3c7: return v->dac_state;
    case 0x3c8: return v->dac_write_index;
    case 0x3c9: return dac_data_read(v);
    case 0x3ca: return v->feature;
    case 0x3cc: return v->misc;
    case 0x3ce: return v->gc_index;
    case 0x3cf: return v->gc_index < GC_REGS ? v->gc[v->gc_index] : 0;
    default: return 0xff;
    }
}

/* Registers that shape memory accesses: a new value may change the map. */
static void shape_write(struct vga *v, u8 *reg, u8 value)
{
    if (*reg == value)
        return;
    *reg = value;
    vga_remap(v);
}

static void vga_write(void *state, u16 port, unsigned size, u32 wide)
{
    struct vga *v = state;
    u8 value = (u8)wide;
    (void)size;
    switch (port) {
    case 0x3c0: attr_write(v, value); break;
    case 0x3c2: shape_write(v, &v->misc, value); break;
    case 0x3c4: v->seq_index = value & 7; break;
    case 0x3c5:
        if (v->seq_index < SEQ_REGS)
            shape_write(v, &v->seq[v->seq_index], value & seq_bits[v->seq_index]);
        break;
    case 0x3c6: v->dac_mask = value; break;
    case 0x3c7:
        v->dac_read_index = value;
        v->dac_part = 0;
        v->dac_state = 3;
        break;
    case 0x3c8:
        v->dac_write_index = value;
        v->dac_part = 0;
        v->dac_state = 0;
        break;
    case 0x3c9: dac_data_write(v, value); break;
    case 0x3ce: v->gc_index = value & 0xf; break;
    case 0x3cf:
        if (v->gc_index < GC_REGS)
            shape_write(v, &v->gc[v->gc_index], value & gc_bits[v->gc_index]);
        break;
    default: break;
    }
}

static const struct port_ops vga_ops = {.read = vga_read, .write = vga_write, .sizes = 1};
static const struct mmio_ops memory_ops = {.read = vga_mem_read, .write = vga_mem_write};

/* ---- The device. ---- */

static bool vga_init(struct dev *d, const struct machine_config *config)
{
    struct vga *v = d->state;
    void *ctx;
    const struct machine_ops *ops = dev_ops(d, &ctx);
    (void)config;
    v->dev = d;
    v->vram = ops->alloc(ctx, VGA_VRAM);
    u8 *planes = ops->alloc(ctx, 5 * VGA_PLANE);
    if (!v->vram || !planes)
        return false;
    for (unsigned i = 0; i < 4; i++)
        v->plane[i] = planes + i * VGA_PLANE;
    v->window = planes + 4 * VGA_PLANE;
    v->map = (struct vga_map){VGA_TRAPPED, 0xa0000, 0, NULL};
    return dev_claim_ports(d, 0x3c0, 16, &vga_ops) && dev_claim_ports(d, 0x3b4, 2, &crtc_ops) &&
           dev_claim_ports(d, 0x3ba, 1, &crtc_ops) && dev_claim_ports(d, 0x3d4, 2, &crtc_ops) &&
           dev_claim_ports(d, 0x3da, 1, &crtc_ops) &&
           dev_claim_mmio(d, 0xa0000, 128 * KiB, &memory_ops) && vga_dispi_init(v);
}

static void vga_reset(struct dev *d)
{
    struct vga *v = d->state;
    v->misc = v->feature = 0;
    v->seq_index = v->gc_index = v->crtc_index = v->attr_index = 0;
    memset(v->seq, 0, sizeof(v->seq));
    memset(v->gc, 0, sizeof(v->gc));
    memset(v->crtc, 0, sizeof(v->crtc));
    memset(v->attr, 0, sizeof(v->attr));
    v->attr_data = false;
    v->dac_mask = 0xff;
    v->dac_read_index = v->dac_write_index = v->dac_part = v->dac_state = 0;
    vga_dispi_reset(v);
    vga_remap(v);
}

static const struct dev_type vga_type = {
    .name = "vga",
    .state_bytes = sizeof(struct vga),
    .init = vga_init,
    .reset = vga_reset,
    .order = 10,
    .screen = vga_screen,
};
DEVICE(vga_type);
