/*
 * Marks: five writes to a port that nothing on a PC decodes. They tell a
 * hypervisor which benchmark its counters belong to, and do nothing elsewhere.
 */
#ifndef GUESTBENCH_MARK_H
#define GUESTBENCH_MARK_H

#include <stdbool.h>
#include <stdint.h>

enum mark_kind { MARK_BEGIN = 1, MARK_END = 2, MARK_NOTE = 3 };

/*
 * Writes a mark. The port is opened for the duration only, since a process with
 * an I/O permission bitmap costs more to switch to. Returns whether it could be.
 */
bool mark_write(enum mark_kind kind, uint16_t id);

/*
 * Begin and end of what a sample times, by an instruction that does nothing and exits nowhere:
 * "nopl 0x53504d45(%eax)". An engine that counts instructions knows it by its bytes.
 */
static inline void mark_sample(void)
{
    __asm__ volatile(".byte 0x0f, 0x1f, 0x80, 0x45, 0x4d, 0x50, 0x53" ::: "memory");
}

#endif
