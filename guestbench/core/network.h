/* As init: an address for the network interface. */
#ifndef GUESTBENCH_NETWORK_H
#define GUESTBENCH_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads "A.B.C.D/BITS" into host byte order. Returns false if it is something else. */
bool network_parse(const char *text, uint32_t *address, uint32_t *mask);

/*
 * Gives the first interface that is not the loopback this address and raises it.
 * Returns false with a message.
 */
bool network_raise(const char *text, char *error, size_t size);

#endif
