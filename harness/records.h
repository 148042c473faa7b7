// The hypervisor's records (docs/reference.md, "Records of the hypervisor"): lines "@hv KIND
// key=value..."; the harness adds "@engine insns mark=N count=C" and "sample" where the engine counts
// instructions.
#pragma once
#include "util.h"

struct record {
    char *kind;
    char **key, **value;
    size_t n;
    size_t line;
};

struct records {
    struct record *record;
    size_t n;
};

// Parses the record lines of `text`; others are skipped. 0, or -1 with one line in `error`.
int records_parse(const char *path, const char *text, size_t len, struct records *out,
                  struct buf *error);

// Reads STEM.records beside a TAP. 0 also where there is none (then `out` is empty), -1 with
// `error`.
int records_beside(const char *tap_path, struct records *out, struct buf *error);
void records_free(struct records *records);

// The value of a key, or NULL; as a number, false where it is missing or none.
const char *record_text(const struct record *record, const char *key);
bool record_number(const struct record *record, const char *key, double *out);

// Sum of `key` over the records of `kind` of that mark; `seen` says whether there was one.
double records_sum(const struct records *records, const char *kind, const char *key,
                   unsigned long mark, bool *seen);
