/* The text screen as text, for reports and for tests that look at the screen. */

#include "dev/vga.h"
#include "lib/fmt.h"

#define GRAPHICS 0x01 /* in the graphics controller's miscellaneous register */
#define MAX_COLUMNS 160u
#define MAX_ROWS 100u

/* Code page 437 in ASCII: frames by their nearest signs, shades and blocks by #. */
static char ascii(u8 code)
{
    if (code >= 0x20 && code < 0x7f)
        return (char)code;
    if (code == 0 || code == 0xff)
        return ' ';
    if (code >= 0xb0 && code <= 0xdf) {
        if (code == 0xb3 || code == 0xba)
            return '|';
        if (code == 0xc4 || code == 0xcd)
            return '-';
        return code <= 0xb2 || code >= 0xdb ? '#' : '+';
    }
    return '.';
}

struct text {
    char *buf;
    size_t size, at;
};

static void put(struct text *t, char c)
{
    if (t->at + 1 < t->size)
        t->buf[t->at++] = c;
}

/* One row, without the blanks at its end. A cell's character is in plane 0; the controller counts in
 * words, so cell n is at offset 2n. */
static void row_draw(const struct vga *v, struct text *t, u32 cell, u32 columns)
{
    while (columns && ascii(vga_plane_byte(v, 0, 2 * (cell + columns - 1))) == ' ')
        columns--;
    for (u32 i = 0; i < columns; i++)
        put(t, ascii(vga_plane_byte(v, 0, 2 * (cell + i))));
    put(t, '\n');
}

void vga_screen(struct dev *d, char *text, size_t size)
{
    const struct vga *v = d->state;
    struct text t = {text, size, 0};
    u32 lines = (v->crtc[0x12] | (v->crtc[7] & 2u) << 7 | (v->crtc[7] & 0x40u) << 3) + 1;
    u32 columns = min(v->crtc[1] + 1u, MAX_COLUMNS);
    if (!size)
        return;
    text[0] = 0;
    if (v->dispi[DISPI_ENABLE] & DISPI_ENABLED) {
        fmt_snprintf(text, size, "[graphics %ux%ux%u]\n", v->dispi[DISPI_XRES],
                     v->dispi[DISPI_YRES], v->dispi[DISPI_BPP]);
        return;
    }
    if (v->gc[6] & GRAPHICS) {
        fmt_snprintf(text, size, "[graphics %ux%u]\n", columns * 8, lines);
        return;
    }
    u32 rows = min(lines / ((v->crtc[9] & 0x1fu) + 1), MAX_ROWS);
    u32 start = (u32)v->crtc[0xc] << 8 | v->crtc[0xd], pitch = v->crtc[0x13] * 2u;
    for (u32 row = 0; row < rows; row++)
        row_draw(v, &t, start + row * pitch, columns);
    text[t.at] = 0;
}
