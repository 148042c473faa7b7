#include "figure.h"
#include "render.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *list(const struct words *words)
{
    json_t *array = json_array();
    for (size_t i = 0; i < words->n; i++)
        json_array_append_new(array, json_string(words->word[i]));
    return array;
}

static json_t *test(const struct comparison *c, const struct row *row)
{
    json_t *o = json_object();
    json_object_set_new(o, "name", json_string(row->name));
    json_object_set_new(o, "table", json_string(c->group[row->group].title));
    json_object_set_new(o, "unit", json_string(row->unit));
    json_object_set_new(o, "better", json_string(row->higher ? "higher" : "lower"));
    json_object_set_new(o, "native", number(row->native));
    json_object_set_new(o, "hvm", number(row->hvm));
    json_object_set_new(o, "loss", number(row->loss));
    json_object_set_new(o, "ci_lo", number(row->ci.lo));
    json_object_set_new(o, "ci_hi", number(row->ci.hi));
    json_object_set_new(o, "ci_level", number(row->ci.level));
    json_object_set_new(o, "shown", json_boolean(row->shown));
    json_object_set_new(o, "measure", json_string(row->counted ? "counted" : "clock"));
    json_object_set_new(o, "p", number(row->single ? NAN : row->p));
    json_object_set_new(o, "p_holm", number(row->single ? NAN : row->p_holm));
    json_object_set_new(o, "native_n", json_integer((json_int_t)row->native_n));
    json_object_set_new(o, "hvm_n", json_integer((json_int_t)row->hvm_n));
    json_object_set_new(o, "paper_loss", number(row->paper));
    json_object_set_new(o, "exits_per_op", number(row->exits));
    return o;
}

static json_t *header(const struct comparison *c)
{
    json_t *o = json_object();
    for (size_t i = 0; i < c->headers; i++)
        json_object_set_new(
            o, c->header[i].key,
            json_pack("{s:s, s:s}", "native", c->header[i].native, "hvm", c->header[i].hvm));
    return o;
}

static void add_series(json_t *array, int figure, const struct figure_series *series)
{
    for (size_t i = 0; i < series->n; i++) {
        const struct figure_point *point = &series->point[i];
        if (isnan(point->percent))
            continue;
        json_t *o = json_object();
        json_object_set_new(o, "figure", json_integer(figure));
        json_object_set_new(o, "series", json_string(series->name));
        json_object_set_new(o, "label", json_string(point->label));
        json_object_set_new(o, "native", number(point->native));
        json_object_set_new(o, "hvm", number(point->hvm));
        json_object_set_new(o, "percent", number(point->percent));
        json_object_set_new(o, "percent_lo", number(point->lo));
        json_object_set_new(o, "percent_hi", number(point->hi));
        json_object_set_new(o, "paper_percent", number(point->paper));
        json_array_append_new(array, o);
    }
}

static json_t *figures(const struct comparison *c)
{
    json_t *array = json_array();
    for (int number = figure_first; number <= figure_last; number++) {
        struct figure figure;
        figure_build(c, number, &figure);
        for (size_t i = 0; i < figure.n; i++)
            add_series(array, number, &figure.series[i]);
        figure_free(&figure);
    }
    return array;
}

void render_json(const struct comparison *c, const struct compare_options *options, struct buf *out)
{
    json_t *root = json_object(), *tests = json_array(), *groups = json_array();
    for (size_t i = 0; i < c->n; i++)
        json_array_append_new(tests, test(c, &c->row[i]));
    for (size_t i = 0; i < c->groups; i++)
        json_array_append_new(groups, json_pack("{s:s, s:o}", "table", c->group[i].title,
                                                "geomean_loss", number(c->group[i].geomean_loss)));
    json_object_set_new(root, "header", header(c));
    json_object_set_new(root, "time_unit",
                        json_string(c->counted ? "instructions" : "nanoseconds"));
    json_object_set_new(root, "tests", tests);
    json_object_set_new(root, "tables", groups);
    for (size_t i = 0; i < ratio_means_n; i++)
        if (c->ratio_mean[i].metrics)
            json_object_set_new(root, c->ratio_mean[i].name,
                                json_pack("{s:f, s:f}", "mean_ratio", c->ratio_mean[i].mean,
                                          "deviation", c->ratio_mean[i].deviation));
    json_object_set_new(root, "figures", figures(c));
    json_object_set_new(root, "per_page", list(&c->per_page));
    json_object_set_new(root, "warnings", list(&c->warnings));
    json_object_set_new(root, "not_comparable", list(&c->not_comparable));
    json_object_set_new(root, "mismatches", list(&c->mismatches));
    json_object_set_new(root, "status", json_integer(comparison_status(c, options)));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    json_decref(root);
    if (!text)
        die(2, "the comparison cannot be written as JSON: a text in it is not UTF-8");
    buf_printf(out, "%s\n", text);
    free(text);
}
