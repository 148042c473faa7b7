// Figures 3 to 5 and the comparison of two runs of one side, from made-up results.

#include "../figure.h"
#include "../render.h"
#include "fixture.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct test {
    const char *name, *unit, *better;
    double native, hvm;
};

// Seven samples around `middle`, which is their median.
static char *text_of(const struct test *tests, size_t n, bool hvm, const char *facts)
{
    static const double around[] = {1, 1.01, 0.99, 1, 1.002, 0.998, 1};
    char *body = xstrdup("");
    for (size_t i = 0; i < n; i++) {
        double samples[7];
        for (size_t j = 0; j < 7; j++)
            samples[j] = around[j] * (hvm ? tests[i].hvm : tests[i].native);
        char *point = fixture_point((unsigned)i + 2, tests[i].name, tests[i].unit, tests[i].better,
                                    samples, 7, "");
        char *longer = xasprintf("%s%s", body, point);
        free(point);
        free(body);
        body = longer;
    }
    char *text = fixture_tap(facts, (unsigned)n, body);
    free(body);
    return text;
}

struct pair {
    struct result native, hvm;
    struct comparison comparison;
};

static void pair_make(struct pair *pair, const struct test *tests, size_t n, const char *facts,
                      const char *other_facts, const struct compare_options *options)
{
    char *native = text_of(tests, n, false, facts), *hvm = text_of(tests, n, true, other_facts);
    fixture_parse(native, &pair->native);
    fixture_parse(hvm, &pair->hvm);
    free(native);
    free(hvm);
    compare_results(&pair->native, &pair->hvm, options, &pair->comparison);
}

static void pair_free(struct pair *pair)
{
    comparison_free(&pair->comparison);
    result_free(&pair->native);
    result_free(&pair->hvm);
}

static const struct test overall[] = {
    {"web.low", "requests/s", "higher", 1000, 900},
    {"compile.tcc", "s", "lower", 10, 12.5},
    {"mm.memorymotion", "s", "lower", 33, 125},
};

static const struct compare_options plain = {.min_effect = 0.01, .max_loss = NAN};

static const struct figure_point *bar(const struct figure *figure, const char *label)
{
    for (size_t i = 0; i < figure->series[0].n; i++)
        if (!strcmp(figure->series[0].point[i].label, label))
            return &figure->series[0].point[i];
    fail_msg("no bar %s", label);
    return NULL;
}

static void figure_3_has_its_bars(void **state)
{
    (void)state;
    struct pair pair;
    struct figure figure;
    pair_make(&pair, overall, 3, "", "", &plain);
    figure_build(&pair.comparison, 3, &figure);
    assert_int_equal(figure.n, 1);
    assert_int_equal(figure.measured, 3);
    assert_float_equal(bar(&figure, "web, low")->percent, 90, 1e-9);
    assert_float_equal(bar(&figure, "compile, tcc")->percent, 80, 1e-9);
    assert_float_equal(bar(&figure, "compile, tcc")->paper, 77.21, 1e-9);
    assert_float_equal(bar(&figure, "MemoryMotion")->percent, 26.4, 1e-3);
    assert_float_equal(bar(&figure, "MemoryMotion")->paper, 26.4, 1e-9);
    assert_true(isnan(bar(&figure, "SciMark")->percent));
    const struct figure_point *web = bar(&figure, "web, low");
    assert_true(web->lo <= web->percent && web->percent <= web->hi && web->lo > 88);
    figure_free(&figure);
    pair_free(&pair);
}

static void figure_3_as_text(void **state)
{
    (void)state;
    struct pair pair;
    struct buf text = {0};
    struct compare_options options = plain;
    options.figure = 3;
    pair_make(&pair, overall, 3, "", "", &plain);
    render_figure_text(&pair.comparison, &options, &text);
    assert_non_null(strstr(text.data, "Figure 3. overall, native = 100%\n"));
    assert_non_null(strstr(text.data, "web, low               90.00%  |####################"
                                      "################    |\n"));
    assert_non_null(strstr(text.data, "MemoryMotion           26.40%  |###########  "));
    assert_non_null(strstr(text.data, "paper 26.4%\n"));
    assert_non_null(strstr(text.data, "SciMark                     -  not measured\n"));
    buf_free(&text);
    render_text(&pair.comparison, &plain, &text);
    assert_non_null(strstr(text.data, "Figure 3. overall, native = 100%\n"));
    assert_null(strstr(text.data, "Figure 4. file server, native"));
    buf_free(&text);
    render_markdown(&pair.comparison, &plain, &text);
    assert_non_null(strstr(text.data, "\n```\nFigure 3. overall, native = 100%\n"));
    buf_free(&text);
    pair_free(&pair);
}

// Out of order, and with a name that is no place on the axis.
static const struct test sweep[] = {
    {"disk.fileserver_16", "MB/s", "higher", 200, 150},
    {"disk.fileserver_1", "MB/s", "higher", 100, 80},
    {"disk.fileserver_4", "MB/s", "higher", 160, 128},
    {"disk.fileserver_warm", "MB/s", "higher", 1, 1},
    {"netio.tcp_rx_1k", "KiB/s", "higher", 1000, 700},
    {"netio.tcp_rx_32k", "KiB/s", "higher", 2000, 1600},
    {"netio.udp_rx_1k", "KiB/s", "higher", 1000, 100},
    {"netio_lo.tcp_rx_1k", "KiB/s", "higher", 9000, 9000},
};
enum { sweep_n = sizeof(sweep) / sizeof(*sweep) };

static void figure_4_is_a_sweep(void **state)
{
    (void)state;
    struct pair pair;
    struct figure figure;
    pair_make(&pair, sweep, sweep_n, "", "", &plain);
    figure_build(&pair.comparison, 4, &figure);
    assert_int_equal(figure.n, 1);
    assert_int_equal(figure.series[0].n, 3);
    static const double x[] = {1, 4, 16}, percent[] = {80, 80, 75};
    for (size_t i = 0; i < 3; i++) {
        assert_float_equal(figure.series[0].point[i].x, x[i], 0);
        assert_float_equal(figure.series[0].point[i].percent, percent[i], 1e-9);
    }
    figure_free(&figure);
    pair_free(&pair);
}

static void figure_5_has_a_series_each_direction(void **state)
{
    (void)state;
    struct pair pair;
    struct figure figure;
    pair_make(&pair, sweep, sweep_n, "", "", &plain);
    figure_build(&pair.comparison, 5, &figure);
    assert_int_equal(figure.n, 3);
    assert_string_equal(figure.series[0].name, "tcp_rx");
    assert_int_equal(figure.series[0].n, 2);
    assert_float_equal(figure.series[0].point[1].x, 32, 0);
    assert_string_equal(figure.series[1].name, "udp_rx");
    assert_float_equal(figure.series[1].point[0].percent, 10, 1e-9);
    assert_string_equal(figure.series[2].name, "loopback tcp_rx");
    figure_free(&figure);
    pair_free(&pair);
}

static void gnuplot_holds_its_data(void **state)
{
    (void)state;
    struct pair pair;
    struct buf text = {0};
    struct compare_options options = plain;
    pair_make(&pair, sweep, sweep_n, "", "", &plain);
    options.figure = 4;
    render_figure_gnuplot(&pair.comparison, &options, &text);
    assert_non_null(strstr(text.data, "set output 'figure4.svg'\n"));
    assert_non_null(strstr(text.data, "$series0 << EOD\n\"1\" 80.0000 "));
    assert_non_null(strstr(text.data, "set xlabel 'clients'\n"));
    assert_non_null(strstr(text.data, "title 'file server'\n"));
    buf_free(&text);
    options.figure = 5;
    render_figure_gnuplot(&pair.comparison, &options, &text);
    assert_non_null(strstr(text.data, "$series2 using 5:2:3:4 with yerrorlines "
                                      "title 'loopback tcp rx'\n"));
    buf_free(&text);
    options.figure = 3;
    render_figure_gnuplot(&pair.comparison, &options, &text);
    assert_int_equal(text.len, 0);
    buf_free(&text);
    pair_free(&pair);
}

static void json_has_the_points(void **state)
{
    (void)state;
    struct pair pair;
    struct buf text = {0};
    pair_make(&pair, sweep, sweep_n, "", "", &plain);
    render_json(&pair.comparison, &plain, &text);
    json_t *root = json_loads(text.data, 0, NULL);
    assert_non_null(root);
    json_t *figures = json_object_get(root, "figures");
    assert_int_equal(json_array_size(figures), 7); // none of figure 3
    json_t *first = json_array_get(figures, 0);
    assert_int_equal(json_integer_value(json_object_get(first, "figure")), 4);
    assert_float_equal(json_real_value(json_object_get(first, "percent")), 80, 1e-9);
    json_decref(root);
    buf_free(&text);
    pair_free(&pair);
}

// ---- Two runs of one side ----

static const struct test twice[] = {
    {"aim9.add_int", "ops/s", "higher", 100, 100},   // the same
    {"aim9.add_long", "ops/s", "higher", 100, 99.9}, // within the spread
    {"aim9.page_test", "ops/s", "higher", 100, 90},  // another
    {"mm.memorymotion", "s", "lower", 1, 1.2},       // another
};

static const struct compare_options aa = {.min_effect = 0.01, .max_loss = NAN, .same_side = true};

static void two_runs_of_one_side(void **state)
{
    (void)state;
    struct pair pair;
    struct buf text = {0};
    pair_make(&pair, twice, 4, "  side: native\n", "  side: native\n", &aa);
    render_same(&pair.comparison, &aa, &text);
    assert_non_null(strstr(text.data, "\n2 of 4 tests show no difference\n"));
    assert_non_null(strstr(text.data, "largest difference: 20.000% (mm.memorymotion)\n"));
    const char *page = strstr(text.data, "aim9.page_test");
    assert_non_null(page);
    assert_non_null(strstr(page, "DIFFERENCE"));
    assert_int_equal(comparison_status(&pair.comparison, &aa), 1);
    buf_free(&text);
    pair_free(&pair);
    pair_make(&pair, twice, 2, "  side: native\n", "  side: native\n", &aa);
    assert_int_equal(comparison_status(&pair.comparison, &aa), 0);
    pair_free(&pair);
}

// An interval without 0 is no difference below half a percent, and one above it.
static void small_differences_are_none(void **state)
{
    (void)state;
    struct row row = {.loss = 0.0049, .ci = {0.004, 0.006, 0.95}};
    assert_true(row_same(&row));
    row.loss = 0.0051;
    assert_false(row_same(&row));
    row.ci.lo = -0.001;
    assert_true(row_same(&row));
    row.single = true; // a count has no interval
    assert_false(row_same(&row));
    row.loss = -0.004;
    assert_true(row_same(&row));
    row = (struct row){.loss = 0.02, .ci = {0.01, 0.03, 0.95}, .p_holm = 0.06}; // of many tests
    assert_true(row_same(&row));
    row.p_holm = 0.04;
    assert_false(row_same(&row));
    row = (struct row){
        .loss = 0.02, .ci = {0.01, 0.03, 0}, .p_holm = 1}; // too few samples for the test
    assert_false(row_same(&row));
}

static void the_sides_must_be_one(void **state)
{
    (void)state;
    struct pair pair;
    pair_make(&pair, twice, 2, "  side: native\n", "  side: hvm\n", &aa);
    assert_int_equal(comparison_status(&pair.comparison, &aa), 3);
    assert_string_equal(pair.comparison.mismatches.word[0],
                        "two runs of one side are wanted: side is native and hvm");
    pair_free(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figure_3_has_its_bars),
        cmocka_unit_test(figure_3_as_text),
        cmocka_unit_test(figure_4_is_a_sweep),
        cmocka_unit_test(figure_5_has_a_series_each_direction),
        cmocka_unit_test(gnuplot_holds_its_data),
        cmocka_unit_test(json_has_the_points),
        cmocka_unit_test(two_runs_of_one_side),
        cmocka_unit_test(small_differences_are_none),
        cmocka_unit_test(the_sides_must_be_one),
    };
    return cmocka_run_group_tests_name("harness_figure", tests, NULL, NULL);
}
