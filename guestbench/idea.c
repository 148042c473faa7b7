#include "idea.h"

enum { MODULUS = 65537 };

/* Product modulo 65537, in which 0 stands for 65536. */
static uint16_t multiply(uint16_t a, uint16_t b)
{
    uint32_t product = (uint32_t)a * b;
    if (product == 0)
        return (uint16_t)(1 - a - b);
    uint32_t low = product & 0xFFFF, high = product >> 16;
    return (uint16_t)(low - high + (low < high));
}

/* a to the power of 65535, which is its inverse since 65537 is a prime. */
static uint16_t multiplicative_inverse(uint16_t a)
{
    uint16_t inverse = a;
    for (int bit = 1; bit < 16; bit++)
        inverse = multiply(multiply(inverse, inverse), a);
    return inverse;
}

/* Words of the key; after each eight the key is rotated by 25 bits. */
void idea_expand(struct idea_schedule *schedule, const uint16_t key[8])
{
    for (int i = 0; i < IDEA_KEYS; i++) {
        unsigned bit = (unsigned)(i % 8 * 16 + i / 8 * 25) % 128;
        uint32_t two = (uint32_t)key[bit / 16] << 16 | key[(bit / 16 + 1) % 8];
        schedule->key[i] = (uint16_t)(two >> (16 - bit % 16));
    }
}

void idea_invert(struct idea_schedule *inverse, const struct idea_schedule *schedule)
{
    for (int round = 0; round <= IDEA_ROUNDS; round++) {
        const uint16_t *from = &schedule->key[(IDEA_ROUNDS - round) * 6];
        uint16_t *to = &inverse->key[round * 6];
        int swapped = round > 0 && round < IDEA_ROUNDS;
        to[0] = multiplicative_inverse(from[0]);
        to[1] = (uint16_t)-from[1 + swapped];
        to[2] = (uint16_t)-from[2 - swapped];
        to[3] = multiplicative_inverse(from[3]);
        if (round < IDEA_ROUNDS) {
            to[4] = from[-2];
            to[5] = from[-1];
        }
    }
}

void idea_block(const struct idea_schedule *schedule, const uint16_t in[4], uint16_t out[4])
{
    const uint16_t *key = schedule->key;
    uint16_t a = in[0], b = in[1], c = in[2], d = in[3];
    for (int round = 0; round < IDEA_ROUNDS; round++, key += 6) {
        a = multiply(a, key[0]);
        b = (uint16_t)(b + key[1]);
        c = (uint16_t)(c + key[2]);
        d = multiply(d, key[3]);
        uint16_t left = multiply(a ^ c, key[4]);
        uint16_t right = multiply((uint16_t)((b ^ d) + left), key[5]);
        left = (uint16_t)(left + right);
        uint16_t middle = b ^ left;
        a ^= right;
        d ^= left;
        b = c ^ right;
        c = middle;
    }
    out[0] = multiply(a, key[0]);
    out[1] = (uint16_t)(c + key[1]);
    out[2] = (uint16_t)(b + key[2]);
    out[3] = multiply(d, key[3]);
}
