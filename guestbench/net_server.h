/* The other end of the network tests. */
#ifndef GUESTBENCH_NET_SERVER_H
#define GUESTBENCH_NET_SERVER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A listening TCP socket on an IPv4 address (host byte order) and port; port 0
 * takes a free one, and *port receives it. Returns it or -1 (errno).
 */
int net_listen(uint32_t address, uint16_t *port);

/* Serves one client after the other, each in a process of its own. Returns only on errors. */
void net_serve(int listener);

/* Serves on all addresses and says so. Returns an exit status. */
int net_serve_command(int port);

#endif
