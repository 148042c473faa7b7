/* The memory that is given out at start, in a block of this process below 4 GiB. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "host/memory.h"

enum { PAGES = 4096 };

static u8 *block;
static hpa_t base;

static int map(void **state)
{
    (void)state;
    block = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    base = (hpa_t)block;
    return block == MAP_FAILED;
}

static int unmap(void **state)
{
    (void)state;
    return munmap(block, PAGES * PAGE_SIZE);
}

static void add_region(struct boot_info *b, hpa_t hpa, u64 bytes)
{
    b->region[b->regions++] = (struct boot_region){hpa, bytes};
}

static void add_module(struct boot_info *b, hpa_t hpa, u64 bytes)
{
    b->module[b->modules++] = (struct boot_module){.hpa = hpa, .bytes = bytes};
}

static u64 left(const struct host_memory *m)
{
    u64 sum = 0;
    for (unsigned i = 0; i < m->count; i++)
        sum += m->free[i].bytes;
    return sum;
}

static void zeroed_from_the_top(void **state)
{
    (void)state;
    struct boot_info b = {0};
    struct host_memory m;
    add_region(&b, base, 16 * PAGE_SIZE);
    memset(block, 0xa5, 16 * PAGE_SIZE);
    host_memory_init(&m, &b, 0, 0);
    u8 *p = host_alloc(&m, 1, PAGE_SIZE);
    assert_ptr_equal(p, block + 15 * PAGE_SIZE);
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        assert_int_equal(p[i], 0);
    assert_int_equal(p[-1], 0xa5);
    assert_ptr_equal(host_alloc(&m, PAGE_SIZE + 1, PAGE_SIZE), block + 13 * PAGE_SIZE);
    assert_int_equal(host_memory_largest(&m), 13 * PAGE_SIZE);
}

static void aligned(void **state)
{
    (void)state;
    struct boot_info b = {0};
    struct host_memory m;
    add_region(&b, base, PAGES * PAGE_SIZE);
    host_memory_init(&m, &b, 0, 0);
    u64 all = left(&m);
    assert_non_null(host_alloc(&m, PAGE_SIZE, PAGE_SIZE));
    hpa_t large = (hpa_t)host_alloc(&m, 2 * MiB, 2 * MiB);
    assert_int_not_equal(large, 0);
    assert_int_equal(large % (2 * MiB), 0);
    assert_int_equal(left(&m), all - PAGE_SIZE - 2 * MiB); /* the gap is still there to be used */
}

static void whole_pages_of_ram(void **state)
{
    (void)state;
    struct boot_info b = {0};
    struct host_memory m;
    add_region(&b, base + 1, 3 * PAGE_SIZE);             /* two whole pages */
    add_region(&b, base + 8 * PAGE_SIZE + 1, PAGE_SIZE); /* none */
    host_memory_init(&m, &b, 0, 0);
    assert_int_equal(left(&m), 2 * PAGE_SIZE);
    assert_ptr_equal(host_alloc(&m, 2 * PAGE_SIZE, PAGE_SIZE), block + PAGE_SIZE);
}

static void from_1_mib_to_4_gib(void **state)
{
    (void)state;
    struct boot_info b = {0};
    struct host_memory m;
    add_region(&b, 0, 0x9f000);
    add_region(&b, 4 * GiB, GiB);
    host_memory_init(&m, &b, 0, 0);
    assert_int_equal(left(&m), 0);
    assert_null(host_alloc(&m, PAGE_SIZE, PAGE_SIZE));
    add_region(&b, 4 * GiB - MiB, 2 * MiB);
    host_memory_init(&m, &b, 0, 0);
    assert_int_equal(left(&m), MiB);
    add_region(&b, 0, 3 * MiB);
    host_memory_init(&m, &b, 0, 0);
    assert_int_equal(left(&m), 3 * MiB);
    add_region(&b, 2 * MiB, ~0ull - 2 * MiB);
    host_memory_init(&m, &b, 0, 0);
    assert_int_equal(host_memory_largest(&m), 4 * GiB - 2 * MiB);
}

static void image_and_modules_stay(void **state)
{
    (void)state;
    struct boot_info b = {0};
    struct host_memory m;
    add_region(&b, base, 32 * PAGE_SIZE);
    add_module(&b, base + 10 * PAGE_SIZE + 100, PAGE_SIZE); /* touches two pages */
    add_module(&b, base + 30 * PAGE_SIZE, 64 * PAGE_SIZE);  /* runs over the region's end */
    add_module(&b, base + 20 * PAGE_SIZE, 0);               /* nothing */
    host_memory_init(&m, &b, base - PAGE_SIZE, base + 2 * PAGE_SIZE + 1);
    memset(block, 0x5a, 32 * PAGE_SIZE);
    unsigned got = 0;
    while (host_alloc(&m, PAGE_SIZE, PAGE_SIZE))
        assert_in_range(++got, 1, 32);
    assert_int_equal(got, 32 - 3 - 2 - 2);
    for (unsigned i = 0; i < 32; i++) {
        bool kept = i < 3 || i == 10 || i == 11 || i >= 30;
        assert_int_equal(block[i * PAGE_SIZE], kept ? 0x5a : 0);
    }
}

/* As many regions and modules as the loader may give: no byte is lost to a full list. */
static void most_regions_and_modules(void **state)
{
    (void)state;
    struct boot_info b = {0};
    struct host_memory m;
    for (unsigned i = 0; i < BOOT_REGIONS; i++)
        add_region(&b, base + i * 16 * PAGE_SIZE, 8 * PAGE_SIZE);
    for (unsigned i = 0; i < BOOT_MODULES; i++)
        add_module(&b, base + i * 16 * PAGE_SIZE + 3 * PAGE_SIZE, PAGE_SIZE);
    host_memory_init(&m, &b, base + 20 * 16 * PAGE_SIZE + PAGE_SIZE,
                     base + 20 * 16 * PAGE_SIZE + 2 * PAGE_SIZE);
    assert_int_equal(left(&m), (BOOT_REGIONS * 8 - BOOT_MODULES - 1) * PAGE_SIZE);
}

static void exhaustion(void **state)
{
    (void)state;
    struct boot_info b = {0};
    struct host_memory m;
    add_region(&b, base, 4 * PAGE_SIZE);
    add_region(&b, base + 8 * PAGE_SIZE, 4 * PAGE_SIZE);
    host_memory_init(&m, &b, 0, 0);
    assert_null(host_alloc(&m, 0, PAGE_SIZE));
    assert_null(host_alloc(&m, ~0ull, PAGE_SIZE));
    assert_null(host_alloc(&m, ~0ull - PAGE_SIZE, PAGE_SIZE));
    assert_null(
        host_alloc(&m, 5 * PAGE_SIZE, PAGE_SIZE)); /* there are eight pages, but not in one piece */
    assert_null(host_alloc(&m, PAGE_SIZE, 4 * GiB));
    assert_non_null(host_alloc(&m, 4 * PAGE_SIZE, PAGE_SIZE));
    assert_non_null(host_alloc(&m, 4 * PAGE_SIZE, PAGE_SIZE));
    assert_null(host_alloc(&m, PAGE_SIZE, PAGE_SIZE));
    assert_int_equal(host_memory_largest(&m), 0);
}

static u64 seed = 88172645463325252ull;

static unsigned rnd(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % below;
}

/* Marks the pages that [hpa, hpa + bytes) touches. */
static void mark(u8 *owner, hpa_t hpa, u64 bytes, u8 who)
{
    for (hpa_t at = align_down(hpa, PAGE_SIZE); bytes && at < hpa + bytes; at += PAGE_SIZE)
        if (at >= base && at < base + PAGES * PAGE_SIZE)
            owner[(at - base) / PAGE_SIZE] = who;
}

enum { NO_RAM, FREE, KEPT };

static void random_layout(struct boot_info *b, u8 *owner, hpa_t *image, u64 *image_bytes)
{
    memset(b, 0, sizeof *b);
    memset(owner, NO_RAM, PAGES);
    for (unsigned at = rnd(8); at < PAGES && b->regions < BOOT_REGIONS; at += rnd(64)) {
        unsigned pages = min(1 + rnd(200), PAGES - at);
        add_region(b, base + at * PAGE_SIZE, pages * PAGE_SIZE);
        mark(owner, base + at * PAGE_SIZE, pages * PAGE_SIZE, FREE);
        at += pages;
    }
    for (unsigned n = rnd(BOOT_MODULES + 1), i = 0; i < n; i++) {
        add_module(b, base + rnd(PAGES) * PAGE_SIZE + rnd(2) * rnd(4096), rnd(40 * 4096));
        mark(owner, b->module[i].hpa, b->module[i].bytes, KEPT);
    }
    *image = base + rnd(PAGES) * PAGE_SIZE;
    *image_bytes = rnd(100 * 4096);
    mark(owner, *image, *image_bytes, KEPT);
}

static void random_requests(void **state)
{
    (void)state;
    static u8 owner[PAGES];
    for (unsigned round = 0; round < 200; round++) {
        struct boot_info b;
        struct host_memory m;
        hpa_t image;
        u64 image_bytes;
        random_layout(&b, owner, &image, &image_bytes);
        host_memory_init(&m, &b, image, image + image_bytes);
        for (unsigned i = 0; i < 60; i++) {
            u64 bytes = 1 + rnd(20 * 4096), align = PAGE_SIZE << rnd(6),
                largest = host_memory_largest(&m);
            hpa_t at = (hpa_t)host_alloc(&m, bytes, align);
            if (!at) {
                assert_true(largest < align_up(bytes, PAGE_SIZE) + align - PAGE_SIZE);
                continue;
            }
            assert_int_equal(at % align, 0);
            for (u64 page = (at - base) / PAGE_SIZE;
                 page < (at + bytes + PAGE_SIZE - 1 - base) / PAGE_SIZE; page++) {
                assert_in_range(page, 0, PAGES - 1);
                assert_int_equal(owner[page], FREE);
                owner[page] = KEPT;
            }
        }
    }
}

static void from_the_bottom(void **state)
{
    (void)state;
    struct boot_info b = {0};
    struct host_memory m;
    hpa_t start = align_up(base, 4 * PAGE_SIZE);
    add_region(&b, start + PAGE_SIZE, 15 * PAGE_SIZE);
    add_region(&b, start + 32 * PAGE_SIZE, 16 * PAGE_SIZE);
    memset(block, 0xa5, PAGES * PAGE_SIZE);
    host_memory_init(&m, &b, 0, 0);
    u8 *p = host_alloc_low(&m, 4 * PAGE_SIZE, 4 * PAGE_SIZE);
    assert_int_equal((hpa_t)p, start + 4 * PAGE_SIZE);
    for (unsigned i = 0; i < 4 * PAGE_SIZE; i++)
        assert_int_equal(p[i], 0);
    assert_int_equal(left(&m), 27 * PAGE_SIZE);
    assert_int_equal((hpa_t)host_alloc_low(&m, PAGE_SIZE, PAGE_SIZE), start + PAGE_SIZE);
    assert_int_equal((hpa_t)host_alloc_low(&m, 12 * PAGE_SIZE, PAGE_SIZE), start + 32 * PAGE_SIZE);
    assert_null(host_alloc_low(&m, 12 * PAGE_SIZE, PAGE_SIZE));
}

static void modules_to_the_top(void **state)
{
    (void)state;
    struct boot_info b = {0};
    struct host_memory m;
    add_region(&b, base, 64 * PAGE_SIZE);
    add_module(&b, base + 2 * PAGE_SIZE, 3 * PAGE_SIZE + 5);
    add_module(&b, base + 8 * PAGE_SIZE, 2 * PAGE_SIZE);
    memset(block, 1, 64 * PAGE_SIZE);
    memset(block + 2 * PAGE_SIZE, 2, 3 * PAGE_SIZE + 5);
    memset(block + 8 * PAGE_SIZE, 3, 2 * PAGE_SIZE);
    host_memory_init_raised(&m, &b, base, base + PAGE_SIZE);
    assert_int_equal(host_memory_largest(&m), 57 * PAGE_SIZE);
    assert_int_equal(left(&m), 57 * PAGE_SIZE);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(b.module[i].hpa >= base + 58 * PAGE_SIZE);
        for (unsigned n = 0; n < b.module[i].bytes; n++)
            assert_int_equal(((u8 *)b.module[i].hpa)[n], i + 2);
    }
    /* No room: they stay. */
    b = (struct boot_info){0};
    add_region(&b, base, 16 * PAGE_SIZE);
    add_module(&b, base, 10 * PAGE_SIZE);
    host_memory_init_raised(&m, &b, 0, 0);
    assert_int_equal(b.module[0].hpa, base);
    assert_int_equal(left(&m), 6 * PAGE_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed_from_the_top),
        cmocka_unit_test(aligned),
        cmocka_unit_test(from_the_bottom),
        cmocka_unit_test(modules_to_the_top),
        cmocka_unit_test(whole_pages_of_ram),
        cmocka_unit_test(from_1_mib_to_4_gib),
        cmocka_unit_test(image_and_modules_stay),
        cmocka_unit_test(most_regions_and_modules),
        cmocka_unit_test(exhaustion),
        cmocka_unit_test(random_requests),
    };
    return cmocka_run_group_tests_name("memory", tests, map, unmap);
}
