/*
 * Floating point by integers: a mantissa of four 16-bit words, most significant
 * first and with its top bit set, for a fraction of 1/2 to 1; an exponent of 2;
 * a sign. Results are cut off, not rounded.
 */
#ifndef GUESTBENCH_EMFLOAT_H
#define GUESTBENCH_EMFLOAT_H

#include <stdint.h>

enum { EMFLOAT_WORDS = 4 };
enum emfloat_type { EMFLOAT_ZERO, EMFLOAT_NORMAL, EMFLOAT_INFINITE, EMFLOAT_NAN };

struct emfloat {
    uint8_t type; /* an enum emfloat_type */
    uint8_t sign; /* 1: negative */
    int16_t exponent;
    uint16_t mantissa[EMFLOAT_WORDS];
};

struct emfloat emfloat_from(int32_t value);
struct emfloat emfloat_negative(struct emfloat a);
struct emfloat emfloat_add(const struct emfloat *a, const struct emfloat *b);
struct emfloat emfloat_multiply(const struct emfloat *a, const struct emfloat *b);
struct emfloat emfloat_divide(const struct emfloat *a, const struct emfloat *b);

/* The value as a long double, which has 64 bits of mantissa on x86. */
long double emfloat_value(const struct emfloat *a);

#endif
