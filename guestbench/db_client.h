/* Client processes of the database benchmarks: one request a round trip. */
#ifndef GUESTBENCH_DB_CLIENT_H
#define GUESTBENCH_DB_CLIENT_H

#include <stdint.h>
#include <sys/types.h>

#include "db_rows.h"
#include "helper.h"

/* What a client does when told a number of requests. */
struct db_client_options {
    enum db_op op;
    int32_t rows;
    uint64_t seed;                   /* of the rows */
    int index;                       /* which client: its keys differ from the others' */
    volatile uint64_t *acknowledged; /* counts answered requests */
};

/* What it says after them. */
struct db_client_report {
    int32_t error; /* errno value; ENODATA: a row was missing; EBADMSG: a row was wrong */
    int32_t key;   /* of the request that failed */
};

struct db_client {
    pid_t pid;
    int fd; /* numbers of requests (uint64_t) go out, reports come back */
};

/* Starts a client process. Ends the benchmark if it cannot. */
struct db_client db_client_start(struct bench_run *run, const struct db_client_options *options);

/* Connects to the server. Returns a descriptor or -1 (errno). */
int db_connect(void);

/* One round trip. False if the server has gone (errno 0 or the error). */
bool db_ask(int fd, enum db_op op, int32_t key, struct db_reply *reply);

#endif
