/* Options of the command line and words of the kernel's command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "../core/config.h"

static char error[256];

static int parse(struct config *config, int argc, const char *const *argv)
{
    static char copies[8][64];
    char *list[8];
    memset(config, 0, sizeof *config);
    error[0] = '\0';
    for (int i = 0; i < argc; i++)
        list[i] = strcpy(copies[i], argv[i]);
    return config_parse_args(config, argc, list, error, sizeof error);
}

static int parse_words(struct config *config, const char *line)
{
    static char copy[512];
    memset(config, 0, sizeof *config);
    error[0] = '\0';
    return config_parse_words(config, strcpy(copy, line), error, sizeof error);
}

static void test_arguments(void **state)
{
    (void)state;
    struct config config;
    const char *const argv[] = {"--set", "paper", "--samples=11", "--seconds=0.5",
                                "-o",    "x.tap", "--shuffle"};
    assert_int_equal(parse(&config, 7, argv), 0);
    assert_int_equal(config_resolve(&config, error, sizeof error), 0);
    assert_string_equal(config.set, "paper");
    assert_int_equal(config.samples, 11);
    assert_true(config.sample_s > 0.499 && config.sample_s < 0.501);
    assert_string_equal(config.output, "x.tap");
    assert_true(config.shuffle);
    assert_int_equal(config.mm_processes, 416);
    assert_int_equal(config.mm_mib, 100);
}

static void test_words(void **state)
{
    (void)state;
    struct config config;
    assert_int_equal(parse_words(&config, "console=ttyS0 guestbench.set=standard quiet "
                                          "guestbench.only=page_test,fork_test "
                                          "guestbench.seed=42 guestbench.shell\n"),
                     0);
    assert_int_equal(config_resolve(&config, error, sizeof error), 0);
    assert_string_equal(config.set, "standard");
    assert_string_equal(config.only, "page_test,fork_test");
    assert_int_equal(config.seed, 42);
    assert_true(config.shell);
    assert_int_equal(config.samples, 7);
    assert_int_equal(config.file_kib, 5120);
}

static void test_no_words(void **state)
{
    (void)state;
    struct config config;
    assert_int_equal(parse_words(&config, "console=ttyS0 root=/dev/sda1"), 0);
    assert_int_equal(config_resolve(&config, error, sizeof error), 0);
    assert_string_equal(config.set, "quick");
    assert_string_equal(config.tmp, "/tmp");
    assert_null(config.dir);
}

/* Each message names what was wrong. */
static void test_bad_arguments(void **state)
{
    (void)state;
    static const struct {
        const char *argument, *named;
    } cases[] = {
        {"--smaples=3", "--smaples"},
        {"--samples=0", "1 to 101"},
        {"--samples=102", "102"},
        {"--samples=3x", "3x"},
        {"--samples=-3", "-3"},
        {"--samples", "needs a value"},
        {"--seconds=1e3", "1e3"},
        {"--seconds=0", "seconds"},
        {"--seed=-1", "-1"},
        {"--seed=99999999999999999999999", "seed"},
        {"--seed=", "needs a value"},
        {"--shuffle=yes", "no value"},
        {"page_test", "--only=page_test"},
        {"--filesize=1", "KiB"},
        {"--shell", "--shell"},
        {"-x", "-x"},
        {"--seconds=.", "'.'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config config;
        if (parse(&config, 1, &cases[i].argument) != -1 || !strstr(error, cases[i].named))
            fail_msg("%s: message \"%s\"", cases[i].argument, error);
    }
}

static void test_bad_words(void **state)
{
    (void)state;
    struct config config;
    assert_int_equal(parse_words(&config, "guestbench.sets=quick"), -1);
    assert_non_null(strstr(error, "sets"));
    assert_int_equal(parse_words(&config, "guestbench.samples"), -1);
    assert_non_null(strstr(error, "samples"));
    assert_int_equal(parse_words(&config, "guestbench.set=quik"), 0);
    assert_int_equal(config_resolve(&config, error, sizeof error), -1);
    assert_non_null(strstr(error, "quik"));
}

static void test_lists(void **state)
{
    (void)state;
    assert_true(config_list_matches("page_test", "aim9.page_test"));
    assert_true(config_list_matches("aim9.page_test", "aim9.page_test"));
    assert_true(config_list_matches("fork_test,page_*", "aim9.page_test"));
    assert_true(config_list_matches("aim9.*", "aim9.page_test"));
    assert_false(config_list_matches("page", "aim9.page_test"));
    assert_false(config_list_matches("exit.*", "aim9.page_test"));
    assert_false(config_list_matches("", "aim9.page_test"));
    assert_true(config_list_matches("3,8", "8"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments), cmocka_unit_test(test_words),
        cmocka_unit_test(test_no_words),  cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_bad_words), cmocka_unit_test(test_lists),
    };
    return cmocka_run_group_tests_name("guestbench config", tests, NULL, NULL);
}
