/*
 * Figure 5: throughput of TCP and UDP in six block sizes and both directions, as
 * NetIO measures it, to another machine that runs `guestbench --serve`; and, as
 * netio_lo.*, over the loopback interface, which no network card sees. An
 * operation is a KiB that arrived. An iteration is a MiB that is sent: with less, a
 * single delay of the scheduler would mislead the calibration.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/bench.h"
#include "core/clock.h"
#include "core/system.h"
#include "net_server.h"
#include "net_transfer.h"

enum {
    SILENCE_S = 60,
    LOOPBACK = 1 << 20,
    KIND_SHIFT = 16,
    SIZE_MASK = 0xFFFF,
    ITERATION = 1 << 20
};

static struct net_end end;
static struct net_request request;
static struct net_tally tally;              /* of the last transfer */
static double offered, received, reordered; /* datagrams of all samples */

static void check(struct bench_run *run, bool good, const char *what)
{
    if (!good)
        bench_fail(run, errno, "%s", what);
}

static void find_peer(struct bench_run *run, struct sockaddr_in *peer)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    if (!run->config->peer)
        bench_skip(run, "needs --peer, a machine that runs guestbench --serve");
    int error = getaddrinfo(run->config->peer, NULL, &hints, &found);
    if (error)
        bench_fail(run, 0, "peer %.80s: %s", run->config->peer, gai_strerror(error));
    memcpy(peer, found->ai_addr, sizeof *peer);
    freeaddrinfo(found);
    peer->sin_port = htons((uint16_t)(run->config->port ? run->config->port : NET_PORT));
    bench_fact_text(run, "peer", run->config->peer);
}

/* The other end in a process on this machine. */
static void start_loopback(struct bench_run *run, struct sockaddr_in *peer)
{
    uint16_t port = 0;
    if (!system_loopback_up())
        bench_skip(run, "the loopback interface is down");
    int listener = net_listen(INADDR_LOOPBACK, &port);
    check(run, listener >= 0, "cannot listen on the loopback interface");
    pid_t child = fork();
    check(run, child >= 0, "cannot fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        net_serve(listener);
        _exit(1);
    }
    close(listener);
    *peer = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
}

static void connect_udp(struct bench_run *run, struct sockaddr_in *peer)
{
    struct sockaddr_in name = {0};
    socklen_t size = sizeof name;
    uint32_t port = 0;
    check(run, net_read_number(&end, &port), "the peer does not answer");
    peer->sin_port = htons((uint16_t)port);
    end.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    check(run,
          end.udp >= 0 && net_prepare_udp(end.udp) &&
              connect(end.udp, (struct sockaddr *)peer, sizeof *peer) == 0 &&
              getsockname(end.udp, (struct sockaddr *)&name, &size) == 0,
          "cannot make a datagram socket");
    request.udp_port = ntohs(name.sin_port);
}

static void netio_setup(struct bench_run *run)
{
    struct sockaddr_in peer;
    long param = run->bench->param;
    if (param & LOOPBACK)
        start_loopback(run, &peer);
    else
        find_peer(run, &peer);
    end.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(run, end.tcp >= 0 && net_prepare_tcp(end.tcp, SILENCE_S), "cannot make a socket");
    check(run, connect(end.tcp, (struct sockaddr *)&peer, sizeof peer) == 0,
          "cannot connect to the peer");
    request.kind = (uint32_t)(param & ~LOOPBACK) >> KIND_SHIFT;
    request.size = param & SIZE_MASK;
    connect_udp(run, &peer);
    run->sample_s = run->config->net_sample_s;
}

static bool is_udp(void)
{
    return request.kind == NET_UDP_TO_SERVER || request.kind == NET_UDP_FROM_SERVER;
}

static bool transfer(void)
{
    uint32_t ready;
    if (!net_write_request(&end, &request))
        return false;
    switch (request.kind) {
    case NET_TCP_TO_SERVER: return net_send_blocks(&end, &request) && net_read_tally(&end, &tally);
    case NET_TCP_FROM_SERVER: return net_receive_blocks(&end, &request, &tally);
    case NET_UDP_TO_SERVER:
        return net_read_number(&end, &ready) && net_send_datagrams(&end, &request) &&
               net_read_tally(&end, &tally);
    default: return net_receive_datagrams(&end, &request, &tally);
    }
}

/* The time that the receiver waited in vain for the last datagrams is not the transfer's. */
static void netio_iter(struct bench_run *run, uint64_t n)
{
    request.phase++;
    uint64_t count = n * (ITERATION / request.size);
    request.count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
    uint64_t start = clock_ns();
    check(run, transfer(), "the transfer broke off");
    uint64_t elapsed = clock_ns() - start;
    run->own_ns = elapsed > tally.idle_ns ? elapsed - tally.idle_ns : 1;
    run->own_ops = (double)tally.received * request.size / 1024;
    if (run->result->warmups > 0) {
        offered += request.count;
        received += tally.received;
        reordered += tally.reordered;
    }
}

/* TCP loses nothing; of UDP what arrived is what was sent. */
static void netio_verify(struct bench_run *run)
{
    if (!is_udp() && tally.received != request.count)
        bench_mismatch(run, request.count, tally.received);
    if (tally.wrong || tally.received > request.count)
        bench_mismatch(run, 0, tally.wrong);
}

static void netio_teardown(struct bench_run *run)
{
    if (run->result->status != RESULT_OK)
        return;
    bench_fact_number(run, "block_bytes", request.size, 0);
    if (!is_udp())
        return;
    bench_fact_number(run, "offered", offered, 0);
    bench_fact_number(run, "received", received, 0);
    bench_fact_number(run, "lost_percent", offered > 0 ? 100 * (1 - received / offered) : 0, 3);
    bench_fact_number(run, "reordered", reordered, 0);
}

#define POINT(group, in_table, id, text, where, kind, kib, more)                                   \
    {                                                                                              \
        .name = group "." id "_" #kib "k", .table = in_table, .unit = "KiB/s",                     \
        .what = text " in blocks of " #kib " KiB", .flags = more, .setup = netio_setup,            \
        .needs = (where) == LOOPBACK ? "loopback" : "--peer", .iter = netio_iter,                  \
        .verify = netio_verify, .teardown = netio_teardown,                                        \
        .param = where | kind << KIND_SHIFT | kib << 10                                            \
    }

#define SIZES(group, table, id, text, where, kind, smallest, largest)                              \
    POINT(group, table, id, text, where, kind, 1, smallest),                                       \
        POINT(group, table, id, text, where, kind, 2, BENCH_LONG),                                 \
        POINT(group, table, id, text, where, kind, 4, BENCH_LONG),                                 \
        POINT(group, table, id, text, where, kind, 8, BENCH_LONG),                                 \
        POINT(group, table, id, text, where, kind, 16, BENCH_LONG),                                \
        POINT(group, table, id, text, where, kind, 32, largest)

#define ALL(group, table, where)                                                                   \
    SIZES(group, table, "tcp_tx", "sending over TCP", where, NET_TCP_TO_SERVER, 0, 0),             \
        SIZES(group, table, "tcp_rx", "receiving over TCP", where, NET_TCP_FROM_SERVER,            \
              BENCH_LONG, BENCH_LONG),                                                             \
        SIZES(group, table, "udp_tx", "sending over UDP", where, NET_UDP_TO_SERVER, 0,             \
              BENCH_LONG),                                                                         \
        SIZES(group, table, "udp_rx", "receiving over UDP", where, NET_UDP_FROM_SERVER,            \
              BENCH_LONG, BENCH_LONG)

static const struct bench netio[] = {
    ALL("netio", "figure5", 0),
    ALL("netio_lo", "netio_lo", LOOPBACK),
};

BENCH_TABLE(netio);
