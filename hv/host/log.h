#pragma once

/* The log: text and records (docs/reference.md) in a ring that is sent outside exit handlers. */

#include "host/serial.h"

void log_init(u16 port, u8 *ring);
/* From here on the log goes out by the console's port; a line stays whole. */
void log_share(struct serial *console);
/* One line; the newline is added. Lines are cut at 1000 characters. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Lines of a text that has newlines, each with a prefix. */
void log_text(const char *prefix, const char *text);
/* Sends what the port takes at once / all of it. */
void log_send(void);
void log_drain(void);
/* How much of the ring is in use, in bytes. */
u32 log_queued(void);
