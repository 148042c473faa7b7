#include "host/serial.h"
#include "host/io.h"

/* 16550 registers (National Semiconductor PC16550D data sheet, table II). */
enum { DATA, IER, FCR, LCR, MCR, LSR, MSR };
enum { LSR_DR = 1, LSR_THRE = 0x20, LSR_TEMT = 0x40, FIFO = 16 };

void serial_init(struct serial *s, u16 port, u8 *ring, bool rx_irq)
{
    *s = (struct serial){.port = port, .ring = ring};
    if (!port)
        return;
    out8(port + LCR, 0x83); /* 8N1, divisor latch */
    out8(port + DATA, 1);   /* 115200 */
    out8(port + IER, 0);
    out8(port + LCR, 3);
    out8(port + FCR, 7);
    out8(port + MCR, 0xb); /* DTR, RTS, OUT2: its interrupt reaches the 8259 */
    out8(port + IER, rx_irq);
    if (in8(port + LSR) == 0xff)
        s->port = 0;
}

void serial_send(struct serial *s)
{
    if (!s->port) {
        s->tail = s->head;
        return;
    }
    while (serial_queued(s) && in8(s->port + LSR) & LSR_THRE)
        for (unsigned i = 0; i < FIFO && serial_queued(s); i++)
            out8(s->port, s->ring[s->tail++ % SERIAL_RING]);
}

void serial_put(struct serial *s, u8 byte)
{
    if (s->head - s->tail >= SERIAL_RING)
        serial_drain(s);
    if (s->head - s->tail >= SERIAL_RING)
        s->tail++; /* a UART that takes nothing: the oldest goes */
    s->ring[s->head++ % SERIAL_RING] = byte;
}

void serial_drain(struct serial *s)
{
    /* A port read takes about a microsecond on a PC, so this is some seconds without progress. In an
     * emulator it may take some nanoseconds of its time, of which a full FIFO needs 1.4 million. */
    enum { READS = 4000000 };
    for (u32 idle = 0, last = s->tail; serial_queued(s) && idle < READS; idle++) {
        serial_send(s);
        if (s->tail != last) {
            last = s->tail;
            idle = 0;
        }
    }
    for (u32 i = 0; s->port && i < READS && !(in8(s->port + LSR) & LSR_TEMT); i++)
        ;
}

int serial_get(struct serial *s)
{
    if (!s->port || !(in8(s->port + LSR) & LSR_DR))
        return -1;
    return in8(s->port);
}
