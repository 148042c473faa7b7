#include "compare.h"
#include "header.h"
#include "paper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double alpha = 0.05;

// Tables of the paper come in its order, then the groups that only this project has, by the first
// part of their names.
static size_t find_group(struct comparison *out, const struct tap_point *point)
{
    const char *key = facts_text(&point->facts, "paper");
    const struct paper_row *paper = paper_find(point->name);
    int order = paper ? paper->table : -1;
    for (size_t i = 0; key && i < paper_tables_n; i++)
        if (!strcmp(paper_tables[i].key, key))
            order = (int)i;
    char *title = order >= 0 ? xstrdup(paper_tables[order].title)
                             : xasprintf("Not in the paper: %.*s", (int)strcspn(point->name, "."),
                                         point->name);
    for (size_t i = 0; i < out->groups; i++) {
        if (!strcmp(out->group[i].title, title)) {
            free(title);
            return i;
        }
    }
    out->group = xrealloc(out->group, (out->groups + 1) * sizeof(*out->group));
    out->group[out->groups] = (struct group){
        .title = title, .order = order >= 0 ? order : (int)(paper_tables_n + out->groups)};
    return out->groups++;
}

static bool read_samples(const struct tap_point *point, struct sample *out)
{
    const struct fact *fact = facts_find(&point->facts, "samples");
    size_t n = fact && fact->is_list ? fact->values.n : 0;
    double *values = xcalloc(n, sizeof(double));
    bool good = n > 0;
    for (size_t i = 0; i < n; i++)
        good &= parse_number(fact->values.word[i], &values[i]) && values[i] > 0;
    if (good)
        *out = sample_make(values, n);
    free(values);
    return good;
}

// Why two points of one name cannot be compared, or NULL. Fills unit and direction.
static char *check_pair(const struct tap_point *n, const struct tap_point *h, struct row *row)
{
    static const char *const state[] = {"ok", "not ok", "skipped"};
    if (n->state != tap_ok || h->state != tap_ok) {
        const struct tap_point *bad = n->state != tap_ok ? n : h;
        const char *why = bad->state == tap_skip ? bad->reason : facts_text(&bad->facts, "error");
        return xasprintf("%s in %s%s%s", state[bad->state], bad == n ? "native" : "hvm",
                         why ? ": " : "", why ? why : "");
    }
    const char *unit = facts_text(&n->facts, "unit"), *other = facts_text(&h->facts, "unit");
    const char *better = facts_text(&n->facts, "better");
    const char *other_better = facts_text(&h->facts, "better");
    if (!unit || !other || !better || !other_better)
        return xstrdup("no unit or direction");
    if (strcmp(unit, other) || strcmp(better, other_better))
        return xasprintf("the unit differs: %s (%s) and %s (%s)", unit, better, other,
                         other_better);
    row->unit = unit;
    row->higher = !strcmp(better, "higher");
    if (!row->higher && strcmp(better, "lower"))
        return xasprintf("better is '%s', neither higher nor lower", better);
    return NULL;
}

// Half the width of the median's interval, as a fraction of the median.
static double spread(const struct sample *sample)
{
    struct interval interval = sample_median_interval(sample);
    return (interval.hi - interval.lo) / 2 / sample_median(sample);
}

static void warn_sample(struct comparison *out, const struct row *row, const char *side,
                        const struct sample *sample, const struct tap_point *point,
                        double min_effect)
{
    if (!sample->n)
        return;
    size_t outliers = sample_outliers(sample);
    double trend = sample_trend_p(sample);
    double median = sample_median(sample);
    double change = fabs(sample->sorted[sample->n - 1] - sample->sorted[0]) / median;
    if (outliers)
        words_printf(&out->warnings, "%s(%s): %zu outlier%s", row->name, side, outliers,
                     outliers > 1 ? "s" : "");
    if (trend < 0.01 && change > min_effect)
        words_printf(&out->warnings, "%s(%s): trend p=%.2g", row->name, side, trend);
    if (sample->n < bootstrap_least)
        words_printf(&out->warnings, "%s(%s): %zu samples prove nothing; range instead of interval",
                     row->name, side, sample->n);
    const char *tainted = facts_text(&point->facts, "tainted");
    if (tainted && !strcmp(tainted, "true")) {
        words_printf(&out->warnings, "%s(%s): tainted, time was stolen", row->name, side);
        out->tainted = true;
    }
}

static void fill_row(struct row *row, const struct sample *native, const struct sample *hvm)
{
    row->native_n = native->n;
    row->hvm_n = hvm->n;
    row->native = sample_median(native);
    row->hvm = sample_median(hvm);
    row->native_spread = spread(native);
    row->hvm_spread = spread(hvm);
    row->loss = loss_of(row->native, row->hvm, row->higher);
    row->ci = loss_interval(native, hvm, row->higher);
    row->p = rank_test_p(native, hvm);
    row->paper = paper_loss(paper_find(row->name));
}

// With counted time an idle machine skips to its next event, and the host's disk decides when that
// is. What a test of the disk costs is then told by the instructions executed.
static bool is_counted(const struct comparison *out, const struct row *row,
                       const struct tap_point *point)
{
    static const char *const waiting[] = {"disk.", "db.oltp"};
    const char *paper = facts_text(&point->facts, "paper");
    bool waits = paper && !strcmp(paper, "table 5");
    for (size_t i = 0; i < sizeof(waiting) / sizeof(*waiting); i++)
        waits |= !strncmp(row->name, waiting[i], strlen(waiting[i]));
    return out->counted && waits && row->higher;
}

static bool count_samples(const struct result *native, const struct tap_point *n,
                          const struct result *hvm, const struct tap_point *h, struct sample *first,
                          struct sample *second)
{
    size_t a, b;
    double *x = result_sample_insns(native, n, &a), *y = result_sample_insns(hvm, h, &b);
    if (x && y) {
        sample_free(first);
        sample_free(second);
        *first = sample_make(x, a);
        *second = sample_make(y, b);
    }
    bool both = x && y;
    free(x);
    free(y);
    return both;
}

// Where samples were not counted each: one count a side, so no interval.
static void count_whole(struct row *row, const struct result *native, const struct tap_point *n,
                        const struct result *hvm, const struct tap_point *h)
{
    double a = result_insns_per_op(native, n), b = result_insns_per_op(hvm, h);
    if (isnan(a) || isnan(b))
        return;
    row->counted = row->single = true;
    row->native = 1e9 / a;
    row->hvm = 1e9 / b;
    row->native_spread = row->hvm_spread = 0;
    row->loss = loss_of(row->native, row->hvm, true);
    row->ci = (struct interval){row->loss, row->loss, 0};
    row->p = 0; // a count has no spread
}

static void compare_pair(const struct result *native, const struct tap_point *n,
                         const struct result *hvm, const struct tap_point *h,
                         const struct compare_options *options, struct comparison *out)
{
    struct row row = {.name = n->name};
    struct sample native_sample = {0}, hvm_sample = {0};
    char *why = check_pair(n, h, &row);
    if (!why && (!read_samples(n, &native_sample) || !read_samples(h, &hvm_sample)))
        why = xstrdup("its samples are not all positive numbers");
    if (why) {
        words_printf(&out->not_comparable, "%s (%s)", n->name, why);
        if (strstr(why, "unit"))
            words_printf(&out->mismatches, "%s: %s", n->name, why);
    } else {
        bool counted = is_counted(out, &row, n);
        row.counted = counted && count_samples(native, n, hvm, h, &native_sample, &hvm_sample);
        fill_row(&row, &native_sample, &hvm_sample);
        if (counted && !row.counted)
            count_whole(&row, native, n, hvm, h);
        row.group = find_group(out, n);
        row.exits = result_exits_per_op(hvm, h);
        if (!row.single) {
            warn_sample(out, &row, "native", &native_sample, n, options->min_effect);
            warn_sample(out, &row, "hvm", &hvm_sample, h, options->min_effect);
        }
        out->row = xrealloc(out->row, (out->n + 1) * sizeof(*out->row));
        out->row[out->n++] = row;
    }
    sample_free(&native_sample);
    sample_free(&hvm_sample);
    free(why);
}

static void pair_points(const struct result *native, const struct result *hvm,
                        const struct compare_options *options, struct comparison *out)
{
    for (size_t i = 0; i < native->tap.n; i++) {
        const struct tap_point *n = &native->tap.point[i];
        const struct tap_point *h = tap_find(&hvm->tap, n->name);
        out->bad_input |= n->state == tap_not_ok;
        if (!strcmp(n->name, "env"))
            continue;
        if (h) {
            compare_pair(native, n, hvm, h, options, out);
        } else {
            words_printf(&out->not_comparable, "%s (only in native)", n->name);
            out->lists_differ = true;
        }
    }
    for (size_t i = 0; i < hvm->tap.n; i++) {
        const struct tap_point *h = &hvm->tap.point[i];
        out->bad_input |= h->state == tap_not_ok;
        if (tap_find(&native->tap, h->name))
            continue;
        words_printf(&out->not_comparable, "%s (only in hvm)", h->name);
        out->lists_differ = true;
    }
}

static void sort_rows(struct comparison *out)
{
    // Stable insertion: few rows, mostly in order.
    for (size_t i = 1; i < out->n; i++) {
        struct row row = out->row[i];
        size_t j = i;
        for (; j && out->group[out->row[j - 1].group].order > out->group[row.group].order; j--)
            out->row[j] = out->row[j - 1];
        out->row[j] = row;
    }
}

// Holm's family is the rows of one table that have samples.
static void judge_group(struct comparison *out, size_t group, double min_effect)
{
    double *p = xcalloc(out->n, sizeof(double));
    size_t n = 0, tests = 0;
    double logs = 0;
    for (size_t i = 0; i < out->n; i++) {
        const struct row *row = &out->row[i];
        if (row->group != group)
            continue;
        if (!row->single)
            p[tests++] = row->p;
        n++;
        logs += log(row->higher ? row->hvm / row->native : row->native / row->hvm);
    }
    holm_adjust(p, tests);
    for (size_t i = 0, at = 0; i < out->n; i++) {
        struct row *row = &out->row[i];
        if (row->group != group)
            continue;
        row->p_holm = row->single ? 0 : p[at++];
        row->shown = row->p_holm < alpha && fabs(row->loss) >= min_effect &&
                     (row->ci.lo > 0 || row->ci.hi < 0);
    }
    out->group[group].rows = n;
    out->group[group].geomean_loss = n ? 1 - exp(logs / (double)n) : NAN;
    free(p);
}

// The paper's result in one line: what the first touch of a page costs.
static void per_page(const struct result *native, const struct result *hvm, struct comparison *out)
{
    const char *unit = out->counted ? "instructions" : "us";
    double scale = out->counted ? 1e9 : 1e6;
    for (size_t i = 0; i < out->n; i++) {
        const struct row *row = &out->row[i];
        double n = scale / row->native, h = scale / row->hvm;
        const struct tap_point *a = tap_find(&native->tap, row->name);
        const struct tap_point *b = tap_find(&hvm->tap, row->name);
        double pages_n, pages_h;
        if (!strcmp(row->name, "mm.memorymotion") && facts_number(&a->facts, "pages", &pages_n) &&
            facts_number(&b->facts, "pages", &pages_h) && pages_n > 0 && pages_h > 0) {
            n = scale * row->native / pages_n;
            h = scale * row->hvm / pages_h;
        } else if (strcmp(row->name, "aim9.page_test")) {
            continue;
        }
        words_printf(&out->per_page,
                     "per-page cost (%s): native %.*f %s, hvm %.*f %s, added %.*f %s", row->name,
                     out->counted ? 0 : 2, n, unit, out->counted ? 0 : 2, h, unit,
                     out->counted ? 0 : 2, h - n, unit);
    }
}

static void note_bail_out(const struct result *result, const char *side, struct comparison *out)
{
    if (!result->tap.bail_out)
        return;
    out->bad_input = true;
    words_printf(&out->warnings, "%s: bailed out:%s", side, result->tap.bail_out);
}

// Of two runs that are to be alike: the same side of the same machine and guest.
static void check_sides(const struct result *first, const struct result *second,
                        struct comparison *out)
{
    static const char *const keys[] = {"side", "engine", "guest", "memory_mib"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const char *a = result_fact(first, keys[i]), *b = result_fact(second, keys[i]);
        if ((a || b) && (!a || !b || strcmp(a, b)))
            words_printf(&out->mismatches, "two runs of one side are wanted: %s is %s and %s",
                         keys[i], a ? a : "(none)", b ? b : "(none)");
    }
}

void compare_results(const struct result *native, const struct result *hvm,
                     const struct compare_options *options, struct comparison *out)
{
    *out = (struct comparison){0};
    header_fill(native, hvm, out);
    if (options->same_side)
        check_sides(native, hvm, out);
    note_bail_out(native, "native", out);
    note_bail_out(hvm, "hvm", out);
    pair_points(native, hvm, options, out);
    sort_rows(out);
    for (size_t i = 0; i < out->groups; i++)
        judge_group(out, i, options->min_effect);
    compare_ratio_means(out);
    per_page(native, hvm, out);
}

void comparison_free(struct comparison *c)
{
    for (size_t i = 0; i < c->groups; i++)
        free(c->group[i].title);
    for (size_t i = 0; i < c->headers; i++) {
        free(c->header[i].key);
        free(c->header[i].native);
        free(c->header[i].hvm);
    }
    free(c->row);
    free(c->group);
    free(c->header);
    words_free(&c->warnings);
    words_free(&c->not_comparable);
    words_free(&c->mismatches);
    words_free(&c->per_page);
    *c = (struct comparison){0};
}

bool row_exceeds(const struct row *row, const struct compare_options *options)
{
    return row->loss > options->max_loss && row->ci.lo > options->max_loss;
}

bool row_same(const struct row *row)
{
    const double least = 0.005;
    bool has_zero = !row->single && row->ci.lo <= 0 && row->ci.hi >= 0;
    bool by_chance = !row->single && row->ci.level > 0 && row->p_holm >= alpha;
    return has_zero || by_chance || fabs(row->loss) < least;
}

bool row_inconclusive(const struct row *row, const struct compare_options *options)
{
    bool straddles = row->ci.lo <= options->max_loss && row->ci.hi > options->max_loss;
    return straddles || row->native_n < bootstrap_least || row->hvm_n < bootstrap_least;
}

int comparison_status(const struct comparison *c, const struct compare_options *options)
{
    bool exceeds = false, inconclusive = c->tainted;
    for (size_t i = 0; i < c->n; i++) {
        exceeds |= options->same_side ? !row_same(&c->row[i]) : row_exceeds(&c->row[i], options);
        inconclusive |= row_inconclusive(&c->row[i], options);
    }
    if (c->mismatches.n && !options->force)
        return 3;
    if (options->strict && (c->bad_input || c->lists_differ))
        return 5;
    if (exceeds)
        return 1;
    return options->strict && inconclusive ? 4 : 0;
}
