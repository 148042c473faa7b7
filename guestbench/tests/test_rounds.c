/* Samples of several visits put together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../core/rounds.h"

static void every_sample_has_its_visit(void **state)
{
    (void)state;
    for (int samples = 1; samples <= RESULT_MAX_SAMPLES; samples++) {
        for (int rounds = 1; rounds <= samples; rounds++) {
            int sum = 0;
            for (int round = 0; round < rounds; round++) {
                int n = rounds_samples(samples, rounds, round);
                assert_true(n >= 1);
                assert_true(n == samples / rounds || n == samples / rounds + 1);
                sum += n;
            }
            assert_int_equal(sum, samples);
        }
    }
}

static struct result good(double first, int n)
{
    struct result result = {.status = RESULT_OK, .n = n, .iters = 10, .ops_per_iter = first};
    for (int i = 0; i < n; i++)
        result.samples[i] = first + i;
    result.warmups = 1;
    result.warmup_samples[0] = -first;
    result.usage = (struct result_usage){.minflt = 3, .utime_ms = 1.5};
    result.steal_ms = 2;
    result.sample_s = first;
    result.facts = 1;
    result.fact[0].value[0] = (char)('0' + (int)first);
    result_warn(&result, "hot");
    return result;
}

static void visits_add_up(void **state)
{
    struct result all = {0}, one = good(1, 2), two = good(4, 1);
    (void)state;
    rounds_add(&all, &one);
    assert_memory_equal(&all, &one, sizeof all);
    two.marked = true;
    result_warn(&two, "cold");
    rounds_add(&all, &two);
    assert_int_equal(all.status, RESULT_OK);
    assert_int_equal(all.n, 3);
    assert_true(all.samples[0] == 1 && all.samples[1] == 2 && all.samples[2] == 4);
    assert_true(all.sample_s == 2 && all.ops_per_iter == 2); /* two of 1 and one of 4 */
    assert_int_equal(all.iters, 10);
    assert_int_equal(all.usage.minflt, 6);
    assert_true(all.usage.utime_ms == 3);
    assert_int_equal(all.steal_ms, 4);
    assert_true(all.marked);
    assert_int_equal(all.warmups, 1);
    assert_true(all.warmup_samples[0] == -1);
    assert_int_equal(all.fact[0].value[0], '4');
    assert_int_equal(all.warnings, 2);
    assert_string_equal(all.warning[1], "cold");
    two.steal_ms = -1;
    rounds_add(&all, &two);
    assert_int_equal(all.steal_ms, -1);
}

static void a_bad_visit_is_the_result(void **state)
{
    struct result all = good(1, 2);
    struct result bad = {.status = RESULT_FAIL, .message = "gone", .error = 5};
    (void)state;
    rounds_add(&all, &bad);
    assert_memory_equal(&all, &bad, sizeof all);
}

static void samples_have_a_limit(void **state)
{
    struct result all = good(1, RESULT_MAX_SAMPLES), one = good(2, 5);
    (void)state;
    rounds_add(&all, &one);
    assert_int_equal(all.n, RESULT_MAX_SAMPLES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_has_its_visit),
        cmocka_unit_test(visits_add_up),
        cmocka_unit_test(a_bad_visit_is_the_result),
        cmocka_unit_test(samples_have_a_limit),
    };
    return cmocka_run_group_tests_name("guestbench-rounds", tests, NULL, NULL);
}
