#include "monitor.h"
#include "util.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char prompt[] = "(qemu) ";

// Reads until the text has `n` prompts; false when the time is over.
static bool read_prompts(int fd, struct buf *text, unsigned n, double until_s)
{
    for (;;) {
        unsigned seen = 0;
        for (const char *at = text->data; at && (at = strstr(at, prompt)); at++)
            seen++;
        if (seen >= n)
            return true;
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        int left_ms = (int)((until_s - now_s()) * 1000);
        if (left_ms <= 0 || poll(&pfd, 1, left_ms) == 0)
            return false;
        char block[4096];
        ssize_t got = read(fd, block, sizeof(block));
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        if (got > 0)
            buf_add(text, block, (size_t)got);
    }
}

char *monitor_registers(int fd)
{
    static const char command[] = "info registers\n";
    struct buf text = {0};
    double until_s = now_s() + 2;
    char *answer = NULL;
    if (write_all(fd, command, sizeof(command) - 1) == 0 && read_prompts(fd, &text, 2, until_s)) {
        // The readline echo redraws the line for each character; the dump begins after its last
        // one.
        char *start = strstr(text.data, "\r\n");
        for (char *at = start; at && (at = strstr(at, "info registers")); at++)
            start = at;
        char *end = text.data + text.len - (sizeof(prompt) - 1);
        start = start ? strchr(start, '\n') : NULL;
        if (start && start < end)
            answer = xstrndup(start + 1, (size_t)(end - start - 1));
    }
    buf_free(&text);
    return answer;
}
