#pragma once

#include "dev/dev.h"

/* The A20 gate, which the keyboard controller and port 92h both drive; the last write counts. */
bool sys_a20(struct machine *m);
void sys_a20_set(struct machine *m, bool on);

/* The CPU reset that the keyboard controller and port 92h pulse: back to the firmware if the guest has
 * left a shutdown code in CMOS memory, else the end of the VM by reboot. */
void sys_cpu_reset(struct machine *m, const char *why);
