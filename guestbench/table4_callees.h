/* The functions that Table 4 calls; in a file of their own, so that no call can be inlined. */
#ifndef GUESTBENCH_TABLE4_CALLEES_H
#define GUESTBENCH_TABLE4_CALLEES_H

struct callees {
    void (*none)(void);
    void (*one)(long a);
    void (*two)(long a, long b);
    void (*fifteen)(long *a, long *b, long *c, long *d, long *e, long *f, long *g, long *h, long *i,
                    long *j, long *k, long *l, long *m, long *n, long *o);
};

/* The real ones, and decoys that report a call of themselves. */
extern const struct callees callees_real, callees_decoy;

extern long *callees_sum;  /* what the callees add to */
extern long *callees_step; /* what the one without arguments adds */

#endif
