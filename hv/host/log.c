#include "host/log.h"
#include "lib/fmt.h"
#include "lib/string.h"

static struct serial own;
static struct serial *port = &own;

void log_init(u16 io, u8 *ring)
{
    serial_init(port, io, ring, false);
}

void log_share(struct serial *console)
{
    port = console;
}

static void put(const char *s)
{
    for (; *s; s++)
        serial_put(port, (u8)(*s == '\n' || (*s >= ' ' && *s < 0x7f) ? *s : '?'));
}

void log_line(const char *format, ...)
{
    char line[1000];
    va_list ap;
    if (!port->ring)
        return;
    va_start(ap, format);
    fmt_vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    put(line);
    put("\n");
}

void log_text(const char *prefix, const char *text)
{
    while (*text) {
        const char *end = strchr(text, '\n');
        size_t n = end ? (size_t)(end - text) : strlen(text);
        log_line("%s%.*s", prefix, (int)n, text);
        text += n + (end != NULL);
    }
}

void log_send(void)
{
    serial_send(port);
}

void log_drain(void)
{
    serial_drain(port);
}

u32 log_queued(void)
{
    return port->head - port->tail;
}
