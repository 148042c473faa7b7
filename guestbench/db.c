/*
 * A database server and ten clients, in place of OSDB: SQLite in a process of
 * its own behind a Unix socket, one request a round trip, keys at random.
 * Each update is a transaction of its own with synchronous=FULL.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/system.h"
#include "db_client.h"
#include "db_server.h"

enum { CLIENTS = 10, REQUESTS = 5 /* of each in an iteration */, KILL_AFTER = 50 };

/* What a benchmark of this table runs, by its param. */
static const struct load {
    enum db_op op;
    const char *journal;
} loads[] = {{DB_SELECT, "DELETE"}, {DB_UPDATE, "DELETE"}, {DB_UPDATE, "WAL"}};

static pid_t server;
static int control = -1; /* the benchmark's own connection to the server */
static struct db_client clients[CLIENTS];
static volatile uint64_t *acknowledged; /* a counter for each client */
static int64_t first_sum;               /* of the balances, with no update acknowledged */
static uint64_t first_acknowledged;

static const struct load *load_of(const struct bench_run *run)
{
    return &loads[run->bench->param];
}

static uint64_t count_acknowledged(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < CLIENTS; i++)
        sum += acknowledged[i];
    return sum;
}

static int64_t sum_of_balances(struct bench_run *run)
{
    struct db_reply reply;
    if (!db_ask(control, DB_SUM, 0, &reply))
        bench_fail(run, errno, "the database server has gone");
    if (reply.error != 0)
        bench_fail(run, reply.error > 0 ? reply.error : 0, "the sum of the rows cannot be had");
    return reply.sum;
}

static void start_server(struct bench_run *run, int32_t rows)
{
    const struct db_server_options options = {
        .journal = load_of(run)->journal, .rows = rows, .seed = run->config->seed};
    struct db_server_ready ready;
    int ends[2];
    if (pipe(ends) != 0)
        bench_fail(run, errno, "no pipe to the database server");
    server = helper_fork(run);
    if (server == 0) {
        close(ends[0]);
        db_server_run(&options, ends[1]);
    }
    close(ends[1]);
    if (!helper_read(ends[0], &ready, sizeof ready))
        bench_fail(run, errno, "the database server ended before it was ready");
    close(ends[0]);
    if (ready.error != 0)
        bench_fail(run, ready.error > 0 ? ready.error : 0, "database server: %s", ready.message);
    control = db_connect();
    if (control < 0)
        bench_fail(run, errno, "cannot connect to the database server");
}

static void start_clients(struct bench_run *run)
{
    for (int i = 0; i < CLIENTS; i++) {
        const struct db_client_options options = {.op = load_of(run)->op,
                                                  .rows = run->config->db_rows,
                                                  .seed = run->config->seed,
                                                  .index = i,
                                                  .acknowledged = &acknowledged[i]};
        clients[i] = db_client_start(run, &options);
    }
}

static void tell_clients(struct bench_run *run, uint64_t n)
{
    for (int i = 0; i < CLIENTS; i++) {
        if (!helper_write(clients[i].fd, &n, sizeof n))
            bench_fail(run, errno, "a client has gone");
    }
}

/* One report of each client. Returns the first error among them. */
static int hear_clients(struct bench_run *run)
{
    int error = 0;
    for (int i = 0; i < CLIENTS; i++) {
        struct db_client_report report;
        if (!helper_read(clients[i].fd, &report, sizeof report))
            bench_fail(run, errno, "a client ended");
        error = error ? error : report.error;
    }
    return error;
}

static void stop_clients(void)
{
    for (int i = 0; i < CLIENTS; i++) {
        helper_kill(clients[i].pid);
        if (clients[i].pid > 0)
            close(clients[i].fd);
        clients[i].pid = 0;
    }
}

static void stop_server(void)
{
    helper_kill(server);
    server = 0;
    if (control >= 0)
        close(control);
    control = -1;
}

/*
 * Kills the server in the middle of updates and opens the database again: every
 * acknowledged update must be there, and at most one of each client beyond them.
 */
static void check_durability(struct bench_run *run)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    int64_t before = sum_of_balances(run);
    uint64_t give_up = clock_ns() + (uint64_t)(run->config->timeout_s * 0.5e9);
    start_clients(run);
    tell_clients(run, UINT64_MAX);
    while (count_acknowledged() < KILL_AFTER && clock_ns() < give_up)
        nanosleep(&moment, NULL);
    stop_server();
    hear_clients(run);
    stop_clients();
    uint64_t promised = count_acknowledged();
    if (promised < KILL_AFTER)
        bench_fail(run, 0, "only %llu updates were done in %.1f s", (unsigned long long)promised,
                   run->config->timeout_s * 0.5);
    start_server(run, 0);
    int64_t found = sum_of_balances(run) - before;
    if (found < (int64_t)promised || found > (int64_t)promised + CLIENTS)
        bench_mismatch(run, (double)promised, (double)found);
    bench_fact_number(run, "survived_kill", (double)promised, 0);
}

static void refuse_memory_file_system(struct bench_run *run)
{
    char type[32];
    if (system_fs_type(".", type, sizeof type) &&
        (strcmp(type, "tmpfs") == 0 || strcmp(type, "ramfs") == 0))
        bench_skip(run, "the directory is on %s, where nothing is made durable", type);
}

static void db_setup(struct bench_run *run)
{
    struct stat info;
    bool updates = load_of(run)->op == DB_UPDATE;
    signal(SIGPIPE, SIG_IGN);
    if (updates)
        refuse_memory_file_system(run);
    acknowledged = helper_share(run, CLIENTS * sizeof *acknowledged);
    start_server(run, run->config->db_rows);
    if (updates)
        check_durability(run);
    bench_fact_text(run, "sqlite", db_server_version());
    bench_fact_text(run, "journal_mode", load_of(run)->journal);
    bench_fact_number(run, "rows", run->config->db_rows, 0);
    bench_fact_number(run, "clients", CLIENTS, 0);
    if (stat(DB_FILE, &info) == 0)
        bench_fact_number(run, "database_kib", (double)info.st_size / 1024, 0);
    first_sum = sum_of_balances(run);
    first_acknowledged = count_acknowledged();
    start_clients(run);
    /* connections are made by the time of the first sample */
    tell_clients(run, 1);
    if (hear_clients(run) != 0 || hear_clients(run) != 0)
        bench_fail(run, 0, "the clients' first requests failed");
}

static void db_iter(struct bench_run *run, uint64_t n)
{
    tell_clients(run, n * REQUESTS);
    int error = hear_clients(run);
    if (error == ENODATA || error == EBADMSG)
        bench_fail(run, 0, "a row was %s", error == ENODATA ? "missing" : "another one");
    if (error != 0)
        bench_fail(run, error, "a request failed");
}

/* What was acknowledged is in the table, neither more nor less. */
static void db_verify(struct bench_run *run)
{
    if (hear_clients(run) != 0)
        bench_fail(run, 0, "a row had other contents than were loaded");
    uint64_t done = count_acknowledged() - first_acknowledged;
    int64_t changed = sum_of_balances(run) - first_sum;
    int64_t expected = load_of(run)->op == DB_UPDATE ? (int64_t)done : 0;
    if (changed != expected)
        bench_mismatch(run, (double)expected, (double)changed);
}

static void db_teardown(struct bench_run *run)
{
    (void)run;
    stop_clients();
    stop_server();
}

/* The paper's runs: 15 minutes of warm-up, 5 measured. */
#define DB(index, id, rate, text, flag)                                                            \
    {                                                                                              \
        .name = "db." id, .table = "db", .unit = rate, .what = text, .flags = BENCH_DISK | flag,   \
        .ops = CLIENTS * REQUESTS, .setup = db_setup, .iter = db_iter, .verify = db_verify,        \
        .teardown = db_teardown, .param = index, .standard_warm_s = 5, .standard_s = 1,            \
        .paper_warm_s = 900, .paper_measured_s = 300                                               \
    }

static const struct bench databases[] = {
    DB(0, "ir", "rows/s", "10 clients of SQLite each select a row by its key", 0),
    DB(1, "oltp", "updates/s", "10 clients each update a row, rollback journal", BENCH_LUMPS),
    DB(2, "oltp_wal", "updates/s", "10 clients each update a row, write-ahead log", BENCH_LUMPS),
};

BENCH_TABLE(databases);
