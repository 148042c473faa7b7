// Expected values: computed by hand, or by counting all orders with an independent program; the
// coverages and smallest p-values are those of the published tables for these tests.

#include "../stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SAMPLE(...)                                                                                \
    sample_make((const double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double))

static void near(double got, double want, double within)
{
    if (!(fabs(got - want) <= within))
        fail_msg("got %.12g, expected %.12g", got, want);
}

static void medians(void **state)
{
    (void)state;
    struct sample odd = SAMPLE(5, 1, 9), even = SAMPLE(4, 1, 3, 2);
    near(sample_median(&odd), 5, 0);
    near(sample_mad(&odd), 4, 0);
    near(sample_median(&even), 2.5, 0);
    near(sample_mad(&even), 1, 0);
    near(odd.taken[0], 5, 0);
    sample_free(&odd);
    sample_free(&even);
}

static void median_interval(void **state)
{
    (void)state;
    static const struct {
        size_t n, lo, hi; // ranks from 1
        double level;
    } table[] = {{3, 1, 3, 0.75},        {4, 1, 4, 0.875},    {5, 1, 5, 0.9375},
                 {6, 1, 6, 0.96875},     {7, 1, 7, 0.984375}, {9, 2, 8, 0.9609375},
                 {11, 2, 10, 0.98828125}};
    double values[11];
    for (size_t i = 0; i < 11; i++)
        values[i] = (double)(11 - i);
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct sample s = sample_make(values + 11 - table[i].n, table[i].n);
        struct interval interval = sample_median_interval(&s);
        near(interval.lo, (double)table[i].lo, 0);
        near(interval.hi, (double)table[i].hi, 0);
        near(interval.level, table[i].level, 1e-12);
        sample_free(&s);
    }
}

static void rank_test(void **state)
{
    (void)state;
    // Apart: 2 / C(n+m, n).
    struct sample a3 = SAMPLE(1, 2, 3), b3 = SAMPLE(4, 5, 6);
    struct sample a7 = SAMPLE(1, 2, 3, 4, 5, 6, 7), b7 = SAMPLE(8, 9, 10, 11, 12, 13, 14);
    near(rank_test_p(&a3, &b3), 0.1, 1e-12);
    near(rank_test_p(&a7, &b7), 2.0 / 3432, 1e-12);
    near(rank_test_p(&b7, &a7), 2.0 / 3432, 1e-12);
    // {1,3,5} and {2,4,6}: rank sum 9, mean 10.5; 14 of the 20 choices lie at least as far out.
    struct sample odd = SAMPLE(1, 3, 5), even = SAMPLE(2, 4, 6);
    near(rank_test_p(&odd, &even), 0.7, 1e-12);
    // Ties: {1,1,2} and {2,3,3}. Mid-ranks 1.5 1.5 3.5 | 3.5 5.5 5.5; sum 6.5, mean 10.5; of 20
    // choices those with a sum of at most 6.5 or at least 14.5: {1.5,1.5,3.5} two ways and
    // {3.5,5.5,5.5} two ways.
    struct sample left = SAMPLE(1, 1, 2), right = SAMPLE(2, 3, 3);
    near(rank_test_p(&left, &right), 0.2, 1e-12);
    struct sample same = SAMPLE(4, 4, 4, 4, 4, 4, 4), other = SAMPLE(5, 5, 5, 5, 5, 5, 5);
    near(rank_test_p(&same, &same), 1, 1e-12);
    near(rank_test_p(&same, &other), 2.0 / 3432, 1e-12);
    struct sample *all[] = {&a3, &b3, &a7, &b7, &odd, &even, &left, &right, &same, &other};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        sample_free(all[i]);
}

static void rank_test_large(void **state)
{
    (void)state;
    // 60 + 60 interleaved values: no difference, by the normal approximation.
    double a[60], b[60];
    for (int i = 0; i < 60; i++) {
        a[i] = 2 * i;
        b[i] = 2 * i + 1;
    }
    struct sample x = sample_make(a, 60), y = sample_make(b, 60);
    double p = rank_test_p(&x, &y);
    assert_true(p > 0.8 && p <= 1);
    for (int i = 0; i < 60; i++)
        b[i] += 1000;
    struct sample far = sample_make(b, 60);
    assert_true(rank_test_p(&x, &far) < 1e-15);
    sample_free(&x);
    sample_free(&y);
    sample_free(&far);
}

static void trends(void **state)
{
    (void)state;
    struct sample up = SAMPLE(1, 2, 3, 4, 5, 6, 7), mixed = SAMPLE(3, 1, 4, 2),
                  flat = SAMPLE(2, 2, 2, 2);
    near(sample_trend_p(&up), 2.0 / 5040, 1e-12);
    // S = 0 for 3 1 4 2: every order is at least as far out.
    near(sample_trend_p(&mixed), 1, 1e-12);
    near(sample_trend_p(&flat), 1, 0);
    // 1 2 3 4: S = 6, only the two sorted orders of 24.
    struct sample four = SAMPLE(1, 2, 3, 4);
    near(sample_trend_p(&four), 2.0 / 24, 1e-12);
    struct sample *all[] = {&up, &mixed, &flat, &four};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        sample_free(all[i]);
}

static void outliers(void **state)
{
    (void)state;
    struct sample one = SAMPLE(100, 101, 99, 100, 102, 98, 500);
    struct sample exact = SAMPLE(1000000, 1000000, 1000000, 1000000, 1000000, 1000000, 1000001);
    assert_int_equal(sample_outliers(&one), 1);
    assert_int_equal(sample_outliers(&exact), 0); // one instruction in a million
    sample_free(&one);
    sample_free(&exact);
}

static void losses(void **state)
{
    (void)state;
    near(loss_of(590226, 93211, true), 0.8420757472, 1e-9); // page_test of the paper
    near(loss_of(33, 125, false), 92.0 / 33, 1e-12);        // MemoryMotion
    struct sample n = SAMPLE(100, 100, 100, 100, 100, 100, 100),
                  h = SAMPLE(50, 50, 50, 50, 50, 50, 50);
    struct interval ci = loss_interval(&n, &h, true);
    near(ci.lo, 0.5, 0);
    near(ci.hi, 0.5, 0);
    near(ci.level, 0.95, 0);
    struct sample few = SAMPLE(98, 102, 100), half = SAMPLE(49, 51, 50);
    ci = loss_interval(&few, &half, true);
    near(ci.lo, (98.0 - 51) / 98, 1e-12);
    near(ci.hi, (102.0 - 49) / 102, 1e-12);
    near(ci.level, 0, 0);
    ci = loss_interval(&few, &half, false);
    near(ci.lo, (49.0 - 102) / 102, 1e-12);
    near(ci.hi, (51.0 - 98) / 98, 1e-12);
    struct sample *all[] = {&n, &h, &few, &half};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        sample_free(all[i]);
}

static void bootstrap(void **state)
{
    (void)state;
    struct sample n = SAMPLE(100, 101, 102, 103, 104, 105, 106);
    struct sample h = SAMPLE(90, 91, 92, 93, 94, 95, 96);
    struct interval first = loss_interval(&n, &h, true), again = loss_interval(&n, &h, true);
    near(first.lo, again.lo, 0);
    near(first.hi, again.hi, 0);
    double loss = loss_of(103, 93, true);
    assert_true(first.lo < loss && loss < first.hi);
    // Never wider than the extremes allow.
    assert_true(first.lo >= loss_of(100, 96, true) && first.hi <= loss_of(106, 90, true));
    assert_true(first.hi - first.lo > 0.01);
    sample_free(&n);
    sample_free(&h);
}

static void holm(void **state)
{
    (void)state;
    double p[] = {0.01, 0.04, 0.03, 0.005};
    holm_adjust(p, 4);
    near(p[3], 0.02, 1e-12);
    near(p[0], 0.03, 1e-12);
    near(p[2], 0.06, 1e-12);
    near(p[1], 0.06, 1e-12);
    double capped[] = {0.6, 0.6};
    holm_adjust(capped, 2);
    near(capped[0], 1, 0);
    near(capped[1], 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians),   cmocka_unit_test(median_interval),
        cmocka_unit_test(rank_test), cmocka_unit_test(rank_test_large),
        cmocka_unit_test(trends),    cmocka_unit_test(outliers),
        cmocka_unit_test(losses),    cmocka_unit_test(bootstrap),
        cmocka_unit_test(holm),
    };
    return cmocka_run_group_tests_name("harness_stats", tests, NULL, NULL);
}
