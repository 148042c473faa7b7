#pragma once

#include "dev/dev.h"

#define RTC_SHUTDOWN 0x0f /* what the firmware does after a CPU reset */
#define RTC_CENTURY 0x32  /* in BCD */

/* CMOS memory from 0Eh on, for devices that leave their set-up there. */
void rtc_cmos_set(struct machine *m, unsigned index, u8 value);
u8 rtc_cmos_get(struct machine *m, unsigned index);
