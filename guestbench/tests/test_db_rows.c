/* The rows of the database benchmarks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "../db_rows.h"

static void test_same_again(void **state)
{
    struct db_row a, b;
    (void)state;
    db_row_make(1, 77, &a);
    db_row_make(1, 77, &b);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(a.key, 77);
    db_row_make(2, 77, &b);
    assert_memory_not_equal(&a, &b, sizeof a);
}

static void test_columns(void **state)
{
    (void)state;
    for (int32_t key = 1; key <= 5000; key++) {
        struct db_row row;
        db_row_make(9, key, &row);
        assert_int_equal(strlen(row.name), sizeof row.name - 1);
        assert_int_equal(strlen(row.date), 10);
        assert_in_range(strlen(row.decimal), 4, sizeof row.decimal - 1);
        assert_in_range(row.balance + 500000, 0, 999999);
    }
}

/* Updates change the balance and nothing else. */
static void test_matches(void **state)
{
    struct db_row row;
    (void)state;
    db_row_make(3, 5, &row);
    row.balance += 10;
    assert_true(db_row_matches(3, 5, &row));
    assert_false(db_row_matches(3, 6, &row));
    row.name[3] ^= 1;
    assert_false(db_row_matches(3, 5, &row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
