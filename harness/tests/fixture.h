// Small TAP documents for tests.
#pragma once
#include "../compare.h"

// A document with `env` and the given points' text.
char *fixture_tap(const char *env_facts, unsigned points, const char *body);

// The text of one measured point.
char *fixture_point(unsigned number, const char *name, const char *unit, const char *better,
                    const double *samples, size_t n, const char *extra);

// Parses; fails the test on an error.
void fixture_parse(const char *text, struct result *out);

// Creates a folder below $TMPDIR, removed when the test ends, and a file in it.
char *fixture_dir(void);
char *fixture_file(const char *dir, const char *name, const char *text, size_t len);
