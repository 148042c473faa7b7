/*
 * Table 7: sort_rtns_1 (AIM9): 10,000 ints sorted three times and searched, all
 * twice. That makes eight operations, of which AIM9 claims ten.
 */
#include <stdlib.h>
#include <string.h>

#include "core/bench.h"
#include "core/random.h"
#include "sort_ints.h"

enum { TURNS = 2, SORTS = 3, VALUES = 10000, SEARCHES = 2000, SEARCH_STEP = 10 };

static int shuffled[VALUES], values[VALUES];
static uint64_t found, found_wrong;

static int ascending(const void *a, const void *b)
{
    int left = *(const int *)a, right = *(const int *)b;
    return (left > right) - (left < right);
}

static int descending(const void *a, const void *b)
{
    return ascending(b, a);
}

static void sort_setup(struct bench_run *run)
{
    uint64_t state = run->config->seed;
    for (int i = 0; i < VALUES; i++) {
        int j = (int)random_below(&state, (uint32_t)i + 1);
        shuffled[i] = shuffled[j];
        shuffled[j] = i;
    }
}

/* Half of what is looked for is larger than all there is. */
static void search(void)
{
    for (int i = 0; i < SEARCHES; i++) {
        int key = i * SEARCH_STEP;
        const int *at = bsearch(&key, values, VALUES, sizeof *values, ascending);
        found += at != NULL;
        found_wrong += at && *at != key;
    }
}

static void sort_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (uint64_t i = n * TURNS; i > 0; i--) {
        memcpy(values, shuffled, sizeof values);
        sort_ints(values, VALUES, ascending);
        sort_ints(values, VALUES, descending);
        sort_ints(values, VALUES, ascending);
        search();
    }
}

static void sort_verify(struct bench_run *run)
{
    uint64_t expected = run->done * TURNS * (VALUES / SEARCH_STEP);
    for (int i = 0; i < VALUES; i++) {
        if (values[i] != i)
            bench_mismatch(run, i, values[i]);
    }
    if (found != expected || found_wrong != 0)
        bench_mismatch(run, (double)expected, (double)(found - found_wrong));
    found = 0;
    memset(values, 0, sizeof values);
}

static const struct bench sort[] = {
    {.name = "aim9.sort_rtns_1",
     .table = "7",
     .unit = "sorts/s",
     .what = "quicksorts of 10000 ints, one in four 2000 searches",
     .ops = TURNS * (SORTS + 1),
     .aim9_ops = 10,
     .setup = sort_setup,
     .iter = sort_iter,
     .verify = sort_verify},
};

BENCH_TABLE(sort);
