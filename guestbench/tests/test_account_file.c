/* Lookups in files of accounts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../account_file.h"

static const char text[] = "root:x:0:0:root:/root:/bin/sh\n"
                           "ro:x:7:7::/:/bin/sh\n"
                           "\n"
                           "broken\n"
                           "empty:x::1:\n"
                           "last:x:1029";

static void test_names(void **state)
{
    (void)state;
    assert_int_equal(account_find_name(text, sizeof text - 1, "root"), 0);
    assert_int_equal(account_find_name(text, sizeof text - 1, "ro"), 7);
    assert_int_equal(account_find_name(text, sizeof text - 1, "last"), 1029);
    assert_int_equal(account_find_name(text, sizeof text - 1, "oot"), -1);
    assert_int_equal(account_find_name(text, sizeof text - 1, "broken"), -1);
    assert_int_equal(account_find_name(text, sizeof text - 1, "empty"), -1);
    assert_int_equal(account_find_name(text, 0, "root"), -1);
}

static void test_ids(void **state)
{
    (void)state;
    assert_int_equal(account_find_id(text, sizeof text - 1, 0), 0);
    assert_int_equal(account_find_id(text, sizeof text - 1, 7), 30);
    assert_int_equal(account_find_id(text, sizeof text - 1, 1029), strrchr(text, '\n') + 1 - text);
    assert_int_equal(account_find_id(text, sizeof text - 1, 102), -1);
}

/* Both ways see the same file, and its absence. */
static void test_files(void **state)
{
    const struct account_key name = {.name = "user29"}, id = {.id = 1029},
                             none = {.name = "user30"};
    char path[] = "/tmp/accountsXXXXXX";
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (int group = 0; group < 2; group++) {
        assert_true(account_write(path, group));
        assert_int_equal(account_lookup_read(path, &name), 1029);
        assert_int_equal(account_lookup_mmap(path, &name), 1029);
        assert_true(account_lookup_read(path, &id) > 100);
        assert_int_equal(account_lookup_mmap(path, &id), account_lookup_read(path, &id));
        assert_int_equal(account_lookup_read(path, &none), -1);
        assert_int_equal(account_lookup_mmap(path, &none), -1);
    }
    unlink(path);
    assert_int_equal(account_lookup_read(path, &name), -1);
    assert_int_equal(account_lookup_mmap(path, &name), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests_name("guestbench accounts", tests, NULL, NULL);
}
