// The plain tables: CSV for spreadsheets, Markdown for reports, TAP for prove.

#include "render.h"

#include <math.h>
#include <string.h>

static void csv_text(struct buf *out, const char *text)
{
    if (!strpbrk(text, ",\"\n")) {
        buf_printf(out, "%s,", text);
        return;
    }
    buf_add(out, "\"", 1);
    for (; *text; text++)
        buf_printf(out, *text == '"' ? "\"\"" : "%c", *text);
    buf_add(out, "\",", 2);
}

static void csv_number(struct buf *out, double value, const char *end)
{
    if (isfinite(value))
        buf_printf(out, "%.9g", value);
    buf_printf(out, "%s", end);
}

void render_csv(const struct comparison *c, const struct compare_options *options, struct buf *out)
{
    (void)options;
    buf_printf(out, "table,name,unit,native,hvm,loss,ci_lo,ci_hi,p,p_holm,shown,measure,"
                    "exits_per_op,paper_loss\n");
    for (size_t i = 0; i < c->n; i++) {
        const struct row *row = &c->row[i];
        csv_text(out, c->group[row->group].title);
        csv_text(out, row->name);
        csv_text(out, row->unit);
        csv_number(out, row->native, ",");
        csv_number(out, row->hvm, ",");
        csv_number(out, row->loss, ",");
        csv_number(out, row->ci.lo, ",");
        csv_number(out, row->ci.hi, ",");
        csv_number(out, row->p, ",");
        csv_number(out, row->p_holm, ",");
        buf_printf(out, "%s,%s,", row->shown ? "yes" : "no", row->counted ? "counted" : "clock");
        csv_number(out, row->exits, ",");
        csv_number(out, row->paper, "\n");
    }
}

static void markdown_row(const struct row *row, struct buf *out)
{
    char native[24], hvm[24], loss[24], p[24], paper[24], exits[24];
    render_figure(native, row->native);
    render_figure(hvm, row->hvm);
    render_loss(loss, row);
    if (row->single)
        strcpy(p, "counted");
    else
        render_p(p, row->p_holm);
    render_percent(paper, row->paper);
    render_exits(exits, row->exits);
    buf_printf(out, "| %s | %s | %s | %s | %s | %+.2f to %+.2f | %s | %s | %s |\n", row->name,
               row->unit, native, hvm, loss, row->ci.lo * 100, row->ci.hi * 100, p, exits, paper);
}

void render_markdown(const struct comparison *c, const struct compare_options *options,
                     struct buf *out)
{
    (void)options;
    for (size_t i = 0; i < c->n; i++) {
        char loss[24];
        const struct row *row = &c->row[i];
        if (!i || row->group != c->row[i - 1].group)
            buf_printf(out,
                       "\n### %s\n\n| test | unit | native | hvm | loss | 95 %% of loss | p | "
                       "exits/op | paper |\n|---|---|---:|---:|---:|---:|---:|---:|---:|\n",
                       c->group[row->group].title);
        markdown_row(row, out);
        if (i + 1 == c->n || c->row[i + 1].group != row->group) {
            render_percent(loss, c->group[row->group].geomean_loss);
            buf_printf(out, "| geometric mean of ratios | | | | %s | | | | |\n", loss);
        }
    }
    struct buf figures = {0};
    render_figures(c, &figures);
    if (figures.len)
        buf_printf(out, "\n```\n%s```\n", figures.data);
    buf_free(&figures);
    render_ratio_means(c, "\n", out);
    for (size_t i = 0; i < c->per_page.n; i++)
        buf_printf(out, "\n%s\n", c->per_page.word[i]);
}

void render_tap(const struct comparison *c, const struct compare_options *options, struct buf *out)
{
    buf_printf(out, "TAP version 13\n1..%zu%s\n", c->n, c->n ? "" : " # SKIP nothing to compare");
    for (size_t i = 0; i < c->n; i++) {
        const struct row *row = &c->row[i];
        buf_printf(out, "%sok %zu - %s\n", row_exceeds(row, options) ? "not " : "", i + 1,
                   row->name);
        buf_printf(out, "  ---\n  unit: \"%s\"\n  native: %.9f\n  hvm: %.9f\n  loss: %.6f\n",
                   row->unit, row->native, row->hvm, row->loss);
        buf_printf(out, "  ci_lo: %.6f\n  ci_hi: %.6f\n  p_holm: %.6f\n  ...\n", row->ci.lo,
                   row->ci.hi, row->p_holm);
    }
}
