/*
 * Blocks over TCP and datagrams over UDP, as both ends of a network test do
 * them. A TCP connection carries the requests and their outcome, and the blocks
 * of TCP tests. All numbers on the wire are in network byte order.
 */
#ifndef GUESTBENCH_NET_TRANSFER_H
#define GUESTBENCH_NET_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    NET_PORT = 18767,
    NET_MOST = 32768, /* bytes of a block or datagram */
    NET_LEAST = 64,
    NET_BUFFER = 128 << 10, /* of each socket, each way */
};

enum net_kind { NET_TCP_TO_SERVER, NET_TCP_FROM_SERVER, NET_UDP_TO_SERVER, NET_UDP_FROM_SERVER };

/* What the client asks for. */
struct net_request {
    uint32_t kind, size, count;
    uint32_t phase;    /* another one for each request: late datagrams are known by it */
    uint32_t udp_port; /* of the client */
};

/* What the receiver found. */
struct net_tally {
    uint32_t received;  /* blocks or datagrams */
    uint32_t reordered; /* datagrams with a lower number than one before */
    uint32_t wrong;     /* the last one was not what it should be */
    uint64_t idle_ns;   /* waited in vain at the end, for datagrams that were lost */
};

/* One end of a connection. */
struct net_end {
    int tcp, udp;
};

/* Exactly size bytes. False with errno set, 0 if the other end closed the connection. */
bool net_write(int fd, const void *data, uint32_t size);

bool net_write_request(const struct net_end *end, const struct net_request *request);
bool net_read_request(const struct net_end *end, struct net_request *request);
bool net_write_tally(const struct net_end *end, const struct net_tally *tally);
bool net_read_tally(const struct net_end *end, struct net_tally *tally);
/* A single number: the server's UDP port, or that it is ready to receive. */
bool net_write_number(const struct net_end *end, uint32_t number);
bool net_read_number(const struct net_end *end, uint32_t *number);

/* Sends what the request says. False with errno set. */
bool net_send_blocks(const struct net_end *end, const struct net_request *request);
bool net_send_datagrams(const struct net_end *end, const struct net_request *request);

/*
 * Receives it. Datagrams are waited for until all that were sent are there, or
 * none has come for 200 ms after the sender's end. False with errno set.
 */
bool net_receive_blocks(const struct net_end *end, const struct net_request *request,
                        struct net_tally *tally);
bool net_receive_datagrams(const struct net_end *end, const struct net_request *request,
                           struct net_tally *tally);

/* Buffer sizes, no delay for small segments, and a limit in seconds for a silent peer. */
bool net_prepare_tcp(int fd, int timeout_s);
bool net_prepare_udp(int fd);

#endif
