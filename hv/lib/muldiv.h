#pragma once

#include "lib/types.h"

/* a * b / c with a 128-bit product. The quotient must fit 64 bits (a or b is below c). */
static inline u64 muldiv(u64 a, u64 b, u64 c)
{
    u64 high, low, quotient, remainder;
    __asm__("mulq %3" : "=a"(low), "=d"(high) : "a"(a), "r"(b) : "cc");
    __asm__("divq %4" : "=a"(quotient), "=d"(remainder) : "a"(low), "d"(high), "r"(c) : "cc");
    return quotient;
}
