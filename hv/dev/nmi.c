/* The board's NMI logic (82371AB, 4.2.4): requests pass the mask in bit 7 of port 70h, and the
 * CPU latches the rise of what comes out. SERR# and IOCHK# are levels, which bits 2 and 3 of port 61h shut and clear;
 * a button's pulse waits behind the mask. */

#include "dev/machine_internal.h"

#define SERR 0x80
#define IOCHK 0x40
#define SERR_OFF 0x04
#define IOCHK_OFF 0x08

static void pass(struct machine *m)
{
    struct nmi_gate *g = &m->nmi;
    bool level = !g->masked && g->status;
    if ((level && !g->level) || (g->button && !g->masked))
        m->pins |= CPU_NMI;
    g->level = level;
    g->button = g->button && g->masked;
}

void machine_nmi_request(struct machine *m, u8 status)
{
    struct nmi_gate *g = &m->nmi;
    g->button |= !status;
    g->status |= status & (u8)~g->off;
    pass(m);
}

bool machine_nmi(const struct machine *m)
{
    return m->pins & CPU_NMI;
}

void machine_nmi_take(struct machine *m)
{
    m->pins &= (u8)~CPU_NMI;
}

void dev_nmi_mask(struct dev *d, bool masked)
{
    d->machine->nmi.masked = masked;
    pass(d->machine);
}

void dev_nmi_sources(struct dev *d, u8 p61)
{
    struct nmi_gate *g = &d->machine->nmi;
    g->off = (p61 & SERR_OFF ? SERR : 0) | (p61 & IOCHK_OFF ? IOCHK : 0);
    g->status &= (u8)~g->off;
    pass(d->machine);
}

u8 dev_nmi_status(const struct dev *d)
{
    return d->machine->nmi.status;
}
