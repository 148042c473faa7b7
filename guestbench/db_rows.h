/*
 * The rows of the database benchmarks, made from a seed and the key, and what
 * goes between a client and the server.
 */
#ifndef GUESTBENCH_DB_ROWS_H
#define GUESTBENCH_DB_ROWS_H

#include <stdbool.h>
#include <stdint.h>

/* Ten columns, about 100 bytes, as the relations of AS3AP have. */
struct db_row {
    int32_t key; /* 1 to the number of rows */
    int32_t integer;
    int32_t balance; /* what updates add 1 to */
    float single;
    double number;
    char decimal[12];
    char date[11];
    char code[11];
    char name[21];
    char address[21];
};

enum db_op { DB_SELECT, DB_UPDATE, DB_SUM };

struct db_request {
    uint32_t op; /* enum db_op */
    int32_t key;
};

struct db_reply {
    int32_t error; /* errno value, 0: done */
    int32_t rows;  /* found or changed */
    int64_t sum;   /* of DB_SUM */
    struct db_row row;
};

/* The row as it is loaded. */
void db_row_make(uint64_t seed, int32_t key, struct db_row *row);

/* Is row the one of that key, whatever its balance has become? */
bool db_row_matches(uint64_t seed, int32_t key, const struct db_row *row);

#endif
