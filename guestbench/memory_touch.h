/* The work of one MemoryMotion process. */
#ifndef GUESTBENCH_MEMORY_TOUCH_H
#define GUESTBENCH_MEMORY_TOUCH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Maps bytes of private anonymous memory in small pages, writes every byte in
 * ascending order, reads one word a page back, unmaps it. Returns whether the
 * words were right.
 */
bool memory_touch(size_t bytes);

#endif
