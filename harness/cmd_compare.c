#include "commands.h"
#include "figure.h"
#include "render.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    key_json = 256,
    key_csv,
    key_markdown,
    key_tap,
    key_force,
    key_max,
    key_strict,
    key_min,
    key_figure,
    key_gnuplot,
    key_aa
};

struct options {
    const char *path[2];
    size_t paths;
    bool gnuplot;
    const char *output;
    render_function *render;
    struct compare_options compare;
};

static const struct argp_option options[] = {
    {"json", key_json, NULL, 0, "An object; its array `tests` has one object a test", 1},
    {"csv", key_csv, NULL, 0, "Comma-separated values, one line a test", 1},
    {"markdown", key_markdown, NULL, 0, "Tables for a report", 1},
    {"tap", key_tap, NULL, 0, "One point a test, ok unless it exceeds --max-loss", 1},
    {"figure", key_figure, "N", 0, "Only figure 3, 4 or 5, with native as 100 %", 1},
    {"gnuplot", key_gnuplot, NULL, 0, "That figure as a script for gnuplot", 1},
    {"aa", key_aa, NULL, 0, "The files are two runs of one side: exit with 1 where a test differs",
     1},
    {"output", 'o', "FILE", 0, "Write to FILE instead of standard output", 2},
    {"max-loss", key_max, "PERCENT", 0, "Exit with 1 where a test loses more than this", 3},
    {"min-effect", key_min, "PERCENT", 0, "A smaller difference counts as none (default 1)", 3},
    {"strict", key_strict, NULL, 0, "Exit with 5 on `not ok` or differing lists, 4 if inconclusive",
     3},
    {"force", key_force, NULL, 0, "Compare files that are not comparable", 3},
    {0},
};

static double take_percent(struct argp_state *state, const char *option, const char *arg)
{
    double value;
    if (!parse_number(arg, &value) || value < 0)
        argp_error(state, "--%s: '%s' is not a percentage of at least 0", option, arg);
    return value / 100;
}

static void take_renderer(struct argp_state *state, struct options *o, render_function *render)
{
    if (o->render && o->render != render)
        argp_error(state, "only one of --json, --csv, --markdown, --tap, --figure and --aa");
    o->render = render;
}

static void take_figure(struct argp_state *state, struct options *o, const char *arg)
{
    unsigned long number;
    if (!parse_count(arg, figure_last, &number) || number < figure_first)
        argp_error(state, "--figure: '%s' is none of 3, 4 and 5", arg);
    o->compare.figure = (int)number;
    take_renderer(state, o, render_figure_text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case key_json: take_renderer(state, o, render_json); return 0;
    case key_csv: take_renderer(state, o, render_csv); return 0;
    case key_markdown: take_renderer(state, o, render_markdown); return 0;
    case key_tap: take_renderer(state, o, render_tap); return 0;
    case key_figure: take_figure(state, o, arg); return 0;
    case key_gnuplot: o->gnuplot = true; return 0;
    case key_aa:
        o->compare.same_side = true;
        take_renderer(state, o, render_same);
        return 0;
    case 'o': o->output = arg; return 0;
    case key_max: o->compare.max_loss = take_percent(state, "max-loss", arg); return 0;
    case key_min: o->compare.min_effect = take_percent(state, "min-effect", arg); return 0;
    case key_strict: o->compare.strict = true; return 0;
    case key_force: o->compare.force = true; return 0;
    case ARGP_KEY_ARG:
        if (o->paths == 2)
            argp_error(state, "unexpected argument '%s'", arg);
        o->path[o->paths++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (o->paths != 2)
            argp_error(state, "two TAP files are wanted: the native one and the HVM one");
        if (o->gnuplot && !o->compare.figure)
            argp_error(state, "--gnuplot: --figure says which");
        if (o->gnuplot)
            o->render = render_figure_gnuplot;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int put(const struct options *o, const struct buf *text)
{
    if (!o->output)
        return fwrite(text->data, 1, text->len, stdout) == text->len && !fflush(stdout) ? 0 : -1;
    return file_replace(o->output, text->data, text->len);
}

static int compare(const struct options *o, const struct result *native, const struct result *hvm)
{
    struct comparison comparison;
    struct buf text = {0};
    compare_results(native, hvm, &o->compare, &comparison);
    int status = comparison_status(&comparison, &o->compare);
    if (status == 3) {
        for (size_t i = 0; i < comparison.mismatches.n; i++)
            say("not comparable: %s", comparison.mismatches.word[i]);
        say("--force compares them nevertheless");
    } else {
        (o->render ? o->render : render_text)(&comparison, &o->compare, &text);
        if (o->compare.figure && !text.len) {
            say("figure %d: none of its tests is in both files", o->compare.figure);
            status = exit_trouble;
        } else if (put(o, &text)) {
            say("cannot write %s: %s", o->output ? o->output : "standard output", strerror(errno));
            status = exit_trouble;
        }
    }
    buf_free(&text);
    comparison_free(&comparison);
    return status;
}

int cmd_compare(int argc, char **argv)
{
    struct options o = {.compare = {.min_effect = 0.01, .max_loss = NAN}};
    const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "NATIVE.tap HVM.tap",
        .doc =
            "Compares a native and an HVM result test by test.\vWhat lies beside the files "
            "(NAME.run.yml, NAME.records) is used where it is there. Exit status: 0 compared and "
            "no threshold exceeded, 1 a test exceeds --max-loss and its interval excludes the "
            "threshold (with --aa: a test differs), 2 trouble, 3 not comparable, 4 inconclusive "
            "and 5 `not ok` points or "
            "differing lists (both only with --strict). kselftest reads 4 as SKIP."};
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    struct result native, hvm;
    struct buf error = {0};
    int status = exit_trouble;
    if (!result_read(o.path[0], &native, &error)) {
        if (!result_read(o.path[1], &hvm, &error)) {
            status = compare(&o, &native, &hvm);
            result_free(&hvm);
        }
        result_free(&native);
    }
    if (error.len)
        say("%s", error.data);
    buf_free(&error);
    return status;
}
