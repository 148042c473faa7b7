#pragma once

/* Time of the machine below: the TSC, and the local APIC's timer for interrupts at a TSC value. */

#include "lib/types.h"

struct host_clock {
    u64 tsc_hz;
    u64 timer_hz; /* of the APIC timer, divided by 1 */
    u64 armed;    /* the TSC value it is set for, ~0: none */
};

/* Measures both rates against the 8254. False: no local APIC. */
bool host_clock_init(struct host_clock *c);
/* Interrupts at guest-independent TSC value tsc (or as soon as it is past); ~0: not at all. */
void host_clock_arm(struct host_clock *c, u64 tsc);
/* Seconds since 1970 from the CMOS clock. */
u64 host_clock_unix(void);
