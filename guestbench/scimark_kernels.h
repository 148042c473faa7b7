/*
 * The five kernels of SciMark 2.0, written from their description. Each is one
 * function in a section of its own that calls nothing and refers to nothing by
 * distance, so that a copy of its bytes runs anywhere (see figure3_jvmlike.c).
 */
#ifndef GUESTBENCH_SCIMARK_KERNELS_H
#define GUESTBENCH_SCIMARK_KERNELS_H

#include <stdint.h>

enum { SCIMARK_LAGS = 17, SCIMARK_STAGES_MAX = 24 };

/* What the kernels work on; each uses some of it. */
struct scimark {
    long n;      /* points of the FFT (a power of 2), side of a matrix, draws of Monte Carlo */
    long stages; /* log2 of n, for the FFT */
    double *x;   /* FFT: n complex numbers; SOR: the grid; LU: the factors, by rows */
    const double *source;                /* LU: the matrix, copied to x before each turn */
    double sine[SCIMARK_STAGES_MAX];     /* FFT: sin(t) of stage s, t = 2 pi / 2^(s+1) */
    double versine2[SCIMARK_STAGES_MAX]; /* same, 1 - cos(t) = 2 sin(t/2)^2 */
    double omega;                        /* SOR: relaxation factor */
    int *pivot;                          /* LU: row swapped with row i at step i */
    const int *row_start, *column;       /* sparse: compressed rows */
    const double *value, *in;
    double *out;
    int32_t seed[SCIMARK_LAGS]; /* Monte Carlo: state at the start of each turn */
    int32_t lag[SCIMARK_LAGS];
    uint64_t hits; /* Monte Carlo: points within the quarter circle, since set to 0 */
};

/* Does turns turns of the kernel. */
typedef void scimark_kernel(struct scimark *s, uint64_t turns);

scimark_kernel scimark_fft;    /* a turn: forward and back */
scimark_kernel scimark_sor;    /* a turn: one sweep over the inner points */
scimark_kernel scimark_mc;     /* a turn: n points from the same state of the generator */
scimark_kernel scimark_sparse; /* a turn: out = matrix in */
scimark_kernel scimark_lu;     /* a turn: copies and factors the matrix, with partial pivoting */

/* The forward half of scimark_fft, for checks. */
void scimark_fft_forward(struct scimark *s);

#endif
