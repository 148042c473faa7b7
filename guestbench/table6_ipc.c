/*
 * Table 6: interprocess communication (AIM9). Each test makes its channel and
 * sends 99 messages (TCP: 89) to itself; AIM9 claims 100 and 90. No other
 * process takes part, so no context switch is measured: see ipc_pipe_ctx.c. The
 * *_steady variants make the channel once.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/system.h"
#include "ipc_messages.h"

enum { MESSAGES = 99, TCP_MESSAGES = 89, BACKLOG = 5, UDP_TIMEOUT_S = 2 };

/* fds[0] is read from, fds[1] written to. */
typedef void channel_open(struct bench_run *run, int fds[2]);

static int steady[2];

static void check(struct bench_run *run, int result, const char *what)
{
    if (result < 0)
        bench_fail(run, errno, "%s failed", what);
}

static void open_pipe(struct bench_run *run, int fds[2])
{
    check(run, pipe(fds), "pipe");
}

static void open_stream(struct bench_run *run, int fds[2])
{
    check(run, socketpair(AF_UNIX, SOCK_STREAM, 0, fds), "socketpair");
}

static void open_dgram(struct bench_run *run, int fds[2])
{
    check(run, socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), "socketpair");
}

static void open_fifo(struct bench_run *run, int fds[2])
{
    unlink("fifo");
    check(run, mkfifo("fifo", 0777), "mkfifo");
    check(run, fds[0] = open("fifo", O_RDONLY | O_NONBLOCK), "opening a fifo to read");
    check(run, fds[1] = open("fifo", O_RDWR | O_NONBLOCK), "opening a fifo to write");
    check(run, unlink("fifo"), "unlink");
}

static int bound_socket(struct bench_run *run, int type, struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, type, 0);
    check(run, fd, "socket");
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(run, bind(fd, (struct sockaddr *)address, size), "bind");
    check(run, getsockname(fd, (struct sockaddr *)address, &size), "getsockname");
    return fd;
}

static void open_udp(struct bench_run *run, int fds[2])
{
    struct sockaddr_in reader, writer;
    struct timeval timeout = {.tv_sec = UDP_TIMEOUT_S};
    fds[0] = bound_socket(run, SOCK_DGRAM, &reader);
    fds[1] = bound_socket(run, SOCK_DGRAM, &writer);
    check(run, connect(fds[1], (struct sockaddr *)&reader, sizeof reader), "connect");
    /* a datagram may be lost, even here */
    check(run, setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout), "setsockopt");
}

static int accept_one(struct bench_run *run, int listener)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0 || errno != EINTR) {
            check(run, fd, "accept");
            return fd;
        }
    }
}

/* The connection is reset at its end, or TIME_WAIT would use up the ports in a long run. */
static void open_tcp(struct bench_run *run, int fds[2])
{
    struct sockaddr_in address, peer;
    int on = 1;
    socklen_t on_size = sizeof on, size = sizeof peer;
    struct linger reset = {.l_onoff = 1};
    int listener = bound_socket(run, SOCK_STREAM, &address);
    check(run, setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
    check(run, getsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, &on_size), "getsockopt");
    check(run, listen(listener, BACKLOG), "listen");
    check(run, fds[1] = socket(AF_INET, SOCK_STREAM, 0), "socket");
    check(run, setsockopt(fds[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
    check(run, setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &reset, sizeof reset), "setsockopt");
    check(run, connect(fds[1], (struct sockaddr *)&address, sizeof address), "connect");
    fds[0] = accept_one(run, listener);
    check(run, getsockname(fds[0], (struct sockaddr *)&peer, &size), "getsockname");
    close(listener);
}

static const struct channel {
    channel_open *open;
    int messages; /* of one call */
    bool needs_loopback;
} channels[] = {
    {open_tcp, TCP_MESSAGES, true}, {open_udp, MESSAGES, true},    {open_fifo, MESSAGES, false},
    {open_stream, MESSAGES, false}, {open_dgram, MESSAGES, false}, {open_pipe, MESSAGES, false},
};

static void ipc_setup(struct bench_run *run)
{
    if (channels[run->bench->param].needs_loopback && !system_loopback_up())
        bench_skip(run, "the loopback interface is down");
    message_prepare(run);
}

static void ipc_iter(struct bench_run *run, uint64_t n)
{
    const struct channel *channel = &channels[run->bench->param];
    for (; n > 0; n--) {
        int fds[2];
        channel->open(run, fds);
        message_exchange(run, fds[1], fds[0], channel->messages);
        close(fds[1]);
        close(fds[0]);
    }
}

static void steady_setup(struct bench_run *run)
{
    ipc_setup(run);
    channels[run->bench->param].open(run, steady);
}

static void steady_iter(struct bench_run *run, uint64_t n)
{
    for (; n > 0; n--)
        message_exchange(run, steady[1], steady[0], channels[run->bench->param].messages);
}

#define IPC(index, id, text, count, claimed, must)                                                 \
    {.name = "aim9." id,                                                                           \
     .table = "6",                                                                                 \
     .unit = "messages/s",                                                                         \
     .what = text,                                                                                 \
     .needs = must,                                                                                \
     .flags = BENCH_TMP,                                                                           \
     .ops = count,                                                                                 \
     .aim9_ops = claimed,                                                                          \
     .setup = ipc_setup,                                                                           \
     .iter = ipc_iter,                                                                             \
     .verify = message_verify,                                                                     \
     .param = index},                                                                              \
    {                                                                                              \
        .name = "aim9." id "_steady", .table = "6", .unit = "messages/s",                          \
        .what = text ", made once", .needs = must, .flags = BENCH_TMP, .ops = count,               \
        .setup = steady_setup, .iter = steady_iter, .verify = message_verify, .param = index       \
    }

static const struct bench ipc[] = {
    IPC(0, "tcp_test", "messages over a TCP connection", TCP_MESSAGES, 90, "loopback"),
    IPC(1, "udp_test", "datagrams over UDP", MESSAGES, 100, "loopback"),
    IPC(2, "fifo_test", "messages through a named pipe", MESSAGES, 100, NULL),
    IPC(3, "stream_pipe", "messages over a Unix stream socket pair", MESSAGES, 100, NULL),
    IPC(4, "dgram_pipe", "messages over a Unix datagram socket pair", MESSAGES, 100, NULL),
    IPC(5, "pipe_cpy", "messages through a pipe", MESSAGES, 100, NULL),
};

BENCH_TABLE(ipc);
