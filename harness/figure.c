#include "figure.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// The bars of figure 3 in its order, each by the benchmark that stands in its place. The text gives
// two of the paper's values: 22.79 % lost by the kernel's compilation, 33 and 125 s of MemoryMotion.
static const struct {
    const char *label, *name;
    double paper;
} bars[] = {
    {"SciMark", "scimark.figure3", NAN},    {"SciMark, JVM-like", "jvmlike.figure3", NAN},
    {"web, low", "web.low", NAN},           {"web, medium", "web.medium", NAN},
    {"web, high", "web.high", NAN},         {"database, IR", "db.ir", NAN},
    {"database, OLTP", "db.oltp", NAN},     {"compile, tcc", "compile.tcc", 77.21},
    {"compile, gcc", "compile.gcc", 77.21}, {"MemoryMotion", "mm.memorymotion", 100 * 33.0 / 125},
};

// Tests that make a sweep: PREFIX[SERIES_]NUMBER[k].
static const struct {
    int figure;
    const char *prefix, *series;
} sweeps[] = {
    {4, "disk.fileserver_", "file server"},
    {5, "netio.", ""},
    {5, "netio_lo.", "loopback "},
};

static const struct {
    const char *title, *x_title;
} titles[] = {
    {"Figure 3. overall", NULL},
    {"Figure 4. file server", "clients"},
    {"Figure 5. network", "block, KiB"},
};

// Speed of hvm in percent of native's, of a loss by loss_of().
static double percent_of_loss(double loss, bool higher)
{
    return higher ? 100 * (1 - loss) : 100 / (1 + loss);
}

static struct figure_point point_of(const struct row *row)
{
    struct figure_point point = {.unit = row->unit, .native = row->native, .hvm = row->hvm};
    point.percent = percent_of_loss(row->loss, row->higher);
    bool interval = !row->single && row->ci.level > 0;
    point.lo = interval ? percent_of_loss(row->ci.hi, row->higher) : NAN;
    point.hi = interval ? percent_of_loss(row->ci.lo, row->higher) : NAN;
    point.paper = NAN;
    return point;
}

static struct figure_series *find_series(struct figure *figure, const char *name)
{
    for (size_t i = 0; i < figure->n; i++)
        if (!strcmp(figure->series[i].name, name))
            return &figure->series[i];
    figure->series = xrealloc(figure->series, (figure->n + 1) * sizeof(*figure->series));
    figure->series[figure->n] = (struct figure_series){.name = xstrdup(name)};
    return &figure->series[figure->n++];
}

// Puts a point at its place by x; points of one x keep their order.
static void add_point(struct figure_series *series, struct figure_point point)
{
    series->point = xrealloc(series->point, (series->n + 1) * sizeof(*series->point));
    size_t at = series->n++;
    for (; at && series->point[at - 1].x > point.x; at--)
        series->point[at] = series->point[at - 1];
    series->point[at] = point;
}

static struct figure_point bar_point(const struct comparison *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (!strcmp(c->row[i].name, name))
            return point_of(&c->row[i]);
    struct figure_point none = {
        .native = NAN, .hvm = NAN, .percent = NAN, .lo = NAN, .hi = NAN, .paper = NAN};
    for (size_t i = 0; i < ratio_means_n; i++)
        if (c->ratio_mean[i].metrics && !strcmp(c->ratio_mean[i].name, name))
            none.percent = 100 * c->ratio_mean[i].mean;
    return none;
}

static void build_bars(const struct comparison *c, struct figure *out)
{
    struct figure_series *series = find_series(out, "");
    for (size_t i = 0; i < sizeof(bars) / sizeof(*bars); i++) {
        struct figure_point point = bar_point(c, bars[i].name);
        point.label = xstrdup(bars[i].label);
        point.x = (double)i;
        point.paper = bars[i].paper;
        add_point(series, point);
        out->measured += !isnan(point.percent);
    }
}

// Takes "SERIES_NUMBER[k]" or "NUMBER[k]" apart. False where the text has another form.
static bool split_name(const char *text, char **series, double *x)
{
    size_t len = strlen(text);
    size_t end = len && text[len - 1] == 'k' ? len - 1 : len, at = end;
    while (at && isdigit((unsigned char)text[at - 1]))
        at--;
    if (at == end || (at && text[at - 1] != '_'))
        return false;
    *x = strtod(text + at, NULL);
    *series = xstrndup(text, at ? at - 1 : 0);
    return true;
}

static void add_sweep(struct figure *out, const struct row *row, const char *prefix,
                      const char *before)
{
    char *name;
    struct figure_point point = point_of(row);
    size_t len = strlen(prefix);
    if (strncmp(row->name, prefix, len) || !split_name(row->name + len, &name, &point.x))
        return;
    char *full = xasprintf("%s%s", before, name);
    point.label = xasprintf("%.0f", point.x);
    add_point(find_series(out, full), point);
    out->measured++;
    free(full);
    free(name);
}

void figure_build(const struct comparison *c, int number, struct figure *out)
{
    *out = (struct figure){.number = number,
                           .title = titles[number - figure_first].title,
                           .x_title = titles[number - figure_first].x_title};
    if (!out->x_title)
        build_bars(c, out);
    for (size_t i = 0; i < sizeof(sweeps) / sizeof(*sweeps); i++)
        for (size_t j = 0; sweeps[i].figure == number && j < c->n; j++)
            add_sweep(out, &c->row[j], sweeps[i].prefix, sweeps[i].series);
}

void figure_free(struct figure *figure)
{
    for (size_t i = 0; i < figure->n; i++) {
        for (size_t j = 0; j < figure->series[i].n; j++)
            free(figure->series[i].point[j].label);
        free(figure->series[i].point);
        free(figure->series[i].name);
    }
    free(figure->series);
    *figure = (struct figure){0};
}
