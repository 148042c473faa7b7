/* SciMark's kernels compute what they should, and a wrong result is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../scimark_work.h"

static struct scimark_work work;
static struct scimark_error error;

static void right_results(void **state)
{
    (void)state;
    for (int which = SCIMARK_FFT; which <= SCIMARK_LU; which++) {
        assert_true(scimark_make(&work, (enum scimark_which)which, false));
        /* twice: a check puts the data back */
        for (uint64_t turns = 3; turns < 5; turns++) {
            work.kernel(&work.s, turns);
            assert_true(scimark_check(&work, turns, &error));
        }
        scimark_free(&work);
    }
}

static void large_sizes(void **state)
{
    (void)state;
    static const enum scimark_which some[] = {SCIMARK_SOR, SCIMARK_SPARSE};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        assert_true(scimark_make(&work, some[i], true));
        work.kernel(&work.s, 1);
        assert_true(scimark_check(&work, 1, &error));
        scimark_free(&work);
    }
    assert_true(scimark_bytes(SCIMARK_FFT, true) >= (size_t)32 << 20);
}

/* One number changed a little, after the kernel has run. */
static void wrong_results(void **state)
{
    (void)state;
    assert_true(scimark_make(&work, SCIMARK_FFT, false));
    work.kernel(&work.s, 1);
    work.s.x[77] += 1e-3;
    assert_false(scimark_check(&work, 1, &error));
    scimark_free(&work);

    assert_true(scimark_make(&work, SCIMARK_SOR, false));
    work.kernel(&work.s, 1);
    work.s.x[5] += 1e-6; /* on the border */
    assert_false(scimark_check(&work, 1, &error));
    work.kernel(&work.s, 1);
    work.s.x[50 * 100 + 50] += 5;
    assert_false(scimark_check(&work, 1, &error));
    scimark_free(&work);

    assert_true(scimark_make(&work, SCIMARK_MC, false));
    work.kernel(&work.s, 5);
    assert_false(scimark_check(&work, 4, &error));
    scimark_free(&work);

    assert_true(scimark_make(&work, SCIMARK_SPARSE, false));
    work.kernel(&work.s, 1);
    work.s.out[999] *= 1.001;
    assert_false(scimark_check(&work, 1, &error));
    scimark_free(&work);

    assert_true(scimark_make(&work, SCIMARK_LU, false));
    work.kernel(&work.s, 1);
    work.s.pivot[3] = work.s.pivot[3] == 4 ? 5 : 4;
    assert_false(scimark_check(&work, 1, &error));
    scimark_free(&work);
}

/* A kernel that forgets one thing must not pass either. */
static void half_a_kernel(void **state)
{
    (void)state;
    assert_true(scimark_make(&work, SCIMARK_FFT, false));
    work.s.stages--;
    work.kernel(&work.s, 1);
    assert_false(scimark_check(&work, 1, &error));
    scimark_free(&work);

    assert_true(scimark_make(&work, SCIMARK_FFT, false));
    work.s.sine[3] = -work.s.sine[3]; /* the way back undoes it; the definition does not */
    work.kernel(&work.s, 1);
    assert_false(scimark_check(&work, 1, &error));
    scimark_free(&work);

    assert_true(scimark_make(&work, SCIMARK_SOR, false));
    assert_false(scimark_check(&work, 1, &error));
    scimark_free(&work);
}

static void operations(void **state)
{
    (void)state;
    static const double flops[] = {5118.0 * 10 + 2 * 1025, 6.0 * 99 * 99, 4.0 * 16384, 10000,
                                   2e6 / 3};
    for (int which = SCIMARK_FFT; which <= SCIMARK_LU; which++) {
        assert_true(scimark_make(&work, (enum scimark_which)which, false));
        assert_float_equal(work.flops, flops[which], 1e-6);
        scimark_free(&work);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_results), cmocka_unit_test(large_sizes),
        cmocka_unit_test(wrong_results), cmocka_unit_test(half_a_kernel),
        cmocka_unit_test(operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
