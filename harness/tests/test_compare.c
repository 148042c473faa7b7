// Pairing, verdicts and exit codes of a comparison.

#include "fixture.h"
#include "../paper.h"
#include "../render.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double fast[] = {100, 101, 99, 100, 102, 98, 100};
static const double slow[] = {20, 20.2, 19.8, 20, 20.4, 19.6, 20};
static const double slower[] = {90, 91, 89, 90, 92, 88, 90};
static const char env[] = "  binary_sha256: \"9f2c\"\n  set: quick\n";

// A side with page_test (point 2) and brk_test (point 3).
static char *side_text(const char *facts, const double *page, size_t n, const char *brk_extra)
{
    char *a =
        fixture_point(2, "aim9.page_test", "ops/s", "higher", page, n, "  ops: 1000\n  mark: 2\n");
    char *b = fixture_point(3, "aim9.brk_test", "ops/s", "higher", fast, 7, brk_extra);
    char *body = xasprintf("%s%s", a, b);
    char *text = fixture_tap(facts, 2, body);
    free(a);
    free(b);
    free(body);
    return text;
}

struct pair {
    struct result native, hvm;
    struct comparison comparison;
};

static void pair_texts(struct pair *pair, char *native, char *hvm,
                       const struct compare_options *options)
{
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

static int status_of(char *native, char *hvm, struct compare_options options)
{
    struct pair pair;
    pair_texts(&pair, native, hvm, &options);
    int status = comparison_status(&pair.comparison, &options);
    pair_free(&pair);
    return status;
}

#define NO_LIMIT NAN

static struct compare_options options_of(double max_loss, bool strict, bool force)
{
    return (struct compare_options){
        .min_effect = 0.01, .max_loss = max_loss, .strict = strict, .force = force};
}

// Five kernels and their mean; all ratios are 0.9 but that of sor, and with `all` unset one lacks.
static char *scimark_text(double scale, double sor, bool all)
{
    static const char *const names[] = {"fft", "sor", "mc", "sparse", "lu", "composite"};
    char *body = xstrdup("");
    for (unsigned i = 0; i < (all ? 6 : 5); i++) {
        double samples[7];
        for (size_t j = 0; j < 7; j++)
            samples[j] = fast[j] * (i + 1) * (i == 1 ? sor : scale);
        char *name = xasprintf("scimark.%s", names[i]);
        char *point = fixture_point(i + 2, name, "MFLOPS", "higher", samples, 7, "");
        char *longer = xasprintf("%s%s", body, point);
        free(name);
        free(point);
        free(body);
        body = longer;
    }
    char *text = fixture_tap(env, all ? 6 : 5, body);
    free(body);
    return text;
}

static void mean_of_ratios(void **state)
{
    (void)state;
    struct pair pair;
    struct buf text = {0};
    struct compare_options options = options_of(NO_LIMIT, false, false);
    pair_texts(&pair, scimark_text(1, 1, true), scimark_text(0.9, 0.6, true), &options);
    const struct ratio_mean *mean = &pair.comparison.ratio_mean[0];
    assert_int_equal(mean->metrics, 6);
    assert_float_equal(mean->mean, (5 * 0.9 + 0.6) / 6, 1e-9);
    assert_float_equal(mean->deviation, sqrt(0.3 * 0.3 / 6), 1e-9);
    assert_int_equal(pair.comparison.ratio_mean[1].metrics, 0);
    render_text(&pair.comparison, &options, &text);
    assert_non_null(strstr(text.data, "scimark.figure3: mean of 6 ratios hvm/native 85.00%"));
    assert_null(strstr(text.data, "jvmlike.figure3"));
    buf_free(&text);
    render_json(&pair.comparison, &options, &text);
    assert_non_null(strstr(text.data, "\"scimark.figure3\""));
    buf_free(&text);
    pair_free(&pair);
}

static void mean_of_ratios_needs_all(void **state)
{
    (void)state;
    struct pair pair;
    struct compare_options options = options_of(NO_LIMIT, false, false);
    pair_texts(&pair, scimark_text(1, 1, false), scimark_text(0.9, 0.6, false), &options);
    assert_int_equal(pair.comparison.ratio_mean[0].metrics, 0);
    pair_free(&pair);
}

static void rows(void **state)
{
    (void)state;
    struct pair pair;
    struct compare_options options = options_of(NO_LIMIT, false, false);
    char *hvm = side_text(env, slow, 7, "");
    pair_texts(&pair, side_text(env, fast, 7, ""), hvm, &options);
    const struct comparison *c = &pair.comparison;
    assert_int_equal(c->n, 2);
    assert_int_equal(c->groups, 1);
    assert_string_equal(c->group[0].title, "Table 8. memory");
    assert_true(fabs(c->row[0].loss - 0.8) < 1e-12);
    assert_true(c->row[0].shown && !c->row[1].shown);
    assert_true(fabs(c->row[0].p - 2.0 / 3432) < 1e-12);
    assert_true(fabs(c->row[0].p_holm - 4.0 / 3432) < 1e-12);
    assert_true(c->row[1].loss == 0 && c->row[1].p == 1);
    assert_true(fabs(c->row[0].paper - 0.84208) < 1e-5);
    assert_true(isnan(c->row[0].exits));
    assert_true(fabs(c->group[0].geomean_loss - (1 - sqrt(0.2))) < 1e-12);
    assert_int_equal(c->per_page.n, 1);
    pair_free(&pair);
}

static void exits(void **state)
{
    (void)state;
    static const char records[] = "@hv exit mark=2 reason=npf count=2000\n"
                                  "@hv exit mark=2 reason=cpuid count=30\n";
    struct pair pair;
    struct compare_options options = options_of(NO_LIMIT, false, false);
    struct buf error = {0};
    pair_texts(&pair, side_text(env, fast, 7, ""), side_text(env, slow, 7, ""), &options);
    comparison_free(&pair.comparison);
    assert_int_equal(records_parse("r", records, strlen(records), &pair.hvm.records, &error), 0);
    compare_results(&pair.native, &pair.hvm, &options, &pair.comparison);
    assert_true(fabs(pair.comparison.row[0].exits - 2.03) < 1e-12);
    assert_true(isnan(pair.comparison.row[1].exits));
    pair_free(&pair);
}

static void statuses(void **state)
{
    (void)state;
    char *(*side)(const char *, const double *, size_t, const char *) = side_text;
    // 0: no threshold, whatever the loss.
    assert_int_equal(status_of(side(env, fast, 7, ""), side(env, slow, 7, ""),
                               options_of(NO_LIMIT, false, false)),
                     0);
    // 1: over the threshold, and its interval too; 0 where the interval has the threshold.
    assert_int_equal(
        status_of(side(env, fast, 7, ""), side(env, slow, 7, ""), options_of(0.5, false, false)),
        1);
    assert_int_equal(
        status_of(side(env, fast, 7, ""), side(env, slow, 7, ""), options_of(0.8, false, false)),
        0);
    assert_int_equal(
        status_of(side(env, fast, 7, ""), side(env, slow, 7, ""), options_of(0.9, false, false)),
        0);
    // 3: another binary, unless forced; before everything else.
    static const char other[] = "  binary_sha256: \"aaaa\"\n  set: quick\n";
    assert_int_equal(
        status_of(side(env, fast, 7, ""), side(other, slow, 7, ""), options_of(0.5, false, false)),
        3);
    assert_int_equal(status_of(side(env, fast, 7, ""), side(other, fast, 7, ""),
                               options_of(NO_LIMIT, false, true)),
                     0);
    // 4: strict and the interval straddles the threshold, or few samples, or stolen time.
    assert_int_equal(
        status_of(side(env, fast, 7, ""), side(env, slow, 7, ""), options_of(0.8, true, false)), 4);
    assert_int_equal(status_of(side(env, fast, 5, ""), side(env, fast, 7, ""),
                               options_of(NO_LIMIT, true, false)),
                     4);
    assert_int_equal(status_of(side(env, fast, 5, ""), side(env, fast, 7, ""),
                               options_of(NO_LIMIT, false, false)),
                     0);
    assert_int_equal(status_of(side(env, fast, 7, ""), side(env, fast, 7, "  tainted: true\n"),
                               options_of(NO_LIMIT, true, false)),
                     4);
    assert_int_equal(status_of(side(env, fast, 7, ""), side(env, fast, 7, ""),
                               options_of(NO_LIMIT, true, false)),
                     0);
    // 1 before 4.
    assert_int_equal(status_of(side(env, fast, 7, ""), side(env, slow, 7, "  tainted: true\n"),
                               options_of(0.5, true, false)),
                     1);
}

static char *one_point(const char *line)
{
    return fixture_tap(env, 1, line);
}

static void bad_input(void **state)
{
    (void)state;
    char *whole = fixture_point(2, "aim9.x", "ops/s", "higher", fast, 7, "");
    char *other = fixture_point(2, "aim9.y", "ops/s", "higher", fast, 7, "");
    static const char failed[] = "not ok 2 - aim9.x\n  ---\n  error: \"wrong result\"\n  ...\n";
    static const char skipped[] = "ok 2 - aim9.x # SKIP no loopback\n";
    // 5 only with --strict, and before 1.
    assert_int_equal(
        status_of(one_point(whole), one_point(failed), options_of(NO_LIMIT, true, false)), 5);
    assert_int_equal(
        status_of(one_point(whole), one_point(failed), options_of(NO_LIMIT, false, false)), 0);
    assert_int_equal(
        status_of(one_point(whole), one_point(other), options_of(NO_LIMIT, true, false)), 5);
    assert_int_equal(
        status_of(one_point(whole), one_point(other), options_of(NO_LIMIT, false, false)), 0);
    assert_int_equal(
        status_of(one_point(whole), one_point(skipped), options_of(NO_LIMIT, true, false)), 0);
    free(whole);
    free(other);
}

static void units(void **state)
{
    (void)state;
    char *rate = fixture_point(2, "aim9.x", "ops/s", "higher", fast, 7, "");
    char *other = fixture_point(2, "aim9.x", "K/s", "higher", fast, 7, "");
    char *lower = fixture_point(2, "aim9.x", "ops/s", "lower", fast, 7, "");
    assert_int_equal(
        status_of(one_point(rate), one_point(other), options_of(NO_LIMIT, false, false)), 3);
    assert_int_equal(
        status_of(one_point(rate), one_point(lower), options_of(NO_LIMIT, false, false)), 3);
    free(rate);
    free(other);
    free(lower);
}

static void times(void **state)
{
    (void)state;
    static const double n[] = {33, 33, 33, 33, 33, 33, 33},
                        h[] = {125, 125, 125, 125, 125, 125, 125};
    char *a = fixture_point(2, "mm.memorymotion", "s", "lower", n, 7, "");
    char *b = fixture_point(2, "mm.memorymotion", "s", "lower", h, 7, "");
    struct pair pair;
    struct compare_options options = options_of(NO_LIMIT, false, false);
    pair_texts(&pair, one_point(a), one_point(b), &options);
    const struct row *row = &pair.comparison.row[0];
    assert_true(fabs(row->loss - 92.0 / 33) < 1e-12 && row->loss == row->paper);
    assert_true(row->ci.lo == row->loss && row->ci.hi == row->loss && row->shown);
    assert_true(fabs(pair.comparison.group[0].geomean_loss - (1 - 33.0 / 125)) < 1e-12);
    pair_free(&pair);
    free(a);
    free(b);
}

// Only a bit that the hypervisor hides and the native side shows is worth a line.
static void cpuid_header(void **state)
{
    (void)state;
    static const char records[] = "@hv cpuid-mask leaf=1 subleaf=0 reg=ecx clear=80000008\n"
                                  "@hv cpuid-mask leaf=80000001 subleaf=0 reg=ecx clear=44\n";
    struct pair pair;
    struct compare_options options = options_of(NO_LIMIT, false, false);
    struct buf error = {0};
    pair_texts(&pair, side_text(env, fast, 7, ""), side_text(env, slow, 7, ""), &options);
    comparison_free(&pair.comparison);
    records_parse("r", records, strlen(records), &pair.hvm.records, &error);
    compare_results(&pair.native, &pair.hvm, &options, &pair.comparison);
    unsigned lines = 0;
    for (size_t i = 0; i < pair.comparison.headers; i++) {
        const struct header_line *line = &pair.comparison.header[i];
        if (strncmp(line->key, "CPUID", 5))
            continue;
        lines++;
        assert_string_equal(line->key, "CPUID 80000001.0 ecx");
        assert_string_equal(line->hvm, "00000040 hidden");
    }
    assert_int_equal(lines, 1);
    pair_free(&pair);
}

// A disk test under counted time is compared by the engine's counts, not by its clock.
static void counted_disk(void **state)
{
    (void)state;
    static const char counted[] = "  binary_sha256: \"9f2c\"\n  time_unit: instructions\n";
    static const char extra[] = "  ops: 100\n  mark: 2\n  paper: \"table 5\"\n";
    static const char *const counts[] = {"@engine insns mark=2 count=1000000\n",
                                         "@engine insns mark=2 count=4000000\n"};
    struct pair pair;
    struct compare_options options = options_of(NO_LIMIT, false, false);
    struct buf error = {0};
    char *a = fixture_point(2, "aim9.sync_disk_wrt", "K/s", "higher", fast, 7, extra);
    char *b = fixture_point(2, "aim9.sync_disk_wrt", "K/s", "higher", slower, 7, extra);
    pair_texts(&pair, fixture_tap(counted, 1, a), fixture_tap(counted, 1, b), &options);
    assert_false(pair.comparison.row[0].counted); // no counts yet
    comparison_free(&pair.comparison);
    records_parse("n", counts[0], strlen(counts[0]), &pair.native.records, &error);
    records_parse("h", counts[1], strlen(counts[1]), &pair.hvm.records, &error);
    compare_results(&pair.native, &pair.hvm, &options, &pair.comparison);
    const struct row *row = &pair.comparison.row[0];
    assert_true(row->counted && row->single && row->shown);
    assert_true(fabs(row->loss - 0.75) < 1e-12);
    assert_true(fabs(row->native - 1e5) < 1e-6); // 10,000 instructions each
    pair_free(&pair);
    free(a);
    free(b);
}

// Counts of each sample have a median and an interval: one sample that waited changes little.
static void counted_samples(void **state)
{
    (void)state;
    static const char counted[] = "  binary_sha256: \"9f2c\"\n  time_unit: instructions\n";
    static const char extra[] = "  ops: 700\n  mark: 2\n";
    struct pair pair;
    struct compare_options options = options_of(NO_LIMIT, false, false);
    struct buf error = {0}, native = {0}, hvm = {0};
    buf_printf(&native, "@engine insns mark=2 count=900000\n");
    buf_printf(&hvm, "@engine insns mark=2 count=1800000\n");
    for (int i = 0; i < 7; i++) {
        buf_printf(&native, "@engine sample mark=2 count=%d\n", i == 3 ? 300000 : 100000 + i);
        buf_printf(&hvm, "@engine sample mark=2 count=%d\n", 200000 + i);
    }
    char *a = fixture_point(2, "db.oltp", "updates/s", "higher", fast, 7, extra);
    char *b = fixture_point(2, "db.oltp", "updates/s", "higher", slower, 7, extra);
    pair_texts(&pair, fixture_tap(counted, 1, a), fixture_tap(counted, 1, b), &options);
    comparison_free(&pair.comparison);
    records_parse("n", native.data, native.len, &pair.native.records, &error);
    records_parse("h", hvm.data, hvm.len, &pair.hvm.records, &error);
    compare_results(&pair.native, &pair.hvm, &options, &pair.comparison);
    const struct row *row = &pair.comparison.row[0];
    assert_true(row->counted && !row->single && row->shown);
    assert_true(fabs(row->native - 1e6) < 100); // 100 operations in 100,000 instructions
    assert_true(fabs(row->loss - 0.5) < 1e-3);
    assert_true(row->ci.level > 0 && row->ci.lo > 0.4 && row->ci.hi < 0.6);
    assert_true(row->p < 0.05);
    pair_free(&pair);
    buf_free(&native);
    buf_free(&hvm);
    free(a);
    free(b);
}

static void bad_samples(void **state)
{
    (void)state;
    char *a = fixture_point(2, "aim9.x", "ops/s", "higher", fast, 7, "");
    char *none = fixture_point(2, "aim9.x", "ops/s", "higher", (const double[]){0}, 1, "");
    struct pair pair;
    struct compare_options options = options_of(NO_LIMIT, false, false);
    pair_texts(&pair, one_point(a), one_point(none), &options);
    assert_int_equal(pair.comparison.n, 0);
    assert_int_equal(pair.comparison.not_comparable.n, 1);
    pair_free(&pair);
    free(a);
    free(none);
}

static void json_shape(void **state)
{
    (void)state;
    static const char *const keys[] = {"name", "unit", "native", "hvm", "loss", "ci_lo", "ci_hi"};
    struct pair pair;
    struct compare_options options = options_of(NO_LIMIT, false, false);
    struct buf text = {0};
    pair_texts(&pair, side_text(env, fast, 7, ""), side_text(env, slower, 7, ""), &options);
    render_json(&pair.comparison, &options, &text);
    json_t *root = json_loads(text.data, 0, NULL);
    json_t *tests = json_object_get(root, "tests");
    assert_int_equal(json_array_size(tests), 2);
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        assert_non_null(json_object_get(json_array_get(tests, 1), keys[i]));
    double loss = json_real_value(json_object_get(json_array_get(tests, 0), "loss"));
    assert_true(fabs(loss - 0.1) < 1e-9);
    json_decref(root);
    buf_free(&text);
    pair_free(&pair);
}

// Every renderer shows every test, and none writes "nan".
static void renderers(void **state)
{
    (void)state;
    render_function *const all[] = {render_text, render_json, render_csv, render_markdown,
                                    render_tap};
    struct pair pair;
    struct compare_options options = options_of(0.5, false, false);
    pair_texts(&pair, side_text(env, fast, 3, ""), side_text(env, slow, 3, ""), &options);
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        struct buf text = {0};
        all[i](&pair.comparison, &options, &text);
        assert_non_null(strstr(text.data, "aim9.page_test"));
        assert_non_null(strstr(text.data, "aim9.brk_test"));
        assert_null(strstr(text.data, " nan"));
        assert_null(strstr(text.data, "nan%"));
        assert_null(strstr(text.data, ",nan"));
        buf_free(&text);
    }
    pair_free(&pair);
}

// The paper's printed losses, two decimals, for rows of each of its tables.
static void paper(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double percent;
    } table[] = {
        {"aim9.add_short", 0.64},      {"aim9.fun_cal2", 2.61},   {"aim9.disk_rd", 74.10},
        {"aim9.sync_disk_rw", -96.50}, {"aim9.fifo_test", 12.97}, {"aim9.misc_rtns_1", 57.66},
        {"aim9.page_test", 84.21},     {"aim9.fork_test", 91.45}, {"nbench.bitfield", 0.44},
        {"nbench.fourier", 0.41},      {"aim9.misc_ids", 0.88},   {"aim9.misc_pw_mmap", 68.39}};
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        assert_true(fabs(paper_loss(paper_find(table[i].name)) * 100 - table[i].percent) < 0.006);
    assert_null(paper_find("aim9.page_test_steady"));
    assert_true(isnan(paper_loss(NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(mean_of_ratios),
        cmocka_unit_test(mean_of_ratios_needs_all),
        cmocka_unit_test(exits),
        cmocka_unit_test(statuses),
        cmocka_unit_test(bad_input),
        cmocka_unit_test(units),
        cmocka_unit_test(times),
        cmocka_unit_test(bad_samples),
        cmocka_unit_test(json_shape),
        cmocka_unit_test(renderers),
        cmocka_unit_test(paper),
        cmocka_unit_test(counted_disk),
        cmocka_unit_test(counted_samples),
        cmocka_unit_test(cpuid_header),
    };
    return cmocka_run_group_tests_name("harness_compare", tests, NULL, NULL);
}
