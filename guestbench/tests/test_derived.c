/* Points that are computed from others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../core/derived.h"

static const struct bench one = {.name = "x.one", .flags = BENCH_SOURCE};
static const struct bench two = {.name = "x.two", .flags = BENCH_SOURCE};
static const struct bench third = {.name = "x.third"};
static const struct bench mean = {.name = "x.mean", .mean_of = "x.one,x.two"};
static const struct bench other = {.name = "x.other", .mean_of = "x.one,x.third"};

static struct result make(int n, double first, enum result_status status)
{
    struct result result = {.status = status, .n = n};
    for (int i = 0; i < n; i++)
        result.samples[i] = first + i;
    return result;
}

/* Sample by sample; the shorter list decides how many. */
static void means(void **state)
{
    (void)state;
    struct result a = make(7, 10, RESULT_OK), b = make(5, 30, RESULT_OK), out;
    derived_keep(&one, &a);
    derived_compute(&mean, &out);
    assert_int_equal(out.status, RESULT_SKIP);
    assert_string_equal(out.message, "needs x.two of the same run");
    b.status = RESULT_FAIL;
    derived_keep(&two, &b);
    derived_compute(&mean, &out);
    assert_int_equal(out.status, RESULT_SKIP);
    b.status = RESULT_OK;
    derived_keep(&two, &b);
    derived_compute(&mean, &out);
    assert_int_equal(out.status, RESULT_OK);
    assert_int_equal(out.n, 5);
    for (int i = 0; i < 5; i++)
        assert_float_equal(out.samples[i], 20 + i, 1e-12);
}

static void sources_are_marked(void **state)
{
    (void)state;
    struct result a = make(7, 10, RESULT_OK), out;
    derived_keep(&third, &a);
    derived_compute(&other, &out);
    assert_string_equal(out.message, "needs x.third of the same run");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(means),
                                       cmocka_unit_test(sources_are_marked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
