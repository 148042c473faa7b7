/* COM1, polled. */

#include "guest.h"

enum { COM1 = 0x3f8, LSR = 5, LSR_THRE = 0x20, LSR_TEMT = 0x40 };

void console_init(void)
{
    out8(COM1 + 1, 0);
    out8(COM1 + 3, 0x80);
    out8(COM1, 1);
    out8(COM1 + 1, 0);
    out8(COM1 + 3, 3);
    out8(COM1 + 2, 1);
}

static void put(char c)
{
    while (!(in8(COM1 + LSR) & LSR_THRE))
        ;
    out8(COM1, (u8)c);
}

void console_drain(void)
{
    while (!(in8(COM1 + LSR) & LSR_TEMT))
        ;
}

static void put_number(u64 v, unsigned base)
{
    char digits[24];
    unsigned n = 0;
    if (base == 16) {
        do
            digits[n++] = "0123456789abcdef"[v & 15];
        while (v >>= 4);
    } else {
        u32 w = (u32)v; /* decimal numbers are counts: 32 bits hold them */
        do
            digits[n++] = (char)('0' + w % 10);
        while (w /= 10);
    }
    while (n)
        put(digits[--n]);
}

static void print_list(const char *f, va_list args)
{
    for (; *f; f++) {
        if (*f != '%') {
            put(*f);
            continue;
        }
        unsigned longs = 0;
        while (*++f == 'l')
            longs++;
        if (*f == 's') {
            for (const char *s = va_arg(args, const char *); *s; s++)
                put(*s);
        } else if (*f == 'd') {
            int v = va_arg(args, int);
            if (v < 0)
                put('-');
            put_number((u32)(v < 0 ? -v : v), 10);
        } else {
            u64 v = longs == 2 ? va_arg(args, u64)
                    : longs    ? va_arg(args, ulong)
                               : va_arg(args, unsigned);
            put_number(v, *f == 'u' ? 10 : 16);
        }
    }
}

void print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_list(format, args);
    va_end(args);
}

void bail_out(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print("Bail out! ");
    print_list(format, args);
    print("\n");
    va_end(args);
    power_off();
}
