#define _GNU_SOURCE
#include "web_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"

static const uint64_t second_ns = 1000000000u, patience_s = 30;

uint64_t web_line_ns(uint64_t bytes)
{
    return bytes * 8 * (second_ns / 1000) / (WEB_LINE_BITS / 1000);
}

int web_header_parse(const char *text, size_t *body_bytes)
{
    const char *end = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
    if (!end)
        return 0;
    if (strncmp(text, "HTTP/1.1 200 ", 13) != 0 || !length || length > end)
        return -1;
    *body_bytes = strtoul(length + 16, NULL, 10);
    return (int)(end - text) + 4;
}

bool web_conforms(const struct web_connection *connection, uint64_t busy_ns)
{
    double bits = (double)connection->bytes * 8, seconds = (double)busy_ns / (double)second_ns;
    return busy_ns > 0 && bits >= WEB_CONFORM_BITS * seconds &&
           connection->errors * 100 <= connection->operations;
}

void web_client_init(struct web_client *client, const struct sockaddr_in *server, int connections,
                     int directories, uint64_t seed)
{
    memset(client, 0, sizeof *client);
    client->server = *server;
    client->random = seed;
    client->lengths = ~seed;
    client->connections = connections;
    web_mix_init(&client->mix, directories);
    for (int i = 0; i < connections; i++)
        client->connection[i].fd = -1;
}

void web_client_reset(struct web_client *client)
{
    memset(&client->response, 0, sizeof client->response);
    memset(&client->first_byte, 0, sizeof client->first_byte);
    client->operations = client->busy_ns = client->target = 0;
    for (int i = 0; i < client->connections; i++) {
        struct web_connection *connection = &client->connection[i];
        connection->bytes = connection->operations = connection->errors = 0;
    }
}

static void hang_up(struct web_connection *connection)
{
    if (connection->fd >= 0)
        close(connection->fd);
    connection->fd = -1;
    connection->state = WEB_CLOSED;
    connection->requests_left = 0;
}

static void give_up(struct web_client *client, struct web_connection *connection, const char *why)
{
    client->trouble = why;
    connection->errors++;
    hang_up(connection);
}

/* A small receive buffer, or the kernel would take in what the line could not have carried. */
static bool connect_to(struct web_client *client, struct web_connection *connection)
{
    const int buffer = 2 * WEB_CHUNK;
    connection->requests_left = web_draw_requests(&client->lengths);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        setsockopt(connection->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) != 0 ||
        connect(connection->fd, (const struct sockaddr *)&client->server, sizeof client->server) !=
            0)
        return false;
    return fcntl(connection->fd, F_SETFL, O_NONBLOCK) == 0;
}

/* Sends the next request, over a new connection where the last one is used up. */
static bool begin(struct web_client *client, struct web_connection *connection)
{
    char text[WEB_REQUEST_MAX];
    connection->start_ns = clock_ns();
    if (connection->fd < 0 && !connect_to(client, connection)) {
        give_up(client, connection, "cannot connect to the web server");
        return false;
    }
    web_mix_draw(&client->mix, &client->random, &connection->request);
    connection->request.keep_alive = --connection->requests_left > 0;
    web_body_init(&connection->body, &connection->request);
    connection->received = connection->total = connection->header_bytes = 0;
    connection->state = WEB_READING;
    connection->due_ns = connection->start_ns;
    ssize_t length = web_request_format(&connection->request, text);
    client->posts_sent += connection->request.kind == WEB_POST;
    if (send(connection->fd, text, (size_t)length, MSG_NOSIGNAL) != length)
        give_up(client, connection, "cannot send a request");
    return true;
}

/* Puts the first bytes aside until the header is whole. Returns false if the reply is bad. */
static bool take_header(struct web_connection *connection, const char *bytes, size_t length,
                        size_t *taken)
{
    size_t before = connection->received, body_bytes = 0;
    size_t part = WEB_HEADER_MAX - before < length ? WEB_HEADER_MAX - before : length;
    memcpy(connection->header + before, bytes, part);
    connection->header[before + part] = '\0';
    int header = web_header_parse(connection->header, &body_bytes);
    *taken = header > 0 ? (size_t)header - before : part;
    if (header == 0)
        return before + part < WEB_HEADER_MAX;
    if (header < 0 || body_bytes != web_body_bytes(&connection->body))
        return false;
    connection->header_bytes = (size_t)header;
    connection->total = (size_t)header + body_bytes;
    return true;
}

static bool take(struct web_connection *connection, const char *bytes, size_t length)
{
    size_t taken = 0;
    if (connection->total == 0 && !take_header(connection, bytes, length, &taken))
        return false;
    connection->received += length;
    if (connection->total == 0)
        return true;
    size_t offset = connection->received - (length - taken) - connection->header_bytes;
    return connection->received <= connection->total &&
           web_body_matches(&connection->body, offset, bytes + taken, length - taken);
}

static void receive(struct web_client *client, struct web_connection *connection)
{
    char bytes[WEB_CHUNK];
    ssize_t got = recv(connection->fd, bytes, sizeof bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        give_up(client, connection, "the web server broke a connection off");
        return;
    }
    if (connection->received == 0)
        latency_add(&client->first_byte, clock_ns() - connection->start_ns);
    connection->bytes += (uint64_t)got;
    if (!take(connection, bytes, (size_t)got)) {
        give_up(client, connection, "a reply was not the one expected");
        return;
    }
    connection->due_ns = connection->start_ns + web_line_ns(connection->received);
    if (connection->received == connection->total)
        connection->state = WEB_PACING;
}

/* The last bit has come down the line. */
static void complete(struct web_client *client, struct web_connection *connection, uint64_t now)
{
    latency_add(&client->response, now - connection->start_ns);
    client->operations++;
    connection->operations++;
    client->posts_done += connection->request.kind == WEB_POST;
    connection->state = WEB_CLOSED;
    if (!connection->request.keep_alive)
        hang_up(connection);
}

/* Starts and completes what is due. Returns the next time when something is, or 0: a failure. */
static uint64_t turn(struct web_client *client, struct pollfd *polled, uint64_t now)
{
    uint64_t next = UINT64_MAX;
    for (int i = 0; i < client->connections; i++) {
        struct web_connection *connection = &client->connection[i];
        if (connection->state == WEB_PACING && connection->due_ns <= now)
            complete(client, connection, now);
        if (connection->state == WEB_CLOSED && !begin(client, connection))
            return 0;
        bool ready = connection->state == WEB_READING && connection->due_ns <= now;
        polled[i] = (struct pollfd){.fd = ready ? connection->fd : -1, .events = POLLIN};
        if (connection->state == WEB_CLOSED)
            next = now;
        else if (!ready && connection->due_ns < next)
            next = connection->due_ns;
    }
    return next;
}

/* Waits until a reply or the next due time. Returns the number of replies, -1 after patience_s. */
static int wait_for(struct pollfd *polled, int count, uint64_t now, uint64_t next)
{
    uint64_t most = now + patience_s * second_ns;
    uint64_t until = next < most ? next : most;
    uint64_t left = until > now ? until - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left / second_ns),
                               .tv_nsec = (long)(left % second_ns)};
    int ready = ppoll(polled, (nfds_t)count, &timeout, NULL);
    return ready == 0 && until == most ? -1 : ready;
}

bool web_client_run(struct web_client *client, uint64_t operations)
{
    struct pollfd polled[WEB_CONNECTIONS_MAX];
    uint64_t start = clock_ns();
    client->target += operations;
    while (client->operations < client->target) {
        uint64_t now = clock_ns(), next = turn(client, polled, now);
        if (next == 0)
            return false;
        int ready = wait_for(polled, client->connections, now, next);
        if (ready < 0 && errno != EINTR) {
            client->trouble = "no reply for 30 s";
            return false;
        }
        for (int i = 0; i < client->connections && ready > 0; i++) {
            if (polled[i].fd >= 0 && polled[i].revents)
                receive(client, &client->connection[i]);
        }
    }
    client->busy_ns += clock_ns() - start;
    return true;
}
