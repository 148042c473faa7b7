/* The suite's own sort. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../core/random.h"
#include "../sort_ints.h"

enum { MOST = 3000 };

static size_t compared;

static int ascending(const void *a, const void *b)
{
    int left = *(const int *)a, right = *(const int *)b;
    compared++;
    return (left > right) - (left < right);
}

static int descending(const void *a, const void *b)
{
    return ascending(b, a);
}

/* Exactly n values are allocated, so that the sanitizer sees a step beyond them. */
static void check(const int *values, size_t n, int (*compare)(const void *, const void *))
{
    int *sorted = malloc(n * sizeof *sorted + 1), *expected = malloc(n * sizeof *expected + 1);
    assert_non_null(sorted);
    assert_non_null(expected);
    memcpy(sorted, values, n * sizeof *values);
    memcpy(expected, values, n * sizeof *values);
    qsort(expected, n, sizeof *expected, compare);
    sort_ints(sorted, n, compare);
    assert_memory_equal(sorted, expected, n * sizeof *sorted);
    free(sorted);
    free(expected);
}

static void test_random(void **state)
{
    static int values[MOST];
    uint64_t seed = 1;
    (void)state;
    for (size_t n = 0; n <= 200; n++) {
        for (uint32_t range = 1; range <= 10000; range *= 10) {
            for (size_t i = 0; i < n; i++)
                values[i] = (int)random_below(&seed, range) - 50;
            check(values, n, ascending);
            check(values, n, descending);
        }
    }
}

static int organ_pipe(int i)
{
    return i < MOST / 2 ? i : MOST - i;
}

static int constant(int i)
{
    (void)i;
    return 7;
}

static int rising(int i)
{
    return i;
}

static int falling(int i)
{
    return -i;
}

/* Orders that a bad choice of the pivot makes quadratic: 4.5 million comparisons. */
static void test_orders(void **state)
{
    static int values[MOST];
    int (*const orders[])(int) = {organ_pipe, constant, rising, falling};
    (void)state;
    for (size_t order = 0; order < sizeof orders / sizeof orders[0]; order++) {
        for (int i = 0; i < MOST; i++)
            values[i] = orders[order](i);
        check(values, MOST, ascending);
    }
    for (int i = 0; i < MOST; i++)
        values[i] = i;
    compared = 0;
    sort_ints(values, MOST, descending);
    sort_ints(values, MOST, ascending);
    assert_in_range(compared, 2 * MOST, 40 * MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_orders),
    };
    return cmocka_run_group_tests_name("guestbench sort", tests, NULL, NULL);
}
