/*
 * Table 2: Fourier, LU Decomposition (Nbench). The first depends on musl's
 * mathematics library.
 */
#include <math.h>
#include <string.h>

#include "core/bench.h"
#include "nbench_random.h"

enum { PAIRS = 100, STEPS = 200, N = 101, ADDITIONS = 8 * N };

static double cosines[PAIRS], sines[PAIRS];

enum wave { PLAIN, COSINE, SINE };

static double wave_at(double x, double omega, enum wave wave)
{
    double power = pow(x + 1, x);
    if (wave == COSINE)
        return power * cos(omega * x);
    return wave == SINE ? power * sin(omega * x) : power;
}

/* (x + 1)^x times a wave over [0, 2] by the trapezoid rule. */
static double integrate(double omega, enum wave wave, int steps)
{
    double width = 2.0 / steps;
    double sum = (wave_at(0, omega, wave) + wave_at(2, omega, wave)) / 2;
    for (int i = 1; i < steps; i++)
        sum += wave_at(i * width, omega, wave);
    return sum * width;
}

static void fourier_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (; n > 0; n--) {
        cosines[0] = integrate(0, PLAIN, STEPS) / 2;
        for (int i = 1; i < PAIRS; i++) {
            cosines[i] = integrate(M_PI * i, COSINE, STEPS);
            sines[i] = integrate(M_PI * i, SINE, STEPS);
        }
    }
}

/*
 * What Nbench's documentation has for some of the coefficients, in three digits. Its rule leaves
 * out one of the points between, which it has at 1.99.
 */
static const struct {
    int at;
    double cosine, sine;
} published[] = {
    {0, 2.84, 0},           {1, 1.05, -1.88},       {2, 0.274, -1.16},     {3, 0.0824, -0.806},
    {5, -0.024, -0.487},    {10, -0.0679, -0.224},  {20, -0.0674, -0.071}, {33, -0.0434, 0.00601},
    {49, -0.00196, 0.0471}, {50, 0.000794, 0.0484}, {66, 0.0431, 0.0538},  {80, 0.072, 0.039},
    {99, 0.0888, 0.00215},
};

static bool as_published(double got, double left_out, double wanted)
{
    return fabs(got - left_out - wanted) < 0.006 * fabs(wanted) + 1e-6;
}

static void compare_published(struct bench_run *run)
{
    const double width = 2.0 / STEPS, x = 2 - width;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        int at = published[i].at;
        double cosine = wave_at(x, M_PI * at, COSINE) * width / (at ? 1 : 2);
        double sine = wave_at(x, M_PI * at, SINE) * width;
        if (!as_published(cosines[at], cosine, published[i].cosine))
            bench_mismatch(run, published[i].cosine, cosines[at] - cosine);
        if (!as_published(sines[at], sine, published[i].sine))
            bench_mismatch(run, published[i].sine, sines[at] - sine);
    }
}

/* The rule's error is a twelfth of the squared width times the change of the slope, 8 pi i at most. */
static void fourier_verify(struct bench_run *run)
{
    for (int i = 0; i < PAIRS; i += 33) {
        double omega = M_PI * i, tolerance = 1e-4 / 12 * (20 + 10 * omega);
        double cosine = integrate(omega, COSINE, STEPS * 16) / (i ? 1 : 2);
        double sine = integrate(omega, SINE, STEPS * 16);
        if (!(fabs(cosines[i] - cosine) < tolerance))
            bench_mismatch(run, cosine, cosines[i]);
        if (!(fabs(sines[i] - sine) < tolerance))
            bench_mismatch(run, sine, sines[i]);
    }
    compare_published(run);
    memset(cosines, 0, sizeof cosines);
    memset(sines, 0, sizeof sines);
}

static double matrix[N][N], right[N], known[N], lu[N][N], solution[N];
static int order[N];

/* A diagonal with a known solution, to which rows are added at random: the solution stays. */
static void lu_setup(struct bench_run *run)
{
    struct nbench_random random = NBENCH_RANDOM_START;
    (void)run;
    memset(matrix, 0, sizeof matrix);
    for (int i = 0; i < N; i++) {
        right[i] = nbench_random_below(&random, 100) + 1;
        matrix[i][i] = nbench_random_below(&random, 1000) + 1;
        known[i] = right[i] / matrix[i][i];
    }
    for (int i = 0; i < ADDITIONS; i++) {
        int to = nbench_random_below(&random, N), from = nbench_random_below(&random, N);
        double factor = to > from ? 1 : -1;
        if (to == from)
            continue;
        for (int column = 0; column < N; column++)
            matrix[to][column] += factor * matrix[from][column];
        right[to] += factor * right[from];
    }
}

static int largest_below(int column)
{
    int largest = column;
    for (int row = column + 1; row < N; row++) {
        if (fabs(lu[row][column]) > fabs(lu[largest][column]))
            largest = row;
    }
    return largest;
}

static void swap_rows(int a, int b)
{
    double row[N];
    int place = order[a];
    memcpy(row, lu[a], sizeof row);
    memcpy(lu[a], lu[b], sizeof row);
    memcpy(lu[b], row, sizeof row);
    order[a] = order[b];
    order[b] = place;
}

/* Crout, column by column, with partial pivoting. */
static void decompose(void)
{
    for (int column = 0; column < N; column++) {
        for (int row = 0; row < N; row++) {
            double sum = lu[row][column];
            for (int k = 0; k < (row < column ? row : column); k++)
                sum -= lu[row][k] * lu[k][column];
            lu[row][column] = sum;
        }
        int pivot = largest_below(column);
        if (pivot != column)
            swap_rows(column, pivot);
        for (int row = column + 1; row < N; row++)
            lu[row][column] /= lu[column][column];
    }
}

static void substitute_back(void)
{
    for (int row = 0; row < N; row++) {
        solution[row] = right[order[row]];
        for (int k = 0; k < row; k++)
            solution[row] -= lu[row][k] * solution[k];
    }
    for (int row = N - 1; row >= 0; row--) {
        for (int k = row + 1; k < N; k++)
            solution[row] -= lu[row][k] * solution[k];
        solution[row] /= lu[row][row];
    }
}

static void lu_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (; n > 0; n--) {
        memcpy(lu, matrix, sizeof lu);
        for (int i = 0; i < N; i++)
            order[i] = i;
        decompose();
        substitute_back();
    }
}

static void lu_verify(struct bench_run *run)
{
    for (int i = 0; i < N; i++) {
        if (!(fabs(solution[i] - known[i]) <= 1e-6 * (1 + fabs(known[i]))))
            bench_mismatch(run, known[i], solution[i]);
        solution[i] = 0;
    }
}

static const struct bench numeric[] = {
    {.name = "nbench.fourier",
     .table = "2",
     .unit = "coefficients/s",
     .what = "Fourier coefficients of (x+1)^x",
     .flags = BENCH_EXTRA,
     .ops = 2 * PAIRS - 1,
     .iter = fourier_iter,
     .verify = fourier_verify},
    {.name = "nbench.lu_decomposition",
     .table = "2",
     .unit = "solves/s",
     .what = "systems of 101 equations by LU decomposition",
     .flags = BENCH_EXTRA,
     .ops = 1,
     .setup = lu_setup,
     .iter = lu_iter,
     .verify = lu_verify},
};

BENCH_TABLE(numeric);
