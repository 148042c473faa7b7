#include "mark.h"

#include <sys/io.h>

enum { MARK_PORT = 0xED, MARK_MAGIC = 0x50 };

bool mark_write(enum mark_kind kind, uint16_t id)
{
    if (ioperm(MARK_PORT, 1, 1) != 0)
        return false;
    uint8_t low = (uint8_t)id, high = (uint8_t)(id >> 8), code = (uint8_t)kind;
    outb(MARK_MAGIC, MARK_PORT);
    outb(code, MARK_PORT);
    outb(low, MARK_PORT);
    outb(high, MARK_PORT);
    outb(0xFF ^ code ^ low ^ high, MARK_PORT);
    ioperm(MARK_PORT, 1, 0);
    return true;
}
