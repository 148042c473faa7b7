/* The file server's load has the frequencies and sizes it is said to have, and its books balance. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../fileload.h"
#include "../latency.h"

enum { STEPS = 458000 };

static struct fileload load, other;
static struct fileload_step step;

static void near(double expected, double got, double tolerance)
{
    if (fabs(got / expected - 1) > tolerance)
        fail_msg("expected about %f, got %f", expected, got);
}

static void frequencies(void **state)
{
    (void)state;
    uint32_t count[FILELOAD_OPS] = {0}, total = 0;
    fileload_start(&load, 1, FILELOAD_FULL_BYTES);
    for (int i = 0; i < STEPS; i++) {
        fileload_next(&load, &step);
        count[step.op]++;
    }
    for (int op = 0; op < FILELOAD_OPS; op++)
        total += fileload_weight((enum fileload_op)op);
    /* "Lock" and "Unlock" are one step here; Deltree and Mkdir are not in the stream */
    assert_int_equal(total, 458344 - 258 - 3);
    for (int op = 0; op < FILELOAD_OPS; op++)
        near(fileload_weight((enum fileload_op)op), (double)count[op] * total / STEPS,
             op == FILELOAD_LOCK ? 0.25 : 0.05);
}

static void sizes(void **state)
{
    (void)state;
    double bytes[2] = {0}, count[2] = {0}, single = 0;
    fileload_start(&load, 2, FILELOAD_FULL_BYTES);
    for (int i = 0; i < STEPS; i++) {
        fileload_next(&load, &step);
        if (step.op != FILELOAD_READ && step.op != FILELOAD_WRITE)
            continue;
        bytes[step.op == FILELOAD_WRITE] += step.length;
        count[step.op == FILELOAD_WRITE]++;
        single += step.op == FILELOAD_WRITE && step.length == 1;
    }
    near(11.85e3, bytes[0] / count[0], 0.1);
    near(25.7e3, bytes[1] / count[1], 0.1);
    near(7424.0 / 39502, single / count[1], 0.05);
}

static uint64_t total_size(const struct fileload *of, uint64_t *limits)
{
    uint64_t sum = 0;
    *limits = 0;
    for (int i = 0; i < of->files; i++) {
        sum += of->file[i].size;
        *limits += of->file[i].limit;
    }
    return sum;
}

/* What a step assumes holds: followed with books of the test's own. */
static void check_step(const struct fileload *before, const struct fileload_step *now)
{
    if (now->file >= 0)
        assert_true(now->file < before->files);
    if (now->handle >= 0 && now->op != FILELOAD_OPEN)
        assert_int_equal(before->handle[now->handle].file, now->file);
    static const struct fileload_file none;
    const struct fileload_file *file = now->file >= 0 ? &before->file[now->file] : &none;
    switch (now->op) {
    case FILELOAD_READ:
        assert_true(now->length > 0 && now->length <= FILELOAD_READ_MOST);
        assert_true(now->offset + now->length <= file->size);
        assert_int_equal(now->offset % FILELOAD_ALIGN, 0);
        assert_int_equal(now->length % FILELOAD_ALIGN, 0);
        break;
    case FILELOAD_WRITE:
        assert_true(file->scratch && now->length <= FILELOAD_WRITE_MOST);
        assert_true(now->offset + now->length <= file->limit);
        assert_true(now->length == 1 || (now->offset | now->length) % FILELOAD_ALIGN == 0);
        break;
    case FILELOAD_OPEN:
        assert_int_equal(file->exists, !now->create);
        assert_int_equal(before->handle[now->handle].file, -1);
        break;
    case FILELOAD_UNLINK: assert_true(file->exists && file->scratch && !file->opens); break;
    case FILELOAD_RENAME:
        assert_true(file->exists && !file->opens && !before->file[now->to].exists);
        break;
    default: break;
    }
}

static void books(void **state)
{
    (void)state;
    static const uint32_t volumes[] = {FILELOAD_FULL_BYTES, 3 << 20, 100000};
    for (size_t v = 0; v < sizeof volumes / sizeof volumes[0]; v++) {
        uint64_t limits;
        fileload_start(&load, 3, volumes[v]);
        for (int i = 0; i < 50000; i++) {
            other = load;
            fileload_next(&load, &step);
            check_step(&other, &step);
            assert_in_range(load.open, 0, FILELOAD_HANDLES);
            assert_true(total_size(&load, &limits) <= limits);
        }
        assert_true(limits <= volumes[v]);
    }
}

static bool same_step(const struct fileload_step *a, const struct fileload_step *b)
{
    return a->op == b->op && a->create == b->create && a->file == b->file && a->to == b->to &&
           a->handle == b->handle && a->offset == b->offset && a->length == b->length;
}

static void same_seed_same_stream(void **state)
{
    (void)state;
    struct fileload_step second;
    int differences = 0;
    fileload_start(&load, 4, 3 << 20);
    fileload_start(&other, 4, 3 << 20);
    for (int i = 0; i < 10000; i++) {
        fileload_next(&load, &step);
        fileload_next(&other, &second);
        differences += !same_step(&step, &second);
    }
    assert_int_equal(differences, 0);
    fileload_start(&other, 5, 3 << 20);
    for (int i = 0; i < 1000; i++) {
        fileload_next(&load, &step);
        fileload_next(&other, &second);
        differences += step.op != second.op;
    }
    assert_true(differences > 500);
}

static struct latency latency, more;

static void percentiles(void **state)
{
    (void)state;
    assert_int_equal(latency_percentile(&latency, 0.99), 0);
    for (uint64_t ns = 1; ns <= 1000; ns++)
        latency_add(&latency, ns * 1000);
    near(500e3, (double)latency_percentile(&latency, 0.5), 0.125);
    near(990e3, (double)latency_percentile(&latency, 0.99), 0.125);
    assert_int_equal(latency_percentile(&latency, 1), 1000000);
    latency_add(&more, (uint64_t)1 << 60);
    latency_add(&more, 0);
    latency_merge(&latency, &more);
    assert_int_equal(latency.total, 1002);
    assert_true(latency.longest_ns == (uint64_t)1 << 60);
    near(500e3, (double)latency_percentile(&latency, 0.5), 0.125);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frequencies), cmocka_unit_test(sizes),
        cmocka_unit_test(books),       cmocka_unit_test(same_seed_same_stream),
        cmocka_unit_test(percentiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
