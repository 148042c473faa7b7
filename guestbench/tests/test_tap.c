/* The report: exact text of points, and quoting. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../core/report.h"
#include "../core/tap.h"

static const struct bench rate = {.name = "aim9.page_test", .table = "8", .unit = "ops/s"};
static const struct bench fixed = {
    .name = "mm.memorymotion", .table = "mm", .unit = "s", .flags = BENCH_FIXED};

static char *text;
static size_t text_size;

static bool report(const struct bench *bench, const struct result *result)
{
    free(text);
    FILE *out = open_memstream(&text, &text_size);
    bool good = report_point(bench, result, 2, out);
    fclose(out);
    return good;
}

static struct result seven_samples(void)
{
    struct result result = {.status = RESULT_OK,
                            .n = 7,
                            .warmups = 1,
                            .iters = 3,
                            .ops_per_iter = 1700,
                            .sample_s = 0.02,
                            .steal_ms = -1,
                            .marked = true};
    for (int i = 0; i < 7; i++)
        result.samples[i] = 590000 + 10 * ((i * 3) % 7);
    result.warmup_samples[0] = 571330.8;
    result.usage.minflt = 33600;
    return result;
}

static void test_ok_point(void **state)
{
    (void)state;
    static const char expected[] = "ok 2 - aim9.page_test\n"
                                   "  ---\n"
                                   "  unit: ops/s\n"
                                   "  better: higher\n"
                                   "  value: 590030.00\n"
                                   "  stat: median\n"
                                   "  n: 7\n"
                                   "  samples:\n"
                                   "    - 590000.00\n"
                                   "    - 590030.00\n"
                                   "    - 590060.00\n"
                                   "    - 590020.00\n"
                                   "    - 590050.00\n"
                                   "    - 590010.00\n"
                                   "    - 590040.00\n"
                                   "  warmup_samples:\n"
                                   "    - 571330.80\n"
                                   "  mad: 20.000000\n"
                                   "  ci_lo: 590000.00\n"
                                   "  ci_hi: 590060.00\n"
                                   "  ci_level: 0.9844\n"
                                   "  sample_s: 0.020000000\n"
                                   "  ops_per_iter: 1700\n"
                                   "  iters: 3\n"
                                   "  ops: 35700\n"
                                   "  minflt: 33600\n"
                                   "  majflt: 0\n"
                                   "  nvcsw: 0\n"
                                   "  nivcsw: 0\n"
                                   "  utime_ms: 0.000\n"
                                   "  stime_ms: 0.000\n"
                                   "  outliers: 0\n"
                                   "  warnings: []\n"
                                   "  paper: \"table 8\"\n"
                                   "  mark: 2\n"
                                   "  ...\n";
    struct result result = seven_samples();
    assert_true(report(&rate, &result));
    assert_string_equal(text, expected);
}

static void test_fixed_point(void **state)
{
    (void)state;
    struct result result = seven_samples();
    result.steal_ms = 3; /* of 140 ms */
    result_warn(&result, "memory is %s", "short");
    assert_true(report(&fixed, &result));
    assert_non_null(strstr(text, "  better: lower\n"));
    assert_non_null(strstr(text, "  warnings:\n    - \"memory is short\"\n"));
    assert_non_null(strstr(text, "  steal_ms: 3\n"));
    assert_non_null(strstr(text, "  tainted: true\n"));
    assert_null(strstr(text, "paper:"));
}

static void test_failures(void **state)
{
    (void)state;
    struct result result = {
        .status = RESULT_FAIL, .message = "cannot write: a \"b\"", .error = ENOSPC};
    assert_false(report(&rate, &result));
    assert_string_equal(text, "not ok 2 - aim9.page_test\n  ---\n"
                              "  error: \"cannot write: a \\\"b\\\"\"\n  errno: 28\n"
                              "  message: \"No space left on device\"\n  ...\n");
    result = (struct result){.status = RESULT_MISMATCH, .expected = 3, .got = 2.5};
    assert_false(report(&rate, &result));
    assert_non_null(strstr(text, "  expected: 3.000000\n  got: 2.500000\n"));
    /* a status of success without samples is none */
    result = (struct result){.status = RESULT_OK};
    assert_false(report(&rate, &result));
}

static void test_skip(void **state)
{
    (void)state;
    struct result result = {.status = RESULT_SKIP, .message = "no # in a\nreason"};
    assert_true(report(&rate, &result));
    assert_string_equal(text, "ok 2 - aim9.page_test # SKIP no   in a reason\n");
}

static void test_quoting(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"median", "median"},   {"vmcmp/1", "vmcmp/1"},
        {"6.1.0", "\"6.1.0\""}, {"no", "\"no\""},
        {"Off", "\"Off\""},     {"nothing", "nothing"},
        {"a: b", "\"a: b\""},   {"", "\"\""},
        {"a\\b", "\"a\\\\b\""}, {"tab\there", "\"tab here\""},
        {"1e6", "\"1e6\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char buffer[32];
        tap_format_text(buffer, sizeof buffer, cases[i][0]);
        assert_string_equal(buffer, cases[i][1]);
    }
    char small[8];
    tap_format_text(small, sizeof small, "\"\"\"\"\"\"\"\"\"\"\"\"");
    assert_true(strlen(small) < sizeof small && small[strlen(small) - 1] == '"');
}

/* Fixed notation, never an exponent, with enough digits whatever the size. */
static void test_numbers(void **state)
{
    (void)state;
    const double values[] = {0, 1.25e-7, 0.031, 42.5, 3.1e9};
    char *got;
    size_t size;
    FILE *out = open_memstream(&got, &size);
    tap_measures(out, "x", values, 5);
    fclose(out);
    assert_string_equal(got, "  x:\n    - 0.0\n    - 0.000000125000\n    - 0.031000000\n"
                             "    - 42.500000\n    - 3100000000.0\n");
    free(got);
}

static int release(void **state)
{
    (void)state;
    free(text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ok_point), cmocka_unit_test(test_fixed_point),
        cmocka_unit_test(test_failures), cmocka_unit_test(test_skip),
        cmocka_unit_test(test_quoting),  cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests_name("guestbench tap", tests, NULL, release);
}
