/* Display memory as the CPU sees it. In modes where an access is a plain store or load of one byte
 * (text, 320x200x256, VBE banks) memory is mapped and costs no exit; else each access passes the
 * graphics controller here (IBM Video Subsystem reference, 2-78 ff.). */

#include "dev/vga.h"
#include "lib/string.h"

#define MISC_RAM 0x02
#define SEQ_MAP_MASK 2
#define SEQ_MEMORY 4
#define SEQ_NO_ODD_EVEN 0x04
#define SEQ_CHAIN4 0x08
#define GC_SET_RESET 0
#define GC_ENABLE_SET_RESET 1
#define GC_COMPARE 2
#define GC_ROTATE 3
#define GC_READ_MAP 4
#define GC_MODE 5
#define GC_MISC 6
#define GC_DONT_CARE 7
#define GC_BIT_MASK 8
#define MODE_ODD_EVEN 0x10
#define MODE_READ_COMPARE 0x08

struct range {
    gpa_t gpa;
    u32 size;
};

/* GC_MISC bits 3:2, memory map. */
static struct range decoded(const struct vga *v)
{
    static const struct range ranges[4] = {
        {0xa0000, 128 * KiB}, {0xa0000, 64 * KiB}, {0xb0000, 32 * KiB}, {0xb8000, 32 * KiB}};
    if (!(v->misc & MISC_RAM))
        return (struct range){0xa0000, 0};
    return ranges[v->gc[GC_MISC] >> 2 & 3];
}

/* ---- Which map the registers ask for. ---- */

/* Nothing between the CPU and memory: write mode 0 without ALU, mask and set/reset; read mode 0. */
static bool passes_through(const struct vga *v)
{
    return !(v->gc[GC_MODE] & (3 | MODE_READ_COMPARE)) && !v->gc[GC_ENABLE_SET_RESET] &&
           !v->gc[GC_ROTATE] && v->gc[GC_BIT_MASK] == 0xff;
}

static struct vga_map map_wanted(const struct vga *v)
{
    struct range r = decoded(v);
    u8 memory = v->seq[SEQ_MEMORY], mask = v->seq[SEQ_MAP_MASK];
    if (vga_dispi_packed(v)) {
        u64 at = v->dispi[DISPI_BANK] * 64 * KiB;
        return (struct vga_map){VGA_BANK, 0xa0000, 64 * KiB, v->vram + at};
    }
    if (passes_through(v) && r.size && r.size <= 64 * KiB) {
        if ((memory & SEQ_CHAIN4) && mask == 0xf && r.gpa == 0xa0000)
            return (struct vga_map){VGA_CHAIN4, r.gpa, r.size, v->window};
        if (!(memory & (SEQ_CHAIN4 | SEQ_NO_ODD_EVEN)) && mask == 3 &&
            (v->gc[GC_MODE] & MODE_ODD_EVEN) && !(v->gc[GC_READ_MAP] & 2))
            return (struct vga_map){VGA_TEXT, r.gpa, r.size, v->window};
    }
    return (struct vga_map){VGA_TRAPPED, 0xa0000, 0, NULL};
}

/* ---- Moving between planes and the linear copy. Byte A of the copy is in plane A mod 2 (text) or
 * 4 (chain 4), at A with these bits cleared. ---- */

static u32 plane_bits(enum vga_window kind)
{
    return kind == VGA_TEXT ? 1 : 3;
}

static void window_enter(struct vga *v, const struct vga_map *map)
{
    u32 bits = plane_bits(map->kind);
    for (u32 a = 0; a < map->size; a++)
        v->window[a] = v->plane[a & bits][a & ~bits];
}

static void window_leave(struct vga *v, const struct vga_map *map)
{
    u32 bits = plane_bits(map->kind);
    for (u32 a = 0; a < map->size; a++)
        v->plane[a & bits][a & ~bits] = v->window[a];
}

u8 vga_plane_byte(const struct vga *v, unsigned plane, u32 offset)
{
    const struct vga_map *map = &v->map;
    offset &= VGA_PLANE - 1;
    if (map->kind == VGA_TEXT || map->kind == VGA_CHAIN4) {
        u32 bits = plane_bits(map->kind);
        if (plane <= bits && !(offset & bits) && (offset | plane) < map->size)
            return v->window[offset | plane];
    }
    return v->plane[plane][offset];
}

void vga_remap(struct vga *v)
{
    struct vga_map old = v->map, new = map_wanted(v);
    if (old.kind == new.kind && old.gpa == new.gpa &&old.memory == new.memory)
        return;
    void *ctx;
    const struct machine_ops *ops = dev_ops(v->dev, &ctx);
    if (old.size && (old.gpa != new.gpa || old.size != new.size))
        ops->map(ctx, old.gpa, old.size, MEM_MMIO, NULL);
    if (old.kind == VGA_TEXT || old.kind == VGA_CHAIN4)
        window_leave(v, &old);
    if (new.kind == VGA_TEXT || new.kind == VGA_CHAIN4)
        window_enter(v, &new);
    if (new.size)
        ops->map(ctx, new.gpa, new.size, MEM_RAM, new.memory);
    v->map = new;
}

/* ---- One byte through the sequencer and the graphics controller. ---- */

/* The planes that a CPU address selects, and the offset in them. */
static u8 planes_at(const struct vga *v, u32 *offset, bool chain_odd_even)
{
    u32 a = *offset;
    if (v->seq[SEQ_MEMORY] & SEQ_CHAIN4) {
        *offset = a & ~3u;
        return (u8)(1u << (a & 3));
    }
    if (chain_odd_even) {
        *offset = a & ~1u;
        return a & 1 ? 0xa : 0x5;
    }
    return 0xf;
}

static u8 read_compare(const struct vga *v)
{
    u8 differs = 0;
    for (unsigned p = 0; p < 4; p++)
        if (v->gc[GC_DONT_CARE] >> p & 1)
            differs |= v->latch[p] ^ (v->gc[GC_COMPARE] >> p & 1 ? 0xff : 0);
    return (u8)~differs;
}

static u8 byte_read(struct vga *v, u32 a)
{
    u8 planes = planes_at(v, &a, v->gc[GC_MODE] & MODE_ODD_EVEN);
    for (unsigned p = 0; p < 4; p++)
        v->latch[p] = v->plane[p][a];
    if (v->gc[GC_MODE] & MODE_READ_COMPARE)
        return read_compare(v);
    if (planes == 0xf)
        return v->latch[v->gc[GC_READ_MAP]];
    if (planes == 0x5 || planes == 0xa)
        return v->latch[(v->gc[GC_READ_MAP] & 2) | (planes == 0xa)];
    return v->latch[__builtin_ctz(planes)];
}

static u8 rotate(u8 value, unsigned n)
{
    return (u8)(value >> n | value << ((8 - n) & 7));
}

static u8 alu(const struct vga *v, u8 value, u8 latch)
{
    switch (v->gc[GC_ROTATE] >> 3) {
    case 1: return value & latch;
    case 2: return value | latch;
    case 3: return value ^ latch;
    default: return value;
    }
}

/* What plane p gets for a CPU byte in the present write mode. */
static u8 plane_value(const struct vga *v, unsigned p, u8 value)
{
    u8 latch = v->latch[p], mask = v->gc[GC_BIT_MASK];
    u8 set_reset = v->gc[GC_SET_RESET] >> p & 1 ? 0xff : 0;
    u8 rotated = rotate(value, v->gc[GC_ROTATE] & 7);
    switch (v->gc[GC_MODE] & 3) {
    case 0: value = v->gc[GC_ENABLE_SET_RESET] >> p & 1 ? set_reset : rotated; break;
    case 1: return latch;
    case 2: value = value >> p & 1 ? 0xff : 0; break;
    default:
        mask &= rotated;
        value = set_reset;
        break;
    }
    return (alu(v, value, latch) & mask) | (latch & ~mask);
}

static void byte_write(struct vga *v, u32 a, u8 value)
{
    u8 planes = planes_at(v, &a, !(v->seq[SEQ_MEMORY] & SEQ_NO_ODD_EVEN));
    planes &= v->seq[SEQ_MAP_MASK];
    for (unsigned p = 0; p < 4; p++)
        if (planes >> p & 1)
            v->plane[p][a] = plane_value(v, p, value);
}

/* ---- Accesses that come here: those outside the map, and all where memory is trapped. ---- */

/* The mapped byte at gpa (the emulator may ask for it), or NULL. */
static u8 *mapped_byte(const struct vga *v, gpa_t gpa)
{
    u64 a = gpa - v->map.gpa;
    return a < v->map.size ? v->map.memory + a : NULL;
}

u64 vga_mem_read(void *state, gpa_t gpa, unsigned size)
{
    struct vga *v = state;
    struct range r = decoded(v);
    u64 value = 0;
    for (unsigned i = 0; i < size; i++) {
        const u8 *mapped = mapped_byte(v, gpa + i);
        u64 a = gpa + i - r.gpa;
        u8 byte = 0xff;
        if (mapped)
            byte = *mapped;
        else if (a < r.size && v->map.kind == VGA_TRAPPED)
            byte = byte_read(v, a & (VGA_PLANE - 1));
        value |= (u64)byte << (8 * i);
    }
    return value;
}

void vga_mem_write(void *state, gpa_t gpa, unsigned size, u64 value)
{
    struct vga *v = state;
    struct range r = decoded(v);
    for (unsigned i = 0; i < size; i++) {
        u8 *mapped = mapped_byte(v, gpa + i);
        u64 a = gpa + i - r.gpa;
        u8 byte = (u8)(value >> (8 * i));
        if (mapped)
            *mapped = byte;
        else if (a < r.size && v->map.kind == VGA_TRAPPED)
            byte_write(v, a & (VGA_PLANE - 1), byte);
    }
}
