// What one operation costs in instructions on both sides, and which exits it causes.

#include "commands.h"
#include "compare.h"

#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *path[2];
    size_t paths;
    bool reasons;
};

static const struct argp_option options[] = {
    {"reasons", 'r', NULL, 0, "Also the exits per operation by reason, and the counters", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case 'r': o->reasons = true; return 0;
    case ARGP_KEY_ARG:
        if (o->paths == 2)
            argp_error(state, "unexpected argument '%s'", arg);
        o->path[o->paths++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (o->paths != 2)
            argp_error(state, "two TAP files are wanted: the native one and the HVM one");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

// Instructions per operation: as the engine counted them between the marks, which leaves out the
// time an idle machine skips, else from the guest's clock. Points in cycles are of the bare
// benchmark: their samples are too short to be told from the work at the marks themselves.
static double instructions(const struct result *side, const struct tap_point *point, bool *counted)
{
    double value, per_iter, counts = result_insns_per_op(side, point);
    const char *unit = facts_text(&point->facts, "unit");
    *counted = false;
    if (unit && !strcmp(unit, "cycles/op"))
        return facts_number(&point->facts, "value", &value) ? value : NAN;
    *counted = !isnan(counts);
    if (*counted)
        return counts;
    const char *better = facts_text(&point->facts, "better");
    if (!facts_number(&point->facts, "value", &value) || value <= 0 || !better)
        return NAN;
    if (!strcmp(better, "higher"))
        return 1e9 / value;
    bool per = facts_number(&point->facts, "ops_per_iter", &per_iter) && per_iter > 0;
    return value * 1e9 / (per ? per_iter : 1);
}

static void print_reasons(const struct result *hvm, const struct tap_point *point)
{
    unsigned long mark;
    double operations, at, count;
    if (!point_marked(point, &mark, &operations))
        return;
    for (size_t i = 0; i < hvm->records.n; i++) {
        const struct record *record = &hvm->records.record[i];
        bool event = !strcmp(record->kind, "event");
        const char *name = record_text(record, event ? "name" : "reason");
        if ((!event && strcmp(record->kind, "exit")) || !name ||
            !record_number(record, "mark", &at) || at != (double)mark ||
            !record_number(record, "count", &count) || count == 0)
            continue;
        printf("    %-6s %-30s %12.4f/op\n", record->kind, name, count / operations);
    }
}

static void print_row(const struct result *native, const struct result *hvm,
                      const struct tap_point *n, const struct tap_point *h)
{
    bool n_counted, h_counted;
    double a = instructions(native, n, &n_counted), b = instructions(hvm, h, &h_counted);
    double e = result_exits_per_op(hvm, h);
    printf("%-26s %14.1f %14.1f %8.2f %8.2f%% ", n->name, a, b, b / a, (1 - a / b) * 100);
    if (isnan(e))
        printf("%12s", "-");
    else
        printf("%12.3f", e);
    printf("  %s\n", n_counted && h_counted ? "counted" : "clock");
}

static void print_table(const struct options *o, const struct result *native,
                        const struct result *hvm)
{
    const char *unit = result_fact(native, "time_unit");
    bool exact = unit && !strcmp(unit, "instructions");
    printf("%-26s %14s %14s %8s %9s %12s  %s\n",
           exact ? "instructions per operation" : "ns per operation", "native", "hvm", "ratio",
           "loss", "exits/op", "measure");
    for (size_t i = 0; i < native->tap.n; i++) {
        const struct tap_point *n = &native->tap.point[i];
        const struct tap_point *h = tap_find(&hvm->tap, n->name);
        if (!strcmp(n->name, "env") || !h || n->state != tap_ok || h->state != tap_ok)
            continue;
        print_row(native, hvm, n, h);
        if (o->reasons)
            print_reasons(hvm, h);
    }
    printf("measure: counted = instructions the engine executed between the marks, host included; "
           "clock = the guest's clock.\n");
}

int cmd_exits(int argc, char **argv)
{
    struct options o = {0};
    const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "NATIVE.tap HVM.tap",
        .doc = "Prints what one operation of each test costs on both sides, and its exits. loss is "
               "the "
               "share of the HVM run's instructions that the native run does not need."};
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    struct result native, hvm;
    struct buf error = {0};
    int status = exit_trouble;
    if (!result_read(o.path[0], &native, &error)) {
        if (!result_read(o.path[1], &hvm, &error)) {
            print_table(&o, &native, &hvm);
            status = exit_ok;
            result_free(&hvm);
        }
        result_free(&native);
    }
    if (error.len)
        say("%s", error.data);
    buf_free(&error);
    return status;
}
