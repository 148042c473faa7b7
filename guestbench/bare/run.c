/* Calibrates, samples and checks each test of the table. */

#include "bare.h"

extern const struct bare tests_start[], tests_end[];

const struct bare *current;
static struct failure failure;
static bool failed;
static const char *skipped;
static u64 empty_loop; /* thousandths of a cycle an iteration */

void check_equal(u64 got, u64 want, const char *file, int line, const char *text)
{
    if (got == want || failed)
        return;
    failed = true;
    failure = (struct failure){text, file, line, want, got};
}

void check_true(bool ok, const char *file, int line, const char *text)
{
    check_equal(ok, true, file, line, text);
}

void test_skip(const char *why)
{
    skipped = why;
}

const struct failure *run_failure(void)
{
    return failed ? &failure : NULL;
}

u64 run_timed(void (*run)(u32 n), u32 n)
{
    u64 start = clock_cycles();
    run(n);
    u64 end = clock_cycles();
    return end > start ? end - start : 1;
}

static void loop_run(u32 n)
{
    for (u32 i = 0; i < n; i++)
        __asm__ volatile("");
}

BARE(empty_loop, "empty_loop", "one turn of a loop with nothing in it", .ops = 1, .run = loop_run);

static u64 thousandths(u64 cycles, u64 operations)
{
    u64 v = cycles * 1000 / operations;
    return v ? v : 1;
}

static u64 sample(u32 n)
{
    u64 cycles = run_timed(current->run, n);
    if (current->verify)
        current->verify(n);
    return thousandths(cycles, (u64)n * current->ops);
}

static u32 calibrate(u64 target)
{
    u32 n = 1;
    for (bool done = false; !done && !failed;) {
        u64 cycles = run_timed(current->run, n);
        if (current->verify)
            current->verify(n);
        n = stats_calibrate(n, cycles, target, &done);
    }
    return n;
}

static void measure(const struct settings *s, unsigned id, struct measured *m)
{
    m->iters = calibrate(s->sample_cycles);
    m->warmup = sample(m->iters);
    m->empty_loop = empty_loop;
    mark(MARK_BEGIN, id);
    for (m->n = 0; m->n < s->samples && !failed; m->n++)
        m->sample[m->n] = sample(m->iters);
    mark(MARK_END, id);
}

static void name_of(const struct bare *t, char *to)
{
    const char *group = t->each_mode ? mode->name : "event";
    size_t n = strlen(group);
    memcpy(to, group, n);
    to[n] = '.';
    memcpy(to + n + 1, t->name, strlen(t->name) + 1);
}

static void run_one(const struct settings *s, unsigned id, const char *name)
{
    static struct measured m;
    m = (struct measured){0};
    memcpy(m.name, name, strlen(name) + 1);
    failed = false;
    skipped = NULL;
    paging_reset_window();
    if (current->setup)
        current->setup();
    if (skipped) {
        report_skip(id, name, skipped);
        return;
    }
    if (!failed)
        measure(s, id, &m);
    if (current->finish)
        current->finish();
    report_point(id, &m);
}

/* Runs the tests that are wanted in this mode, or with run false counts them. */
static unsigned pass(const struct settings *s, bool first, unsigned id, bool run)
{
    char name[64];
    for (const struct bare *t = tests_start; t < tests_end; t++) {
        if (!t->each_mode && !first)
            continue;
        name_of(t, name);
        if (!glob_list_matches(s->only, name))
            continue;
        id++;
        current = t;
        if (run)
            run_one(s, id, name);
    }
    return id;
}

/* Paging is on in all tests; those of no mode run in the first. */
void run_all(const struct settings *s)
{
    enum { LOOPS = 1 << 20 };
    unsigned points = 1, id = 1;
    for (unsigned i = 0; i < paging_mode_count; i++) {
        mode = &paging_modes[i];
        points = pass(s, i == 0, points, false);
    }
    mode = NULL;
    if (points == 1)
        bail_out("guestbench.only=%s: no such test", s->only);
    print("TAP version 13\n1..%u\n", points);
    run_timed(loop_run, LOOPS / 16);
    empty_loop = thousandths(run_timed(loop_run, LOOPS), LOOPS);
    report_env(s, empty_loop);
    for (unsigned i = 0; i < paging_mode_count; i++) {
        paging_enter(&paging_modes[i]);
        id = pass(s, i == 0, id, true);
        paging_leave();
    }
}
