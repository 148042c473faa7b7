/* Floating point in software, against the processor's 80-bit format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <cmocka.h>

#include "../core/random.h"
#include "../emfloat.h"

static struct emfloat random_number(uint64_t *seed)
{
    struct emfloat number = emfloat_from((int32_t)random_next(seed) | 1);
    for (int i = 0; i < EMFLOAT_WORDS; i++)
        number.mantissa[i] = (uint16_t)(random_below(seed, 3) ? random_next(seed) : 0xFFFF);
    number.mantissa[0] |= 0x8000;
    number.exponent = (int16_t)((int)random_below(seed, 160) - 80);
    return number;
}

static void close_to(struct emfloat got, long double expected)
{
    long double value = emfloat_value(&got);
    if (got.type == EMFLOAT_NORMAL)
        assert_true(got.mantissa[0] & 0x8000);
    assert_true(fabsl(value - expected) <= fabsl(expected) * 0x1p-62L);
}

static void test_values(void **state)
{
    uint64_t seed = 1;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct emfloat a = random_number(&seed), b = random_number(&seed);
        long double x = emfloat_value(&a), y = emfloat_value(&b);
        close_to(emfloat_multiply(&a, &b), x * y);
        close_to(emfloat_divide(&a, &b), x / y);
        close_to(emfloat_add(&a, &a), x + x);
        if (a.sign == b.sign) {
            close_to(emfloat_add(&a, &b), x + y);
        } else { /* may cancel; the guard word leaves 16 bits more */
            struct emfloat sum = emfloat_add(&a, &b);
            long double size = fabsl(x) > fabsl(y) ? fabsl(x) : fabsl(y);
            assert_true(fabsl(emfloat_value(&sum) - (x + y)) <= size * 0x1p-63L);
        }
    }
}

static void test_integers(void **state)
{
    const int32_t values[] = {0, 1, -1, 3, 65536, -65537, INT32_MAX, INT32_MIN};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct emfloat number = emfloat_from(values[i]), negative = emfloat_negative(number);
        assert_true(emfloat_value(&number) == values[i]);
        assert_int_equal(emfloat_add(&number, &negative).type, EMFLOAT_ZERO);
    }
}

static void test_specials(void **state)
{
    struct emfloat one = emfloat_from(1), zero = emfloat_from(0), huge = one, tiny = one;
    struct emfloat infinite = emfloat_divide(&one, &zero), minus = emfloat_negative(infinite);
    (void)state;
    huge.exponent = INT16_MAX;
    tiny.exponent = -INT16_MAX;
    assert_int_equal(infinite.type, EMFLOAT_INFINITE);
    assert_int_equal(emfloat_multiply(&infinite, &zero).type, EMFLOAT_NAN);
    assert_int_equal(emfloat_divide(&zero, &zero).type, EMFLOAT_NAN);
    assert_int_equal(emfloat_divide(&infinite, &infinite).type, EMFLOAT_NAN);
    assert_int_equal(emfloat_divide(&one, &infinite).type, EMFLOAT_ZERO);
    assert_int_equal(emfloat_add(&infinite, &minus).type, EMFLOAT_NAN);
    assert_int_equal(emfloat_add(&infinite, &one).type, EMFLOAT_INFINITE);
    assert_int_equal(emfloat_add(&one, &zero).type, EMFLOAT_NORMAL);
    assert_int_equal(emfloat_multiply(&huge, &huge).type, EMFLOAT_INFINITE);
    assert_int_equal(emfloat_multiply(&tiny, &tiny).type, EMFLOAT_ZERO);
    assert_int_equal(emfloat_add(&huge, &huge).type, EMFLOAT_INFINITE);
    assert_int_equal(emfloat_add(&huge, &tiny).exponent, INT16_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_specials),
    };
    return cmocka_run_group_tests_name("guestbench emulated floating point", tests, NULL, NULL);
}
