#pragma once

#include "lib/types.h"

#define CALENDAR_DAY 86400u /* seconds */

struct date {
    unsigned sec, min, hour, wday /* 1: Sunday */, mday, month, year;
};

/* Days of a month (1 to 12). */
unsigned calendar_month_days(unsigned month, unsigned year);
/* Days from 1970-01-01 to a date from then on. */
u64 calendar_days(unsigned year, unsigned month, unsigned mday);
/* The date and time of day (UTC) of seconds since 1970. */
struct date calendar_date(u64 unix_seconds);
