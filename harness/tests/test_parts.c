// Guests, images, the console splitter, output files, the engine's decoding and small helpers.

#include "fixture.h"
#include "../cpu_mask.h"
#include "../engine.h"
#include "../guests.h"
#include "../image.h"
#include "../outset.h"
#include "../stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void numbers(void **state)
{
    (void)state;
    unsigned long long bytes;
    unsigned long count;
    double number;
    assert_true(parse_size("256M", &bytes) && bytes == 256ull << 20);
    assert_true(parse_size("4096", &bytes) && bytes == 4096);
    static const char *const no_size[] = {
        "", "M", "-1M", "1X", "1MM", "0", "99999999999999999999", "17592186044416M"};
    for (size_t i = 0; i < sizeof(no_size) / sizeof(*no_size); i++)
        assert_false(parse_size(no_size[i], &bytes));
    assert_true(parse_count("65535", 65535, &count) && count == 65535);
    assert_false(parse_count("65536", 65535, &count) || parse_count("+1", 9, &count) ||
                 parse_count("1 ", 9, &count));
    assert_true(parse_number("-1.5e3", &number) && number == -1500);
    assert_false(parse_number("nan", &number) || parse_number("inf", &number) ||
                 parse_number("1e999", &number) || parse_number("1x", &number));
}

static void guests(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    static const char good[] =
        "name: a\narch: i386\ncmdline: console=ttyS0 x=y\nmemory: 256M\nimage: a.img\n";
    free(fixture_file(dir, "a.yml", good, strlen(good)));
    free(fixture_file(dir, "b.yml", "arch: i386\n", 11));
    free(fixture_file(dir, "c.yml", "arch: [\n", 8));
    static const char bad[] = "arch: mips\ncmdline: x\nmemory: 256M\nimage: a.img\n";
    free(fixture_file(dir, "d.yml", bad, strlen(bad)));
    struct guest *guest = guest_load(dir, "a");
    assert_non_null(guest);
    assert_int_equal(guest->memory_bytes, 256 << 20);
    assert_string_equal(guest->cmdline, "console=ttyS0 x=y");
    assert_non_null(strstr(guest->image, "/build/images/a.img"));
    guest_free(guest);
    static const char *const refused[] = {"b", "c", "d", "e", "../a", ""};
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        assert_null(guest_load(dir, refused[i]));
    struct words names = {0};
    guest_names(dir, &names);
    assert_int_equal(names.n, 4);
    assert_string_equal(names.word[0], "a");
    words_free(&names);
    free(dir);
}

enum { image_bytes = 4096 * 512 };

// An empty disk of 4096 sectors with one partition of `sectors` from 2048 and an environment block.
static unsigned char *disk(unsigned sectors)
{
    static unsigned char bytes[image_bytes];
    char block[image_env_bytes];
    memset(bytes, 0, sizeof(bytes));
    bytes[510] = 0x55;
    bytes[511] = 0xaa;
    unsigned char *entry = bytes + 0x1be;
    entry[4] = 0x83;
    entry[9] = 2048 >> 8;
    entry[12] = (unsigned char)sectors;
    entry[13] = (unsigned char)(sectors >> 8);
    assert_int_equal(image_env_block(block, ""), 0);
    memcpy(bytes + 2040 * 512, block, sizeof(block));
    return bytes;
}

static void images(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    unsigned long long size;
    char *good = fixture_file(dir, "good", (char *)disk(2048), image_bytes);
    char *cut = fixture_file(dir, "cut", (char *)disk(2049), image_bytes);
    char *tiny = fixture_file(dir, "tiny", "x", 1);
    char *blank = fixture_file(dir, "blank", (char *)memset(disk(1), 0, 512), image_bytes);
    unsigned char *no_env_bytes = disk(2048);
    no_env_bytes[2040 * 512] = 0;
    char *no_env = fixture_file(dir, "noenv", (char *)no_env_bytes, image_bytes);
    assert_int_equal(image_check(good, &size), 0);
    assert_int_equal(size, image_bytes);
    assert_int_equal(image_check_disk(no_env, &size), 0);
    const char *refused[] = {cut, tiny, blank, no_env, dir, "/nonexistent/image"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        assert_int_equal(image_check(refused[i], &size), -1);
    char *copy = xasprintf("%s/copy", dir);
    assert_int_equal(image_copy(good, copy, "guestbench.set=quick a\\b"), 0);
    size_t len;
    char *bytes = file_read(copy, image_bytes, &len);
    assert_int_equal(len, image_bytes);
    static const char want[] = "# GRUB Environment Block\nappend=guestbench.set=quick a\\\\b\n####";
    assert_memory_equal(bytes + 2040 * 512, want, sizeof(want) - 1);
    assert_int_equal(bytes[2042 * 512 - 1], '#');
    assert_int_equal(bytes[2042 * 512], 0);
    assert_int_equal(image_copy(good, "/nonexistent/copy", ""), -1);
    char *const all[] = {dir, good, cut, tiny, blank, no_env, copy, bytes};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        free(all[i]);
}

static void env_block_limits(void **state)
{
    (void)state;
    char block[image_env_bytes], words[image_append_max + 2];
    memset(words, 'a', sizeof(words));
    words[image_append_max] = '\0';
    assert_int_equal(image_env_block(block, words), 0);
    words[image_append_max] = 'a';
    words[image_append_max + 1] = '\0';
    assert_int_equal(image_env_block(block, words), -1);
    memset(words, '\\', image_append_max); // escaped, twice as long: does not fit
    words[image_append_max] = '\0';
    assert_int_equal(image_env_block(block, words), -1);
}

struct split {
    struct buf tap, console;
};

static int to_tap(void *self, const char *line, size_t len)
{
    buf_add(&((struct split *)self)->tap, line, len);
    return 0;
}

static int to_console(void *self, const char *line, size_t len)
{
    buf_add(&((struct split *)self)->console, line, len);
    return 0;
}

static void splits_console(void **state)
{
    (void)state;
    static const char sent[] =
        "\033[HGRUB loading\r\nWelcome TAP version 13\r\n1..2\r\nok 1 - env\r\n"
        "  ---\r\n  a: b\r\n[ 1.0] noise\r\n  ...\r\n[ 1.1] more\r\nok 2 - aim9.x # SKIP no\r\n# "
        "end\r\n"
        "reboot: Power down\r\n\033[H\033[1;1Hlast\r\r";
    static const char tap[] = "TAP version 13\n1..2\nok 1 - env\n  ---\n  a: b\n  ...\n"
                              "ok 2 - aim9.x # SKIP no\n# end\n";
    // In pieces of every size: a read may end anywhere.
    for (size_t piece = 1; piece < sizeof(sent); piece++) {
        struct split split = {0};
        struct stream stream = {.tap = to_tap, .console = to_console, .self = &split};
        for (size_t at = 0; at < strlen(sent); at += piece)
            stream_take(&stream, sent + at, strlen(sent) - at < piece ? strlen(sent) - at : piece);
        assert_true(stream_complete(&stream));
        stream_end(&stream);
        assert_string_equal(split.tap.data, tap);
        assert_string_equal(split.console.data,
                            "\033[HGRUB loading\nWelcome [ 1.0] noise\n[ 1.1] more\n"
                            "reboot: Power down\n\033[H\033[1;1Hlast\n");
        assert_int_equal(stream.points, 2);
        assert_string_equal(stream.last_point, "aim9.x");
        assert_string_equal(stream.last_console, "last");
        stream_free(&stream);
        buf_free(&split.tap);
        buf_free(&split.console);
    }
}

static void open_block_is_incomplete(void **state)
{
    (void)state;
    static const char sent[] = "TAP version 13\n1..1\nok 1 - env\n  ---\n  a: b\n";
    struct split split = {0};
    struct stream stream = {.tap = to_tap, .console = to_console, .self = &split};
    stream_take(&stream, sent, strlen(sent));
    assert_false(stream_complete(&stream));
    stream_take(&stream, "  ...\n", 6);
    assert_true(stream_complete(&stream));
    stream_free(&stream);
    buf_free(&split.tap);
}

static void output_files(void **state)
{
    (void)state;
    char *dir = fixture_dir(), *tap = xasprintf("%s/new/sub/x.tap", dir);
    char *partial = xasprintf("%s.partial", tap), *old = xasprintf("%s.old", partial);
    struct outset set;
    assert_int_equal(outset_open(&set, tap), 0);
    assert_int_equal(outset_write(&set, out_tap, "one", 3), 0);
    assert_int_equal(access(tap, F_OK), -1);
    assert_int_equal(outset_close(&set, true), 0);
    size_t len;
    char *text = file_read(tap, 100, &len);
    assert_string_equal(text, "one");
    free(text);
    // Two failed runs: the good file stays, and both halves.
    for (int i = 0; i < 2; i++) {
        assert_int_equal(outset_open(&set, tap), 0);
        assert_int_equal(outset_write(&set, out_tap, i ? "three" : "two", i ? 5 : 3), 0);
        assert_int_equal(outset_close(&set, false), 0);
    }
    const char *const path[] = {tap, partial, old}, *const want[] = {"one", "three", "two"};
    for (int i = 0; i < 3; i++) {
        text = file_read(path[i], 100, &len);
        assert_string_equal(text, want[i]);
        free(text);
    }
    assert_int_equal(outset_open(&set, dir), -1);
    outset_close(&set, false);
    free(dir);
    free(tap);
    free(partial);
    free(old);
}

// Wait statuses as wait(2) gives them: the exit status in bits 8 to 15, a signal in bits 0 to 6.
static void endings(void **state)
{
    (void)state;
    static const struct {
        enum side side;
        int status;
        const char *name;
        bool clean;
    } table[] = {{side_hvm, 33 << 8, "poweroff", true},      {side_hvm, 35 << 8, "reboot", false},
                 {side_hvm, 37 << 8, "triple-fault", false}, {side_hvm, 39 << 8, "hang", false},
                 {side_hvm, 41 << 8, "config", false},       {side_hvm, 43 << 8, "vm-error", false},
                 {side_hvm, 45 << 8, "panic", false},        {side_hvm, 0, "reset", false},
                 {side_hvm, 1 << 8, "error", false},         {side_native, 0, "poweroff", true},
                 {side_native, 1 << 8, "error", false},      {side_native, 33 << 8, "error", false},
                 {side_native, 11, "signal-11", false}};
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct ending ending = engine_tcg.ending(
            &(struct remains){.side = table[i].side, .wait_status = table[i].status});
        assert_string_equal(ending.name, table[i].name);
        assert_int_equal(ending.clean, table[i].clean);
    }
}

static void cpu_masks(void **state)
{
    (void)state;
    char *model = cpu_native_model("max");
    assert_non_null(strstr(model, ",-apic"));
    assert_non_null(strstr(model, ",-hypervisor"));
    assert_int_equal(cpu_hidden_bits(1, 0, "edx") & 1u << 9, 1u << 9);
    assert_int_equal(cpu_hidden_bits(0x80000001, 0, "ecx"), 1u << 2);
    assert_int_equal(cpu_hidden_bits(0x1234, 0, "eax"), 0);
    free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),        cmocka_unit_test(guests),
        cmocka_unit_test(images),         cmocka_unit_test(env_block_limits),
        cmocka_unit_test(splits_console), cmocka_unit_test(open_block_is_incomplete),
        cmocka_unit_test(output_files),   cmocka_unit_test(endings),
        cmocka_unit_test(cpu_masks),
    };
    return cmocka_run_group_tests_name("harness_parts", tests, NULL, NULL);
}
