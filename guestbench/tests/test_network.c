/* Addresses of a guest's network interface. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../core/network.h"

static uint32_t address, mask;

static void good(void **state)
{
    (void)state;
    assert_true(network_parse("10.0.2.15/24", &address, &mask));
    assert_int_equal(address, 0x0A00020F);
    assert_int_equal(mask, 0xFFFFFF00);
    assert_true(network_parse("192.168.100.200/32", &address, &mask));
    assert_int_equal(mask, 0xFFFFFFFF);
    assert_true(network_parse("10.0.0.1/1", &address, &mask));
    assert_int_equal(mask, 0x80000000);
}

static void bad(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "10.0.2.15",    "10.0.2.15/",    "10.0.2.15/0",           "10.0.2.15/33",
        "10.0.2.15/-1", "10.0.2/24",     "10.0.2.256/24",         "/24",
        "host/24",      "10.0.2.15/24x", "100.100.100.100.100/24"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(network_parse(texts[i], &address, &mask));
    char error[80];
    assert_false(network_raise("10.0.2.15", error, sizeof error));
    assert_non_null(strstr(error, "'10.0.2.15' is not A.B.C.D/BITS"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(good), cmocka_unit_test(bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
