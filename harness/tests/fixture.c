#include "fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

char *fixture_tap(const char *env_facts, unsigned points, const char *body)
{
    return xasprintf("TAP version 13\n1..%u\nok 1 - env\n  ---\n  schema: \"vmcmp/1\"\n%s  ...\n%s",
                     points + 1, env_facts, body);
}

char *fixture_point(unsigned number, const char *name, const char *unit, const char *better,
                    const double *samples, size_t n, const char *extra)
{
    struct buf out = {0};
    buf_printf(&out, "ok %u - %s\n  ---\n  unit: \"%s\"\n  better: %s\n  samples:\n", number, name,
               unit, better);
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "    - %.3f\n", samples[i]);
    buf_printf(&out, "%s  ...\n", extra);
    return out.data;
}

void fixture_parse(const char *text, struct result *out)
{
    struct buf error = {0};
    *out = (struct result){0};
    if (tap_parse("fixture.tap", text, strlen(text), &out->tap, &error))
        fail_msg("%s", error.data);
}

static char *made[32];
static size_t made_n;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void remove_made(void)
{
    while (made_n) {
        nftw(made[--made_n], remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(made[made_n]);
    }
}

char *fixture_dir(void)
{
    if (!made_n)
        atexit(remove_made);
    assert_true(made_n < sizeof(made) / sizeof(*made));
    const char *base = getenv("TMPDIR");
    char *dir = xasprintf("%s/penumbra-test.XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(dir));
    made[made_n++] = xstrdup(dir);
    return dir;
}

char *fixture_file(const char *dir, const char *name, const char *text, size_t len)
{
    char *path = xasprintf("%s/%s", dir, name);
    assert_int_equal(file_replace(path, text, len), 0);
    return path;
}
