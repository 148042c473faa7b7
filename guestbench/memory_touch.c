#define _GNU_SOURCE
#include "memory_touch.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, PATTERN = 0x5A };

bool memory_touch(size_t bytes)
{
    uint8_t *area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED)
        return false;
    madvise(area, bytes, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < bytes; at += PAGE) {
        memset(area + at, PATTERN, PAGE);
        /* the page is written before the next one is begun */
        __asm__ volatile("" : : "r"(area + at) : "memory");
    }
    uint64_t sum = 0;
    for (size_t at = 0; at < bytes; at += PAGE) {
        uint32_t word;
        memcpy(&word, area + at + at / PAGE % (PAGE / 4) * 4, sizeof word);
        sum += word;
    }
    return munmap(area, bytes) == 0 && sum == (uint64_t)(bytes / PAGE) * 0x5A5A5A5Au;
}
