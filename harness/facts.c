#include "facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum place { before_map, want_key, want_value, in_list, after_map };

struct reader {
    struct facts *out;
    enum place place;
    struct facts_error *error;
};

static int refuse(struct reader *reader, size_t line, const char *what, const char *which)
{
    reader->error->line = line + 1;
    snprintf(reader->error->what, sizeof(reader->error->what), "%s%s%s", what, which ? ": " : "",
             which ? which : "");
    return -1;
}

static int add_key(struct reader *reader, const yaml_event_t *event)
{
    const char *key = (const char *)event->data.scalar.value;
    struct facts *out = reader->out;
    if (facts_find(out, key))
        return refuse(reader, event->start_mark.line, "key given twice", key);
    out->fact = xrealloc(out->fact, (out->n + 1) * sizeof(*out->fact));
    out->fact[out->n++] = (struct fact){.key = xstrdup(key)};
    reader->place = want_value;
    return 0;
}

static int take_scalar(struct reader *reader, const yaml_event_t *event)
{
    if (reader->place == want_key)
        return add_key(reader, event);
    if (reader->place != want_value && reader->place != in_list)
        return refuse(reader, event->start_mark.line, "a map was expected", NULL);
    struct fact *last = &reader->out->fact[reader->out->n - 1];
    words_add(&last->values, (const char *)event->data.scalar.value);
    if (reader->place == want_value)
        reader->place = want_key;
    return 0;
}

static int take_event(struct reader *reader, const yaml_event_t *event)
{
    size_t line = event->start_mark.line;
    switch (event->type) {
    case YAML_SCALAR_EVENT: return take_scalar(reader, event);
    case YAML_MAPPING_START_EVENT:
        if (reader->place != before_map)
            return refuse(reader, line, "a map inside the map", NULL);
        reader->place = want_key;
        return 0;
    case YAML_MAPPING_END_EVENT: reader->place = after_map; return 0;
    case YAML_SEQUENCE_START_EVENT:
        if (reader->place != want_value)
            return refuse(reader, line, "a list where none belongs", NULL);
        reader->out->fact[reader->out->n - 1].is_list = true;
        reader->place = in_list;
        return 0;
    case YAML_SEQUENCE_END_EVENT: reader->place = want_key; return 0;
    case YAML_ALIAS_EVENT: return refuse(reader, line, "aliases are not used here", NULL);
    default: return 0;
    }
}

int facts_parse(const char *text, size_t len, struct facts *out, struct facts_error *error)
{
    *out = (struct facts){0};
    *error = (struct facts_error){0};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        die(2, "out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    struct reader reader = {.out = out, .place = before_map, .error = error};
    int rc = 0;
    bool ended = false;
    while (!rc && !ended) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            rc = refuse(&reader, parser.problem_mark.line, "not YAML", parser.problem);
            break;
        }
        rc = take_event(&reader, &event);
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    if (!rc && reader.place != after_map)
        rc = refuse(&reader, 0, "a map was expected", NULL);
    yaml_parser_delete(&parser);
    if (rc)
        facts_free(out);
    return rc;
}

void facts_free(struct facts *facts)
{
    for (size_t i = 0; i < facts->n; i++) {
        free(facts->fact[i].key);
        words_free(&facts->fact[i].values);
    }
    free(facts->fact);
    *facts = (struct facts){0};
}

const struct fact *facts_find(const struct facts *facts, const char *key)
{
    for (size_t i = 0; i < facts->n; i++)
        if (!strcmp(facts->fact[i].key, key))
            return &facts->fact[i];
    return NULL;
}

const char *facts_text(const struct facts *facts, const char *key)
{
    const struct fact *fact = facts_find(facts, key);
    return fact && !fact->is_list ? fact->values.word[0] : NULL;
}

bool facts_number(const struct facts *facts, const char *key, double *out)
{
    const char *text = facts_text(facts, key);
    return text && parse_number(text, out);
}

// Words that no YAML reader takes for something else; YAML 1.1 readers take no, on and the like for
// booleans.
static bool is_plain(const char *value)
{
    static const char *const taken[] = {"yes",   "no",   "on", "off", "true",
                                        "false", "null", "y",  "n"};
    double number;
    if (parse_number(value, &number) && strspn(value, "0123456789.-") == strlen(value))
        return true;
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
        if (!strcasecmp(value, taken[i]))
            return false;
    size_t letters = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    size_t plain = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789_./-");
    return letters > 0 && plain == strlen(value);
}

void facts_print(struct buf *out, const char *key, const char *value)
{
    if (is_plain(value)) {
        buf_printf(out, "%s: %s\n", key, value);
        return;
    }
    buf_printf(out, "%s: \"", key);
    for (const char *p = value; *p; p++) {
        if (*p == '"' || *p == '\\')
            buf_printf(out, "\\%c", *p);
        else if ((unsigned char)*p < 0x20)
            buf_printf(out, "\\x%02x", (unsigned)*p);
        else
            buf_add(out, p, 1);
    }
    buf_printf(out, "\"\n");
}
