#include "records.h"
#include "outset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { records_file_max = 64 << 20 };

static void record_add(struct record *record, const char *key, size_t key_len, char *value)
{
    record->key = xrealloc(record->key, (record->n + 1) * sizeof(char *));
    record->value = xrealloc(record->value, (record->n + 1) * sizeof(char *));
    record->key[record->n] = xstrndup(key, key_len);
    record->value[record->n++] = value;
}

// One "key=value" or key="quoted value". Returns what follows, or NULL.
static const char *read_word(struct record *record, const char *at)
{
    size_t key = strcspn(at, "= \"");
    if (!key || at[key] != '=')
        return NULL;
    const char *value = at + key + 1;
    bool quoted = *value == '"';
    size_t len = quoted ? strcspn(value + 1, "\"") : strcspn(value, " ");
    if (quoted && value[1 + len] != '"')
        return NULL;
    record_add(record, at, key, xstrndup(value + quoted, len));
    return value + len + (quoted ? 2 : 0);
}

static int read_record(struct record *record, const char *line)
{
    line += strspn(line, " ");
    size_t kind = strcspn(line, " ");
    if (!kind)
        return -1;
    record->kind = xstrndup(line, kind);
    for (line += kind; *line;) {
        line += strspn(line, " ");
        if (*line && !(line = read_word(record, line)))
            return -1;
    }
    return 0;
}

// The length of what a record's line begins with, 0 for other lines.
static size_t record_prefix(const char *line, size_t len)
{
    static const char *const prefixes[] = {"@hv ", "@engine "};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
        size_t prefix = strlen(prefixes[i]);
        if (len > prefix && !memcmp(line, prefixes[i], prefix))
            return prefix;
    }
    return 0;
}

int records_parse(const char *path, const char *text, size_t len, struct records *out,
                  struct buf *error)
{
    *out = (struct records){0};
    size_t number = 0;
    for (const char *at = text, *end = text + len; at < end;) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((feed ? feed : end) - at);
        number++;
        size_t prefix = record_prefix(at, size);
        if (prefix) {
            char *line = xstrndup(at + prefix, size - prefix);
            line[strcspn(line, "\r")] = '\0';
            out->record = xrealloc(out->record, (out->n + 1) * sizeof(*out->record));
            struct record *record = &out->record[out->n++];
            *record = (struct record){.line = number};
            int rc = read_record(record, line);
            if (rc)
                buf_printf(error, "%s:%zu: '%s' is no record", path, number, line);
            free(line);
            if (rc) {
                records_free(out);
                return -1;
            }
        }
        at += size + 1;
    }
    return 0;
}

int records_beside(const char *tap_path, struct records *out, struct buf *error)
{
    *out = (struct records){0};
    char *path = outset_beside(tap_path, ".records");
    size_t len;
    char *text = file_read(path, records_file_max, &len);
    int rc = 0;
    if (text)
        rc = records_parse(path, text, len, out, error);
    else if (errno != ENOENT) {
        buf_printf(error, "%s: %s", path, strerror(errno));
        rc = -1;
    }
    free(text);
    free(path);
    return rc;
}

void records_free(struct records *records)
{
    for (size_t i = 0; i < records->n; i++) {
        struct record *record = &records->record[i];
        for (size_t j = 0; j < record->n; j++) {
            free(record->key[j]);
            free(record->value[j]);
        }
        free(record->key);
        free(record->value);
        free(record->kind);
    }
    free(records->record);
    *records = (struct records){0};
}

const char *record_text(const struct record *record, const char *key)
{
    for (size_t i = 0; i < record->n; i++)
        if (!strcmp(record->key[i], key))
            return record->value[i];
    return NULL;
}

bool record_number(const struct record *record, const char *key, double *out)
{
    const char *text = record_text(record, key);
    return text && parse_number(text, out);
}

double records_sum(const struct records *records, const char *kind, const char *key,
                   unsigned long mark, bool *seen)
{
    double sum = 0;
    *seen = false;
    for (size_t i = 0; i < records->n; i++) {
        const struct record *record = &records->record[i];
        double at, value;
        if (strcmp(record->kind, kind) || !record_number(record, "mark", &at) ||
            at != (double)mark || !record_number(record, key, &value))
            continue;
        sum += value;
        *seen = true;
    }
    return sum;
}
