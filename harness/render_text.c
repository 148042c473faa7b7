#include "render.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void render_percent(char text[24], double fraction)
{
    if (isnan(fraction))
        strcpy(text, "-");
    else
        snprintf(text, 24, "%+.2f%%", fraction * 100);
}

void render_loss(char text[24], const struct row *row)
{
    if (row->shown)
        render_percent(text, row->loss);
    else
        strcpy(text, "~");
}

void render_p(char text[24], double p)
{
    if (p < 0.001)
        strcpy(text, "<0.001");
    else
        snprintf(text, 24, "%.3f", p);
}

void render_exits(char text[24], double exits)
{
    if (isnan(exits))
        strcpy(text, "-");
    else
        snprintf(text, 24, "%.*f", exits < 100 ? 3 : 1, exits);
}

void render_figure(char text[24], double value)
{
    int digits = value != 0 ? (int)floor(log10(fabs(value))) + 1 : 1;
    int decimals = digits >= 6 ? 0 : 6 - digits;
    snprintf(text, 24, "%.*f", decimals > 9 ? 9 : decimals, value);
}

static void header(const struct comparison *c, struct buf *out)
{
    buf_printf(out, "  (* marks what differs)\n");
    for (size_t i = 0; i < c->headers; i++) {
        const struct header_line *line = &c->header[i];
        if (line->same)
            buf_printf(out, "  %-18s %s\n", line->key, line->native);
        else
            buf_printf(out, "* %-18s native %s\n  %-18s hvm    %s\n", line->key, line->native, "",
                       line->hvm);
    }
    buf_printf(
        out,
        "\nloss = (native - hvm) / native for rates, (hvm - native) / native for times: "
        "positive is slower under the hypervisor.\n"
        "~ = no difference shown. Intervals in percent; [..] bootstrap of 10,000, {..} range of "
        "few samples. p: Mann-Whitney, Holm over the table.\n");
    if (c->counted)
        buf_printf(
            out, "Time was counted in instructions (1 s = 1e9): an exit's own cost in "
                 "hardware is not in these figures.\n# = by the instructions the engine executed, "
                 "idle time left out; '-' is one count, without an interval.\n");
}

static void row_text(const struct row *row, struct buf *out)
{
    char native[24], hvm[24], loss[24], p[24], paper[24], exits[24], interval[48];
    render_figure(native, row->native);
    render_figure(hvm, row->hvm);
    render_loss(loss, row);
    if (row->single)
        strcpy(p, "-");
    else
        render_p(p, row->p_holm);
    render_percent(paper, row->paper);
    render_exits(exits, row->exits);
    snprintf(interval, sizeof(interval), "%c%+.2f, %+.2f%c", row->ci.level > 0 ? '[' : '{',
             row->ci.lo * 100, row->ci.hi * 100, row->ci.level > 0 ? ']' : '}');
    if (row->single)
        strcpy(interval, "-");
    buf_printf(out, "%s%-*s %-14s %12s +-%4.1f%% %12s +-%4.1f%% %9s  %-20s %7s %10s %9s\n",
               row->counted ? "#" : "", row->counted ? 25 : 26, row->name, row->unit, native,
               row->native_spread * 100, hvm, row->hvm_spread * 100, loss, interval, p, exits,
               paper);
}

static void group_text(const struct comparison *c, size_t group, struct buf *out)
{
    char loss[24];
    buf_printf(out, "\n%-41s %12s %8s%12s %7s %9s  %-20s %7s %10s %9s\n", c->group[group].title,
               "native", "", "hvm", "", "loss", "95% CI of loss", "p", "exits/op", "paper");
    for (size_t i = 0; i < c->n; i++)
        if (c->row[i].group == group)
            row_text(&c->row[i], out);
    render_percent(loss, c->group[group].geomean_loss);
    buf_printf(out, "%-41s %12s %8s%12s %7s %9s\n", "geometric mean of ratios, as loss", "", "", "",
               "", loss);
}

static void list_text(const char *title, const struct words *list, struct buf *out)
{
    for (size_t i = 0; i < list->n; i++)
        buf_printf(out, "%s%s\n", title, list->word[i]);
}

void render_ratio_means(const struct comparison *c, const char *before, struct buf *out)
{
    for (size_t i = 0; i < ratio_means_n; i++) {
        const struct ratio_mean *mean = &c->ratio_mean[i];
        if (mean->metrics)
            buf_printf(out,
                       "%s%s: mean of %zu ratios hvm/native %.2f%% (standard deviation %.2f%%)\n",
                       before, mean->name, mean->metrics, mean->mean * 100, mean->deviation * 100);
    }
}

void render_text(const struct comparison *c, const struct compare_options *options, struct buf *out)
{
    (void)options;
    header(c, out);
    for (int order = 0, left = (int)c->groups; left; order++) {
        for (size_t i = 0; i < c->groups; i++) {
            if (c->group[i].order == order) {
                group_text(c, i, out);
                left--;
            }
        }
    }
    buf_printf(out, "\n");
    render_figures(c, out);
    render_ratio_means(c, "", out);
    list_text("", &c->per_page, out);
    list_text("warning: ", &c->warnings, out);
    list_text("not comparable: ", &c->not_comparable, out);
    list_text("mismatch: ", &c->mismatches, out);
}
