/* SHA-256 (FIPS 180-4). */
#ifndef GUESTBENCH_SHA256_H
#define GUESTBENCH_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t state[8];
    uint64_t bytes;
    uint8_t block[64];
};

void sha256_init(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const void *data, size_t size);
/* Writes 64 hexadecimal digits and a 0. */
void sha256_final(struct sha256 *hash, char hex[65]);

#endif
