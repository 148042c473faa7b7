#pragma once

/* The VGA's parts: vga.c has the ports, vga_mem.c the display memory as the CPU sees it, vga_dispi.c
 * the Bochs VBE extension and the PCI function, vga_screen.c draws text. Register names and bits are
 * those of the IBM PS/2 Hardware Interface Technical Reference, Video Subsystem (1992). */

#include "dev/dev.h"

#define VGA_VRAM (8 * MiB)
#define VGA_PLANE (64 * KiB)

/* How the CPU reaches display memory now. */
enum vga_window {
    VGA_TRAPPED, /* every access is carried out here */
    VGA_TEXT,    /* odd/even, no ALU: a linear copy of planes 0 and 1 is mapped */
    VGA_CHAIN4,  /* chain 4, no ALU: a linear copy of all planes is mapped */
    VGA_BANK,    /* VBE packed pixels: 64 KiB of the linear memory are mapped */
};

struct vga_map {
    enum vga_window kind;
    gpa_t gpa;
    u32 size;
    u8 *memory;
};

struct vga {
    struct dev *dev;
    struct pci_func pci;

    u8 misc, feature;
    u8 seq_index, seq[8];
    u8 gc_index, gc[16];
    u8 crtc_index, crtc[32];
    u8 attr_index, attr[32];
    bool attr_data; /* the flip-flop: the next write to 3C0h is data */
    u8 dac[256][3], dac_mask, dac_read_index, dac_write_index, dac_part, dac_state;

    u16 dispi_index, dispi[11];

    /* Each byte of display memory lives in one place: the planes, the window's linear copy while
     * one is mapped, or (VBE packed pixels) vram. */
    u8 *vram;
    u8 *plane[4];
    u8 *window;
    u8 latch[4];
    struct vga_map map;
    gpa_t lfb; /* where vram is mapped by BAR 0; 0: nowhere */
};

/* ---- vga_mem.c ---- */

/* Makes the map right after registers that shape memory accesses have changed. */
void vga_remap(struct vga *v);
u64 vga_mem_read(void *state, gpa_t gpa, unsigned size);
void vga_mem_write(void *state, gpa_t gpa, unsigned size, u64 value);
/* A byte of a plane, wherever it lives now. */
u8 vga_plane_byte(const struct vga *v, unsigned plane, u32 offset);

/* ---- vga_dispi.c ---- */

#define DISPI_ENABLED 0x01
#define DISPI_8BIT_DAC 0x20

enum {
    DISPI_ID,
    DISPI_XRES,
    DISPI_YRES,
    DISPI_BPP,
    DISPI_ENABLE,
    DISPI_BANK,
    DISPI_VIRT_WIDTH,
    DISPI_VIRT_HEIGHT,
    DISPI_X_OFFSET,
    DISPI_Y_OFFSET,
    DISPI_MEMORY,
};

bool vga_dispi_init(struct vga *v);
void vga_dispi_reset(struct vga *v);
/* VBE packed-pixel mode: the VGA's own memory paths are off. */
static inline bool vga_dispi_packed(const struct vga *v)
{
    return (v->dispi[DISPI_ENABLE] & DISPI_ENABLED) && v->dispi[DISPI_BPP] >= 8;
}

/* ---- vga_screen.c ---- */

void vga_screen(struct dev *d, char *text, size_t size);
