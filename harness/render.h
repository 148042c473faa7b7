// A comparison as text. Each renderer appends to `out`.
#pragma once
#include "compare.h"

typedef void render_function(const struct comparison *comparison,
                             const struct compare_options *options, struct buf *out);

render_function render_text, render_json, render_csv, render_markdown, render_tap,
    render_figure_text, render_figure_gnuplot, render_same;

// One line for each mean of ratios that could be computed, with `before` in front.
void render_ratio_means(const struct comparison *comparison, const char *before, struct buf *out);

// The figures that have something to show, as text.
void render_figures(const struct comparison *comparison, struct buf *out);

// "+84.21%"; "~" where no difference is shown; "-" for NAN.
void render_loss(char text[24], const struct row *row);
void render_percent(char text[24], double fraction);
void render_p(char text[24], double p);
void render_exits(char text[24], double exits);
// Six significant digits at most, without an exponent up to 1e15.
void render_figure(char text[24], double value);
