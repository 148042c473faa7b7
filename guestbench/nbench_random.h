/*
 * The generator of Nbench: second-order congruential, always from the same start, 13 and 117. The
 * first number is lost there, which its published results tell.
 */
#ifndef GUESTBENCH_NBENCH_RANDOM_H
#define GUESTBENCH_NBENCH_RANDOM_H

#include <stdint.h>

struct nbench_random {
    int32_t w[2];
};

/* An initializer. */
#define NBENCH_RANDOM_START                                                                        \
    {                                                                                              \
        {                                                                                          \
            298961, 13                                                                             \
        }                                                                                          \
    }

/* A number of magnitude below 999563. The products wrap at 32 bits, so it may be negative. */
static inline int32_t nbench_random_next(struct nbench_random *random)
{
    uint32_t sum = (uint32_t)random->w[0] * 254754u + (uint32_t)random->w[1] * 529562u;
    int32_t interim = (int32_t)sum % 999563;
    random->w[1] = random->w[0];
    random->w[0] = interim;
    return interim;
}

/* A number from 0 to limit - 1. */
static inline int32_t nbench_random_below(struct nbench_random *random, int32_t limit)
{
    int32_t number = nbench_random_next(random);
    return (number < 0 ? -number : number) % limit;
}

/* A number between -limit and limit. */
static inline int32_t nbench_random_within(struct nbench_random *random, int32_t limit)
{
    return nbench_random_next(random) % limit;
}

#endif
