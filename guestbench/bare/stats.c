#include "bare.h"

static void sort(u64 *v, u32 n)
{
    for (u32 i = 1; i < n; i++) {
        u64 value = v[i];
        u32 j = i;
        for (; j && v[j - 1] > value; j--)
            v[j] = v[j - 1];
        v[j] = value;
    }
}

static u64 sorted_median(const u64 *v, u32 n)
{
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* x(k)..x(n+1-k) covers the median with 1 - 2 P(Binomial(n, 1/2) < k): the narrowest with 95 %, or
 * the extremes. n is at most 31, so that the binomials' sum fits. */
static void interval(const u64 *sorted, u32 n, struct stats *out)
{
    const u64 whole = 1ull << n;
    u64 term = 1, tail = 1;
    u32 k = 1;
    u64 covered = whole - 2 * tail;
    for (u32 i = 1; i < n / 2; i++) {
        term = term * (n - i + 1) / i;
        tail += term;
        if ((whole - 2 * tail) * 100 < whole * 95)
            break;
        k = i + 1;
        covered = whole - 2 * tail;
    }
    out->low = sorted[k - 1];
    out->high = sorted[n - k];
    out->level = (u32)(covered * 10000 / whole);
}

void stats_compute(const u64 *samples, u32 n, struct stats *out)
{
    u64 v[SAMPLES_MAX];
    memcpy(v, samples, n * sizeof *v);
    sort(v, n);
    out->median = sorted_median(v, n);
    interval(v, n, out);
    for (u32 i = 0; i < n; i++)
        v[i] = v[i] > out->median ? v[i] - out->median : out->median - v[i];
    sort(v, n);
    out->mad = sorted_median(v, n);
}

/* A short trial says little: aim at half the target and grow by 16 at most. */
u32 stats_calibrate(u32 n, u64 elapsed, u64 target, bool *done)
{
    const u32 most = 1 << 26;
    u64 next;
    *done = elapsed >= target / 4;
    if (*done) {
        next = (n * target + elapsed - 1) / elapsed;
    } else {
        u64 factor = elapsed ? target / elapsed / 2 : 16;
        next = n * (factor < 2 ? 2 : factor > 16 ? 16 : factor);
    }
    if (next >= most) {
        *done = true;
        return most;
    }
    return next ? (u32)next : 1;
}
