#define _GNU_SOURCE
#include "db_client.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/random.h"
#include "db_server.h"

int db_connect(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = DB_SOCKET};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

bool db_ask(int fd, enum db_op op, int32_t key, struct db_reply *reply)
{
    const struct db_request request = {.op = op, .key = key};
    return helper_write(fd, &request, sizeof request) && helper_read(fd, reply, sizeof *reply);
}

/* n requests with random keys; the last reply is left for a closer look. */
static void ask_many(const struct db_client_options *options, int fd, uint64_t *random, uint64_t n,
                     struct db_client_report *report, struct db_reply *reply)
{
    for (; n > 0 && report->error == 0; n--) {
        report->key = 1 + (int32_t)random_below(random, (uint32_t)options->rows);
        if (!db_ask(fd, options->op, report->key, reply))
            report->error = errno ? errno : ECONNRESET;
        else if (reply->error != 0)
            report->error = reply->error > 0 ? reply->error : EIO;
        else if (reply->rows != 1)
            report->error = ENODATA;
        else if (options->op == DB_SELECT && reply->row.key != report->key)
            report->error = EBADMSG;
        else
            ++*options->acknowledged;
    }
}

/* Two reports for a number of requests: one when they are done, one after a look at the last row. */
static void client_run(const struct db_client_options *options, int control)
{
    uint64_t n, random = options->seed + 1000003u * (uint64_t)(options->index + 1);
    int fd = db_connect();
    struct db_client_report report = {.error = fd < 0 ? errno : 0};
    while (helper_read(control, &n, sizeof n)) {
        struct db_reply reply = {0};
        ask_many(options, fd, &random, n, &report, &reply);
        helper_write(control, &report, sizeof report);
        if (report.error == 0 && options->op == DB_SELECT && n > 0 &&
            !db_row_matches(options->seed, report.key, &reply.row))
            report.error = EBADMSG;
        helper_write(control, &report, sizeof report);
    }
    _exit(0);
}

struct db_client db_client_start(struct bench_run *run, const struct db_client_options *options)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        bench_fail(run, errno, "no socket pair for a client");
    pid_t pid = helper_fork(run);
    if (pid == 0) {
        close(ends[0]);
        client_run(options, ends[1]);
    }
    close(ends[1]);
    return (struct db_client){.pid = pid, .fd = ends[0]};
}
