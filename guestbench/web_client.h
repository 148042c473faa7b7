/*
 * The web server's clients: connections that request one thing after another,
 * each paced to the speed of a line of 400 kbit/s.
 */
#ifndef GUESTBENCH_WEB_CLIENT_H
#define GUESTBENCH_WEB_CLIENT_H

#include <netinet/in.h>

#include "latency.h"
#include "web_files.h"

enum {
    WEB_LINE_BITS = 400000,    /* a second */
    WEB_CONFORM_BITS = 320000, /* what a connection must get of it */
    WEB_CONNECTIONS_MAX = 128,
    WEB_HEADER_MAX = 512,
    WEB_CHUNK = 4096, /* read at a time */
};

enum web_state { WEB_CLOSED, WEB_READING, WEB_PACING };

struct web_connection {
    enum web_state state;
    int fd;
    int requests_left; /* before the connection is closed */
    struct web_request request;
    struct web_body body;
    uint64_t start_ns, due_ns; /* of the request; when its next bytes have come down the line */
    size_t received, total;    /* bytes of the reply; total is 0 until its header is there */
    size_t header_bytes;
    char header[WEB_HEADER_MAX + 1];
    uint64_t bytes, operations, errors; /* since web_client_reset */
};

struct web_client {
    struct sockaddr_in server;
    struct web_mix mix;
    /* What is requested, and over connections how long: apart, since the order in which
     * connections end is not always the same. */
    uint64_t random, lengths;
    int connections;
    struct web_connection connection[WEB_CONNECTIONS_MAX];
    struct latency response, first_byte;
    uint64_t operations, busy_ns;    /* since web_client_reset */
    uint64_t target;                 /* operations wanted until now */
    uint64_t posts_sent, posts_done; /* since the start */
    const char *trouble;             /* what went wrong last */
};

/* Nanoseconds that bytes take on the line. */
uint64_t web_line_ns(uint64_t bytes);

/*
 * Reads a reply's header out of text. Returns the header's length and sets
 * *body_bytes, 0 if it is not complete yet, -1 if it is no success.
 */
int web_header_parse(const char *text, size_t *body_bytes);

/* Did a connection get 320 kbit/s over busy_ns with less than 1 % of errors? */
bool web_conforms(const struct web_connection *connection, uint64_t busy_ns);

void web_client_init(struct web_client *client, const struct sockaddr_in *server, int connections,
                     int directories, uint64_t seed);

/* Forgets the counts, not the state of the connections. */
void web_client_reset(struct web_client *client);

/*
 * Lets the connections go on until operations more are done; what the last call did too much
 * counts. Returns false if
 * nothing came for 30 s, or the server cannot be reached; trouble says which.
 */
bool web_client_run(struct web_client *client, uint64_t operations);

#endif
