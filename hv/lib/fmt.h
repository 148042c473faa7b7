#pragma once

#include <stdarg.h>
#include <stddef.h>

/* Formats into buf like snprintf: %d %i %u %x %X %c %s %p %%, with flags 0 and -,
 * width, precision for %s, and the lengths l, ll, z. Always ends buf with NUL
 * (where size > 0). Returns the length that the whole text has. */
int fmt_snprintf(char *buf, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int fmt_vsnprintf(char *buf, size_t size, const char *format, va_list ap);
