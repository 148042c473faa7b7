#include "scimark_work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"

enum { SEED = 101010, MC_DRAWS = 16384 };
static const double circle = 6.283185307179586477;

static const struct {
    long small, large;
    scimark_kernel *kernel;
} sizes[] = {
    [SCIMARK_FFT] = {1024, 1 << 20, scimark_fft},
    [SCIMARK_SOR] = {100, 1000, scimark_sor},
    [SCIMARK_MC] = {MC_DRAWS, MC_DRAWS, scimark_mc},
    [SCIMARK_SPARSE] = {1000, 100000, scimark_sparse},
    [SCIMARK_LU] = {100, 1000, scimark_lu},
};

static long nonzeros(bool large)
{
    return large ? 1000000 : 5000;
}

static double draw(uint64_t *state)
{
    return (double)(random_next(state) >> 11) * 0x1p-53;
}

/* x and the copy of it; FFT has complex numbers. */
static size_t elements(enum scimark_which which, bool large)
{
    size_t n = (size_t)(large ? sizes[which].large : sizes[which].small);
    if (which == SCIMARK_FFT)
        return 2 * n;
    return which == SCIMARK_SOR || which == SCIMARK_LU ? n * n : 0;
}

static size_t spare_elements(enum scimark_which which, size_t n)
{
    if (which == SCIMARK_SOR)
        return n * n;
    return which == SCIMARK_LU ? 3 * n : 0;
}

size_t scimark_bytes(enum scimark_which which, bool large)
{
    size_t n = (size_t)(large ? sizes[which].large : sizes[which].small);
    size_t entries = (size_t)nonzeros(large);
    if (which == SCIMARK_SPARSE)
        return entries * (sizeof(double) + sizeof(int)) + 3 * n * sizeof(double) +
               (n + 1) * sizeof(int);
    return (2 * elements(which, large) + spare_elements(which, n)) * sizeof(double) +
           n * sizeof(int);
}

static double flops(const struct scimark_work *work, bool large)
{
    double n = (double)work->s.n;
    switch (work->which) {
    case SCIMARK_FFT: return (5 * n - 2) * (double)work->s.stages + 2 * (n + 1);
    case SCIMARK_SOR: return 6 * (n - 1) * (n - 1);
    case SCIMARK_MC: return 4 * n;
    case SCIMARK_SPARSE: return 2 * (double)nonzeros(large);
    default: return 2 * n * n * n / 3;
    }
}

/* Both copies of x and what the check needs, in one piece. */
static bool make_elements(struct scimark_work *work, bool large)
{
    size_t count = elements(work->which, large);
    uint64_t state = SEED;
    size_t spare = spare_elements(work->which, (size_t)work->s.n);
    double *x = malloc((2 * count + spare + 1) * sizeof *x);
    int *pivot = malloc(((size_t)work->s.n + 1) * sizeof *pivot);
    work->s.x = x;
    work->s.pivot = pivot;
    if (!x || !pivot)
        return false;
    work->original = x + count;
    work->spare = x + 2 * count;
    work->s.source = work->original;
    for (size_t i = 0; i < count; i++)
        x[i] = work->original[i] = draw(&state);
    return true;
}

static void make_roots(struct scimark *s)
{
    while (1L << s->stages < s->n)
        s->stages++;
    for (long i = 0; i < s->stages; i++) {
        double angle = circle / (double)(2L << i), half = sin(angle / 2);
        s->sine[i] = sin(angle);
        s->versine2[i] = 2 * half * half;
    }
}

/* The entries of a row are a step apart that grows with the row, so that they spread evenly. */
static bool make_sparse(struct scimark_work *work, bool large)
{
    struct scimark *s = &work->s;
    size_t entries = (size_t)nonzeros(large), n = (size_t)s->n, each = entries / n;
    uint64_t state = SEED;
    double *value = malloc(entries * sizeof *value);
    double *vectors = malloc(3 * n * sizeof *vectors);
    int *column = malloc(entries * sizeof *column);
    int *row_start = malloc((n + 1) * sizeof *row_start);
    s->value = value;
    s->column = column;
    s->row_start = row_start;
    s->in = vectors;
    if (!value || !vectors || !column || !row_start)
        return false;
    s->out = vectors + n;
    work->original = vectors + 2 * n;
    for (size_t row = 0; row < n; row++) {
        size_t step = row / each ? row / each : 1;
        vectors[row] = draw(&state);
        row_start[row] = (int)(row * each);
        for (size_t i = 0; i < each; i++) {
            column[row * each + i] = (int)(i * step);
            value[row * each + i] = draw(&state);
        }
    }
    row_start[n] = (int)entries;
    return true;
}

/* The same numbers as the kernel's generator, kept in a line instead of a ring. */
static uint64_t count_hits(const int32_t *seed, long draws)
{
    enum { MODULUS = 0x7FFFFFFF, SHORT_LAG = 5 };
    int64_t line[SCIMARK_LAGS + 1];
    uint64_t hits = 0;
    double x = 0;
    for (int i = 0; i < SCIMARK_LAGS; i++)
        line[i] = seed[i];
    for (long i = 0; i < 2 * draws; i++) {
        line[SCIMARK_LAGS] = (line[0] - line[SCIMARK_LAGS - SHORT_LAG] + MODULUS) % MODULUS;
        memmove(line, line + 1, SCIMARK_LAGS * sizeof *line);
        double number = (double)line[SCIMARK_LAGS - 1] / MODULUS;
        if (i % 2)
            hits += x * x + number * number <= 1;
        x = number;
    }
    return hits;
}

static void make_generator(struct scimark_work *work)
{
    uint64_t state = SEED;
    for (int i = 0; i < SCIMARK_LAGS; i++)
        work->s.seed[i] = (int32_t)random_below(&state, 0x7FFFFFFF);
    work->turn_hits = count_hits(work->s.seed, work->s.n);
}

/* Largest change that a point of the grid would get from averaging its neighbours. */
static double sor_residual(const struct scimark *s)
{
    double largest = 0;
    for (long i = 1; i < s->n - 1; i++) {
        for (long j = 1; j < s->n - 1; j++) {
            const double *at = s->x + i * s->n + j;
            double change = fabs((at[-1] + at[1] + at[-s->n] + at[s->n]) / 4 - *at);
            largest = change > largest ? change : largest;
        }
    }
    return largest;
}

bool scimark_make(struct scimark_work *work, enum scimark_which which, bool large)
{
    memset(work, 0, sizeof *work);
    work->which = which;
    work->kernel = sizes[which].kernel;
    work->s.n = large ? sizes[which].large : sizes[which].small;
    work->s.omega = 1.25;
    work->bytes = scimark_bytes(which, large);
    bool made = true;
    if (which == SCIMARK_SPARSE)
        made = make_sparse(work, large);
    else if (which != SCIMARK_MC)
        made = make_elements(work, large);
    if (which == SCIMARK_MC)
        make_generator(work);
    if (which == SCIMARK_FFT)
        make_roots(&work->s);
    if (which == SCIMARK_SOR && made)
        work->before = sor_residual(&work->s);
    work->flops = flops(work, large);
    if (!made)
        scimark_free(work);
    return made;
}

void scimark_free(struct scimark_work *work)
{
    free(work->s.x);
    free(work->s.pivot);
    free((void *)work->s.value);
    free((void *)work->s.in);
    free((void *)work->s.column);
    free((void *)work->s.row_start);
    memset(&work->s, 0, sizeof work->s);
}

static bool within(double expected, double got, double tolerance, struct scimark_error *error)
{
    if (fabs(got - expected) <= tolerance)
        return true;
    error->expected = expected;
    error->got = got;
    return false;
}

/* Number k of the transform of the original, added up as its definition says. */
static bool check_transform(const struct scimark_work *work, long k, struct scimark_error *error)
{
    const struct scimark *s = &work->s;
    double real = 0, imaginary = 0, tolerance = 1e-10 + 1e-12 * (double)s->n;
    for (long i = 0; i < s->n; i++) {
        double angle = -circle * (double)((int64_t)i * k % s->n) / (double)s->n;
        const double *at = work->original + 2 * i;
        real += at[0] * cos(angle) - at[1] * sin(angle);
        imaginary += at[0] * sin(angle) + at[1] * cos(angle);
    }
    return within(real, s->x[2 * k], tolerance, error) &&
           within(imaginary, s->x[2 * k + 1], tolerance, error);
}

static bool check_fft(struct scimark_work *work, uint64_t turns, struct scimark_error *error)
{
    struct scimark *s = &work->s;
    size_t count = 2 * (size_t)s->n;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = s->x[i] - work->original[i];
        sum += difference * difference;
    }
    bool good = within(0, sqrt(sum / (double)count), 1e-10 + 1e-13 * (double)turns, error);
    memcpy(s->x, work->original, count * sizeof *s->x);
    scimark_fft_forward(s);
    good = good && check_transform(work, 1, error) && check_transform(work, s->n / 3, error);
    memcpy(s->x, work->original, count * sizeof *s->x);
    return good;
}

/* Compares the next sweep with one in another notation. */
static bool check_sweep(struct scimark_work *work, struct scimark_error *error)
{
    struct scimark *s = &work->s;
    long n = s->n;
    double *plain = work->spare;
    bool good = true;
    memcpy(plain, s->x, (size_t)(n * n) * sizeof *plain);
    for (long at = n + 1; at < n * n - n - 1; at++) {
        double mean = (plain[at - n] + plain[at + n] + plain[at - 1] + plain[at + 1]) / 4;
        if (at % n != 0 && at % n != n - 1)
            plain[at] += s->omega * (mean - plain[at]);
    }
    scimark_sor(s, 1);
    for (long at = 0; at < n * n && good; at++) {
        bool border = at < n || at >= n * n - n || at % n == 0 || at % n == n - 1;
        good = within(border ? work->original[at] : plain[at], s->x[at], border ? 0 : 1e-12, error);
    }
    return good;
}

static bool check_sor(struct scimark_work *work, uint64_t turns, struct scimark_error *error)
{
    struct scimark *s = &work->s;
    double after = sor_residual(s);
    /* a grid that has converged stays within rounding */
    bool fell = turns == 0 || after < work->before || after < 1e-14;
    bool good = fell && check_sweep(work, error);
    if (!fell)
        *error = (struct scimark_error){.expected = work->before, .got = after};
    memcpy(s->x, work->original, (size_t)(s->n * s->n) * sizeof *s->x);
    return good;
}

static bool check_mc(struct scimark_work *work, uint64_t turns, struct scimark_error *error)
{
    const double pi = 3.14159265358979324, sigma_one = 1.6420; /* 4 sqrt(pi/4 (1 - pi/4)) */
    double found = (double)work->s.hits;
    double estimate = 4 * (double)work->turn_hits / (double)work->s.n;
    work->s.hits = 0;
    return within((double)work->turn_hits * (double)turns, found, 0, error) &&
           within(pi, estimate, 3 * sigma_one / sqrt((double)work->s.n), error);
}

static bool check_sparse(struct scimark_work *work, uint64_t turns, struct scimark_error *error)
{
    struct scimark *s = &work->s;
    double *sums = work->original;
    bool good = true;
    (void)turns;
    memset(sums, 0, (size_t)s->n * sizeof *sums);
    int each = s->row_start[1];
    for (int i = each - 1; i >= 0; i--) {
        for (long row = 0; row < s->n; row++)
            sums[row] += s->in[s->column[row * each + i]] * s->value[row * each + i];
    }
    for (long row = 0; row < s->n && good; row++)
        good = within(sums[row], s->out[row], 1e-12, error);
    memset(s->out, 0, (size_t)s->n * sizeof *s->out);
    return good;
}

static bool check_lu(struct scimark_work *work, uint64_t turns, struct scimark_error *error)
{
    const struct scimark *s = &work->s;
    long n = s->n;
    double *v = work->spare, *wanted = v + n, *upper = v + 2 * n;
    uint64_t state = SEED + turns;
    for (long i = 0; i < n; i++) {
        v[i] = draw(&state);
        wanted[i] = upper[i] = 0;
    }
    for (long i = 0; i < n; i++) {
        for (long j = 0; j < n; j++)
            wanted[i] += s->source[i * n + j] * v[j];
        for (long j = i; j < n; j++)
            upper[i] += s->x[i * n + j] * v[j];
    }
    for (long i = 0; i < n; i++) {
        double swapped = wanted[s->pivot[i]];
        wanted[s->pivot[i]] = wanted[i];
        wanted[i] = swapped;
    }
    bool good = true;
    for (long i = 0; i < n && good; i++) {
        double product = upper[i];
        for (long j = 0; j < i; j++)
            product += s->x[i * n + j] * upper[j];
        good = within(wanted[i], product, 1e-10 * (double)n, error);
    }
    memset(s->x, 0, (size_t)(n * n) * sizeof *s->x);
    return good;
}

bool scimark_check(struct scimark_work *work, uint64_t turns, struct scimark_error *error)
{
    switch (work->which) {
    case SCIMARK_FFT: return check_fft(work, turns, error);
    case SCIMARK_SOR: return check_sor(work, turns, error);
    case SCIMARK_MC: return check_mc(work, turns, error);
    case SCIMARK_SPARSE: return check_sparse(work, turns, error);
    default: return check_lu(work, turns, error);
    }
}
