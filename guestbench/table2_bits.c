/* Table 2: Bitfield and IDEA (Nbench). */
#include <string.h>

#include "core/bench.h"
#include "idea.h"
#include "nbench_random.h"

enum { WORDS = 32768, MAP_BITS = 262140, RUNS = 100, BLOCKS = 500 };

/* Set, clear and complement, in turn. */
static struct run_of_bits {
    uint32_t first, count;
} runs[RUNS];
static uint32_t map[WORDS], wanted_map[WORDS];

__attribute__((noipa)) void bits_flip(uint32_t *bits, struct run_of_bits run, int kind);

/* One bit at a time; the barrier keeps a compiler from doing words instead. */
void bits_flip(uint32_t *bits, struct run_of_bits run, int kind)
{
    for (uint32_t i = run.first; i < run.first + run.count; i++) {
        uint32_t bit = 1u << i % 32;
        if (kind == 0)
            bits[i / 32] |= bit;
        else if (kind == 1)
            bits[i / 32] &= ~bit;
        else
            bits[i / 32] ^= bit;
        __asm__ volatile("" : : : "memory");
    }
}

static void start_map(uint32_t *bits)
{
    for (int i = 0; i < WORDS; i++)
        bits[i] = 0x55555555u;
}

/* What a run does, by whole words: the expectation must not share the loop's mistakes. */
static void expect_run(struct run_of_bits run, int kind)
{
    uint32_t end = run.first + run.count;
    for (uint32_t word = run.first / 32; word * 32 < end; word++) {
        uint32_t mask = ~0u;
        if (word * 32 < run.first)
            mask &= ~0u << run.first % 32;
        if (end - word * 32 < 32)
            mask &= ~(~0u << end % 32);
        if (kind == 0)
            wanted_map[word] |= mask;
        else if (kind == 1)
            wanted_map[word] &= ~mask;
        else
            wanted_map[word] ^= mask;
    }
}

static void bits_setup(struct bench_run *run)
{
    struct nbench_random random = NBENCH_RANDOM_START;
    double bits = 0;
    start_map(wanted_map);
    for (int i = 0; i < RUNS; i++) {
        runs[i].first = (uint32_t)nbench_random_below(&random, MAP_BITS);
        runs[i].count = (uint32_t)nbench_random_below(&random, MAP_BITS - (int32_t)runs[i].first);
        bits += runs[i].count;
        expect_run(runs[i], i % 3);
    }
    run->ops = bits;
}

static void bits_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (; n > 0; n--) {
        start_map(map);
        for (int i = 0; i < RUNS; i++)
            bits_flip(map, runs[i], i % 3);
    }
}

static void bits_verify(struct bench_run *run)
{
    for (int i = 0; i < WORDS; i++) {
        if (map[i] != wanted_map[i])
            bench_mismatch(run, wanted_map[i], map[i]);
    }
    memset(map, 0, sizeof map);
}

static uint16_t idea_key[8], plain[BLOCKS][4], secret[BLOCKS][4], back[BLOCKS][4];

static void idea_setup(struct bench_run *run)
{
    struct nbench_random random = NBENCH_RANDOM_START;
    (void)run;
    for (int i = 0; i < 8; i++)
        idea_key[i] = (uint16_t)nbench_random_below(&random, 60000);
    for (int i = 0; i < BLOCKS * 4; i++)
        plain[i / 4][i % 4] = (uint16_t)nbench_random_below(&random, 65536);
}

static void idea_iter(struct bench_run *run, uint64_t n)
{
    struct idea_schedule encrypt, decrypt;
    (void)run;
    idea_expand(&encrypt, idea_key);
    idea_invert(&decrypt, &encrypt);
    for (; n > 0; n--) {
        for (int i = 0; i < BLOCKS; i++)
            idea_block(&encrypt, plain[i], secret[i]);
        for (int i = 0; i < BLOCKS; i++)
            idea_block(&decrypt, secret[i], back[i]);
    }
}

static void idea_verify(struct bench_run *run)
{
    for (int i = 0; i < BLOCKS; i++) {
        if (memcmp(back[i], plain[i], sizeof plain[i]) != 0 ||
            memcmp(secret[i], plain[i], sizeof plain[i]) == 0)
            bench_mismatch(run, plain[i][0], back[i][0]);
    }
    memset(back, 0, sizeof back);
    memset(secret, 0, sizeof secret);
}

static const struct bench bits[] = {
    {.name = "nbench.bitfield",
     .table = "2",
     .unit = "bits/s",
     .what = "bits of a map set, cleared and complemented",
     .flags = BENCH_EXTRA,
     .setup = bits_setup,
     .iter = bits_iter,
     .verify = bits_verify},
    {.name = "nbench.idea",
     .table = "2",
     .unit = "loops/s",
     .what = "4000 bytes encrypted by IDEA and decrypted",
     .flags = BENCH_EXTRA,
     .ops = 1,
     .setup = idea_setup,
     .iter = idea_iter,
     .verify = idea_verify},
};

BENCH_TABLE(bits);
