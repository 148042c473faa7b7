/*
 * Table 2: Huffman (Nbench): a tree of the characters of a text, by frequencies
 * in floating point and a search of all nodes for the two least; the text
 * compressed by it and expanded again.
 */
#include <string.h>

#include "core/bench.h"
#include "nbench_random.h"

enum { TEXT = 5000, SYMBOLS = 256, NODES = 2 * SYMBOLS, NONE = -1, LONGEST_CODE = SYMBOLS };

static const char *const words[] = {
    "kernel", "guest", "page",  "table",  "shadow",  "fault",  "exit",   "entry",  "port",
    "disk",   "frame", "walk",  "cache",  "flush",   "trap",   "host",   "timer",  "queue",
    "lock",   "ring",  "and",   "the",    "of",      "to",     "in",     "is",     "it",
    "that",   "was",   "for",   "memory", "process", "thread", "signal", "buffer", "sector",
    "vector", "mask",  "level", "edge",   "segment", "limit",  "base",   "gate",   "stack",
    "task",   "cycle", "count", "clock",  "line",
};

static struct node {
    float frequency;
    int parent, left, right; /* NONE where there is none */
} nodes[NODES];
static uint8_t plain[TEXT], packed[TEXT * 2], expanded[TEXT];
static size_t packed_bits;

/* Words with spaces between, 6 to 500 characters a line. */
static void huffman_setup(struct bench_run *run)
{
    struct nbench_random random = NBENCH_RANDOM_START;
    size_t at = 0, line_end = 0;
    (void)run;
    while (at < TEXT) {
        const char *word =
            words[nbench_random_below(&random, (int32_t)(sizeof words / sizeof *words))];
        if (at >= line_end) {
            plain[at++] = '\n';
            line_end = at + 6 + (size_t)nbench_random_below(&random, 494);
        }
        for (; *word && at < TEXT; word++)
            plain[at++] = (uint8_t)*word;
        if (at < TEXT)
            plain[at++] = ' ';
    }
}

/* The rarest node without a parent, other than one; NONE if there is no more. */
static int rarest(int count, int other)
{
    int found = NONE;
    for (int i = 0; i < count; i++) {
        if (i == other || nodes[i].parent != NONE || nodes[i].frequency <= 0)
            continue;
        if (found == NONE || nodes[i].frequency < nodes[found].frequency)
            found = i;
    }
    return found;
}

/* Returns the root. */
static int build_tree(void)
{
    int count = SYMBOLS;
    for (int i = 0; i < SYMBOLS; i++)
        nodes[i] = (struct node){.parent = NONE, .left = NONE, .right = NONE};
    for (size_t i = 0; i < TEXT; i++)
        nodes[plain[i]].frequency += 1.0f / TEXT;
    for (;;) {
        int left = rarest(count, NONE), right = rarest(count, left);
        if (right == NONE)
            return left;
        nodes[count] = (struct node){.frequency = nodes[left].frequency + nodes[right].frequency,
                                     .parent = NONE,
                                     .left = left,
                                     .right = right};
        nodes[left].parent = nodes[right].parent = count++;
    }
}

/* The code of a character is the way from the root to it; it is found from below. */
static void compress(void)
{
    size_t at = 0;
    memset(packed, 0, sizeof packed);
    for (size_t i = 0; i < TEXT; i++) {
        bool code[LONGEST_CODE];
        int bits = 0;
        for (int node = plain[i]; nodes[node].parent != NONE; node = nodes[node].parent)
            code[bits++] = nodes[nodes[node].parent].right == node;
        for (; bits > 0 && at < sizeof packed * 8; at++)
            packed[at / 8] |= (uint8_t)(code[--bits] << at % 8);
    }
    packed_bits = at;
}

static void expand(int root)
{
    size_t at = 0;
    for (size_t i = 0; i < TEXT; i++) {
        int node = root;
        for (; nodes[node].left != NONE && at < packed_bits; at++)
            node = packed[at / 8] >> at % 8 & 1 ? nodes[node].right : nodes[node].left;
        expanded[i] = (uint8_t)node;
    }
}

static void huffman_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (; n > 0; n--) {
        int root = build_tree();
        compress();
        expand(root);
    }
}

/* The same text again, from fewer bits: letters of few words need less than 6. */
static void huffman_verify(struct bench_run *run)
{
    for (size_t i = 0; i < TEXT; i++) {
        if (expanded[i] != plain[i])
            bench_mismatch(run, plain[i], expanded[i]);
    }
    if (packed_bits > TEXT * 6)
        bench_mismatch(run, TEXT * 6, (double)packed_bits);
    memset(expanded, 0, sizeof expanded);
}

static const struct bench huffman[] = {
    {.name = "nbench.huffman",
     .table = "2",
     .unit = "loops/s",
     .what = "5000 characters compressed by a Huffman code and expanded",
     .flags = BENCH_EXTRA,
     .ops = 1,
     .setup = huffman_setup,
     .iter = huffman_iter,
     .verify = huffman_verify},
};

BENCH_TABLE(huffman);
