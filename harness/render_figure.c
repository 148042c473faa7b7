// Figures as text, and as scripts for gnuplot with their data inside.

#include "figure.h"
#include "render.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { bar_columns = 40 };

// A bar of `percent` up to native's 100 % at its end, where a longer one has '>'.
static void bar(char text[bar_columns + 2], double percent)
{
    double columns = percent / 100 * bar_columns;
    size_t n = columns > bar_columns ? bar_columns : columns > 0 ? (size_t)(columns + 0.5) : 0;
    memset(text, ' ', bar_columns);
    memset(text, '#', n);
    strcpy(text + bar_columns, columns > bar_columns + 0.5 ? ">" : "|");
}

static void bars_text(const struct figure_series *series, struct buf *out)
{
    char blocks[bar_columns + 2];
    for (size_t i = 0; i < series->n; i++) {
        const struct figure_point *point = &series->point[i];
        buf_printf(out, "%-20s ", point->label);
        if (isnan(point->percent)) {
            buf_printf(out, "%8s  %s\n", "-", "not measured");
            continue;
        }
        bar(blocks, point->percent);
        buf_printf(out, "%7.2f%%  |%s", point->percent, blocks);
        if (!isnan(point->paper))
            buf_printf(out, " paper %.1f%%", point->paper);
        buf_printf(out, "\n");
    }
}

static void sweep_text(const struct figure *figure, const struct figure_series *series,
                       struct buf *out)
{
    buf_printf(out, "%s%s%12s %14s %14s %10s  %s\n", series->name, *series->name ? "\n" : "",
               figure->x_title, "native", "hvm", "hvm/native", "95%");
    for (size_t i = 0; i < series->n; i++) {
        const struct figure_point *point = &series->point[i];
        char native[24], hvm[24];
        render_figure(native, point->native);
        render_figure(hvm, point->hvm);
        buf_printf(out, "%12s %14s %14s %9.2f%%", point->label, native, hvm, point->percent);
        if (!isnan(point->lo))
            buf_printf(out, "  [%.2f, %.2f]", point->lo, point->hi);
        buf_printf(out, "  %s\n", point->unit);
    }
}

static void text_of(const struct figure *figure, struct buf *out)
{
    buf_printf(out, "%s, native = 100%%\n", figure->title);
    for (size_t i = 0; i < figure->n; i++) {
        if (figure->x_title)
            sweep_text(figure, &figure->series[i], out);
        else
            bars_text(&figure->series[i], out);
    }
}

void render_figures(const struct comparison *c, struct buf *out)
{
    for (int number = figure_first; number <= figure_last; number++) {
        struct figure figure;
        figure_build(c, number, &figure);
        if (figure.measured) {
            text_of(&figure, out);
            buf_printf(out, "\n");
        }
        figure_free(&figure);
    }
}

void render_figure_text(const struct comparison *c, const struct compare_options *options,
                        struct buf *out)
{
    struct figure figure;
    figure_build(c, options->figure, &figure);
    if (figure.measured)
        text_of(&figure, out);
    figure_free(&figure);
}

// One data block a series; gnuplot's missing value is NaN.
static void data_blocks(const struct figure *figure, struct buf *out)
{
    for (size_t i = 0; i < figure->n; i++) {
        buf_printf(out, "$series%zu << EOD\n", i);
        for (size_t j = 0; j < figure->series[i].n; j++) {
            const struct figure_point *point = &figure->series[i].point[j];
            if (!isnan(point->percent))
                buf_printf(out, "\"%s\" %.4f %.4f %.4f %.0f\n", point->label, point->percent,
                           isnan(point->lo) ? point->percent : point->lo,
                           isnan(point->hi) ? point->percent : point->hi, point->x);
        }
        buf_printf(out, "EOD\n");
    }
}

static void plot_bars(struct buf *out)
{
    buf_printf(out, "set style fill solid 0.6 border -1\n"
                    "set boxwidth 0.6\n"
                    "set xtics rotate by -30\n"
                    "plot 100 title 'native' lt -1 dt 2, \\\n"
                    "    $series0 using 0:2:xtic(1) with boxes title 'HVM', \\\n"
                    "    $series0 using 0:2:3:4 with yerrorbars notitle lt -1\n");
}

// Underscores would lower the next letter.
static void plain_title(const char *name, struct buf *out)
{
    for (; *name; name++)
        buf_add(out, *name == '_' ? " " : name, 1);
}

static void plot_lines(const struct figure *figure, struct buf *out)
{
    buf_printf(out, "set logscale x 2\nset xlabel '%s'\nplot 100 title 'native' lt -1 dt 2",
               figure->x_title);
    for (size_t i = 0; i < figure->n; i++) {
        buf_printf(out, ", \\\n    $series%zu using 5:2:3:4 with yerrorlines title '", i);
        plain_title(figure->series[i].name, out);
        buf_printf(out, "'");
    }
    buf_printf(out, "\n");
}

void render_figure_gnuplot(const struct comparison *c, const struct compare_options *options,
                           struct buf *out)
{
    struct figure figure;
    figure_build(c, options->figure, &figure);
    if (figure.measured) {
        buf_printf(out,
                   "# %s; gnuplot makes figure%d.svg of this\n"
                   "set terminal svg size 800,500\nset output 'figure%d.svg'\n"
                   "set title '%s'\nset ylabel 'speed, native = 100'\nset yrange [0:*]\n"
                   "set grid y\nset key below\n",
                   figure.title, figure.number, figure.number, figure.title);
        data_blocks(&figure, out);
        if (figure.x_title)
            plot_lines(&figure, out);
        else
            plot_bars(out);
    }
    figure_free(&figure);
}
