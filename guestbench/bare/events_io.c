/* Ports, and device memory. */

#include "bare.h"

enum { PIC0_MASK = 0x21, NOBODY = 0x240 };

static u8 saved, seen;

static void port_setup(void)
{
    saved = seen = in8((u16)current->param);
}

static void in_run(u32 n)
{
    u16 port = (u16)current->param;
    for (u32 i = 0; i < n; i++)
        seen = in8(port);
}

static void out_run(u32 n)
{
    u16 port = (u16)current->param;
    u8 value = saved;
    for (u32 i = 0; i < n; i++)
        out8(port, value);
}

static void same_verify(u32 n)
{
    (void)n;
    CHECK_EQ(seen, saved);
}

/* All lines are masked while a test of another kind runs; the register holds what is written. */
static void mask_finish(void)
{
    CHECK_EQ(in8(PIC0_MASK), saved);
    out8(PIC0_MASK, (u8)~saved);
    CHECK_EQ(in8(PIC0_MASK), (u8)~saved);
    out8(PIC0_MASK, saved);
}

BARE(in_pic, "in_pic", "IN of the 8259's mask, a byte", .ops = 1, .param = PIC0_MASK,
     .setup = port_setup, .run = in_run, .verify = same_verify);
BARE(out_pic, "out_pic", "OUT to the 8259's mask, a byte", .ops = 1, .param = PIC0_MASK,
     .setup = port_setup, .run = out_run, .finish = mask_finish);
BARE(in_nobody, "in_nobody", "IN of a byte from a port that nothing decodes", .ops = 1,
     .param = NOBODY, .setup = port_setup, .run = in_run, .verify = same_verify);
BARE(out_nobody, "out_nobody", "OUT of a byte to a port that nothing decodes", .ops = 1,
     .param = NOBODY, .setup = port_setup, .run = out_run, .verify = same_verify);

/* ---- VGA memory at A0000h in planar form, which is a device on each access ---- */

#define VGA ((volatile u8 *)0xa0000)

struct vga_register {
    u16 port;
    u8 index, planar, was;
};
static struct vga_register vga[] = {
    {0x3c4, 2, 0x0f, 0}, /* sequencer, map mask: all planes */
    {0x3c4, 4, 0x06, 0}, /* memory mode: all memory, neither odd/even nor chain 4 */
    {0x3ce, 1, 0x00, 0}, /* graphics controller, enable set/reset: no plane */
    {0x3ce, 3, 0x00, 0}, /* data rotate: none, replace */
    {0x3ce, 4, 0x00, 0}, /* read map select: plane 0 */
    {0x3ce, 5, 0x00, 0}, /* read mode 0, write mode 0 */
    {0x3ce, 6, 0x05, 0}, /* miscellaneous: graphics, A0000h to AFFFFh */
    {0x3ce, 8, 0xff, 0}, /* bit mask: all */
};

static void vga_finish(void)
{
    for (unsigned i = array_size(vga); i--;) {
        out8(vga[i].port, vga[i].index);
        out8((u16)(vga[i].port + 1), vga[i].was);
    }
}

static void vga_setup(void)
{
    for (unsigned i = 0; i < array_size(vga); i++) {
        out8(vga[i].port, vga[i].index);
        vga[i].was = in8((u16)(vga[i].port + 1));
        out8((u16)(vga[i].port + 1), vga[i].planar);
    }
    VGA[0] = 0x5a;
    VGA[1] = 0xa5;
    if (VGA[0] == 0x5a && VGA[1] == 0xa5)
        return;
    vga_finish();
    test_skip("no VGA memory at A0000h");
}

static void vga_read_run(u32 n)
{
    for (u32 i = 0; i < n; i++)
        seen = VGA[0];
    saved = 0x5a;
}

static void vga_write_run(u32 n)
{
    for (u32 i = 0; i < n; i++)
        VGA[1] = (u8)i;
    saved = (u8)(n - 1);
}

static void vga_write_finish(void)
{
    CHECK_EQ(VGA[1], saved);
    vga_finish();
}

BARE(mmio_read, "mmio_read", "load of a byte from VGA memory in planar mode", .ops = 1,
     .setup = vga_setup, .run = vga_read_run, .verify = same_verify, .finish = vga_finish);
BARE(mmio_write, "mmio_write", "store of a byte to VGA memory in planar mode", .ops = 1,
     .setup = vga_setup, .run = vga_write_run, .finish = vga_write_finish);
