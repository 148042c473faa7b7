/* Table 7: matrix_rtns and array_rtns (AIM9): small matrices of doubles. */
#include <math.h>
#include <string.h>

#include "core/bench.h"
#include "core/random.h"

enum { POINTS = 100, VALUES = 500, LARGEST = 100, STEP = 5, SYSTEMS = LARGEST / STEP };
enum { WIDTH = LARGEST + 1 };

struct point {
    double at[4];
    int rounded[3];
};

static double values[VALUES];
static struct point points[POINTS];

/* 0, 1, the smallest denormal; then half the difference of the two before. */
static void matrix_setup(struct bench_run *run)
{
    (void)run;
    values[0] = 0;
    values[1] = 1;
    values[2] = 0x1p-1074;
    for (int i = 3; i < VALUES; i++)
        values[i] = (values[i - 1] - values[i - 2]) / 2;
}

__attribute__((noipa)) void matrix_transform(struct point *result, const double *from);

/* from: a vector of four, behind it a matrix of four rows. */
void matrix_transform(struct point *result, const double *from)
{
    for (int column = 0; column < 4; column++) {
        double sum = 0;
        for (int row = 0; row < 4; row++)
            sum += from[row] * from[4 + row * 4 + column];
        result->at[column] = sum;
    }
    for (int i = 0; i < 3; i++)
        result->rounded[i] = (int)result->at[i];
}

static const double *point_source(int point)
{
    return values + point * 4 % (VALUES - 20);
}

static void matrix_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (; n > 0; n--) {
        for (int i = 0; i < POINTS; i++)
            matrix_transform(&points[i], point_source(i));
    }
}

static void matrix_verify(struct bench_run *run)
{
    for (int i = 0; i < POINTS; i++) {
        const double *from = point_source(i);
        for (int column = 0; column < 4; column++) {
            long double sum = 0, scale = 0;
            for (int row = 3; row >= 0; row--) {
                long double term = (long double)from[row] * from[4 + row * 4 + column];
                sum += term;
                scale += fabsl(term);
            }
            if (!(fabsl(points[i].at[column] - sum) <= scale * 1e-15L + 0x1p-1072L))
                bench_mismatch(run, (double)sum, points[i].at[column]);
            if (column < 3 && points[i].rounded[column] != (int)sum)
                bench_mismatch(run, (int)sum, points[i].rounded[column]);
        }
    }
    memset(points, 0xFF, sizeof points);
}

typedef double system_of_equations[LARGEST][WIDTH];

static system_of_equations original, work;
static double worst_residual;

/* A dominant diagonal: elimination without pivoting meets no 0. */
static void array_setup(struct bench_run *run)
{
    uint64_t state = run->config->seed;
    for (int row = 0; row < LARGEST; row++) {
        for (int column = 0; column < WIDTH; column++)
            original[row][column] = (double)random_below(&state, 2000) / 1000 - 1;
        original[row][row] += 2 * LARGEST;
    }
}

__attribute__((noipa)) void array_solve(int n);

/* Gauss-Jordan on the first n rows and columns of work and its last column. */
void array_solve(int n)
{
    for (int pivot = 0; pivot < n; pivot++) {
        double divisor = work[pivot][pivot];
        for (int column = pivot; column <= n; column++)
            work[pivot][column] /= divisor;
        for (int row = 0; row < n; row++) {
            double factor = work[row][pivot];
            if (row == pivot)
                continue;
            for (int column = pivot; column <= n; column++)
                work[row][column] -= factor * work[pivot][column];
        }
    }
}

static void array_copy(int n)
{
    for (int row = 0; row < n; row++) {
        memcpy(work[row], original[row], (size_t)n * sizeof(double));
        work[row][n] = original[row][LARGEST];
    }
}

/* AIM9 inserts the solution into the equations, and so do the rates that it gives. */
static double array_residual(int n)
{
    double worst = 0;
    for (int row = 0; row < n; row++) {
        double sum = -original[row][LARGEST];
        for (int column = 0; column < n; column++)
            sum += original[row][column] * work[column][n];
        sum = fabs(sum);
        worst = sum > worst || isnan(sum) ? sum : worst;
    }
    return worst;
}

static void array_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    worst_residual = 0;
    for (; n > 0; n--) {
        for (int size = STEP; size <= LARGEST; size += STEP) {
            array_copy(size);
            array_solve(size);
            double residual = array_residual(size);
            worst_residual = residual <= worst_residual ? worst_residual : residual;
        }
    }
}

/* A solution of zeros would leave the right-hand sides, up to 1. AIM9 accepts 0.5. */
static void array_verify(struct bench_run *run)
{
    if (!(worst_residual < 1e-9))
        bench_mismatch(run, 0, worst_residual);
    memset(work, 0, sizeof work);
    if (!(array_residual(LARGEST) > 0.5))
        bench_mismatch(run, 1, array_residual(LARGEST));
}

static const struct bench matrix[] = {
    {.name = "aim9.matrix_rtns",
     .table = "7",
     .unit = "points/s",
     .what = "vectors of 4 multiplied by a matrix",
     .ops = POINTS,
     .setup = matrix_setup,
     .iter = matrix_iter,
     .verify = matrix_verify},
    {.name = "aim9.array_rtns",
     .table = "7",
     .unit = "systems/s",
     .what = "systems of 5 to 100 linear equations",
     .ops = SYSTEMS,
     .setup = array_setup,
     .iter = array_iter,
     .verify = array_verify},
};

BENCH_TABLE(matrix);
