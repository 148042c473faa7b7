// The TAP of this project (schema vmcmp/1, benchmarks in docs/reference.md): read strictly, so that
// a file that was cut or edited is refused with the line of the defect.
#pragma once
#include "facts.h"

enum tap_state { tap_ok, tap_not_ok, tap_skip };

struct tap_point {
    unsigned long number;
    enum tap_state state;
    char *name;
    char *reason; // of a skip
    struct facts facts;
    bool has_facts;
    size_t line; // where the point stands, from 1
};

struct tap_file {
    char *path;
    unsigned long plan;
    struct tap_point *point;
    size_t n;
    char *bail_out; // the reason, or NULL
};

// Parses `text`. 0, or -1 with one line in `error` that names path and line. After a bail-out the
// points may be fewer than planned.
int tap_parse(const char *path, const char *text, size_t len, struct tap_file *out,
              struct buf *error);

// Reads and parses a file.
int tap_read(const char *path, struct tap_file *out, struct buf *error);
void tap_free(struct tap_file *tap);

const struct tap_point *tap_find(const struct tap_file *tap, const char *name);
