// Figures 3 to 5 of the paper out of a comparison: speed under the hypervisor with native as 100 %.
#pragma once
#include "compare.h"

enum { figure_first = 3, figure_last = 5 };

struct figure_point {
    char *label;        // of a bar, or of the place on the x axis
    double x;           // clients, KiB
    const char *unit;   // of native and hvm; NULL for a mean of ratios
    double native, hvm; // medians; NAN for a mean of ratios
    double percent;     // hvm's speed; NAN where it was not measured
    double lo, hi;      // 95 % of it, NAN without an interval
    double paper;       // what the paper's text says, or NAN
};

struct figure_series {
    char *name;
    struct figure_point *point; // ascending by x
    size_t n;
};

struct figure {
    int number;
    const char *title, *x_title; // x_title NULL: bars
    struct figure_series *series;
    size_t n;
    size_t measured; // points that have a percentage
};

// Fills figure `number`. Bars of figure 3 that were not measured are there with NAN; the series of
// the others hold what was measured.
void figure_build(const struct comparison *comparison, int number, struct figure *out);
void figure_free(struct figure *figure);
