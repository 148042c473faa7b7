#pragma once

/* The UARTs of the machine below, polled, each with a ring for what is to be sent. */

#include "lib/types.h"

#define SERIAL_RING (256 * KiB)

struct serial {
    u16 port; /* I/O base; 0: nothing there, what is sent is dropped */
    u32 head, tail;
    u8 *ring; /* SERIAL_RING bytes */
};

/* Sets the UART at port to 115200 8N1, FIFO on; with rx_irq its receiver interrupts. */
void serial_init(struct serial *s, u16 port, u8 *ring, bool rx_irq);
/* Queues a byte; sends first where the ring is full. */
void serial_put(struct serial *s, u8 byte);
/* Sends as much as the UART takes at once. */
void serial_send(struct serial *s);
/* Sends all that is queued; ends also where the UART takes nothing for a second. */
void serial_drain(struct serial *s);
/* A received byte, or -1. */
int serial_get(struct serial *s);
static inline bool serial_queued(const struct serial *s)
{
    return s->head != s->tail;
}
