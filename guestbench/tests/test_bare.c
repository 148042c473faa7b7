/* The parts of the bare benchmark that need no machine: its statistics and its words. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../bare/bare.h"

static jmp_buf bailed;
static char message[512];

void bail_out(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    longjmp(bailed, 1);
}

static void stats_of_seven(void **state)
{
    (void)state;
    const u64 samples[] = {5000, 1000, 3000, 2000, 9000, 4000, 3500};
    struct stats stats;
    stats_compute(samples, 7, &stats);
    assert_int_equal(stats.median, 3500);
    assert_int_equal(stats.mad, 1500);
    assert_int_equal(stats.low, 1000);
    assert_int_equal(stats.high, 9000);
    assert_int_equal(stats.level, 9843); /* 1 - 2/128 */
}

static void stats_of_others(void **state)
{
    (void)state;
    u64 samples[SAMPLES_MAX];
    struct stats stats;
    for (u32 i = 0; i < SAMPLES_MAX; i++)
        samples[i] = (i * 7 % SAMPLES_MAX + 1) * 1000; /* 1000 to 31000 in another order */
    stats_compute(samples, 1, &stats);
    assert_int_equal(stats.median, 1000);
    assert_int_equal(stats.level, 0);
    stats_compute(samples, 2, &stats); /* 1000 and 8000 */
    assert_int_equal(stats.median, 4500);
    assert_int_equal(stats.level, 5000);
    /* 11 values: x(2)..x(10) has 1 - 24/2048. */
    for (u32 i = 0; i < 11; i++)
        samples[i] = i * 10;
    stats_compute(samples, 11, &stats);
    assert_int_equal(stats.low, 10);
    assert_int_equal(stats.high, 90);
    assert_int_equal(stats.level, 9882);
    for (u32 i = 0; i < SAMPLES_MAX; i++)
        samples[i] = i;
    stats_compute(samples, SAMPLES_MAX, &stats); /* x(10)..x(22) */
    assert_int_equal(stats.low, 9);
    assert_int_equal(stats.high, 21);
    assert_true(stats.level >= 9500);
}

static void calibration(void **state)
{
    (void)state;
    bool done;
    assert_int_equal(stats_calibrate(1, 1, 200000, &done), 16);
    assert_false(done);
    assert_int_equal(stats_calibrate(100, 40000, 200000, &done), 200);
    assert_false(done);
    assert_int_equal(stats_calibrate(100, 100000, 200000, &done), 200);
    assert_true(done);
    assert_int_equal(stats_calibrate(1, 1000000, 200000, &done), 1);
    assert_true(done);
    assert_int_equal(stats_calibrate(1, 0, 200000, &done), 16);
    assert_false(done);
    /* A clock that stands still does not go on for ever. */
    u32 n = 1, trials = 0;
    for (done = false; !done; trials++)
        n = stats_calibrate(n, 0, 200000, &done);
    assert_int_equal(n, 1 << 26);
    assert_true(trials < 10);
}

static void globs(void **state)
{
    (void)state;
    assert_true(glob_list_matches("", "event.cpuid"));
    assert_true(glob_list_matches("cpuid", "event.cpuid"));
    assert_true(glob_list_matches("event.cpuid", "event.cpuid"));
    assert_false(glob_list_matches("cpui", "event.cpuid"));
    assert_false(glob_list_matches("cpuidx", "event.cpuid"));
    assert_true(glob_list_matches("pae.*", "pae.cr0_wp"));
    assert_false(glob_list_matches("pae.*", "2-level.cr0_wp"));
    assert_true(glob_list_matches("rdtsc,cr0_*", "2-level.cr0_wp"));
    assert_true(glob_list_matches("*_?at", "event.rdmsr_pat"));
    assert_true(glob_list_matches("*r*_*p", "pae.cr0_wp"));
    assert_false(glob_list_matches("a*,b*", "event.cpuid"));
    assert_true(glob_list_matches("a*,*", "event.cpuid"));
    assert_false(glob_list_matches(",", "event.cpuid"));
}

static void words(void **state)
{
    (void)state;
    struct settings s;
    assert_int_equal(setjmp(bailed), 0);
    settings_read(&s, "");
    assert_string_equal(s.set, "quick");
    assert_int_equal(s.samples, 7);
    settings_read(&s, "quiet guestbench.set=paper  guestbench.side=hvm guestbench.only=a*,b x=y");
    assert_string_equal(s.side, "hvm");
    assert_string_equal(s.only, "a*,b");
    assert_int_equal(s.samples, 11);
    assert_int_equal(s.sample_cycles, 100000000);
    settings_read(&s, "guestbench.samples=31 guestbench.seed=7");
    assert_int_equal(s.samples, 31);
    assert_string_equal(s.seed, "7");
}

static void refuses(const char *line, const char *expected)
{
    struct settings s;
    message[0] = '\0';
    if (!setjmp(bailed))
        settings_read(&s, line);
    if (!strstr(message, expected))
        fail_msg("'%s' for '%s'", message, line);
}

static void bad_words(void **state)
{
    (void)state;
    char longer[400] = "guestbench.only=";
    memset(longer + strlen(longer), 'x', 300);
    refuses("guestbench.colour=red", "guestbench.colour: unknown here");
    refuses("guestbench.samples=32", "guestbench.samples=32: a number from 1 to 31 expected");
    refuses("guestbench.samples=0", "a number from 1 to 31 expected");
    refuses("guestbench.samples=", "a number from 1 to 31 expected");
    refuses("guestbench.samples=4294967297", "a number from 1 to 31 expected");
    refuses("guestbench.samples=3x", "a number from 1 to 31 expected");
    refuses("guestbench.set=slow", "quick, standard or paper expected");
    refuses("guestbench.seed=-1", "guestbench.seed=-1: a whole number expected");
    refuses("guestbench.side", "guestbench.side: name=value expected");
    refuses("guestbench.side=abcdefghijklmnopqrstuvwxyz", "longer than 15 characters");
    refuses(longer, "name=value expected");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stats_of_seven), cmocka_unit_test(stats_of_others),
        cmocka_unit_test(calibration),    cmocka_unit_test(globs),
        cmocka_unit_test(words),          cmocka_unit_test(bad_words),
    };
    return cmocka_run_group_tests_name("guestbench_bare", tests, NULL, NULL);
}
