// A flat YAML map: scalars and lists of scalars by key. The diagnostics of a TAP point, a guest's
// description and the facts of a run all have this shape.
#pragma once
#include "util.h"

struct fact {
    char *key;
    bool is_list;
    struct words values; // one word for a scalar
};

struct facts {
    struct fact *fact;
    size_t n;
};

struct facts_error {
    size_t line; // from 1, within the text given
    char what[160];
};

// Parses `text` into `out`. 0, or -1 with `error` filled in: not YAML, not one flat map, or a key
// given twice.
int facts_parse(const char *text, size_t len, struct facts *out, struct facts_error *error);
void facts_free(struct facts *facts);

const struct fact *facts_find(const struct facts *facts, const char *key);

// The scalar of `key`, or NULL.
const char *facts_text(const struct facts *facts, const char *key);

// The scalar of `key` as a finite number; false where it is missing or something else.
bool facts_number(const struct facts *facts, const char *key, double *out);

// Appends "key: value" with the value quoted unless it is a plain word or number.
void facts_print(struct buf *out, const char *key, const char *value);
