/* The words of docs/reference.md. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/options.h"

enum { A = 1, BEE = 2, CEE = 4, ALL = 7 };

static const char *const shadow_names[] = {"a", "bee", "cee"};
static struct options o;
static char why[240];

static bool parse(const char *cmdline)
{
    memset(&o, 0xa5, sizeof o);
    why[0] = '\0';
    return options_parse(cmdline, shadow_names, 3, &o, why, sizeof why);
}

static void good(const char *cmdline)
{
    if (!parse(cmdline))
        fail_msg("\"%s\": %s", cmdline, why);
}

/* The message begins with the word and a colon, and says what was expected. */
static void bad(const char *cmdline, const char *word, const char *expected)
{
    if (parse(cmdline))
        fail_msg("\"%s\" was taken", cmdline);
    size_t n = strlen(word), end = strlen(why);
    if (strncmp(why, word, n) != 0 || strncmp(why + n, ": ", 2) != 0)
        fail_msg("\"%s\": \"%s\" does not name %s", cmdline, why, word);
    if (!strstr(why, expected))
        fail_msg("\"%s\": \"%s\" does not say: %s", cmdline, why, expected);
    assert_true(end > 8);
    assert_string_equal(why + end - 8, "expected");
}

static void defaults(void **state)
{
    (void)state;
    static const char *const empty[] = {"",         "  \t ",      "/boot/hv.elf", "build/hv.elf",
                                        " hv.elf ", "/a=b/hv.elf"};
    for (unsigned i = 0; i < array_size(empty); i++) {
        good(empty[i]);
        assert_int_equal(o.mem_bytes, 256 * MiB);
        for (unsigned d = 0; d < OPTION_DISKS; d++)
            assert_int_equal(o.disk[d].backing, DISK_AUTO);
        assert_int_equal(o.cdrom, DISK_AUTO);
        assert_int_equal(o.boot, BOOT_AUTO);
        assert_int_equal(o.console_port, 0x3f8);
        assert_int_equal(o.log_port, 0x2f8);
        assert_int_equal(o.shadow, ALL);
        assert_int_equal(o.audit_every, 0);
        assert_int_equal(o.watchdog_s, 0);
    }
}

static void memory(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        u64 bytes;
    } cases[] = {
        {"mem=1M", MiB},          {"mem=256M", 256 * MiB}, {"mem=1G", GiB},
        {"mem=3G", 3 * GiB},      {"mem=3072M", 3 * GiB},  {"mem=1024K", MiB},
        {"mem=65536K", 64 * MiB}, {"mem=0064M", 64 * MiB},
    };
    static const char *const wrong[] = {
        "mem=",
        "mem=256",
        "mem=M",
        "mem=0M",
        "mem=256m",
        "mem=256MB",
        "mem=-1M",
        "mem=1.5G",
        "mem=4G",
        "mem=1023K",
        "mem=1028K",
        "mem=3073M",
        "mem=x",
        "mem=18446744073709551616M",
        "mem=17592186044416M",
        "mem=17179869185G",
        "mem=99999999999999999999999G",
    };
    for (unsigned i = 0; i < array_size(cases); i++) {
        good(cases[i].word);
        assert_int_equal(o.mem_bytes, cases[i].bytes);
    }
    for (unsigned i = 0; i < array_size(wrong); i++)
        bad(wrong[i], wrong[i], "1M to 3G in whole MiB, as in mem=256M");
}

static void disks(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "disk0=",        "disk1=host",    "disk2=host:",
        "disk3=host:4",  "disk0=host:0x", "disk0=Module",
        "disk0=host:-1", "disk0=modules", "disk0=host:18446744073709551616",
    };
    good("disk0=module disk1=none disk2=host:3 disk3=host:0");
    assert_int_equal(o.disk[0].backing, DISK_MODULE);
    assert_int_equal(o.disk[1].backing, DISK_NONE);
    assert_int_equal(o.disk[2].backing, DISK_HOST);
    assert_int_equal(o.disk[2].host, 3);
    assert_int_equal(o.disk[3].backing, DISK_HOST);
    assert_int_equal(o.disk[3].host, 0);
    for (unsigned i = 0; i < array_size(wrong); i++)
        bad(wrong[i], wrong[i], "module, none or host:0 to host:3");
    bad("x disk4=none", "disk4=none", "disk0= to disk3=");
    bad("x disk=none", "disk=none", "disk0= to disk3=");
}

static void medium_and_order(void **state)
{
    (void)state;
    good("cdrom=module boot=cdrom");
    assert_int_equal(o.cdrom, DISK_MODULE);
    assert_int_equal(o.boot, BOOT_CDROM);
    good("cdrom=none boot=disk");
    assert_int_equal(o.cdrom, DISK_NONE);
    assert_int_equal(o.boot, BOOT_DISK);
    bad("cdrom=host:0", "cdrom=host:0", "module or none");
    bad("cdrom=", "cdrom=", "module or none");
    bad("boot=floppy", "boot=floppy", "disk or cdrom");
    bad("boot=", "boot=", "disk or cdrom");
}

static void ports(void **state)
{
    (void)state;
    good("console=com2 log=com1");
    assert_int_equal(o.console_port, 0x2f8);
    assert_int_equal(o.log_port, 0x3f8);
    good("console=none log=none");
    assert_int_equal(o.console_port, 0);
    assert_int_equal(o.log_port, 0);
    bad("console=com3", "console=com3", "com1, com2 or none");
    bad("log=", "log=", "com1, com2 or none");
    good("log=com1"); /* with the console's lines */
    assert_int_equal(o.console_port, 0x3f8);
    assert_int_equal(o.log_port, 0x3f8);
}

static void shadow(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        unsigned on;
    } cases[] = {
        {"shadow=", ALL},
        {"shadow=all", ALL},
        {"shadow=none", 0},
        {"shadow=-bee", ALL - BEE},
        {"shadow=none,cee", CEE},
        {"shadow=bee", ALL},
        {"shadow=none,a,bee", A | BEE},
        {"shadow=-a,-bee,-cee", 0},
        {"shadow=none,all,-a", BEE | CEE},
        {"shadow=none,a,-a", 0},
        {"shadow=none,a,", A},
    };
    for (unsigned i = 0; i < array_size(cases); i++) {
        good(cases[i].word);
        assert_int_equal(o.shadow, cases[i].on);
    }
    good("shadow=none shadow=cee"); /* the second goes on from the first */
    assert_int_equal(o.shadow, CEE);
    bad("shadow=be", "shadow=be", "a, bee, cee, each also with -, all or none");
    bad("shadow=a,beee", "shadow=beee", "a, bee, cee");
    bad("shadow=-dee", "shadow=-dee", "a, bee, cee");
    bad("shadow=a,,bee", "shadow=", "a, bee, cee");
    bad("shadow=-", "shadow=-", "a, bee, cee");
    bad("shadow=-all", "shadow=-all", "all or none");
    bad("shadow=-none", "shadow=-none", "all or none");
    bad("shadow=A", "shadow=A", "a, bee, cee");
    bad("shadow=a-name-that-is-longer-than-any-that-there-is",
        "shadow=a-name-that-is-longer-than-any-", "a, bee");
}

/* Whatever many and long the names are, the message fits. */
static void many_shadow_names(void **state)
{
    (void)state;
    const char *names[31];
    char small[20];
    for (unsigned i = 0; i < 31; i++)
        names[i] = "an-optimisation-with-a-name";
    assert_false(options_parse("shadow=x", names, 31, &o, why, sizeof why));
    assert_int_equal(strncmp(why, "shadow=x: an-opt", 16), 0);
    assert_false(options_parse("shadow=x", names, 31, &o, small, sizeof small));
    assert_int_equal(strlen(small), sizeof small - 1);
    assert_true(options_parse("", names, 31, &o, why, sizeof why));
    assert_int_equal(o.shadow, 0x7fffffff);
}

static void numbers(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "x", "1x", "-1", "+1", "0x10", "1.5", "1000000001", "18446744073709551617"};
    good("audit=1 watchdog=90");
    assert_int_equal(o.audit_every, 1);
    assert_int_equal(o.watchdog_s, 90);
    good("audit=1000000000 watchdog=0");
    assert_int_equal(o.audit_every, 1000000000);
    assert_int_equal(o.watchdog_s, 0);
    for (unsigned i = 0; i < array_size(wrong); i++) {
        char word[64];
        snprintf(word, sizeof word, "audit=%s", wrong[i]);
        bad(word, word, "a whole number up to 1000000000");
        snprintf(word, sizeof word, "watchdog=%s", wrong[i]);
        bad(word, word, "a whole number up to 1000000000");
    }
}

static void words(void **state)
{
    (void)state;
    good("\t mem=64M\t\tmem=128M  ");
    assert_int_equal(o.mem_bytes, 128 * MiB); /* the last one holds */
    good("/x/hv.elf mem=64M");
    assert_int_equal(o.mem_bytes, 64 * MiB);
    bad("hv.elf quiet", "quiet", "name=value");
    bad("mem=64M /x/hv.elf", "/x/hv.elf", "name=value"); /* a path comes first or not at all */
    bad("memory=64M", "memory=64M",
        "mem=, disk0= to disk3=, cdrom=, boot=, console=, log=, shadow=, audit= or watchdog=");
    bad("me=64M", "me=64M", "mem=");
    bad("=64M", "=64M", "mem=");
    bad("MEM=64M", "MEM=64M", "mem=");
    bad("log=none watchdo=1", "watchdo=1", "watchdog=");
}

static void long_words(void **state)
{
    (void)state;
    char text[400], cut[101];
    memset(text, '0', sizeof text);
    memcpy(text, "audit=", 6);
    memcpy(text + 199 - 1, "7", 2);
    good(text); /* 199 characters */
    assert_int_equal(o.audit_every, 7);
    memcpy(text + 199 - 1, "07", 3);
    snprintf(cut, sizeof cut, "%.100s", text);
    bad(text, cut, "less than 200 characters"); /* and not audit=0 */
    memset(text, 'p', sizeof text);
    *text = '/';
    memcpy(text + 390, " audit=9", 9);
    good(text);
    assert_int_equal(o.audit_every, 9);
}

static u32 rnd(void)
{
    static u64 seed = 0x2545f4914f6cdd1d;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (u32)(seed >> 32);
}

/* Pieces of words in random order, some of them spoilt; the text and the message are heap blocks of
 * their exact size. */
static void random_words(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "mem=",
        "disk0=",
        "disk3=",
        "cdrom=",
        "boot=",
        "console=",
        "log=",
        "shadow=",
        "audit=",
        "watchdog=",
        " ",
        " ",
        " ",
        "\t",
        ",",
        "-",
        "=",
        "module",
        "none",
        "host:",
        "com1",
        "com2",
        "disk",
        "a",
        "bee",
        "all",
        "1",
        "256",
        "M",
        "G",
        "99999999999999999999",
        "/x",
    };
    unsigned taken = 0;
    for (unsigned round = 0; round < 20000; round++) {
        char text[300] = "", *exact;
        size_t n = 0;
        for (unsigned i = 0, count = rnd() % 12; i < count; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s",
                                  pieces[rnd() % array_size(pieces)]);
        if (n && rnd() % 4 == 0)
            text[rnd() % n] = (char)(rnd() % 255 + 1);
        exact = strdup(text);
        size_t room = 1 + rnd() % 100;
        char *message = malloc(room);
        assert_non_null(exact);
        assert_non_null(message);
        *message = '\0';
        if (options_parse(exact, shadow_names, 3, &o, message, room)) {
            taken++;
            assert_in_range(o.mem_bytes, MiB, 3 * GiB);
            assert_int_equal(o.mem_bytes % MiB, 0);
            assert_int_equal(o.shadow & ~ALL, 0);
            for (unsigned d = 0; d < OPTION_DISKS; d++)
                assert_in_range(o.disk[d].host, 0, 3);
            assert_in_range(o.watchdog_s, 0, 1000000000);
        } else {
            assert_in_range(strnlen(message, room), room > 1 ? 1 : 0, room - 1);
        }
        free(message);
        free(exact);
    }
    assert_in_range(taken, 1000, 19000); /* both ways were taken often */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(memory),
        cmocka_unit_test(disks),
        cmocka_unit_test(medium_and_order),
        cmocka_unit_test(ports),
        cmocka_unit_test(shadow),
        cmocka_unit_test(many_shadow_names),
        cmocka_unit_test(numbers),
        cmocka_unit_test(words),
        cmocka_unit_test(long_words),
        cmocka_unit_test(random_words),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
