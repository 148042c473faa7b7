/* The work of one MemoryMotion process. */
#ifndef GUESTBENCH_MEMORY_TOUCH_H
#define GUESTBENCH_MEMORY_TOUCH_H

#include <stdbool.h>
#include <stddef.h>

enum memory_touch_mode {
    TOUCH_ALL,      /* every byte, in small pages */
    TOUCH_ONE_BYTE, /* one byte of each small page */
    TOUCH_HUGE,     /* every byte, in huge pages where the kernel has them */
};

/*
 * Maps bytes of private anonymous memory, writes them in ascending order, reads
 * one word (or the one byte) a page back, unmaps it. Returns whether what was
 * read was right.
 */
bool memory_touch(size_t bytes, enum memory_touch_mode mode);

#endif
