#define _GNU_SOURCE
#include "db_server.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <sqlite3.h>

#include "db_rows.h"
#include "helper.h"

static sqlite3 *db;
static sqlite3_stmt *select_row, *update_row, *sum_rows;
static int ready = -1;

static int system_error(void)
{
    int error = sqlite3_system_errno(db);
    if (sqlite3_errcode(db) == SQLITE_FULL)
        return ENOSPC;
    if (sqlite3_errcode(db) == SQLITE_NOMEM)
        return ENOMEM;
    return error ? error : -1;
}

static void say_ready(int error, const char *message)
{
    struct db_server_ready word = {.error = error};
    snprintf(word.message, sizeof word.message, "%s", message);
    helper_write(ready, &word, sizeof word);
    if (error != 0)
        _exit(1);
}

static void check(int code, int expected)
{
    if (code != expected)
        say_ready(system_error(), db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

static void execute(const char *sql)
{
    check(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void bind_row(sqlite3_stmt *insert, const struct db_row *row)
{
    const char *const texts[] = {row->decimal, row->date, row->code, row->name, row->address};
    sqlite3_bind_int(insert, 1, row->key);
    sqlite3_bind_int(insert, 2, row->integer);
    sqlite3_bind_int(insert, 3, row->balance);
    sqlite3_bind_double(insert, 4, (double)row->single);
    sqlite3_bind_double(insert, 5, row->number);
    for (int i = 0; i < 5; i++)
        sqlite3_bind_text(insert, 6 + i, texts[i], -1, SQLITE_STATIC);
}

/* All rows in one transaction. */
static void load(const struct db_server_options *options)
{
    sqlite3_stmt *insert;
    execute("CREATE TABLE updates (key INTEGER PRIMARY KEY, int INTEGER, signed INTEGER,"
            " float REAL, double REAL, decim TEXT, date TEXT, code TEXT, name TEXT, address TEXT)");
    execute("BEGIN");
    check(sqlite3_prepare_v2(db, "INSERT INTO updates VALUES (?,?,?,?,?,?,?,?,?,?)", -1, &insert,
                             NULL),
          SQLITE_OK);
    for (int32_t key = 1; key <= options->rows; key++) {
        struct db_row row;
        db_row_make(options->seed, key, &row);
        bind_row(insert, &row);
        check(sqlite3_step(insert), SQLITE_DONE);
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    execute("COMMIT");
    execute("PRAGMA wal_checkpoint(TRUNCATE)"); /* without a log it does nothing */
}

static void open_database(const struct db_server_options *options)
{
    char pragma[64];
    check(sqlite3_open(DB_FILE, &db), SQLITE_OK);
    snprintf(pragma, sizeof pragma, "PRAGMA journal_mode=%s", options->journal);
    execute(pragma);
    execute("PRAGMA synchronous=FULL");
    if (options->rows > 0)
        load(options);
    check(sqlite3_prepare_v2(db, "SELECT * FROM updates WHERE key=?", -1, &select_row, NULL),
          SQLITE_OK);
    check(sqlite3_prepare_v2(db, "UPDATE updates SET signed=signed+1 WHERE key=?", -1, &update_row,
                             NULL),
          SQLITE_OK);
    check(sqlite3_prepare_v2(db, "SELECT sum(signed) FROM updates", -1, &sum_rows, NULL),
          SQLITE_OK);
}

static void copy_text(char *to, size_t size, int column)
{
    const unsigned char *text = sqlite3_column_text(select_row, column);
    snprintf(to, size, "%s", text ? (const char *)text : "");
}

static void read_row(struct db_row *row)
{
    row->key = sqlite3_column_int(select_row, 0);
    row->integer = sqlite3_column_int(select_row, 1);
    row->balance = sqlite3_column_int(select_row, 2);
    row->single = (float)sqlite3_column_double(select_row, 3);
    row->number = sqlite3_column_double(select_row, 4);
    copy_text(row->decimal, sizeof row->decimal, 5);
    copy_text(row->date, sizeof row->date, 6);
    copy_text(row->code, sizeof row->code, 7);
    copy_text(row->name, sizeof row->name, 8);
    copy_text(row->address, sizeof row->address, 9);
}

static void answer_select(int32_t key, struct db_reply *reply)
{
    sqlite3_bind_int(select_row, 1, key);
    int code = sqlite3_step(select_row);
    if (code == SQLITE_ROW) {
        read_row(&reply->row);
        reply->rows = 1;
    } else if (code != SQLITE_DONE) {
        reply->error = system_error();
    }
    sqlite3_reset(select_row);
}

/* One transaction: the reply goes out when SQLite has made it durable. */
static void answer_update(int32_t key, struct db_reply *reply)
{
    sqlite3_bind_int(update_row, 1, key);
    if (sqlite3_step(update_row) == SQLITE_DONE)
        reply->rows = sqlite3_changes(db);
    else
        reply->error = system_error();
    sqlite3_reset(update_row);
}

static void answer_sum(struct db_reply *reply)
{
    if (sqlite3_step(sum_rows) == SQLITE_ROW)
        reply->sum = sqlite3_column_int64(sum_rows, 0);
    else
        reply->error = system_error();
    sqlite3_reset(sum_rows);
}

/* One request of a connection. Returns false when the client has gone. */
static bool serve(int fd)
{
    struct db_request request;
    struct db_reply reply = {0};
    if (!helper_read(fd, &request, sizeof request))
        return false;
    switch (request.op) {
    case DB_SELECT: answer_select(request.key, &reply); break;
    case DB_UPDATE: answer_update(request.key, &reply); break;
    case DB_SUM: answer_sum(&reply); break;
    default: reply.error = EINVAL;
    }
    return helper_write(fd, &reply, sizeof reply);
}

static int listen_on_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = DB_SOCKET};
    unlink(DB_SOCKET);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, DB_CLIENTS_MAX) != 0)
        say_ready(errno, "no Unix socket");
    return fd;
}

static void accept_client(struct pollfd *polled, nfds_t *count)
{
    int fd = accept4(polled[0].fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (*count > DB_CLIENTS_MAX) {
        close(fd);
        return;
    }
    polled[(*count)++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

void db_server_run(const struct db_server_options *options, int ready_fd)
{
    struct pollfd polled[1 + DB_CLIENTS_MAX];
    nfds_t count = 1;
    ready = ready_fd;
    open_database(options);
    polled[0] = (struct pollfd){.fd = listen_on_socket(), .events = POLLIN};
    say_ready(0, "");
    close(ready);
    for (;;) {
        if (poll(polled, count, -1) < 0 && errno != EINTR)
            _exit(1);
        for (nfds_t i = count; i-- > 1;) {
            if (polled[i].revents && !serve(polled[i].fd)) {
                close(polled[i].fd);
                polled[i] = polled[--count];
            }
        }
        if (polled[0].revents)
            accept_client(polled, &count);
    }
}

const char *db_server_version(void)
{
    return sqlite3_libversion();
}
