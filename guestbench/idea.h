/* The block cipher IDEA (Lai and Massey, 1991): 64-bit blocks, 128-bit keys, 8 rounds. */
#ifndef GUESTBENCH_IDEA_H
#define GUESTBENCH_IDEA_H

#include <stdint.h>

enum { IDEA_ROUNDS = 8, IDEA_KEYS = 6 * IDEA_ROUNDS + 4 };

struct idea_schedule {
    uint16_t key[IDEA_KEYS];
};

/* Makes the keys of the rounds from a key, which begins with its high-order word. */
void idea_expand(struct idea_schedule *schedule, const uint16_t key[8]);

/* Makes the schedule that undoes another. */
void idea_invert(struct idea_schedule *inverse, const struct idea_schedule *schedule);

/* Encrypts a block, high-order word first, or decrypts one by an inverted schedule. */
void idea_block(const struct idea_schedule *schedule, const uint16_t in[4], uint16_t out[4]);

#endif
