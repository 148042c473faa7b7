#include "compare.h"
#include "outset.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int read_run_facts(const char *tap_path, struct facts *out, struct buf *error)
{
    char *path = outset_beside(tap_path, ".run.yml");
    size_t len;
    char *text = file_read(path, 1 << 20, &len);
    struct facts_error bad;
    int rc = 0;
    *out = (struct facts){0};
    if (text && facts_parse(text, len, out, &bad)) {
        buf_printf(error, "%s:%zu: %s", path, bad.line, bad.what);
        rc = -1;
    } else if (!text && errno != ENOENT) {
        buf_printf(error, "%s: %s", path, strerror(errno));
        rc = -1;
    }
    free(text);
    free(path);
    return rc;
}

int result_read(const char *path, struct result *out, struct buf *error)
{
    *out = (struct result){0};
    if (tap_read(path, &out->tap, error))
        return -1;
    if (!read_run_facts(path, &out->run, error) && !records_beside(path, &out->records, error))
        return 0;
    result_free(out);
    return -1;
}

void result_free(struct result *result)
{
    tap_free(&result->tap);
    facts_free(&result->run);
    records_free(&result->records);
}

const char *result_fact(const struct result *result, const char *key)
{
    const struct tap_point *env = tap_find(&result->tap, "env");
    const char *text = env ? facts_text(&env->facts, key) : NULL;
    return text ? text : facts_text(&result->run, key);
}

bool point_marked(const struct tap_point *point, unsigned long *mark, double *operations)
{
    const char *text = facts_text(&point->facts, "mark");
    return text && parse_count(text, 65535, mark) &&
           facts_number(&point->facts, "ops", operations) && *operations > 0;
}

double result_exits_per_op(const struct result *hvm, const struct tap_point *point)
{
    unsigned long mark;
    double operations;
    bool seen;
    if (!point_marked(point, &mark, &operations))
        return NAN;
    double exits = records_sum(&hvm->records, "exit", "count", mark, &seen);
    // A point that caused no exit has no exit record; its mark records are there all the same.
    for (size_t i = 0; !seen && i < hvm->records.n; i++) {
        double id;
        seen = !strcmp(hvm->records.record[i].kind, "mark") &&
               record_number(&hvm->records.record[i], "id", &id) && id == (double)mark;
    }
    return seen ? exits / operations : NAN;
}

double result_insns_per_op(const struct result *side, const struct tap_point *point)
{
    unsigned long mark;
    double operations;
    bool seen;
    if (!point_marked(point, &mark, &operations))
        return NAN;
    double insns = records_sum(&side->records, "insns", "count", mark, &seen);
    return seen && insns > 0 ? insns / operations : NAN;
}

double *result_sample_insns(const struct result *side, const struct tap_point *point, size_t *n)
{
    const struct fact *samples = facts_find(&point->facts, "samples");
    size_t wanted = samples && samples->is_list ? samples->values.n : 0;
    unsigned long mark;
    double operations;
    *n = 0;
    if (!wanted || !point_marked(point, &mark, &operations))
        return NULL;
    double *values = xcalloc(wanted, sizeof(double));
    for (size_t i = 0; i < side->records.n; i++) {
        const struct record *record = &side->records.record[i];
        double at, count;
        if (strcmp(record->kind, "sample") || !record_number(record, "mark", &at) ||
            at != (double)mark || !record_number(record, "count", &count) || count <= 0)
            continue;
        if (*n < wanted)
            values[*n] = 1e9 * operations / (double)wanted / count;
        ++*n;
    }
    if (*n == wanted)
        return values;
    free(values);
    return NULL;
}
