// The figures of the paper that the benchmarks repeat (its tables 2 to 8 and figure 3).
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct paper_table {
    const char *key;   // as in a point's `paper` fact: "table 8"
    const char *title; // "Table 8. memory"
};
extern const struct paper_table paper_tables[];
extern const size_t paper_tables_n;

struct paper_row {
    const char *name;
    int table; // index of paper_tables
    double native, hvm;
    bool time; // seconds; all others are rates
};

// The paper's row of a test, or NULL.
const struct paper_row *paper_find(const char *name);

// Its loss by the formula of the comparison (a fraction), NAN for NULL.
double paper_loss(const struct paper_row *row);
