#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/fmt.h"

#define check(format, ...)                                                                         \
    do {                                                                                           \
        char ours[64], libc[64];                                                                   \
        int n = fmt_snprintf(ours, sizeof ours, format, __VA_ARGS__);                              \
        assert_int_equal(n, snprintf(libc, sizeof libc, format, __VA_ARGS__));                     \
        assert_string_equal(ours, libc);                                                           \
    } while (0)

static void as_the_c_library(void **state)
{
    (void)state;
    check("%d|%5d|%-5d|%05d", 42, -42, 7, -3);
    check("%u %x %X %08x", 0u, 255u, 255u, 48879u);
    check("%lld %llu %llx", (long long)INT64_MIN, (unsigned long long)UINT64_MAX, 1ull << 63);
    check("%s|%6s|%-6s|%.2s|%.*s", "abc", "abc", "abc", "abc", 1, "abc");
    check("%c%%%c", 'a', 'b');
    check("%*d", 6, 12);
    check("%zu", sizeof(int));
}

static void truncation(void **state)
{
    (void)state;
    char buf[4] = {1, 1, 1, 1};
    assert_int_equal(fmt_snprintf(buf, sizeof buf, "%s", "abcdef"), 6);
    assert_string_equal(buf, "abc");
    assert_int_equal(fmt_snprintf(NULL, 0, "%d", 1234), 4);
    assert_int_equal(fmt_snprintf(buf, sizeof buf, "a%s", "%"), 2);
    assert_string_equal(buf, "a%");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_the_c_library),
                                       cmocka_unit_test(truncation)};
    return cmocka_run_group_tests_name("fmt", tests, NULL, NULL);
}
