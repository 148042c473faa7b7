#define _GNU_SOURCE
#include "net_transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "core/clock.h"
#include "core/random.h"
#include "helper.h"

enum { MAGIC = 0x47424E31, DRAIN_MS = 200, WORDS_MAX = 6 };

/* Every block and datagram begins with this; the rest is the same in all. */
struct header {
    uint32_t phase, number;
};

union block {
    struct header header;
    char bytes[NET_MOST];
};

static union block outgoing, incoming;

/* The same bytes at both ends. */
static void fill(union block *block)
{
    uint64_t state = MAGIC;
    for (size_t i = sizeof block->header; i < sizeof block->bytes; i++)
        block->bytes[i] = (char)random_next(&state);
}

static bool is_right(const union block *block, uint32_t phase, uint32_t number, uint32_t size)
{
    size_t start = sizeof block->header;
    if (outgoing.bytes[start] == 0 && outgoing.bytes[start + 1] == 0)
        fill(&outgoing);
    return block->header.phase == htonl(phase) && block->header.number == htonl(number) &&
           memcmp(block->bytes + start, outgoing.bytes + start, size - start) == 0;
}

bool net_write(int fd, const void *data, uint32_t size)
{
    const char *from = data;
    while (size > 0) {
        ssize_t part = send(fd, from, size, MSG_NOSIGNAL);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return false;
        from += part;
        size -= (uint32_t)part;
    }
    return true;
}

/* Messages are the magic number and some words. */
static bool write_words(const struct net_end *end, const uint32_t *words, uint32_t count)
{
    uint32_t message[WORDS_MAX + 1] = {htonl(MAGIC)};
    for (uint32_t i = 0; i < count; i++)
        message[i + 1] = htonl(words[i]);
    return net_write(end->tcp, message, (count + 1) * 4);
}

static bool read_words(const struct net_end *end, uint32_t *words, uint32_t count)
{
    uint32_t message[WORDS_MAX + 1];
    if (!helper_read(end->tcp, message, (count + 1) * 4))
        return false;
    if (message[0] != htonl(MAGIC)) {
        errno = EPROTO;
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        words[i] = ntohl(message[i + 1]);
    return true;
}

bool net_write_request(const struct net_end *end, const struct net_request *request)
{
    uint32_t words[] = {request->kind, request->size, request->count, request->phase,
                        request->udp_port};
    return write_words(end, words, 5);
}

bool net_read_request(const struct net_end *end, struct net_request *request)
{
    uint32_t words[5];
    if (!read_words(end, words, 5))
        return false;
    *request = (struct net_request){words[0], words[1], words[2], words[3], words[4]};
    if (request->kind <= NET_UDP_FROM_SERVER && request->size >= NET_LEAST &&
        request->size <= NET_MOST && request->count > 0 && request->udp_port <= 0xFFFF)
        return true;
    errno = EPROTO;
    return false;
}

bool net_write_tally(const struct net_end *end, const struct net_tally *tally)
{
    uint32_t words[] = {tally->received, tally->reordered, tally->wrong,
                        (uint32_t)(tally->idle_ns >> 32), (uint32_t)tally->idle_ns};
    return write_words(end, words, 5);
}

bool net_read_tally(const struct net_end *end, struct net_tally *tally)
{
    uint32_t words[5];
    if (!read_words(end, words, 5))
        return false;
    *tally = (struct net_tally){words[0], words[1], words[2], (uint64_t)words[3] << 32 | words[4]};
    return true;
}

bool net_write_number(const struct net_end *end, uint32_t number)
{
    return write_words(end, &number, 1);
}

bool net_read_number(const struct net_end *end, uint32_t *number)
{
    return read_words(end, number, 1);
}

bool net_send_blocks(const struct net_end *end, const struct net_request *request)
{
    fill(&outgoing);
    outgoing.header.phase = htonl(request->phase);
    for (uint32_t i = 0; i < request->count; i++) {
        outgoing.header.number = htonl(i);
        if (!net_write(end->tcp, outgoing.bytes, request->size))
            return false;
    }
    return true;
}

bool net_receive_blocks(const struct net_end *end, const struct net_request *request,
                        struct net_tally *tally)
{
    memset(tally, 0, sizeof *tally);
    for (; tally->received < request->count; tally->received++) {
        if (!helper_read(end->tcp, incoming.bytes, request->size))
            return false;
    }
    tally->wrong = !is_right(&incoming, request->phase, request->count - 1, request->size);
    return true;
}

/* Waits where the device's queue is full; a receiver that is not there is no error of the sender. */
static bool send_datagram(int fd, uint32_t size)
{
    for (;;) {
        if (send(fd, outgoing.bytes, size, MSG_NOSIGNAL) >= 0 || errno == ECONNREFUSED)
            return true;
        if (errno != EINTR && errno != ENOBUFS && errno != EAGAIN)
            return false;
    }
}

bool net_send_datagrams(const struct net_end *end, const struct net_request *request)
{
    fill(&outgoing);
    outgoing.header.phase = htonl(request->phase);
    for (uint32_t i = 0; i < request->count; i++) {
        outgoing.header.number = htonl(i);
        if (!send_datagram(end->udp, request->size))
            return false;
    }
    return net_write_number(end, request->count);
}

/* Takes what has arrived, as long as there is something. */
static void take_datagrams(const struct net_end *end, const struct net_request *request,
                           struct net_tally *tally, int64_t *highest, uint64_t *last_ns)
{
    bool some = false;
    while (tally->received < request->count) {
        ssize_t size = recv(end->udp, incoming.bytes, sizeof incoming.bytes, MSG_DONTWAIT);
        if (size < 0 && (errno == EINTR || errno == ECONNREFUSED))
            continue;
        if (size < 0)
            break;
        if (size != (ssize_t)request->size || incoming.header.phase != htonl(request->phase))
            continue;
        int64_t number = ntohl(incoming.header.number);
        tally->received++;
        tally->reordered += number < *highest;
        *highest = number > *highest ? number : *highest;
        some = true;
    }
    if (some)
        *last_ns = clock_ns();
}

bool net_receive_datagrams(const struct net_end *end, const struct net_request *request,
                           struct net_tally *tally)
{
    struct pollfd poll_fds[2] = {{.fd = end->udp, .events = POLLIN},
                                 {.fd = end->tcp, .events = POLLIN}};
    enum { SILENCE_MS = 30000 };
    bool ended = false;
    int64_t highest = -1;
    uint64_t last_ns = clock_ns();
    uint32_t sent;
    memset(tally, 0, sizeof *tally);
    for (;;) {
        int ready = poll(poll_fds, ended ? 1 : 2, ended ? DRAIN_MS : SILENCE_MS);
        if (ready < 0 && errno != EINTR)
            return false;
        take_datagrams(end, request, tally, &highest, &last_ns);
        if (!ended && ready == 0) {
            errno = ETIMEDOUT;
            return false;
        }
        if (!ended && poll_fds[1].revents) {
            if (!net_read_number(end, &sent))
                return false;
            ended = true;
            take_datagrams(end, request, tally, &highest, &last_ns);
        }
        if (ended && (ready == 0 || tally->received == request->count))
            break;
    }
    if (tally->received < request->count)
        tally->idle_ns = clock_ns() - last_ns;
    if (tally->received > 0)
        tally->wrong =
            !is_right(&incoming, request->phase, ntohl(incoming.header.number), request->size);
    return true;
}

static bool set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

bool net_prepare_udp(int fd)
{
    return set_option(fd, SOL_SOCKET, SO_SNDBUF, NET_BUFFER) &&
           set_option(fd, SOL_SOCKET, SO_RCVBUF, NET_BUFFER);
}

bool net_prepare_tcp(int fd, int timeout_s)
{
    struct timeval timeout = {.tv_sec = timeout_s};
    return net_prepare_udp(fd) && set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
           setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0;
}
