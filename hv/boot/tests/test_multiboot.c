/* The loader's information. What a loader would leave in low memory is built in a heap block, so that
 * ASan sees a read behind its end; "hpa" 0 is the block's first byte. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "boot/multiboot.h"

enum { MAGIC = 0x2badb002, LOW_BYTES = 64 * 1024, CMDLINE = 1 << 2, MODS = 1 << 3, MMAP = 1 << 6 };

/* Multiboot Specification 0.6.96, 3.3: the words of the information by their byte offset / 4. */
enum {
    FLAGS = 0,
    CMDLINE_ADDR = 4,
    MODS_COUNT = 5,
    MODS_ADDR = 6,
    MMAP_LENGTH = 11,
    MMAP_ADDR = 12,
    INFO_WORDS = 13
};

struct low {
    u8 *bytes;
    u32 used; /* from the front */
    u32 free; /* from the back */
    u32 info;
    struct boot_info out;
    char why[200];
};

static u32 put(struct low *l, const void *data, u32 bytes)
{
    u32 at = align_up(l->used, 4u);
    memcpy(l->bytes + at, data, bytes);
    l->used = at + bytes;
    return at;
}

/* At the block's end: nothing lies behind it. */
static u32 put_last(struct low *l, const void *data, u32 bytes)
{
    l->free -= bytes;
    memcpy(l->bytes + l->free, data, bytes);
    return l->free;
}

static void set(struct low *l, unsigned word, u32 value)
{
    memcpy(l->bytes + l->info + 4 * word, &value, sizeof value);
}

static u32 get(const struct low *l, unsigned word)
{
    u32 value;
    memcpy(&value, l->bytes + l->info + 4 * word, sizeof value);
    return value;
}

static void put_text(struct low *l, const char *text)
{
    set(l, CMDLINE_ADDR, put(l, text, (u32)strlen(text) + 1));
    set(l, FLAGS, get(l, FLAGS) | CMDLINE);
}

static void put_mmap(struct low *l, const void *map, u32 bytes)
{
    set(l, MMAP_ADDR, put_last(l, map, bytes));
    set(l, MMAP_LENGTH, bytes);
    set(l, FLAGS, get(l, FLAGS) | MMAP);
}

/* One module: its start, end and words. */
struct given {
    u32 start, end;
    const char *text;
};

static void put_modules(struct low *l, const struct given *given, u32 count)
{
    u32 table[4 * (BOOT_MODULES + 1)] = {0};
    for (u32 i = 0; i < count; i++) {
        table[4 * i] = given[i].start;
        table[4 * i + 1] = given[i].end;
        table[4 * i + 2] =
            given[i].text ? put(l, given[i].text, (u32)strlen(given[i].text) + 1) : 0;
    }
    set(l, MODS_ADDR, put(l, table, 16 * count));
    set(l, MODS_COUNT, count);
    set(l, FLAGS, get(l, FLAGS) | MODS);
}

/* An entry of the memory map as a loader lays it: size, then what size counts. */
struct entry {
    u32 size;
    u64 addr, length;
    u32 type;
} __attribute__((packed));

static const struct entry pc[] = {
    {20, 0, 0x9fc00, 1},
    {20, 0x9fc00, 0x400, 2},
    {20, MiB, 255 * MiB, 1},
    {20, 4 * GiB, GiB, 1},
};

static int setup(void **state)
{
    struct low *l = calloc(1, sizeof *l);
    assert_non_null(l);
    l->bytes = calloc(1, LOW_BYTES);
    assert_non_null(l->bytes);
    l->used = 16; /* address 0 is no text */
    l->free = LOW_BYTES;
    l->info = put(l, (u32[INFO_WORDS]){0}, 4 * INFO_WORDS);
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    struct low *l = *state;
    free(l->bytes);
    free(l);
    return 0;
}

static bool parse(struct low *l)
{
    memset(&l->out, 0xa5, sizeof l->out);
    l->why[0] = '\0';
    return multiboot_parse(MAGIC, l->info, (intptr_t)l->bytes, &l->out, l->why, sizeof l->why);
}

static void well_formed(void **state)
{
    struct low *l = *state;
    const struct given given[] = {{0x200000, 0x220000, "seabios"}, {0x220000, 0x220000, "cdrom"}};
    put_text(l, "mem=128M log=com2");
    put_modules(l, given, 2);
    put_mmap(l, pc, sizeof pc);
    assert_true(parse(l));
    assert_string_equal(l->out.cmdline, "mem=128M log=com2");
    assert_int_equal(l->out.modules, 2);
    assert_int_equal(l->out.regions, 3); /* the reserved one is left out */
    assert_int_equal(l->out.region[1].hpa, MiB);
    assert_int_equal(l->out.region[1].bytes, 255 * MiB);
    assert_int_equal(l->out.region[2].hpa, 4 * GiB);
    const struct boot_module *m = boot_module(&l->out, "seabios");
    assert_non_null(m);
    assert_int_equal(m->hpa, 0x200000);
    assert_int_equal(m->bytes, 0x20000);
    assert_int_equal(boot_module(&l->out, "cdrom")->bytes, 0);
    assert_null(boot_module(&l->out, "disk0"));
    assert_null(boot_module(&l->out, "seabio"));
}

static void no_modules_no_words(void **state)
{
    struct low *l = *state;
    put_mmap(l, pc, sizeof pc);
    set(l, MODS_COUNT, 99); /* the flags say that there are none */
    assert_true(parse(l));
    assert_int_equal(l->out.modules, 0);
    assert_string_equal(l->out.cmdline, "");
}

static void another_loader(void **state)
{
    struct low *l = *state;
    put_mmap(l, pc, sizeof pc);
    assert_false(
        multiboot_parse(0x36d76289, l->info, (intptr_t)l->bytes, &l->out, l->why, sizeof l->why));
    assert_non_null(strstr(l->why, "36d76289"));
    assert_non_null(strstr(l->why, "2badb002) expected"));
}

static void names(void **state)
{
    static const struct {
        const char *text, *name;
    } cases[] = {
        {"disk0", "disk0"},
        {"/boot/my disk.img disk1", "disk1"},
        {"/path/x.img disk2", "disk2"},
        {"  disk3  ", "disk3"},
        {"/path/x.img", "/path/x.img"},
        {"", ""},
        {"   ", ""},
        {"a-name-longer-than-fifteen", "a-name-longer-t"},
        {NULL, ""},
    };
    struct low *l = *state;
    struct given given[array_size(cases)];
    for (unsigned i = 0; i < array_size(cases); i++)
        given[i] = (struct given){0x1000 * i, 0x1000 * i + 1, cases[i].text};
    put_modules(l, given, array_size(cases));
    put_mmap(l, pc, sizeof pc);
    assert_true(parse(l));
    for (unsigned i = 0; i < array_size(cases); i++)
        assert_string_equal(l->out.module[i].name, cases[i].name);
}

static void module_count(void **state)
{
    struct low *l = *state;
    struct given given[BOOT_MODULES + 1];
    for (unsigned i = 0; i < array_size(given); i++)
        given[i] = (struct given){0x1000, 0x2000, "disk0"};
    put_mmap(l, pc, sizeof pc);
    put_modules(l, given, BOOT_MODULES);
    assert_true(parse(l));
    assert_int_equal(l->out.modules, BOOT_MODULES);
    put_modules(l, given, BOOT_MODULES + 1);
    assert_false(parse(l));
    assert_string_equal(l->why, "17 modules: at most 16 expected");
    set(l, MODS_COUNT, ~0u);
    assert_false(parse(l));
}

static void module_end_below_start(void **state)
{
    struct low *l = *state;
    const struct given given[] = {{0x2000, 0x3000, "seabios"}, {0x5000, 0x4fff, "x.img disk1"}};
    put_mmap(l, pc, sizeof pc);
    put_modules(l, given, 2);
    assert_false(parse(l));
    assert_string_equal(l->why, "module disk1: ends below its start");
}

static void long_command_line(void **state)
{
    struct low *l = *state;
    char text[BOOT_CMDLINE + 1];
    memset(text, 'x', sizeof text);
    put_mmap(l, pc, sizeof pc);
    text[BOOT_CMDLINE - 1] = '\0';
    put_text(l, text);
    assert_true(parse(l));
    assert_string_equal(l->out.cmdline, text);
    text[BOOT_CMDLINE - 1] = 'x';
    text[BOOT_CMDLINE] = '\0';
    put_text(l, text);
    assert_false(parse(l));
    assert_string_equal(l->why, "command line: longer than 1023 characters");
}

/* No more than BOOT_CMDLINE bytes of a text without an end are read. */
static void endless_command_line(void **state)
{
    struct low *l = *state;
    char text[BOOT_CMDLINE];
    memset(text, 'x', sizeof text);
    set(l, CMDLINE_ADDR, put_last(l, text, sizeof text));
    set(l, FLAGS, CMDLINE);
    assert_false(parse(l));
}

static void no_memory_map(void **state)
{
    struct low *l = *state;
    assert_false(parse(l));
    assert_string_equal(l->why, "the boot loader gave no memory map");
    put_mmap(l, pc + 1, sizeof pc[0]); /* reserved memory alone */
    assert_false(parse(l));
    assert_string_equal(l->why, "the boot loader's memory map names no RAM");
    set(l, MMAP_LENGTH, 0);
    assert_false(parse(l));
}

static void useless_entries(void **state)
{
    struct low *l = *state;
    const struct entry map[] = {
        {20, MiB, 0, 1},           /* empty */
        {20, ~0ull - 99, 4096, 1}, /* wraps */
        {20, MiB, MiB, 3},         /* ACPI */
        {20, 8 * MiB, MiB, 1},
    };
    put_mmap(l, map, sizeof map);
    assert_true(parse(l));
    assert_int_equal(l->out.regions, 1);
    assert_int_equal(l->out.region[0].hpa, 8 * MiB);
}

/* A loader may append to an entry; size says where the next one is. */
static void longer_entries(void **state)
{
    struct low *l = *state;
    const struct {
        struct entry e;
        u32 attributes;
    } __attribute__((packed)) map[] = {{{24, MiB, MiB, 1}, 1}, {{24, 4 * MiB, MiB, 1}, 1}};
    put_mmap(l, map, sizeof map);
    assert_true(parse(l));
    assert_int_equal(l->out.regions, 2);
    assert_int_equal(l->out.region[1].hpa, 4 * MiB);
}

/* The walk ends at a size that cannot be one; the map lies at the end of what may be read. */
static void entry_sizes(void **state)
{
    static const u32 sizes[] = {0, 4, 19, 21, 1000, 0x7fffffff, 0xfffffffc, 0xffffffff};
    for (unsigned i = 0; i < array_size(sizes); i++) {
        struct low *l = *state;
        /* Whoever goes on at the wrong place finds type 1 there. */
        const struct entry map[] = {{sizes[i], MiB, MiB, 1}, {1, 1, 4 * MiB, 1}};
        put_mmap(l, map, sizeof map);
        assert_true(parse(l));
        assert_int_equal(l->out.regions, 1);
        assert_int_equal(l->out.region[0].hpa, MiB);
    }
}

static void truncated_map(void **state)
{
    struct low *l = *state;
    for (u32 cut = 1; cut < sizeof(struct entry); cut++) {
        put_mmap(l, pc, sizeof pc - cut);
        assert_true(parse(l));
        assert_int_equal(l->out.regions, 2);
    }
}

static void many_regions(void **state)
{
    struct low *l = *state;
    struct entry map[BOOT_REGIONS + 9];
    for (unsigned i = 0; i < array_size(map); i++)
        map[i] = (struct entry){20, (i + 1) * MiB, 4096, 1};
    put_mmap(l, map, sizeof map);
    assert_true(parse(l));
    assert_int_equal(l->out.regions, BOOT_REGIONS);
    assert_int_equal(l->out.region[BOOT_REGIONS - 1].hpa, BOOT_REGIONS * MiB);
}

static u64 seed = 0x9e3779b97f4a7c15;

static u32 rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (u32)(seed >> 32);
}

static void check_info(const struct boot_info *b)
{
    assert_in_range(b->regions, 1, BOOT_REGIONS);
    assert_in_range(b->modules, 0, BOOT_MODULES);
    for (unsigned i = 0; i < b->regions; i++)
        assert_true(b->region[i].hpa + b->region[i].bytes > b->region[i].hpa);
    for (unsigned i = 0; i < b->modules; i++) {
        assert_in_range(strnlen(b->module[i].name, sizeof b->module[i].name), 0,
                        sizeof b->module[i].name - 1);
        assert_null(strchr(b->module[i].name, ' '));
        assert_true(b->module[i].hpa + b->module[i].bytes <= 4 * GiB);
    }
    assert_in_range(strnlen(b->cmdline, BOOT_CMDLINE), 0, BOOT_CMDLINE - 1);
}

/* Random words, most of them ones that mean something somewhere. */
static u32 random_word(void)
{
    static const u32 common[] = {0, 1, 20, ' ', 0x20202020, 0x100000, 0x80000000, ~0u};
    return rnd() % 3 ? common[rnd() % array_size(common)] : rnd();
}

/* An address among the random bytes, or anywhere. */
static u32 random_address(u32 low_bytes)
{
    return rnd() % 4 ? rnd() % low_bytes : rnd();
}

/* Random information at hpa info, and its tables below low_bytes. Half of the time it is near enough
 * to the truth to get far. */
static void random_low(u8 *ram, u32 low_bytes, u32 info)
{
    for (u32 at = 0; at < low_bytes; at += 4)
        memcpy(ram + at, (u32[1]){random_word()}, 4);
    struct low l = {.bytes = ram, .info = info};
    set(&l, MODS_ADDR, align_down(random_address(low_bytes), 4u)); /* a loader aligns it */
    if (rnd() % 2)
        return;
    set(&l, FLAGS, rnd() % 4 ? MMAP | CMDLINE : MMAP | CMDLINE | MODS);
    set(&l, CMDLINE_ADDR, random_address(low_bytes));
    set(&l, MODS_COUNT, rnd() % 20);
    set(&l, MMAP_LENGTH, rnd() % 8 ? rnd() % 4096 : rnd());
    u32 map = low_bytes - rnd() % 1024;
    set(&l, MMAP_ADDR, map);
    for (unsigned i = 0; i < rnd() % 100; i++) {
        struct entry e = {rnd() % 8 ? 20 : random_word(), rnd() * (u64)PAGE_SIZE, rnd(), rnd() % 3};
        memcpy(ram + map + i * sizeof e, &e, sizeof e);
    }
}

/* Any 32-bit address is somewhere in a 4 GiB machine: random bytes below, zeros above, and nothing to
 * read behind it but the one page that the last table may run into. */
static void random_information(void **state)
{
    (void)state;
    enum { ROUNDS = 4000, LOW = 4096 };
    size_t size = 4 * GiB + PAGE_SIZE;
    u8 *ram = mmap(NULL, size + PAGE_SIZE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(ram, MAP_FAILED);
    assert_int_equal(mprotect(ram + size, PAGE_SIZE, PROT_NONE), 0);
    unsigned good = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        u32 info = align_down(rnd() % (LOW / 2), 4u);
        struct boot_info out;
        char why[100] = "";
        random_low(ram, LOW, info);
        if (multiboot_parse(MAGIC, info, (intptr_t)ram, &out, why, sizeof why)) {
            check_info(&out);
            good++;
        } else {
            assert_int_not_equal(why[0], '\0');
        }
    }
    assert_in_range(good, ROUNDS / 10, ROUNDS * 9 / 10); /* both ways were taken often */
    munmap(ram, size + PAGE_SIZE);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(well_formed),
        test(no_modules_no_words),
        test(another_loader),
        test(names),
        test(module_count),
        test(module_end_below_start),
        test(long_command_line),
        test(endless_command_line),
        test(no_memory_map),
        test(useless_entries),
        test(longer_entries),
        test(entry_sizes),
        test(truncated_map),
        test(many_regions),
        cmocka_unit_test(random_information),
    };
    return cmocka_run_group_tests_name("multiboot", tests, NULL, NULL);
}
