#include "tap.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] = "vmcmp/1";
enum { tap_file_max = 64 << 20 };

struct reader {
    struct tap_file *out;
    struct buf *error;
    const char *at, *end; // the rest of the text
    const char *line;     // the current line, without its end
    size_t len, number;
    bool versioned;
};

__attribute__((format(printf, 3, 4))) static int refuse(struct reader *r, size_t line,
                                                        const char *format, ...)
{
    va_list ap;
    char *text = NULL;
    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0)
        die(2, "out of memory");
    va_end(ap);
    if (line)
        buf_printf(r->error, "%s:%zu: %s", r->out->path, line, text);
    else
        buf_printf(r->error, "%s: %s", r->out->path, text);
    free(text);
    return -1;
}

// Steps to the next line; false at the end of the text.
static bool next_line(struct reader *r)
{
    if (r->at >= r->end)
        return false;
    const char *feed = memchr(r->at, '\n', (size_t)(r->end - r->at));
    const char *stop = feed ? feed : r->end;
    r->line = r->at;
    r->len = (size_t)(stop - r->at);
    if (r->len && r->line[r->len - 1] == '\r')
        r->len--;
    r->at = feed ? feed + 1 : r->end;
    r->number++;
    return true;
}

static bool line_starts(const struct reader *r, const char *with)
{
    size_t len = strlen(with);
    return r->len >= len && !memcmp(r->line, with, len);
}

static bool line_is(const struct reader *r, const char *text)
{
    return r->len == strlen(text) && line_starts(r, text);
}

static int read_plan(struct reader *r)
{
    char *digits = xstrndup(r->line + 3, r->len - 3);
    unsigned long plan;
    bool good = parse_count(digits, 100000, &plan) && plan > 0;
    free(digits);
    if (!good)
        return refuse(r, r->number, "the plan '%.*s' is not 1..N", (int)r->len, r->line);
    if (r->out->plan)
        return refuse(r, r->number, "a second plan");
    r->out->plan = plan;
    return 0;
}

// The block of a point: from "  ---" to "  ...". `r` stands on the former.
static int read_block(struct reader *r, struct tap_point *point)
{
    size_t first = r->number;
    struct buf yaml = {0};
    bool closed = false;
    buf_add(&yaml, "", 0);
    while (!closed && next_line(r)) {
        closed = line_is(r, "  ...");
        if (closed)
            break;
        if (!line_starts(r, "  ")) {
            buf_free(&yaml);
            return refuse(r, r->number, "inside the YAML block of point %lu: '%.*s'", point->number,
                          (int)(r->len < 60 ? r->len : 60), r->line);
        }
        buf_add(&yaml, r->line + 2, r->len - 2);
        buf_add(&yaml, "\n", 1);
    }
    struct facts_error error;
    int rc = 0;
    if (!closed)
        rc = refuse(r, r->number, "cut off: the YAML block of point %lu (%s) has no end",
                    point->number, point->name);
    else if (facts_parse(yaml.data, yaml.len, &point->facts, &error))
        rc = refuse(r, first + error.line, "YAML of point %lu: %s", point->number, error.what);
    point->has_facts = !rc;
    buf_free(&yaml);
    return rc;
}

// "NAME", or "NAME # SKIP reason".
static int read_description(struct reader *r, struct tap_point *point, const char *text)
{
    size_t name = strcspn(text, " ");
    point->name = xstrndup(text, name);
    text += name + strspn(text + name, " ");
    if (!name || *point->name == '#')
        return refuse(r, r->number, "point %lu has no name", point->number);
    if (!*text)
        return 0;
    if (strncasecmp(text, "# SKIP", 6) || point->state == tap_not_ok)
        return refuse(r, r->number, "after the name of point %lu: '%s'", point->number, text);
    point->state = tap_skip;
    text += 6;
    point->reason = xstrdup(text + strspn(text, " "));
    return 0;
}

static int read_point(struct reader *r)
{
    struct tap_file *out = r->out;
    out->point = xrealloc(out->point, (out->n + 1) * sizeof(*out->point));
    struct tap_point *point = &out->point[out->n++];
    *point = (struct tap_point){.line = r->number};
    point->state = line_starts(r, "ok ") ? tap_ok : tap_not_ok;
    char *line = xstrndup(r->line, r->len);
    char *at = line + (point->state == tap_ok ? 3 : 7), *end;
    point->number = isdigit((unsigned char)*at) ? strtoul(at, &end, 10) : 0;
    int rc = 0;
    if (!point->number || strncmp(end, " - ", 3))
        rc = refuse(r, r->number, "'%s' is not '%s NUMBER - NAME'", line,
                    point->state == tap_ok ? "ok" : "not ok");
    else if (point->number != out->n)
        rc =
            refuse(r, r->number, "point %lu stands where point %zu belongs", point->number, out->n);
    else if (out->plan && point->number > out->plan)
        rc = refuse(r, r->number, "point %lu, but the plan is 1..%lu", point->number, out->plan);
    else
        rc = read_description(r, point, end + 3);
    for (size_t i = 0; !rc && i + 1 < out->n; i++)
        if (!strcmp(out->point[i].name, point->name))
            rc = refuse(r, r->number, "'%s' is measured twice", point->name);
    free(line);
    return rc;
}

static int read_line(struct reader *r)
{
    if (!r->versioned) {
        r->versioned = line_is(r, "TAP version 13");
        return r->versioned ? 0 : refuse(r, r->number, "not TAP: 'TAP version 13' comes first");
    }
    if (line_starts(r, "1.."))
        return read_plan(r);
    if (line_starts(r, "ok ") || line_starts(r, "not ok "))
        return read_point(r);
    if (line_is(r, "  ---")) {
        struct tap_point *last = r->out->n ? &r->out->point[r->out->n - 1] : NULL;
        if (!last || last->has_facts)
            return refuse(r, r->number, "a YAML block without its point");
        return read_block(r, last);
    }
    if (line_starts(r, "Bail out!")) {
        const char *why = r->line + 9;
        r->out->bail_out = xstrndup(why, r->len - 9);
        return 0;
    }
    if (r->len == 0 || r->line[0] == '#')
        return 0;
    return refuse(r, r->number, "not TAP: '%.*s'", (int)(r->len < 60 ? r->len : 60), r->line);
}

// What can be said only of the whole: complete, ours, and every measured point with its figures.
static int check_whole(struct reader *r)
{
    const struct tap_file *tap = r->out;
    if (!r->versioned)
        return refuse(r, 0, "empty");
    if (!tap->plan && !tap->bail_out)
        return refuse(r, 0, "cut off: there is no plan (%zu points)", tap->n);
    if (tap->n < tap->plan && !tap->bail_out)
        return refuse(r, r->number, "cut off: %zu of %lu points", tap->n, tap->plan);
    if (r->end[-1] != '\n')
        return refuse(r, r->number, "cut off: the last line has no end");
    const struct tap_point *env = tap_find(tap, "env");
    if (!env || !env->has_facts)
        return tap->bail_out ? 0 : refuse(r, 0, "there is no point 'env' with a YAML block");
    const char *is = facts_text(&env->facts, "schema");
    if (!is || strcmp(is, schema))
        return refuse(r, env->line, "the schema is '%s'; '%s' was expected", is ? is : "(none)",
                      schema);
    for (size_t i = 0; i < tap->n; i++)
        if (tap->point[i].state != tap_skip && !tap->point[i].has_facts)
            return refuse(r, tap->point[i].line, "'%s' has no YAML block", tap->point[i].name);
    return 0;
}

int tap_parse(const char *path, const char *text, size_t len, struct tap_file *out,
              struct buf *error)
{
    *out = (struct tap_file){.path = xstrdup(path)};
    struct reader r = {.out = out, .error = error, .at = text, .end = text + len};
    int rc = 0;
    if (memchr(text, '\0', len))
        rc = refuse(&r, 0, "not TAP: it has zero bytes");
    while (!rc && !out->bail_out && next_line(&r))
        rc = read_line(&r);
    if (!rc)
        rc = check_whole(&r);
    if (rc)
        tap_free(out);
    return rc;
}

int tap_read(const char *path, struct tap_file *out, struct buf *error)
{
    size_t len;
    char *text = file_read(path, tap_file_max, &len);
    if (!text) {
        buf_printf(error, "%s: %s", path, strerror(errno));
        return -1;
    }
    int rc = tap_parse(path, text, len, out, error);
    free(text);
    return rc;
}

void tap_free(struct tap_file *tap)
{
    for (size_t i = 0; i < tap->n; i++) {
        free(tap->point[i].name);
        free(tap->point[i].reason);
        facts_free(&tap->point[i].facts);
    }
    free(tap->point);
    free(tap->path);
    free(tap->bail_out);
    *tap = (struct tap_file){0};
}

const struct tap_point *tap_find(const struct tap_file *tap, const char *name)
{
    for (size_t i = 0; i < tap->n; i++)
        if (tap->point[i].name && !strcmp(tap->point[i].name, name))
            return &tap->point[i];
    return NULL;
}
