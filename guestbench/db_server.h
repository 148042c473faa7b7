/* The database server: SQLite in one process behind a Unix socket. */
#ifndef GUESTBENCH_DB_SERVER_H
#define GUESTBENCH_DB_SERVER_H

#include <stdint.h>

#define DB_FILE "db"
#define DB_SOCKET "db.socket"

enum { DB_CLIENTS_MAX = 16 };

struct db_server_options {
    const char *journal; /* SQLite's journal_mode */
    int32_t rows;        /* to load; 0: the database is there already */
    uint64_t seed;
};

/* What the server says once it listens, or cannot. */
struct db_server_ready {
    int32_t error; /* errno value, -1 if none fits, 0: it listens */
    char message[96];
};

/*
 * Serves requests (db_rows.h) on DB_SOCKET in the working directory until it is
 * killed; writes a struct db_server_ready to ready_fd first. Never returns.
 */
void db_server_run(const struct db_server_options *options, int ready_fd) __attribute__((noreturn));

const char *db_server_version(void);

#endif
