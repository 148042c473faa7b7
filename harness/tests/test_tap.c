// The strict reading of TAP, of YAML facts and of the hypervisor's records: good input, and each
// defect with the line it is reported at.

#include "fixture.h"
#include "../insns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char good[] = "TAP version 13\n"
                           "1..4\n"
                           "ok 1 - env\n"
                           "  ---\n"
                           "  schema: \"vmcmp/1\"\n"
                           "  side: native\n"
                           "  ...\n"
                           "# group: memory\n"
                           "ok 2 - aim9.page_test\n"
                           "  ---\n"
                           "  unit: \"ops/s\"\n"
                           "  samples:\n"
                           "    - 588102.3\n"
                           "    - 590226.0\n"
                           "  warnings: []\n"
                           "  ...\n"
                           "ok 3 - aim9.tcp_test # SKIP loopback interface is down\n"
                           "not ok 4 - aim9.fork_test\n"
                           "  ---\n"
                           "  error: \"wrong result\"\n"
                           "  ...\n";

static void reads_all(void **state)
{
    (void)state;
    struct result r;
    fixture_parse(good, &r);
    assert_int_equal(r.tap.plan, 4);
    assert_int_equal(r.tap.n, 4);
    assert_int_equal(r.tap.point[1].state, tap_ok);
    assert_int_equal(r.tap.point[2].state, tap_skip);
    assert_int_equal(r.tap.point[3].state, tap_not_ok);
    assert_string_equal(r.tap.point[2].reason, "loopback interface is down");
    const struct tap_point *page = tap_find(&r.tap, "aim9.page_test");
    const struct fact *samples = facts_find(&page->facts, "samples");
    assert_true(samples->is_list);
    assert_int_equal(samples->values.n, 2);
    assert_string_equal(samples->values.word[1], "590226.0");
    assert_string_equal(facts_text(&page->facts, "unit"), "ops/s");
    assert_int_equal(facts_find(&page->facts, "warnings")->values.n, 0);
    assert_null(tap_find(&r.tap, "aim9.none"));
    result_free(&r);
}

// The text is refused, and the message has `want`.
static void refused(const char *text, const char *want)
{
    struct tap_file tap;
    struct buf error = {0};
    if (!tap_parse("x.tap", text, strlen(text), &tap, &error))
        fail_msg("accepted: %s", text);
    if (!strstr(error.data, want))
        fail_msg("message '%s' has no '%s'", error.data, want);
    buf_free(&error);
}

static char *replaced(const char *from, const char *to)
{
    const char *at = strstr(good, from);
    assert_non_null(at);
    return xasprintf("%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
}

static void refuses_defects(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *want;
    } table[] = {
        {"TAP version 13\n", "", "x.tap:1: not TAP"},
        {"TAP version 13", "TAP version 14", "x.tap:1: not TAP"},
        {"1..4", "1..0", "x.tap:2: the plan"},
        {"1..4", "1..4x", "x.tap:2: the plan"},
        {"1..4\n", "1..4\n1..4\n", "x.tap:3: a second plan"},
        {"1..4\n", "", "no plan"},
        {"1..4", "1..5", "4 of 5 points"},
        {"1..4", "1..3", "x.tap:18: point 4, but the plan is 1..3"},
        {"ok 2 - aim9", "ok 3 - aim9", "x.tap:9: point 3 stands where point 2 belongs"},
        {"ok 2 - aim9", "ok - aim9", "x.tap:9:"},
        {"ok 2 - aim9.page_test", "ok 2 aim9.page_test", "x.tap:9:"},
        {"ok 2 - aim9.page_test", "ok 2 - env", "'env' is measured twice"},
        {"aim9.page_test\n", "aim9.page_test and more\n", "x.tap:9: after the name"},
        {"vmcmp/1", "vmcmp/2", "schema is 'vmcmp/2'"},
        {"  schema: \"vmcmp/1\"\n", "", "schema is '(none)'"},
        {"  warnings: []\n  ...\n", "  warnings: []\n",
         "x.tap:16: inside the YAML block of point 2"},
        {"  unit: \"ops/s\"\n", "  unit: \"ops/s\n", "YAML of point 2"},
        {"  unit: \"ops/s\"\n", "  unit: \"ops/s\"\n  unit: b\n",
         "x.tap:12: YAML of point 2: key given twice: unit"},
        {"  unit: \"ops/s\"\n", "  unit:\n    a: b\n", "a map inside the map"},
        {"# group: memory", "[ 12.3] printk", "x.tap:8: not TAP: '[ 12.3] printk'"},
        {"# group: memory", "  ---\n  a: b\n  ...", "x.tap:8: a YAML block without its point"},
        {"ok 1 - env", "ok 1 - other", "no point 'env'"},
        {"not ok 4 - aim9.fork_test\n  ---\n  error: \"wrong result\"\n  ...\n",
         "ok 4 - aim9.fork_test\n", "x.tap:18: 'aim9.fork_test' has no YAML block"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        char *text = replaced(table[i].from, table[i].to);
        refused(text, table[i].want);
        free(text);
    }
    refused("", "x.tap: empty");
}

// Every cut of the file is refused, but the one that loses only the last line feed names the line.
static void refuses_every_cut(void **state)
{
    (void)state;
    for (size_t len = 1; len < strlen(good); len++) {
        struct tap_file tap;
        struct buf error = {0};
        if (!tap_parse("x.tap", good, len, &tap, &error))
            fail_msg("accepted when cut at %zu", len);
        assert_non_null(strstr(error.data, "x.tap"));
        buf_free(&error);
    }
}

// Random edits: the reader must end with a verdict, under the sanitizers, whatever the bytes.
static void survives_edits(void **state)
{
    (void)state;
    static const char pieces[] =
        "ok not 1..4 - # SKIP --- ... : [ ] { } \" \\ \n \r & * ! | > % @ \377";
    unsigned random = 1, refusals = 0;
    for (int round = 0; round < 4000; round++) {
        char text[sizeof(good)];
        size_t len = sizeof(good) - 1;
        memcpy(text, good, sizeof(good));
        for (int edit = 0; edit < 1 + round % 4; edit++) {
            random = random * 1664525 + 1013904223;
            size_t at = (random >> 8) % len, piece = (random >> 20) % (sizeof(pieces) - 4);
            memcpy(text + (at < len - 3 ? at : len - 3), pieces + piece, 1 + random % 3);
        }
        struct tap_file tap;
        struct buf error = {0};
        if (tap_parse("x.tap", text, len, &tap, &error)) {
            assert_true(error.len > 0);
            refusals++;
        } else {
            tap_free(&tap);
        }
        buf_free(&error);
    }
    assert_true(refusals > 1000);
}

static void bails_out(void **state)
{
    (void)state;
    struct result r;
    fixture_parse("TAP version 13\n1..3\nok 1 - env\n  ---\n  schema: vmcmp/1\n  ...\n"
                  "Bail out! no memory\n",
                  &r);
    assert_string_equal(r.tap.bail_out, " no memory");
    assert_int_equal(r.tap.n, 1);
    result_free(&r);
}

static void records(void **state)
{
    (void)state;
    static const char text[] = "@hv start version=1 cmdline=\"mem=256M log=com2\"\r\n"
                               "some text for people\n"
                               "@hv mark id=2 at=begin tsc=100\n"
                               "@hv exit mark=2 reason=npf count=20 cycles=1 min=1 max=1\n"
                               "@hv exit mark=2 reason=cpuid count=5 cycles=1 min=1 max=1\n"
                               "@hv exit mark=3 reason=cpuid count=7 cycles=1 min=1 max=1\n"
                               "@hv end end=poweroff code=16 tsc=5";
    struct records r;
    struct buf error = {0};
    bool seen;
    assert_int_equal(records_parse("r", text, strlen(text), &r, &error), 0);
    assert_int_equal(r.n, 6);
    assert_string_equal(record_text(&r.record[0], "cmdline"), "mem=256M log=com2");
    assert_string_equal(record_text(&r.record[5], "end"), "poweroff");
    assert_true(records_sum(&r, "exit", "count", 2, &seen) == 25 && seen);
    assert_true(records_sum(&r, "exit", "count", 4, &seen) == 0 && !seen);
    records_free(&r);
    static const char *const bad[] = {"@hv  \n", "@hv exit mark\n", "@hv exit cmdline=\"a\n",
                                      "@hv exit =3\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(records_parse("r", bad[i], strlen(bad[i]), &r, &error), -1);
        assert_non_null(strstr(error.data, "r:1: "));
    }
    buf_free(&error);
}

// Two notes, then the pairs of the marked points; skipped points have none.
static void joins_counts(void **state)
{
    (void)state;
    static const char text[] = "TAP version 13\n1..4\nok 1 - env\n  ---\n  schema: vmcmp/1\n  ...\n"
                               "ok 2 - a\n  ---\n  mark: 2\n  ...\n"
                               "ok 3 - b # SKIP none\n"
                               "ok 4 - c\n  ---\n  mark: 4\n  ...\n";
    struct result r;
    struct buf lines = {0}, why = {0};
    struct records records;
    bool seen;
    fixture_parse(text, &r);
    assert_int_equal(insns_join(&r.tap, "10\n20\n100\n150\n1000\n1007\n", &lines, &why), 0);
    assert_int_equal(records_parse("r", lines.data, lines.len, &records, &why), 0);
    assert_true(records_sum(&records, "insns", "count", 2, &seen) == 50 && seen);
    assert_true(records_sum(&records, "insns", "count", 4, &seen) == 7 && seen);
    assert_false(why.len);
    static const char *const misfits[] = {"", "10\n20\n100\n", "1\n2\n3\n4\n5\n6\n7\n"};
    for (size_t i = 0; i < sizeof(misfits) / sizeof(*misfits); i++)
        assert_int_equal(insns_join(&r.tap, misfits[i], &lines, &why), -1);
    records_free(&records);
    result_free(&r);
    buf_free(&lines);
    buf_free(&why);
}

// Each sample has a count where as many begins and ends lie between the marks as it has samples.
static void joins_samples(void **state)
{
    (void)state;
    static const char text[] = "TAP version 13\n1..3\nok 1 - env\n  ---\n  schema: vmcmp/1\n  ...\n"
                               "ok 2 - a\n  ---\n  samples:\n    - 1.0\n"
                               "    - 2.0\n  mark: 2\n  ...\n"
                               "ok 3 - b\n  ---\n  samples:\n    - 1.0\n  mark: 3\n  ...\n";
    struct result r;
    struct buf lines = {0}, why = {0};
    fixture_parse(text, &r);
    assert_int_equal(insns_join(&r.tap,
                                "s 1\ns 9\n10\ns 11\ns 15\ns 20\ns 27\n30\n"
                                "s 31\ns 32\n40\ns 41\ns 42\ns 43\n50\n",
                                &lines, &why),
                     0);
    assert_string_equal(lines.data, "@engine insns mark=2 count=20\n@engine sample mark=2 count=4\n"
                                    "@engine sample mark=2 count=7\n"
                                    "@engine insns mark=3 count=10\n");
    result_free(&r);
    buf_free(&lines);
    buf_free(&why);
}

static void facts_round_trip(void **state)
{
    (void)state;
    static const char *const values[] = {
        "plain", "on",        "no", "12:30:45", "a: b", "quote \" and \\",
        "0123",  "tab\there", "",   "-5.25",    "# x"};
    struct buf text = {0};
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        char key[] = {'k', (char)('a' + i), 0};
        facts_print(&text, key, values[i]);
    }
    struct facts facts;
    struct facts_error error;
    if (facts_parse(text.data, text.len, &facts, &error))
        fail_msg("line %zu: %s in:\n%s", error.line, error.what, text.data);
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
        assert_string_equal(facts.fact[i].values.word[0], values[i]);
    facts_free(&facts);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all),         cmocka_unit_test(refuses_defects),
        cmocka_unit_test(refuses_every_cut), cmocka_unit_test(survives_edits),
        cmocka_unit_test(bails_out),         cmocka_unit_test(records),
        cmocka_unit_test(joins_counts),      cmocka_unit_test(joins_samples),
        cmocka_unit_test(facts_round_trip),
    };
    return cmocka_run_group_tests_name("harness_tap", tests, NULL, NULL);
}
