// Two runs of the same side: what differs is noise, and no other difference can be told below it.

#include "render.h"

#include <math.h>
#include <stdio.h>

static double largest(const struct comparison *c, const char **name)
{
    double most = 0;
    *name = "-";
    for (size_t i = 0; i < c->n; i++) {
        if (fabs(c->row[i].loss) > most) {
            most = fabs(c->row[i].loss);
            *name = c->row[i].name;
        }
    }
    return most;
}

static void row_text(const struct row *row, struct buf *out)
{
    char first[24], second[24], interval[48] = "-";
    render_figure(first, row->native);
    render_figure(second, row->hvm);
    if (!row->single)
        snprintf(interval, sizeof(interval), "%c%+.2f, %+.2f%c", row->ci.level > 0 ? '[' : '{',
                 row->ci.lo * 100, row->ci.hi * 100, row->ci.level > 0 ? ']' : '}');
    buf_printf(out, "%-30s %-14s %14s %14s %+9.3f%%  %-20s %s\n", row->name, row->unit, first,
               second, row->loss * 100, interval, row_same(row) ? "no difference" : "DIFFERENCE");
}

void render_same(const struct comparison *c, const struct compare_options *options, struct buf *out)
{
    (void)options;
    size_t same = 0;
    const char *name;
    buf_printf(out, "%-30s %-14s %14s %14s %10s  %-20s %s\n", "two runs of one side", "", "first",
               "second", "loss", "95% CI of loss", "verdict");
    for (size_t i = 0; i < c->n; i++) {
        row_text(&c->row[i], out);
        same += row_same(&c->row[i]);
    }
    double most = largest(c, &name);
    for (size_t i = 0; i < c->not_comparable.n; i++)
        buf_printf(out, "not comparable: %s\n", c->not_comparable.word[i]);
    buf_printf(out, "largest difference: %.3f%% (%s)\n", most * 100, name);
    buf_printf(out, "%zu of %zu tests show no difference\n", same, c->n);
}
