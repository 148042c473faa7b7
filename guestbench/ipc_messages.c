#include "ipc_messages.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/random.h"

char message_out[MESSAGE_MOST], message_in[MESSAGE_MOST];

static const short sizes[MESSAGE_SIZES] = {
    1, 32,  512, 3,  32, 5,  7,  32,  16, 32,  64,   512, 1024, 2048, 32,  1,
    3, 512, 5,   32, 7,  16, 32, 512, 64, 512, 1024, 32,  2048, 512,  512,
};

static int next_size;          /* goes on from call to call */
static uint64_t sent, arrived; /* bytes since the last verify */
static size_t longest;         /* message since then */

void message_prepare(struct bench_run *run)
{
    uint64_t state = run->config->seed;
    for (int i = 0; i < MESSAGE_MOST; i++)
        message_out[i] = (char)random_next(&state);
    memset(message_in, 0, sizeof message_in);
}

void message_write(struct bench_run *run, int fd, const void *data, size_t size)
{
    const char *from = data;
    while (size > 0) {
        ssize_t part = write(fd, from, size);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            bench_fail(run, errno, "cannot send a message");
        from += part;
        size -= (size_t)part;
    }
}

void message_read(struct bench_run *run, int fd, void *data, size_t size)
{
    char *to = data;
    while (size > 0) {
        ssize_t part = read(fd, to, size);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            bench_fail(run, part < 0 ? errno : 0, "a message did not arrive");
        to += part;
        size -= (size_t)part;
        arrived += (uint64_t)part;
    }
}

void message_exchange(struct bench_run *run, int to, int from, int count)
{
    for (; count > 0; count--) {
        size_t size = (size_t)sizes[next_size];
        next_size = next_size + 1 < MESSAGE_SIZES ? next_size + 1 : 0;
        message_write(run, to, message_out, size);
        message_read(run, from, message_in, size);
        sent += size;
        longest = size > longest ? size : longest;
    }
}

void message_verify(struct bench_run *run)
{
    if (arrived != sent)
        bench_mismatch(run, (double)sent, (double)arrived);
    for (size_t i = 0; i < longest; i++) {
        if (message_in[i] != message_out[i])
            bench_mismatch(run, message_out[i], message_in[i]);
    }
    memset(message_in, 0, sizeof message_in);
    sent = arrived = 0;
    longest = 0;
}
