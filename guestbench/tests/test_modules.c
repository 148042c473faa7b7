/* Parameters of modules on the kernel's command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../core/modules.h"

static void expect(const char *file, const char *cmdline, const char *expected)
{
    char parameters[32];
    modules_parameters(file, cmdline, parameters, sizeof parameters);
    assert_string_equal(parameters, expected);
}

static void test_found(void **state)
{
    (void)state;
    expect("02-libata.ko", "quiet libata.dma=0 console=ttyS0", "dma=0");
    expect("02-libata.ko", "libata.dma=0 x libata.noacpi\n", "dma=0 noacpi");
    expect("11-ata_piix.ko", "ata-piix.a=1 ata_piix.b=2", "a=1 b=2");
}

static void test_others(void **state)
{
    (void)state;
    expect("02-libata.ko", "", "");
    expect("02-libata.ko", "libata lib.dma=0 libata2.dma=0 xlibata.dma=0", "");
    expect("02-libata.ko", "root=libata.dma=0", "");
}

/* What does not fit is left out whole. */
static void test_long(void **state)
{
    (void)state;
    expect("a.ko", "a.b=1 a.ccccccccccccccccccccccccccccccccccccc=2", "b=1");
    expect("a.ko", "a.2345678901234567890123456789012 a.b", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests_name("guestbench modules", tests, NULL, NULL);
}
