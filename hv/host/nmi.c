#include "host/nmi.h"
#include "host/io.h"

/* Ports 70h and 61h (82371AB, 4.2.4). */
#define CMOS_NMI_OPEN                                                                              \
    0x0d              /* bit 7, the mask, clear; the index is of a register without side effects */
#define P61_KEPT 0x03 /* counter 2's gate and the speaker */
#define P61_SERR_OFF 0x04
#define P61_IOCHK_OFF 0x08
#define P61_IOCHK 0x40
#define P61_SERR 0x80

void host_nmi_init(void)
{
    out8(0x70, CMOS_NMI_OPEN);
    in8(0x71);
}

/* The board's request is cleared by shutting its source for a moment. */
static u8 board_status(void)
{
    u8 p61 = in8(0x61), status = p61 & (P61_SERR | P61_IOCHK);
    if (status) {
        u8 kept = p61 & (P61_KEPT | P61_SERR_OFF | P61_IOCHK_OFF);
        out8(0x61, kept | (status & P61_SERR ? P61_SERR_OFF : 0) |
                       (status & P61_IOCHK ? P61_IOCHK_OFF : 0));
        out8(0x61, kept);
    }
    return status;
}

u8 host_nmi_take(void)
{
    /* First: one that comes from here on is another. Volatile: not behind the ports. */
    *(volatile bool *)&host_nmi_noted = false;
    return board_status();
}
