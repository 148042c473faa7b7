#include "emfloat.h"

#include <math.h>
#include <stdbool.h>

/* Room of words for what is shifted out: a guard word. */
enum { WIDE = EMFLOAT_WORDS + 1, LARGEST_EXPONENT = 32767, BITS = 16 * EMFLOAT_WORDS };

static struct emfloat special(enum emfloat_type type, unsigned sign)
{
    return (struct emfloat){.type = (uint8_t)type, .sign = (uint8_t)sign};
}

/* Shifts by one bit towards the front. Returns the bit that falls out. */
static unsigned shift_up(uint16_t *words, int n)
{
    unsigned carry = 0;
    for (int i = n - 1; i >= 0; i--) {
        unsigned word = (unsigned)words[i] << 1 | carry;
        words[i] = (uint16_t)word;
        carry = word >> 16;
    }
    return carry;
}

static void shift_down(uint16_t *words, int n, unsigned carry)
{
    for (int i = 0; i < n; i++) {
        unsigned out = words[i] & 1;
        words[i] = (uint16_t)(words[i] >> 1 | carry << 15);
        carry = out;
    }
}

/* Returns the carry. */
static unsigned add_words(uint16_t *to, const uint16_t *from, int n)
{
    unsigned carry = 0;
    for (int i = n - 1; i >= 0; i--) {
        unsigned sum = (unsigned)to[i] + from[i] + carry;
        to[i] = (uint16_t)sum;
        carry = sum >> 16;
    }
    return carry;
}

/* Returns the borrow. */
static unsigned subtract_words(uint16_t *to, const uint16_t *from, int n)
{
    unsigned borrow = 0;
    for (int i = n - 1; i >= 0; i--) {
        unsigned difference = (unsigned)to[i] - from[i] - borrow;
        to[i] = (uint16_t)difference;
        borrow = difference >> 16 & 1;
    }
    return borrow;
}

static int compare_words(const uint16_t *a, const uint16_t *b, int n)
{
    for (int i = 0; i < n; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

/* Shifts until the top bit is set, and cuts off. */
static struct emfloat normalize(uint16_t *words, int n, int exponent, unsigned sign)
{
    struct emfloat result = special(EMFLOAT_NORMAL, sign);
    int shifts = 0;
    for (; !(words[0] & 0x8000) && shifts < 16 * n; shifts++)
        shift_up(words, n);
    exponent -= shifts;
    if (!(words[0] & 0x8000) || exponent < -LARGEST_EXPONENT)
        return special(EMFLOAT_ZERO, sign);
    if (exponent > LARGEST_EXPONENT)
        return special(EMFLOAT_INFINITE, sign);
    result.exponent = (int16_t)exponent;
    for (int i = 0; i < EMFLOAT_WORDS; i++)
        result.mantissa[i] = words[i];
    return result;
}

struct emfloat emfloat_from(int32_t value)
{
    uint32_t size = value < 0 ? -(uint32_t)value : (uint32_t)value;
    uint16_t words[EMFLOAT_WORDS] = {(uint16_t)(size >> 16), (uint16_t)size};
    return normalize(words, EMFLOAT_WORDS, 32, value < 0);
}

struct emfloat emfloat_negative(struct emfloat a)
{
    a.sign ^= 1;
    return a;
}

static void widen(uint16_t *wide, const struct emfloat *a)
{
    for (int i = 0; i < EMFLOAT_WORDS; i++)
        wide[i] = a->mantissa[i];
    wide[EMFLOAT_WORDS] = 0;
}

/* Both normal, and a at least as large as b. */
static struct emfloat add_normal(const struct emfloat *a, const struct emfloat *b)
{
    uint16_t large[WIDE], small[WIDE];
    int exponent = a->exponent, distance = a->exponent - b->exponent;
    widen(large, a);
    widen(small, b);
    if (distance > BITS)
        return *a;
    for (; distance > 0; distance--)
        shift_down(small, WIDE, 0);
    if (a->sign != b->sign) {
        subtract_words(large, small, WIDE);
    } else if (add_words(large, small, WIDE)) {
        shift_down(large, WIDE, 1);
        exponent++;
    }
    return normalize(large, WIDE, exponent, a->sign);
}

static struct emfloat add_special(const struct emfloat *a, const struct emfloat *b)
{
    bool both_infinite = a->type == EMFLOAT_INFINITE && b->type == EMFLOAT_INFINITE;
    if (a->type == EMFLOAT_NAN || b->type == EMFLOAT_NAN || (both_infinite && a->sign != b->sign))
        return special(EMFLOAT_NAN, 0);
    return a->type > b->type ? *a : *b;
}

struct emfloat emfloat_add(const struct emfloat *a, const struct emfloat *b)
{
    if (a->type != EMFLOAT_NORMAL || b->type != EMFLOAT_NORMAL)
        return add_special(a, b);
    if (a->exponent > b->exponent ||
        (a->exponent == b->exponent && compare_words(a->mantissa, b->mantissa, EMFLOAT_WORDS) >= 0))
        return add_normal(a, b);
    return add_normal(b, a);
}

/* 0 times infinity is no number. */
static struct emfloat multiply_special(unsigned a, unsigned b, unsigned sign)
{
    unsigned large = a > b ? a : b, small = a > b ? b : a;
    if (large == EMFLOAT_NAN || (large == EMFLOAT_INFINITE && small == EMFLOAT_ZERO))
        return special(EMFLOAT_NAN, 0);
    return special(large == EMFLOAT_INFINITE ? EMFLOAT_INFINITE : EMFLOAT_ZERO, sign);
}

struct emfloat emfloat_multiply(const struct emfloat *a, const struct emfloat *b)
{
    uint16_t product[2 * EMFLOAT_WORDS] = {0};
    unsigned sign = a->sign ^ b->sign;
    if (a->type != EMFLOAT_NORMAL || b->type != EMFLOAT_NORMAL)
        return multiply_special(a->type, b->type, sign);
    for (int i = EMFLOAT_WORDS - 1; i >= 0; i--) {
        uint32_t carry = 0;
        for (int j = EMFLOAT_WORDS - 1; j >= 0; j--) {
            uint32_t sum = (uint32_t)a->mantissa[i] * b->mantissa[j] + product[i + j + 1] + carry;
            product[i + j + 1] = (uint16_t)sum;
            carry = sum >> 16;
        }
        product[i] = (uint16_t)carry;
    }
    return normalize(product, 2 * EMFLOAT_WORDS, a->exponent + b->exponent, sign);
}

/* As a product with the inverse of b's type: 0 and infinity change places. */
static struct emfloat divide_special(unsigned a, unsigned b, unsigned sign)
{
    static const uint8_t inverse[] = {EMFLOAT_INFINITE, EMFLOAT_NORMAL, EMFLOAT_ZERO, EMFLOAT_NAN};
    return multiply_special(a, inverse[b], sign);
}

/* A bit of the quotient at a time; the first is that of the value 1. */
struct emfloat emfloat_divide(const struct emfloat *a, const struct emfloat *b)
{
    uint16_t rest[WIDE], divisor[WIDE], quotient[WIDE] = {0};
    unsigned sign = a->sign ^ b->sign;
    if (a->type != EMFLOAT_NORMAL || b->type != EMFLOAT_NORMAL)
        return divide_special(a->type, b->type, sign);
    widen(rest, a);
    widen(divisor, b);
    shift_down(rest, WIDE, 0);
    shift_down(divisor, WIDE, 0);
    for (int bit = 0; bit < 16 * WIDE; bit++) {
        shift_up(quotient, WIDE);
        if (compare_words(rest, divisor, WIDE) >= 0) {
            subtract_words(rest, divisor, WIDE);
            quotient[WIDE - 1] |= 1;
        }
        shift_up(rest, WIDE);
    }
    return normalize(quotient, WIDE, a->exponent - b->exponent + 1, sign);
}

long double emfloat_value(const struct emfloat *a)
{
    long double value = 0;
    if (a->type == EMFLOAT_NAN)
        return NAN;
    for (int i = EMFLOAT_WORDS - 1; i >= 0; i--)
        value = (value + a->mantissa[i]) / 65536;
    value = a->type == EMFLOAT_INFINITE ? INFINITY : ldexpl(value, a->exponent);
    return a->sign ? -value : value;
}
