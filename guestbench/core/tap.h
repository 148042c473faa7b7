/*
 * TAP version 13 with a YAML block a point, in the narrow form that prove,
 * tappy and node's tap-parser all read alike: a flat map, block sequences,
 * fixed notation, no comments, no blank lines.
 */
#ifndef GUESTBENCH_TAP_H
#define GUESTBENCH_TAP_H

#include <stddef.h>
#include <stdio.h>

void tap_begin(FILE *out, int points);
/* status is "ok" or "not ok". */
void tap_point(FILE *out, const char *status, int id, const char *name);
/* A skipped point; it has no block. */
void tap_skip(FILE *out, int id, const char *name, const char *reason);
void tap_bail(FILE *out, const char *reason);

void tap_block_begin(FILE *out);
void tap_block_end(FILE *out);
void tap_text(FILE *out, const char *key, const char *text); /* quoted where it must be */
void tap_raw(FILE *out, const char *key, const char *value);
void tap_integer(FILE *out, const char *key, long long value);
void tap_real(FILE *out, const char *key, double value, int decimals);
/* A rate or a time, with seven significant digits or more. */
void tap_measure(FILE *out, const char *key, double value);
void tap_measures(FILE *out, const char *key, const double *values, int n);

/* Writes text as a YAML scalar, quoted and escaped unless it is a plain word. */
void tap_format_text(char *buffer, size_t size, const char *text);

#endif
