// The mean that the paper's figure 3 shows for Scimark: the median of the runs for each metric, the
// ratio of the two sides for each, and the mean of these ratios.

#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { metrics_most = 6 };

static const struct {
    const char *name;
    const char *metric[metrics_most];
} means[ratio_means_n] = {
    {"scimark.figure3",
     {"scimark.fft", "scimark.sor", "scimark.mc", "scimark.sparse", "scimark.lu",
      "scimark.composite"}},
    {"scimark_large.figure3",
     {"scimark.fft_large", "scimark.sor_large", "scimark.mc", "scimark.sparse_large",
      "scimark.lu_large", "scimark.composite_large"}},
    {"jvmlike.figure3",
     {"jvmlike.fft", "jvmlike.sor", "jvmlike.mc", "jvmlike.sparse", "jvmlike.lu",
      "jvmlike.composite"}},
};

static const struct row *find_row(const struct comparison *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (!strcmp(c->row[i].name, name))
            return &c->row[i];
    return NULL;
}

static struct ratio_mean compute(const struct comparison *c, size_t which)
{
    struct ratio_mean out = {.name = means[which].name, .mean = NAN, .deviation = NAN};
    double ratio[metrics_most], sum = 0, squares = 0;
    for (size_t i = 0; i < metrics_most; i++) {
        const struct row *row = find_row(c, means[which].metric[i]);
        if (!row)
            return out;
        ratio[i] = row->higher ? row->hvm / row->native : row->native / row->hvm;
        sum += ratio[i];
    }
    out.metrics = metrics_most;
    out.mean = sum / metrics_most;
    for (size_t i = 0; i < metrics_most; i++)
        squares += (ratio[i] - out.mean) * (ratio[i] - out.mean);
    out.deviation = sqrt(squares / (metrics_most - 1));
    return out;
}

void compare_ratio_means(struct comparison *comparison)
{
    for (size_t i = 0; i < ratio_means_n; i++)
        comparison->ratio_mean[i] = compute(comparison, i);
}
