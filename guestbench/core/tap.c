#include "tap.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

void tap_begin(FILE *out, int points)
{
    fprintf(out, "TAP version 13\n1..%d\n", points);
}

void tap_point(FILE *out, const char *status, int id, const char *name)
{
    fprintf(out, "%s %d - %s\n", status, id, name);
}

/* Text for a place where a line end or a second '#' would be misread. */
static void put_plain(FILE *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        fputc(c < ' ' || c == '#' || c == 0x7F ? ' ' : c, out);
    }
}

void tap_skip(FILE *out, int id, const char *name, const char *reason)
{
    fprintf(out, "ok %d - %s # SKIP ", id, name);
    put_plain(out, reason);
    fputc('\n', out);
}

void tap_bail(FILE *out, const char *reason)
{
    fputs("Bail out! ", out);
    put_plain(out, reason);
    fputc('\n', out);
}

void tap_block_begin(FILE *out)
{
    fputs("  ---\n", out);
}

void tap_block_end(FILE *out)
{
    fputs("  ...\n", out);
}

/* YAML 1.1 reads these plain words as booleans or null. */
static bool is_reserved(const char *text)
{
    static const char *const words[] = {"y",   "n",    "yes",   "no",  "on",
                                        "off", "true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t at = 0;
        while (text[at] && tolower((unsigned char)text[at]) == words[i][at])
            at++;
        if (!text[at] && !words[i][at])
            return true;
    }
    return false;
}

static bool is_plain(const char *text)
{
    if (!isalpha((unsigned char)text[0]) || is_reserved(text))
        return false;
    for (const char *c = text; *c; c++) {
        if (!isalnum((unsigned char)*c) && !strchr("_./-", *c))
            return false;
    }
    return true;
}

void tap_format_text(char *buffer, size_t size, const char *text)
{
    if (is_plain(text) && strlen(text) < size) {
        strcpy(buffer, text);
        return;
    }
    size_t at = 0;
    buffer[at++] = '"';
    for (; *text && at + 4 < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            buffer[at++] = '\\';
        buffer[at++] = (char)(c < ' ' || c == 0x7F ? ' ' : c);
    }
    buffer[at++] = '"';
    buffer[at] = '\0';
}

void tap_text(FILE *out, const char *key, const char *text)
{
    char value[2200];
    tap_format_text(value, sizeof value, text);
    tap_raw(out, key, value);
}

void tap_raw(FILE *out, const char *key, const char *value)
{
    fprintf(out, "  %s: %s\n", key, value);
}

void tap_integer(FILE *out, const char *key, long long value)
{
    fprintf(out, "  %s: %lld\n", key, value);
}

void tap_real(FILE *out, const char *key, double value, int decimals)
{
    fprintf(out, "  %s: %.*f\n", key, decimals, value);
}

static int measure_decimals(double value)
{
    double magnitude = fabs(value);
    int decimals = 1;
    while (magnitude < 1e6 && decimals < 12 && magnitude > 0) {
        magnitude *= 10;
        decimals++;
    }
    return decimals;
}

void tap_measure(FILE *out, const char *key, double value)
{
    tap_real(out, key, value, measure_decimals(value));
}

void tap_measures(FILE *out, const char *key, const double *values, int n)
{
    if (n == 0) {
        tap_raw(out, key, "[]");
        return;
    }
    fprintf(out, "  %s:\n", key);
    for (int i = 0; i < n; i++)
        fprintf(out, "    - %.*f\n", measure_decimals(values[i]), values[i]);
}
