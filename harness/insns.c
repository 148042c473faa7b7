#include "insns.h"

#include <inttypes.h>
#include <stdlib.h>

enum { notes_most = 2 };

static size_t read_counts(const char *text, uint64_t **out)
{
    size_t n = 0;
    *out = NULL;
    for (char *end; *text; text = end + (*end == '\n')) {
        uint64_t value = strtoull(text, &end, 10);
        if (end == text)
            break;
        *out = xrealloc(*out, (n + 1) * sizeof(**out));
        (*out)[n++] = value;
    }
    return n;
}

static bool point_mark(const struct tap_point *point, unsigned long *mark)
{
    const char *text = facts_text(&point->facts, "mark");
    return point->state == tap_ok && text && parse_count(text, 65535, mark);
}

int insns_join(const struct tap_file *tap, const char *counts, struct buf *out, struct buf *why)
{
    uint64_t *count;
    unsigned long mark;
    size_t n = read_counts(counts, &count), marked = 0;
    for (size_t i = 0; i < tap->n; i++)
        marked += point_mark(&tap->point[i], &mark);
    int rc = n < 2 * marked || n > 2 * marked + notes_most ? -1 : 0;
    if (rc)
        buf_printf(why, "%zu marks do not fit %zu marked points", n, marked);
    size_t at = rc ? 0 : n - 2 * marked;
    for (size_t i = 0; !rc && count && i < tap->n; i++) {
        if (!point_mark(&tap->point[i], &mark))
            continue;
        buf_printf(out, "@engine insns mark=%lu count=%" PRIu64 "\n", mark,
                   count[at + 1] - count[at]);
        at += 2;
    }
    free(count);
    return rc;
}
