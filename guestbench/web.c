/*
 * A web server under a low, medium and high load (16, 50 and 84 connections),
 * in place of the paper's SPECweb99 runs, over the loopback interface. One
 * operation is one request answered completely and correctly at the speed of
 * the client's line.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/system.h"
#include "helper.h"
#include "web_client.h"
#include "web_server.h"

static struct web_client client;
static pid_t workers[WEB_CONNECTIONS_MAX];

/* The original's rule, within --web-mb and what the file system has room for. */
static int count_directories(struct bench_run *run)
{
    long connections = run->bench->param, wanted = 25 + connections * 66 / 100;
    long most = run->config->web_mb / WEB_DIRECTORY_MB;
    struct statvfs info;
    if (statvfs(".", &info) == 0) {
        long room = (long)((uint64_t)info.f_bavail * info.f_frsize / 1000000) - 2;
        if (room < WEB_DIRECTORY_MB + 1)
            bench_skip(run, "the directory has room for %ld MB, %d are needed", room,
                       WEB_DIRECTORY_MB + 1);
        most = most < room / (WEB_DIRECTORY_MB + 1) ? most : room / (WEB_DIRECTORY_MB + 1);
    }
    most = most < WEB_DIRECTORIES_MAX ? most : WEB_DIRECTORIES_MAX;
    return (int)(wanted < most ? wanted : most);
}

/* Percent of a file's pages in the page cache. */
static double cached_percent(const char *path, size_t size)
{
    enum { PAGE = 4096 };
    size_t pages = (size + PAGE - 1) / PAGE, cached = 0;
    unsigned char *state = malloc(pages);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (state && map != MAP_FAILED && mincore(map, size, state) == 0) {
        for (size_t i = 0; i < pages; i++)
            cached += state[i] & 1;
    }
    if (map != MAP_FAILED)
        munmap(map, size);
    if (fd >= 0)
        close(fd);
    free(state);
    return 100.0 * (double)cached / (double)pages;
}

/* Of the largest files, which are nine tenths of all. */
static double cached_of_all(int directories)
{
    double sum = 0;
    for (int i = 0; i < directories * WEB_SIZES; i++) {
        char path[WEB_PATH_MAX];
        int class = WEB_CLASSES - 1, size = 1 + i % WEB_SIZES;
        web_file_path(i / WEB_SIZES, class, size, path);
        sum += cached_percent(path, web_file_size(class, size));
    }
    return sum / (directories * WEB_SIZES);
}

static int open_listener(struct bench_run *run, struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || bind(fd, (struct sockaddr *)address, size) != 0 ||
        listen(fd, WEB_CONNECTIONS_MAX) != 0 ||
        getsockname(fd, (struct sockaddr *)address, &size) != 0)
        bench_fail(run, errno, "no TCP socket for the web server");
    return fd;
}

/* As many workers as connections, the kind of server that the paper's was. */
static void start_workers(struct bench_run *run, struct sockaddr_in *address)
{
    int listener = open_listener(run, address);
    for (int i = 0; i < run->bench->param; i++) {
        workers[i] = helper_fork(run);
        if (workers[i] == 0)
            web_server_work(listener);
    }
    close(listener);
}

static void web_setup(struct bench_run *run)
{
    struct sockaddr_in address;
    if (!system_loopback_up())
        bench_skip(run, "the loopback interface is down");
    int directories = count_directories(run);
    for (int i = 0; i < directories; i++) {
        if (web_files_make(i) != 0)
            bench_fail(run, errno, "cannot make the web server's files");
    }
    signal(SIGPIPE, SIG_IGN);
    start_workers(run, &address);
    web_client_init(&client, &address, (int)run->bench->param, directories, run->config->seed);
    run->ops = WEB_HUNDRED;
    bench_fact_number(run, "directories", directories, 0);
    bench_fact_number(run, "cached_percent", cached_of_all(directories), 1);
}

static void web_iter(struct bench_run *run, uint64_t n)
{
    if (run->result->warmups == 0)
        web_client_reset(&client); /* not among the samples */
    if (!web_client_run(&client, n * WEB_HUNDRED))
        bench_fail(run, 0, "%s", client.trouble);
}

/* The log has a record for each POST that was answered, and none that was not sent. */
static void check_post_log(struct bench_run *run)
{
    struct stat info = {0};
    if (stat(WEB_POST_LOG, &info) != 0 && client.posts_done > 0)
        bench_fail(run, errno, "the log of POST requests cannot be read");
    uint64_t records = (uint64_t)info.st_size / WEB_RECORD;
    if ((uint64_t)info.st_size % WEB_RECORD != 0 || records < client.posts_done)
        bench_mismatch(run, (double)client.posts_done * WEB_RECORD, (double)info.st_size);
    if (records > client.posts_sent)
        bench_mismatch(run, (double)client.posts_sent * WEB_RECORD, (double)info.st_size);
}

static void web_verify(struct bench_run *run)
{
    uint64_t errors = 0;
    for (int i = 0; i < client.connections; i++)
        errors += client.connection[i].errors;
    if (errors * 100 > client.operations)
        bench_fail(run, 0, "%" PRIu64 " of %" PRIu64 " requests failed: %s", errors,
                   client.operations + errors, client.trouble);
    for (int i = 0; i < run->bench->param; i++) {
        if (waitpid(workers[i], NULL, WNOHANG) != 0)
            bench_fail(run, 0, "a process of the web server ended");
    }
    check_post_log(run);
}

static void report_client(struct bench_run *run)
{
    const double ms = 1e6;
    int conforming = 0;
    for (int i = 0; i < client.connections; i++)
        conforming += web_conforms(&client.connection[i], client.busy_ns);
    double bits = 0;
    for (int i = 0; i < client.connections; i++)
        bits += (double)client.connection[i].bytes * 8;
    bench_fact_number(run, "connections", client.connections, 0);
    bench_fact_number(run, "kbit_s", bits * ms / (double)client.busy_ns / client.connections, 1);
    bench_fact_number(run, "conforming", conforming, 0);
    bench_fact_number(run, "response_ms", latency_mean_ns(&client.response) / ms, 3);
    bench_fact_number(run, "response_ms_p50",
                      (double)latency_percentile(&client.response, 0.50) / ms, 3);
    bench_fact_number(run, "response_ms_p99",
                      (double)latency_percentile(&client.response, 0.99) / ms, 3);
    bench_fact_number(run, "first_byte_ms", latency_mean_ns(&client.first_byte) / ms, 3);
    bench_fact_number(run, "first_byte_ms_p50",
                      (double)latency_percentile(&client.first_byte, 0.50) / ms, 3);
    bench_fact_number(run, "first_byte_ms_p99",
                      (double)latency_percentile(&client.first_byte, 0.99) / ms, 3);
}

static void web_teardown(struct bench_run *run)
{
    for (int i = 0; i < run->bench->param; i++)
        helper_kill(workers[i]);
    if (run->result->n > 0)
        report_client(run);
}

/*
 * The largest reply takes 18 s, and until then more small ones than later are done. The paper's
 * runs: 20 minutes of warm-up, three times 20 minutes measured.
 */
#define WEB(id, count, flag)                                                                       \
    {                                                                                              \
        .name = "web." id, .table = "web", .unit = "requests/s",                                   \
        .what = "prefork web server, " #count " paced connections", .flags = BENCH_DISK | flag,    \
        .setup = web_setup, .iter = web_iter, .verify = web_verify, .teardown = web_teardown,      \
        .param = count, .standard_warm_s = 20, .standard_s = 5, .paper_warm_s = 1200,              \
        .paper_measured_s = 3600                                                                   \
    }

static const struct bench webs[] = {
    WEB("low", 16, 0),
    WEB("medium", 50, BENCH_LONG),
    WEB("high", 84, BENCH_LONG),
};

BENCH_TABLE(webs);
