#define _GNU_SOURCE
#include "net_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net_transfer.h"

enum { BACKLOG = 8, SILENCE_S = 120, SERVED_AT_ONCE = 16 };

int net_listen(uint32_t address, uint16_t *port)
{
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(address), .sin_port = htons(*port)};
    socklen_t size = sizeof name;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&name, size) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&name, &size) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    *port = ntohs(name.sin_port);
    return fd;
}

/* The datagram socket of a connection, at the address that the client connected to. */
static bool open_udp(struct net_end *end)
{
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    if (getsockname(end->tcp, (struct sockaddr *)&name, &size) != 0)
        return false;
    name.sin_port = 0;
    end->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return end->udp >= 0 && net_prepare_udp(end->udp) &&
           bind(end->udp, (struct sockaddr *)&name, size) == 0 &&
           getsockname(end->udp, (struct sockaddr *)&name, &size) == 0 &&
           net_write_number(end, ntohs(name.sin_port));
}

/* Datagrams go only to where the connection comes from. */
static bool connect_udp(const struct net_end *end, uint32_t port)
{
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    if (getpeername(end->tcp, (struct sockaddr *)&peer, &size) != 0)
        return false;
    peer.sin_port = htons((uint16_t)port);
    return connect(end->udp, (struct sockaddr *)&peer, size) == 0;
}

static bool serve_request(const struct net_end *end, const struct net_request *request)
{
    struct net_tally tally;
    switch (request->kind) {
    case NET_TCP_TO_SERVER:
        return net_receive_blocks(end, request, &tally) && net_write_tally(end, &tally);
    case NET_TCP_FROM_SERVER: return net_send_blocks(end, request);
    case NET_UDP_TO_SERVER:
        return connect_udp(end, request->udp_port) && net_write_number(end, 1) &&
               net_receive_datagrams(end, request, &tally) && net_write_tally(end, &tally);
    default: return connect_udp(end, request->udp_port) && net_send_datagrams(end, request);
    }
}

static void serve_client(int fd)
{
    struct net_end end = {.tcp = fd, .udp = -1};
    struct net_request request;
    if (!net_prepare_tcp(fd, SILENCE_S) || !open_udp(&end))
        return;
    while (net_read_request(&end, &request) && serve_request(&end, &request))
        ;
}

void net_serve(int listener)
{
    int served = 0;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        while (served > 0 && waitpid(-1, NULL, served >= SERVED_AT_ONCE ? 0 : WNOHANG) > 0)
            served--;
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            return;
        pid_t child = fork();
        if (child == 0) {
            close(listener);
            serve_client(fd);
            _exit(0);
        }
        served += child > 0;
        close(fd);
    }
}

int net_serve_command(int port)
{
    uint16_t bound = (uint16_t)(port ? port : NET_PORT);
    int listener = net_listen(INADDR_ANY, &bound);
    if (listener < 0) {
        fprintf(stderr, "guestbench: cannot listen on port %u: %s\n", bound, strerror(errno));
        return 1;
    }
    printf("# guestbench serves network tests on port %u\n", bound);
    fflush(stdout);
    net_serve(listener);
    fprintf(stderr, "guestbench: cannot serve: %s\n", strerror(errno));
    return 1;
}
