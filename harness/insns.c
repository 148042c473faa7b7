#include "insns.h"

#include <inttypes.h>
#include <stdlib.h>

enum { notes_most = 2 };

// The counts at the marks, and those at the begins and ends of samples before each mark.
struct counts {
    uint64_t *mark, *sample;
    size_t marks, samples;
    size_t *before; // samples' counts before a mark
};

static void read_counts(const char *text, struct counts *out)
{
    *out = (struct counts){0};
    for (char *end; *text; text = end + (*end == '\n')) {
        bool sample = text[0] == 's' && text[1] == ' ';
        uint64_t value = strtoull(sample ? text + 2 : text, &end, 10);
        if (end == text)
            break;
        if (sample) {
            out->sample = xrealloc(out->sample, (out->samples + 1) * sizeof(*out->sample));
            out->sample[out->samples++] = value;
            continue;
        }
        out->mark = xrealloc(out->mark, (out->marks + 1) * sizeof(*out->mark));
        out->before = xrealloc(out->before, (out->marks + 1) * sizeof(*out->before));
        out->before[out->marks] = out->samples;
        out->mark[out->marks++] = value;
    }
}

static bool point_mark(const struct tap_point *point, unsigned long *mark)
{
    const char *text = facts_text(&point->facts, "mark");
    return point->state == tap_ok && text && parse_count(text, 65535, mark);
}

static void add_samples(const struct tap_point *point, unsigned long mark, const uint64_t *count,
                        size_t n, struct buf *out)
{
    const struct fact *samples = facts_find(&point->facts, "samples");
    if (!samples || !samples->is_list || n != 2 * samples->values.n)
        return;
    for (size_t i = 0; i < n; i += 2)
        buf_printf(out, "@engine sample mark=%lu count=%" PRIu64 "\n", mark,
                   count[i + 1] - count[i]);
}

int insns_join(const struct tap_file *tap, const char *counts, struct buf *out, struct buf *why)
{
    struct counts c;
    unsigned long mark;
    size_t marked = 0;
    read_counts(counts, &c);
    for (size_t i = 0; i < tap->n; i++)
        marked += point_mark(&tap->point[i], &mark);
    int rc = c.marks < 2 * marked || c.marks > 2 * marked + notes_most ? -1 : 0;
    if (rc)
        buf_printf(why, "%zu marks do not fit %zu marked points", c.marks, marked);
    size_t at = rc ? 0 : c.marks - 2 * marked;
    for (size_t i = 0; !rc && c.marks && i < tap->n; i++) {
        if (!point_mark(&tap->point[i], &mark))
            continue;
        buf_printf(out, "@engine insns mark=%lu count=%" PRIu64 "\n", mark,
                   c.mark[at + 1] - c.mark[at]);
        if (c.sample)
            add_samples(&tap->point[i], mark, c.sample + c.before[at],
                        c.before[at + 1] - c.before[at], out);
        at += 2;
    }
    free(c.mark);
    free(c.sample);
    free(c.before);
    return rc;
}
