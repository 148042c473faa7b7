/* Runs the table and prints TAP. */

#include "guest.h"

extern const struct test tests_start[], tests_end[];

static unsigned number; /* of the point; also the mark's id */
static bool failed;
static const char *skipped;

void begin(void)
{
    mark(MARK_BEGIN, number);
}

void end(void)
{
    mark(MARK_END, number);
}

bool test_failed(void)
{
    return failed;
}

void test_skip(const char *why)
{
    skipped = why;
}

void check_true(bool ok, const char *file, int line, const char *text)
{
    if (ok)
        return;
    failed = true;
    print("# %s:%d: %s\n", file, line, text);
}

void check_equal(u64 got, u64 want, const char *file, int line, const char *text)
{
    if (got == want)
        return;
    failed = true;
    print("# %s:%d: %s is %llx, expected %llx\n", file, line, text, got, want);
}

/* The name, or its beginning and a star; empty: all. */
static bool chosen(const char *name, const char *only)
{
    size_t n = strlen(only);
    if (n && only[n - 1] == '*')
        return strlen(name) >= n - 1 && !memcmp(name, only, n - 1);
    return !n || !strcmp(only, name);
}

static void run(const struct test *t, const char *only)
{
    number++;
    if (!chosen(t->name, only)) /* numbers stay the same */
        return;
    failed = false;
    skipped = NULL;
    if (mode)
        paging_reset_window();
    t->run();
    print("%s %u - %s%s%s%s%s\n", failed ? "not ok" : "ok", number, mode ? mode->name : "",
          mode ? ": " : "", t->name, skipped ? " # SKIP " : "", skipped ? skipped : "");
    if (t->exits && !skipped)
        print("# exits %u %s\n", number, t->exits);
}

static void run_all(bool paged, const char *only)
{
    for (const struct test *t = tests_start; t < tests_end; t++)
        if (t->paged == paged)
            run(t, only);
}

void tests_run(const char *only)
{
    print("TAP version 13\n");
    run_all(false, only);
    for (unsigned i = 0; i < paging_mode_count; i++) {
        paging_enter(&paging_modes[i]);
        run_all(true, only);
        paging_leave();
    }
    print("1..%u\n", number);
}
