#pragma once

/* NMIs of the machine below, which are the guest's: vector 2 notes one, whether it came in a guest's turn
 * or to the hypervisor. */

#include "lib/types.h"

/* One has come since host_nmi_take(). The stub sets it: read it anew after a turn of the guest, or a HLT. */
extern bool host_nmi_noted;

/* Opens the gate that the firmware may have left shut. */
void host_nmi_init(void);
/* What asked for it: bits 7 and 6 of port 61h, SERR# and IOCHK#; or 0. */
u8 host_nmi_take(void);
