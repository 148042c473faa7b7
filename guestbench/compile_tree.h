/*
 * A tree of generated C sources for the compile benchmarks: what its program
 * computes is known beforehand.
 */
#ifndef GUESTBENCH_COMPILE_TREE_H
#define GUESTBENCH_COMPILE_TREE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TREE_HEADER_DIRS = 8,     /* -I directories; a header is in one of them */
    TREE_INCLUDES_LEAST = 25, /* of a source, */
    TREE_INCLUDES_MOST = 60,
    TREE_FUNCTIONS = 20, /* of a source */
    TREE_PER_DIR = 100,  /* sources of a directory, linked to one object */
    TREE_PATH_MAX = 40,
};

struct tree {
    int files;       /* C sources, numbered from 0 */
    int headers;     /* a fifth of that, at least TREE_INCLUDES_MOST */
    uint64_t seed;   /* of everything in it */
    uint32_t result; /* what the program prints */
    uint64_t bytes;  /* of all sources and headers */
    uint64_t include_count;
};

void tree_source_path(int file, char path[TREE_PATH_MAX]);
void tree_object_path(int file, char path[TREE_PATH_MAX]);

/*
 * Writes the tree below the working directory and fills in result, bytes and
 * include_count. Returns 0 or -1 (errno).
 */
int tree_make(struct tree *tree, int files, uint64_t seed);

#endif
