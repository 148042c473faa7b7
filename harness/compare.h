// The comparison of a native and an HVM result, as data; the render_* files turn it into text.
#pragma once
#include "records.h"
#include "stats.h"
#include "tap.h"

// One side: its TAP and what lies beside it.
struct result {
    struct tap_file tap;
    struct facts run; // STEM.run.yml; empty where there is none
    struct records records;
};

// Reads a TAP and its side files. 0, or -1 with one line in `error`.
int result_read(const char *path, struct result *out, struct buf *error);
void result_free(struct result *result);

// A fact of the side: of its `env` point, else of its run. NULL where neither has it.
const char *result_fact(const struct result *result, const char *key);

struct row {
    const char *name, *unit;
    bool higher;  // higher is better
    size_t group; // index of comparison.group
    size_t native_n, hvm_n;
    double native, hvm;               // medians
    double native_spread, hvm_spread; // half the median's interval, relative
    double loss;                      // fraction
    struct interval ci;               // of the loss; level 0 where it is the range of few samples
    double p, p_holm;
    bool counted; // measured by instructions executed, not by the guest's clock
    bool single;  // by one count a side, which has no interval
    bool shown;   // a difference of at least the minimum effect is shown
    double paper; // the paper's loss, NAN where it has none
    double exits; // hypervisor exits per operation, NAN where not recorded
};

struct group {
    char *title;
    int order; // of the paper's tables; others after them
    size_t rows;
    double geomean_loss; // 1 - geometric mean of hvm/native speed
};

// One line of the header; `same` where both sides agree.
struct header_line {
    char *key, *native, *hvm;
    bool same;
};

// The paper's Scimark bar of figure 3: of the kernels' medians and their mean's, ratio by ratio.
struct ratio_mean {
    const char *name; // "scimark.figure3"
    size_t metrics;   // 6, or 0 where one is missing
    double mean;      // of the ratios hvm/native
    double deviation; // their standard deviation
};

enum { ratio_means_n = 3 };

struct comparison {
    struct row *row; // by group, within it in the order of the native file
    size_t n;
    struct group *group;
    size_t groups;
    struct header_line *header;
    size_t headers;
    struct words warnings;
    struct words not_comparable; // "name (reason)"
    struct words mismatches;     // why the files must not be compared
    struct ratio_mean ratio_mean[ratio_means_n];
    struct words per_page; // lines of the cost of one page
    bool bad_input;        // `not ok` or a bail-out
    bool lists_differ;
    bool tainted;
    bool counted; // the unit of time is an instruction
};

struct compare_options {
    double min_effect; // fraction; a smaller loss is "no difference"
    double max_loss;   // fraction; NAN without a threshold
    bool strict, force;
    bool same_side; // two runs of one side: any difference is noise
    int figure;     // 3 to 5: only this figure; 0 all tables
};

// Compares. Always succeeds: what cannot be compared is in the lists.
void compare_results(const struct result *native, const struct result *hvm,
                     const struct compare_options *options, struct comparison *out);
void comparison_free(struct comparison *comparison);

// Fills ratio_mean from the rows.
void compare_ratio_means(struct comparison *comparison);

// The exit status, by benchmarks' rules: 3 not comparable, 5 bad input (strict), 1 over the
// threshold, 4 inconclusive (strict), 0.
int comparison_status(const struct comparison *comparison, const struct compare_options *options);

// Whether a row exceeds --max-loss: its loss does and its interval excludes the threshold.
bool row_exceeds(const struct row *row, const struct compare_options *options);
// Whether two runs of one side agree: the interval has 0, the rank test finds no difference, or it is
// below 0.5 %.
bool row_same(const struct row *row);
bool row_inconclusive(const struct row *row, const struct compare_options *options);

// Operations that the guest executed between the marks of a point, and the mark's number. False
// where the point does not record them.
bool point_marked(const struct tap_point *point, unsigned long *mark, double *operations);

// Exits per operation between the marks of a point, NAN where they are not recorded.
double result_exits_per_op(const struct result *hvm, const struct tap_point *point);

// Instructions the engine executed in each sample, as operations per 10^9 of them: an array for
// free() with as many as the point has samples, or NULL where they were not counted.
double *result_sample_insns(const struct result *side, const struct tap_point *point, size_t *n);

// Instructions the engine executed per operation between the marks of a point, NAN where not
// recorded.
double result_insns_per_op(const struct result *side, const struct tap_point *point);
