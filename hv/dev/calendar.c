/* The Gregorian calendar over seconds since 1970. */

#include "dev/calendar.h"

static bool leap(unsigned y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

unsigned calendar_month_days(unsigned month, unsigned year)
{
    static const u8 days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && leap(year));
}

/* Years are counted from March, so that a leap day is a year's last. */
u64 calendar_days(unsigned year, unsigned month, unsigned mday)
{
    unsigned y = month <= 2 ? year - 1 : year, m = month <= 2 ? month + 9 : month - 3;
    return 365ull * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + mday - 1 - 719468;
}

struct date calendar_date(u64 unix_seconds)
{
    u64 days = unix_seconds / CALENDAR_DAY;
    unsigned in_day = (unsigned)(unix_seconds % CALENDAR_DAY);
    struct date t = {.sec = in_day % 60, .min = in_day / 60 % 60, .hour = in_day / 3600};
    t.wday = (unsigned)((days + 4) % 7) + 1; /* 1970-01-01 was a Thursday */
    /* 400-year cycles of 146097 days, from March 0000. */
    u64 d = days + 719468, era = d / 146097;
    unsigned doe = (unsigned)(d % 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    t.mday = doy - (153 * mp + 2) / 5 + 1;
    t.month = mp < 10 ? mp + 3 : mp - 9;
    t.year = (unsigned)(yoe + era * 400) + (t.month <= 2);
    return t;
}
