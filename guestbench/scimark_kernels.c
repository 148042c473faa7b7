/* See build.mk for how this file is compiled, and tests/loops.t for what is checked of it. */
#include "scimark_kernels.h"

#define KERNEL(name) __attribute__((section("code_" #name), noipa)) void name
#define INLINE static inline __attribute__((always_inline))

/* Nothing of one turn may be reused in the next. */
#define TURN_BARRIER __asm__ volatile("" : : : "memory")

INLINE void swap_complex(double *a, double *b)
{
    double real = a[0], imaginary = a[1];
    a[0] = b[0];
    a[1] = b[1];
    b[0] = real;
    b[1] = imaginary;
}

/* Puts element i where the reversed bits of i say. */
INLINE void fft_reverse(double *x, long n)
{
    for (long i = 0, reversed = 0; i < n - 1; i++) {
        if (i < reversed)
            swap_complex(x + 2 * i, x + 2 * reversed);
        long bit = n >> 1;
        for (; reversed & bit; bit >>= 1)
            reversed ^= bit;
        reversed |= bit;
    }
}

/* Joins transforms of half points to transforms of twice that; one root of unity at a time. */
INLINE void fft_stage(double *x, long n, long half, double sine, double versine2)
{
    double root_real = 1, root_imaginary = 0;
    for (long k = 0; k < half; k++) {
        for (long base = k; base < n; base += 2 * half) {
            double *even = x + 2 * base, *odd = even + 2 * half;
            double real = root_real * odd[0] - root_imaginary * odd[1];
            double imaginary = root_real * odd[1] + root_imaginary * odd[0];
            odd[0] = even[0] - real;
            odd[1] = even[1] - imaginary;
            even[0] += real;
            even[1] += imaginary;
        }
        double turned = root_real - versine2 * root_real - sine * root_imaginary;
        root_imaginary += sine * root_real - versine2 * root_imaginary;
        root_real = turned;
    }
}

INLINE void fft_transform(struct scimark *s, double direction)
{
    fft_reverse(s->x, s->n);
    for (long stage = 0; stage < s->stages; stage++)
        fft_stage(s->x, s->n, 1L << stage, direction * s->sine[stage], s->versine2[stage]);
}

KERNEL(scimark_fft)(struct scimark *s, uint64_t turns)
{
    double scale = 1 / (double)s->n;
    for (; turns > 0; turns--) {
        fft_transform(s, -1);
        fft_transform(s, 1);
        for (long i = 0; i < 2 * s->n; i++)
            s->x[i] *= scale;
        TURN_BARRIER;
    }
}

void scimark_fft_forward(struct scimark *s)
{
    fft_transform(s, -1);
}

KERNEL(scimark_sor)(struct scimark *s, uint64_t turns)
{
    double neighbours = s->omega * 0.25, own = 1 - s->omega;
    long n = s->n;
    for (; turns > 0; turns--) {
        for (long i = 1; i < n - 1; i++) {
            double *row = s->x + i * n, *above = row - n, *below = row + n;
            for (long j = 1; j < n - 1; j++)
                row[j] =
                    neighbours * (above[j] + below[j] + row[j - 1] + row[j + 1]) + own * row[j];
        }
        TURN_BARRIER;
    }
}

/* Subtractive lagged Fibonacci, lags 17 and 5, modulo 2^31 - 1. */
INLINE double mc_draw(int32_t *lag, int *oldest)
{
    enum { SHORT_LAG = 5, MODULUS = 0x7FFFFFFF };
    int recent = *oldest - SHORT_LAG;
    recent += recent < 0 ? SCIMARK_LAGS : 0;
    int32_t next = lag[*oldest] - lag[recent];
    next += next < 0 ? MODULUS : 0;
    lag[*oldest] = next;
    *oldest = *oldest + 1 < SCIMARK_LAGS ? *oldest + 1 : 0;
    return next * (1.0 / MODULUS);
}

KERNEL(scimark_mc)(struct scimark *s, uint64_t turns)
{
    for (; turns > 0; turns--) {
        int oldest = 0;
        uint64_t hits = 0;
        for (int i = 0; i < SCIMARK_LAGS; i++)
            s->lag[i] = s->seed[i];
        for (long i = 0; i < s->n; i++) {
            double x = mc_draw(s->lag, &oldest), y = mc_draw(s->lag, &oldest);
            hits += x * x + y * y <= 1;
        }
        s->hits += hits;
        TURN_BARRIER;
    }
}

KERNEL(scimark_sparse)(struct scimark *s, uint64_t turns)
{
    for (; turns > 0; turns--) {
        for (long row = 0; row < s->n; row++) {
            double sum = 0;
            for (int i = s->row_start[row]; i < s->row_start[row + 1]; i++)
                sum += s->value[i] * s->in[s->column[i]];
            s->out[row] = sum;
        }
        TURN_BARRIER;
    }
}

INLINE double magnitude(double value)
{
    return value < 0 ? -value : value;
}

INLINE long lu_find_pivot(const double *a, long n, long step)
{
    long best = step;
    for (long i = step + 1; i < n; i++) {
        if (magnitude(a[i * n + step]) > magnitude(a[best * n + step]))
            best = i;
    }
    return best;
}

INLINE void lu_swap_rows(double *one, double *other, long n)
{
    for (long i = 0; i < n; i++) {
        double value = one[i];
        one[i] = other[i];
        other[i] = value;
    }
}

/* Takes multiples of row step from the rows below it. */
INLINE void lu_eliminate(double *a, long n, long step)
{
    const double *top = a + step * n;
    double inverse = 1 / top[step];
    for (long i = step + 1; i < n; i++) {
        double *row = a + i * n;
        double factor = row[step] *= inverse;
        for (long j = step + 1; j < n; j++)
            row[j] -= factor * top[j];
    }
}

KERNEL(scimark_lu)(struct scimark *s, uint64_t turns)
{
    long n = s->n;
    for (; turns > 0; turns--) {
        for (long i = 0; i < n * n; i++)
            s->x[i] = s->source[i];
        for (long step = 0; step < n; step++) {
            long pivot = lu_find_pivot(s->x, n, step);
            s->pivot[step] = (int)pivot;
            if (pivot != step)
                lu_swap_rows(s->x + step * n, s->x + pivot * n, n);
            lu_eliminate(s->x, n, step);
        }
        TURN_BARRIER;
    }
}
