/* Median, interval, outliers, trend and calibration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>

#include "../core/stats.h"

static void close_to(double got, double expected, double within)
{
    if (fabs(got - expected) > within)
        fail_msg("got %.9g, expected %.9g", got, expected);
}

static void test_seven_samples(void **state)
{
    (void)state;
    const double samples[] = {7, 1, 5, 3, 6, 2, 4};
    struct stats stats;
    stats_compute(samples, 7, &stats);
    close_to(stats.median, 4, 0);
    close_to(stats.mad, 2, 0);
    close_to(stats.ci_lo, 1, 0);
    close_to(stats.ci_hi, 7, 0);
    close_to(stats.ci_level, 0.984375, 1e-12); /* 1 - 2/2^7 */
    assert_int_equal(stats.outliers, 0);
    assert_false(stats.trend);
}

/* The coverages of benchmarks' usual sample counts, computed independently. */
static void test_intervals(void **state)
{
    (void)state;
    static const struct {
        int n, first; /* first and last order statistic of the interval, from 1 */
        double level;
    } cases[] = {{1, 1, 0},         {3, 1, 0.75},        {6, 1, 0.96875},
                 {9, 2, 0.9609375}, {11, 2, 0.98828125}, {101, 41, 0.9539559}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        double samples[101];
        struct stats stats;
        int n = cases[c].n;
        for (int i = 0; i < n; i++)
            samples[i] = i + 1;
        stats_compute(samples, n, &stats);
        close_to(stats.ci_lo, cases[c].first, 0);
        close_to(stats.ci_hi, n + 1 - cases[c].first, 0);
        close_to(stats.ci_level, cases[c].level, 1e-6);
    }
}

static void test_even_median(void **state)
{
    (void)state;
    const double samples[] = {4, 1, 3, 2};
    close_to(stats_median(samples, 4), 2.5, 0);
}

static void test_outlier(void **state)
{
    (void)state;
    const double samples[] = {100, 101, 99, 100, 102, 98, 150};
    struct stats stats;
    stats_compute(samples, 7, &stats);
    assert_int_equal(stats.outliers, 1);
    /* identical samples but one: the deviation's floor must not hide it, nor divide by 0 */
    const double equal[] = {5, 5, 5, 5, 5, 5, 6};
    stats_compute(equal, 7, &stats);
    assert_int_equal(stats.outliers, 1);
}

static void test_trend(void **state)
{
    (void)state;
    const double rising[] = {1, 2, 3, 4, 5, 6, 7}, falling[] = {7, 6, 5, 4, 3, 2, 1};
    const double few[] = {1, 2, 3, 4, 5};
    struct stats stats;
    stats_compute(rising, 7, &stats);
    assert_true(stats.trend);
    stats_compute(falling, 7, &stats);
    assert_true(stats.trend);
    stats_compute(few, 5, &stats);
    assert_false(stats.trend);
}

/* Calibrates against a machine where an iteration takes ns_per_iteration. */
static uint64_t calibrate(double ns_per_iteration, uint64_t target_ns, double *spent_ns)
{
    uint64_t n = 1;
    bool done = false;
    *spent_ns = 0;
    for (int turns = 0; !done; turns++) {
        assert_true(turns < 64);
        double elapsed = ns_per_iteration * (double)n;
        *spent_ns += elapsed;
        n = stats_calibrate(n, (uint64_t)elapsed, target_ns, &done);
    }
    return n;
}

static void test_calibration(void **state)
{
    (void)state;
    const uint64_t target = 20000000;
    double cost = 0.5;
    for (int i = 0; i < 13; i++, cost *= 3.7) {
        double spent;
        uint64_t n = calibrate(cost, target, &spent);
        close_to((double)n * cost, (double)target, (double)target * 0.25 + cost);
        assert_true(spent < 2.0 * (double)target);
    }
}

static void test_calibration_limits(void **state)
{
    (void)state;
    double spent;
    bool done;
    /* one iteration takes longer than a sample should */
    assert_int_equal(calibrate(5e9, 20000000, &spent), 1);
    /* a clock that stands still must not make it run for ever */
    assert_true(stats_calibrate(1, 0, 20000000, &done) > 1);
    uint64_t n = 1;
    for (int i = 0; i < 64 && !(n = stats_calibrate(n, 0, 20000000, &done), done); i++)
        ;
    assert_true(done);
    assert_true(n <= 1000000000000000u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seven_samples),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_even_median),
        cmocka_unit_test(test_outlier),
        cmocka_unit_test(test_trend),
        cmocka_unit_test(test_calibration),
        cmocka_unit_test(test_calibration_limits),
    };
    return cmocka_run_group_tests_name("guestbench stats", tests, NULL, NULL);
}
