#define _GNU_SOURCE
#include "memory_touch.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

enum { PAGE = 4096, PATTERN = 0x5A };

/* The page is written before the next one is begun. */
static void write_pages(uint8_t *area, size_t bytes, size_t written)
{
    for (size_t at = 0; at < bytes; at += PAGE) {
        memset(area + at, PATTERN, written);
        __asm__ volatile("" : : "r"(area + at) : "memory");
    }
}

static uint64_t sum_words(const uint8_t *area, size_t bytes)
{
    uint64_t sum = 0;
    for (size_t at = 0; at < bytes; at += PAGE) {
        uint32_t word;
        memcpy(&word, area + at + at / PAGE % (PAGE / 4) * 4, sizeof word);
        sum += word;
    }
    return sum;
}

static uint64_t sum_first_bytes(const uint8_t *area, size_t bytes)
{
    uint64_t sum = 0;
    for (size_t at = 0; at < bytes; at += PAGE)
        sum += area[at];
    return sum;
}

bool memory_touch(size_t bytes, enum memory_touch_mode mode)
{
    uint64_t pages = bytes / PAGE;
    uint8_t *area;
    if (mode == TOUCH_HUGE) /* was inherited from the benchmark's process */
        prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
    area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED)
        return false;
    madvise(area, bytes, mode == TOUCH_HUGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    write_pages(area, bytes, mode == TOUCH_ONE_BYTE ? 1 : PAGE);
    bool right = mode == TOUCH_ONE_BYTE ? sum_first_bytes(area, bytes) == pages * PATTERN
                                        : sum_words(area, bytes) == pages * 0x5A5A5A5Au;
    return munmap(area, bytes) == 0 && right;
}
