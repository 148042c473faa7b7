/*
 * Table 7: ram_copy and mem_rtns_1 (AIM9): memcpy and the allocator of musl.
 * The sizes are spread as AIM9's are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/bench.h"

enum {
    COPIES = 64,
    COPIED_BYTES = 25020,
    LARGEST = 8192,
    OFFSETS = 8,
    ROUNDS = 100,
    TRIPLES = 100,
    SIZES = 40,
    TEXT = 45,
};

/* Every third copy; the others are of 1 to 9 bytes. */
static const uint16_t large_copies[COPIES / 3] = {
    64, 1024, 32, 4096, 128, 50,  512, 2048, 100, 256, 8192,
    64, 1024, 32, 4096, 128, 512, 50,  2048, 100, 256,
};
static uint16_t copy_sizes[COPIES];
static uint8_t from[LARGEST + OFFSETS], to[LARGEST + OFFSETS], wanted[LARGEST + OFFSETS];

static unsigned from_offset(unsigned copy)
{
    return copy % OFFSETS;
}

static unsigned to_offset(unsigned copy)
{
    return copy / OFFSETS % OFFSETS;
}

static void copy_setup(struct bench_run *run)
{
    unsigned total = 0, small = 0;
    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (uint8_t)(i * 7 + i / 256 + 1);
    for (unsigned i = 0; i < COPIES; i++) {
        copy_sizes[i] = i % 3 == 2 ? large_copies[i / 3] : (uint16_t)(1 + small++ % 9);
        total += copy_sizes[i];
        for (unsigned byte = 0; byte < copy_sizes[i]; byte++)
            wanted[to_offset(i) + byte] = from[from_offset(i) + byte];
    }
    if (total != COPIED_BYTES)
        bench_mismatch(run, COPIED_BYTES, total);
}

static void copy_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (; n > 0; n--) {
        for (unsigned i = 0; i < COPIES; i++)
            memcpy(to + to_offset(i), from + from_offset(i), copy_sizes[i]);
    }
}

/* Wipes the target, so that each sample has to copy for itself. */
static void copy_verify(struct bench_run *run)
{
    for (size_t i = 0; i < sizeof to; i++) {
        if (to[i] != wanted[i])
            bench_mismatch(run, wanted[i], to[i]);
        to[i] = 0;
    }
}

static const uint16_t sizes[SIZES] = {
    8192, 3,    1024, 40, 512,  7,   2048, 96,  12,   4096, 1,    64,   24, 128,
    5,    1024, 512,  9,  4096, 200, 2,    100, 2048, 16,   48,   1024, 8,  32,
    512,  4,    8192, 28, 2048, 6,   512,  80,  20,   56,   1024, 4096,
};
static const char text[TEXT] = "forty-four characters that each round copies";

static size_t next_size;
static uint64_t lengths, not_zero;

static void *or_fail(struct bench_run *run, void *block)
{
    if (!block)
        bench_fail(run, ENOMEM, "out of memory");
    return block;
}

static size_t take_size(void)
{
    size_t size = sizes[next_size];
    next_size = (next_size + 1) % SIZES;
    return size;
}

static void allocate_round(struct bench_run *run)
{
    uint8_t *blocks[TRIPLES][3];
    for (int i = 0; i < TRIPLES; i++) {
        blocks[i][0] = or_fail(run, malloc(TEXT));
        lengths += strlen(strcpy((char *)blocks[i][0], text));
        blocks[i][1] = or_fail(run, malloc(take_size()));
        blocks[i][2] = or_fail(run, calloc(1, sizes[next_size]));
    }
    for (int i = 0; i < TRIPLES; i++) {
        not_zero += blocks[i][2][0];
        blocks[i][0][0] = blocks[i][1][0] = blocks[i][2][0] = (uint8_t)(i + 1);
    }
    for (int i = TRIPLES - 1; i >= 0; i--) {
        free(blocks[i][0]);
        free(blocks[i][2]);
        free(blocks[i][1]);
    }
}

static void allocate_iter(struct bench_run *run, uint64_t n)
{
    for (uint64_t i = n * ROUNDS; i > 0; i--)
        allocate_round(run);
}

static void allocate_verify(struct bench_run *run)
{
    uint64_t expected = run->done * ROUNDS * TRIPLES * (TEXT - 1);
    if (lengths != expected)
        bench_mismatch(run, (double)expected, (double)lengths);
    if (not_zero != 0)
        bench_mismatch(run, 0, (double)not_zero);
    lengths = 0;
}

static const struct bench memory[] = {
    {.name = "aim9.ram_copy",
     .table = "7",
     .unit = "bytes/s",
     .what = "memcpy of 1 to 8192 bytes",
     .ops = COPIED_BYTES,
     .setup = copy_setup,
     .iter = copy_iter,
     .verify = copy_verify},
    {.name = "aim9.mem_rtns_1",
     .table = "7",
     .unit = "allocations/s",
     .what = "malloc and calloc of 1 to 8192 bytes, each with its free",
     .ops = ROUNDS * TRIPLES * 3,
     .iter = allocate_iter,
     .verify = allocate_verify},
};

BENCH_TABLE(memory);
