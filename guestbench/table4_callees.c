#include "table4_callees.h"

#include <stdlib.h>

#define ALONE __attribute__((noipa))

long *callees_sum, *callees_step;

ALONE static void add_step(void)
{
    *callees_sum += *callees_step;
}

ALONE static void add_one(long a)
{
    *callees_sum += a;
}

ALONE static void add_two(long a, long b)
{
    *callees_sum += a + b;
}

#define FIFTEEN                                                                                    \
    long *a, long *b, long *c, long *d, long *e, long *f, long *g, long *h, long *i, long *j,      \
        long *k, long *l, long *m, long *n, long *o

/* The eighth and the last, as AIM9 does. */
ALONE static void add_fifteen(FIFTEEN)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g;
    (void)i, (void)j, (void)k, (void)l, (void)m, (void)n;
    *callees_sum += *h + *o;
}

ALONE static void decoy_none(void)
{
    abort();
}

ALONE static void decoy_one(long a)
{
    (void)a;
    abort();
}

ALONE static void decoy_two(long a, long b)
{
    (void)a, (void)b;
    abort();
}

ALONE static void decoy_fifteen(FIFTEEN)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
    (void)i, (void)j, (void)k, (void)l, (void)m, (void)n, (void)o;
    abort();
}

const struct callees callees_real = {add_step, add_one, add_two, add_fifteen};
const struct callees callees_decoy = {decoy_none, decoy_one, decoy_two, decoy_fifteen};
