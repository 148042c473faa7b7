/*
 * Table 2: Assignment (Nbench): 101 tasks for 101 workers at the least total
 * cost, by shortest augmenting paths with potentials (the Hungarian method).
 */
#include <string.h>

#include "core/bench.h"
#include "nbench_random.h"

enum { N = 101, HIGHEST_COST = 5000000, UNREACHED = INT32_MAX, NOBODY = N };

static int32_t costs[N][N];
static struct assignment {
    int32_t row_potential[N], column_potential[N + 1];
    int row_of[N + 1]; /* by column; NOBODY's is the row that is being added */
} result;

static void assignment_setup(struct bench_run *run)
{
    struct nbench_random random = NBENCH_RANDOM_START;
    (void)run;
    for (int i = 0; i < N * N; i++)
        costs[i / N][i % N] = nbench_random_below(&random, HIGHEST_COST);
}

/* A tree of shortest paths from the row that is added. */
struct paths {
    int32_t distance[N];
    int before[N]; /* the column before, on the way to this one */
    bool done[N + 1];
};

/* Goes on from the row of a column. Returns the nearest column that is not done yet. */
static int extend(const struct assignment *state, struct paths *paths, int column)
{
    int row = state->row_of[column], nearest = NOBODY;
    for (int next = 0; next < N; next++) {
        if (paths->done[next])
            continue;
        int32_t reduced =
            costs[row][next] - state->row_potential[row] - state->column_potential[next];
        if (reduced < paths->distance[next]) {
            paths->distance[next] = reduced;
            paths->before[next] = column;
        }
        if (nearest == NOBODY || paths->distance[next] < paths->distance[nearest])
            nearest = next;
    }
    return nearest;
}

/* Makes the edge to the nearest column one that costs nothing. */
static void shift_potentials(struct assignment *state, struct paths *paths, int32_t delta)
{
    for (int column = 0; column <= N; column++) {
        if (column == NOBODY || paths->done[column]) {
            state->row_potential[state->row_of[column]] += delta;
            state->column_potential[column] -= delta;
        } else {
            paths->distance[column] -= delta;
        }
    }
}

static void add_row(struct assignment *state, int row)
{
    struct paths paths = {.done = {false}};
    int column = NOBODY;
    for (int i = 0; i < N; i++)
        paths.distance[i] = UNREACHED;
    state->row_of[NOBODY] = row;
    do {
        paths.done[column] = true;
        int next = extend(state, &paths, column);
        shift_potentials(state, &paths, paths.distance[next]);
        column = next;
    } while (state->row_of[column] != NOBODY);
    for (int before; column != NOBODY; column = before) {
        before = paths.before[column];
        state->row_of[column] = state->row_of[before];
    }
}

static void assignment_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (; n > 0; n--) {
        memset(&result, 0, sizeof result);
        for (int column = 0; column <= N; column++)
            result.row_of[column] = NOBODY;
        for (int row = 0; row < N; row++)
            add_row(&result, row);
    }
}

/* The columns of the rows, by Nbench's documentation. */
static const uint8_t published[N] = {
    56, 66, 52, 65, 43, 23, 16, 77, 95, 4,  64, 76, 78, 91, 13, 29, 44,  14, 41, 42, 20,
    71, 24, 17, 55, 40, 70, 25, 31, 19, 73, 2,  47, 9,  35, 45, 5,  63,  81, 39, 87, 8,
    53, 93, 49, 92, 61, 46, 26, 34, 88, 0,  28, 18, 72, 21, 37, 82, 6,   58, 96, 68, 69,
    54, 57, 86, 97, 84, 99, 51, 98, 3,  74, 62, 80, 33, 11, 94, 12, 50,  10, 38, 89, 59,
    22, 79, 15, 7,  75, 83, 60, 48, 32, 67, 1,  30, 27, 85, 90, 36, 100,
};

/*
 * Each row once; and no assignment is cheaper, since the potentials are a
 * solution of the dual problem with the same total.
 */
static void assignment_verify(struct bench_run *run)
{
    bool used[N] = {false};
    int64_t total = 0, bound = 0;
    for (int column = 0; column < N; column++) {
        int row = result.row_of[column];
        if (row < 0 || row >= N || used[row])
            bench_fail(run, 0, "column %d has row %d, which is another's or none", column, row);
        used[row] = true;
        if (published[row] != column)
            bench_mismatch(run, published[row], column);
        total += costs[row][column];
        bound += (int64_t)result.row_potential[column] + result.column_potential[column];
        for (int i = 0; i < N; i++) {
            int32_t most = result.row_potential[i] + result.column_potential[column];
            if (costs[i][column] < most)
                bench_mismatch(run, costs[i][column], most);
        }
    }
    if (total != bound)
        bench_mismatch(run, (double)bound, (double)total);
    memset(&result, 0, sizeof result);
}

static const struct bench assignment[] = {
    {.name = "nbench.assignment",
     .table = "2",
     .unit = "matrices/s",
     .what = "101 tasks assigned at the least cost",
     .flags = BENCH_EXTRA,
     .ops = 1,
     .setup = assignment_setup,
     .iter = assignment_iter,
     .verify = assignment_verify},
};

BENCH_TABLE(assignment);
