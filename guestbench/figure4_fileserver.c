/*
 * Figure 4: clients of a file server, each with its own files, as Dbench has
 * them (fileload.c says what they do). A sample is a period in which all of them
 * work; an operation is a megabyte (10^6 bytes) read or written.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/bench.h"
#include "core/clock.h"
#include "core/system.h"
#include "fileserver_client.h"

enum { CLIENTS_MAX = 64 };

/* Pipes that hold the clients back until all are there. */
struct gate {
    int ready[2], go[2];
};

static struct fileserver_client *clients; /* shared with the processes that work */
static pid_t pids[CLIENTS_MAX];
static struct latency flush;
static uint64_t bytes_read, bytes_written, steps; /* without the warm-up */
static double seconds;

static volatile sig_atomic_t stop;

static void stop_working(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

static void check(struct bench_run *run, int result, const char *what)
{
    if (result < 0)
        bench_fail(run, errno, "%s failed", what);
}

static void enter(struct bench_run *run, int client)
{
    char name[24];
    snprintf(name, sizeof name, "client%d", client);
    check(run, chdir(name), "entering a client's directory");
}

static void report_client(struct bench_run *run, const struct fileserver_client *client)
{
    if (client->error)
        bench_fail(run, client->error, "client %d: %s", (int)(client - clients), client->what);
    bench_mismatch(run, client->expected, client->got);
}

/* Blocks and inodes for all clients, and a tenth for the file system's own books. */
static void check_space(struct bench_run *run)
{
    struct statvfs space;
    double needed = 1.1 * (double)run->bench->param * run->config->client_kib / 1024;
    double names = 1.1 * (double)run->bench->param * (FILELOAD_FILES_MAX + FILELOAD_DIRECTORY);
    check(run, statvfs(".", &space), "statvfs");
    double blocks = (double)(geteuid() == 0 ? space.f_bfree : space.f_bavail);
    double free_mib = blocks * (double)space.f_frsize / (1 << 20);
    if (free_mib < needed)
        bench_skip(run, "%ld clients need %.0f MiB, the file system has %.0f MiB free",
                   run->bench->param, needed, free_mib);
    if (space.f_files > 0 && (double)space.f_favail < names)
        bench_skip(run, "%ld clients need %.0f inodes, the file system has %lu free",
                   run->bench->param, names, (unsigned long)space.f_favail);
}

static void check_file_system(struct bench_run *run)
{
    char type[32];
    if (!system_fs_type(".", type, sizeof type))
        bench_fail(run, errno, "cannot tell the file system");
    if (strcmp(type, "tmpfs") == 0 || strcmp(type, "ramfs") == 0)
        bench_skip(run, "the directory is on %s, where fsync does nothing", type);
    bench_fact_text(run, "fs", type);
}

static void forget_counts(struct fileserver_client *client)
{
    client->bytes_read = client->bytes_written = client->steps = 0;
    memset(&client->flush, 0, sizeof client->flush);
}

/* What making the files left to be written must not be written in the samples. */
static void make_clients(struct bench_run *run)
{
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check(run, here, "opening the directory");
    for (int i = 0; i < (int)run->bench->param; i++) {
        char name[24];
        snprintf(name, sizeof name, "client%d", i);
        check(run, mkdir(name, 0700), "mkdir");
        fileload_start(&clients[i].load, run->config->seed + (uint64_t)i * 1000003,
                       (uint32_t)run->config->client_kib * 1024);
        enter(run, i);
        if (!fileserver_make_files(&clients[i]))
            report_client(run, &clients[i]);
        forget_counts(&clients[i]);
        check(run, fchdir(here), "returning from a client's directory");
    }
    check(run, syncfs(here), "syncfs");
    close(here);
}

static void fileserver_setup(struct bench_run *run)
{
    size_t size = CLIENTS_MAX * sizeof *clients;
    check_file_system(run);
    check_space(run);
    clients = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (clients == MAP_FAILED)
        bench_fail(run, errno, "no memory for the clients");
    make_clients(run);
    bench_fact_number(run, "clients", (double)run->bench->param, 0);
    bench_fact_number(run, "client_kib", run->config->client_kib, 0);
}

static void run_client(struct bench_run *run, int number, struct gate *gate)
{
    char byte = 0;
    struct fileserver_client *client = &clients[number];
    struct sigaction action = {.sa_handler = stop_working, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    /* nobody is to work on when the benchmark itself is gone */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(gate->ready[0]);
    close(gate->go[1]);
    enter(run, number);
    if (!fileserver_open_files(client) || write(gate->ready[1], &byte, 1) != 1)
        _exit(1);
    close(gate->ready[1]);
    while (read(gate->go[0], &byte, 1) < 0 && errno == EINTR)
        ;
    fileserver_work(client, &stop);
    _exit(client->failed);
}

/* Returns when all clients wait at the gate; a client that cannot is found when they are reaped. */
static void start_clients(struct bench_run *run, struct gate *gate)
{
    check(run, pipe(gate->ready), "pipe");
    check(run, pipe(gate->go), "pipe");
    for (int i = 0; i < (int)run->bench->param; i++) {
        pids[i] = fork();
        check(run, pids[i], "fork");
        if (pids[i] == 0)
            run_client(run, i, gate);
    }
    close(gate->ready[1]);
    close(gate->go[0]);
    char byte;
    ssize_t length;
    /* ends when the last client has closed its end, by having written or by having died */
    do
        length = read(gate->ready[0], &byte, 1);
    while (length > 0 || (length < 0 && errno == EINTR));
    close(gate->ready[0]);
}

static void sleep_until(uint64_t end)
{
    for (uint64_t now; (now = clock_ns()) < end;) {
        struct timespec left = {.tv_sec = (time_t)((end - now) / 1000000000u),
                                .tv_nsec = (long)((end - now) % 1000000000u)};
        nanosleep(&left, NULL);
    }
}

static void stop_clients(struct bench_run *run)
{
    int count = (int)run->bench->param, killed = 0;
    for (int i = 0; i < count; i++)
        kill(pids[i], SIGUSR1);
    for (int i = 0; i < count; i++) {
        int status = 0;
        while (waitpid(pids[i], &status, 0) < 0) {
            if (errno != EINTR)
                bench_fail(run, errno, "lost a client");
        }
        if (WIFSIGNALED(status))
            killed = WTERMSIG(status);
    }
    for (int i = 0; i < count; i++) {
        if (clients[i].failed)
            report_client(run, &clients[i]);
    }
    if (killed)
        bench_fail(run, 0, "a client was killed by signal %d", killed);
}

static void add_clients(struct bench_run *run, bool warm_up)
{
    double bytes = 0;
    for (int i = 0; i < (int)run->bench->param; i++) {
        struct fileserver_client *client = &clients[i];
        bytes += (double)(client->bytes_read + client->bytes_written);
        if (!warm_up) {
            bytes_read += client->bytes_read;
            bytes_written += client->bytes_written;
            steps += client->steps;
            latency_merge(&flush, &client->flush);
        }
        forget_counts(client);
    }
    run->own_ops = bytes / 1e6;
    if (!warm_up)
        seconds += (double)run->own_ns / 1e9;
}

/* The warm-up lasts a sixth of all samples together, 10 s of the original's 60. */
static void fileserver_iter(struct bench_run *run, uint64_t n)
{
    bool warm_up = run->result->warmups == 0;
    double period = run->config->load_sample_s;
    struct gate gate;
    (void)n;
    if (warm_up)
        period *= (double)run->config->samples / 6;
    start_clients(run, &gate);
    uint64_t start = clock_ns();
    close(gate.go[1]);
    sleep_until(start + (uint64_t)(period * 1e9));
    run->own_ns = clock_ns() - start;
    stop_clients(run);
    add_clients(run, warm_up);
}

static void fileserver_teardown(struct bench_run *run)
{
    if (run->result->status != RESULT_OK)
        return;
    bench_fact_number(run, "read_mb", (double)bytes_read / 1e6, 3);
    bench_fact_number(run, "written_mb", (double)bytes_written / 1e6, 3);
    bench_fact_number(run, "steps_s", (double)steps / seconds, 1);
    bench_fact_number(run, "fsyncs", (double)flush.total, 0);
    if (flush.total == 0)
        return;
    bench_fact_number(run, "fsync_p50_us", (double)latency_percentile(&flush, 0.5) / 1e3, 1);
    bench_fact_number(run, "fsync_p99_us", (double)latency_percentile(&flush, 0.99) / 1e3, 1);
    bench_fact_number(run, "fsync_max_us", (double)flush.longest_ns / 1e3, 1);
}

#define FILESERVER(count, more)                                                                    \
    {                                                                                              \
        .name = "disk.fileserver_" #count, .table = "figure4", .unit = "MB/s",                     \
        .what = #count " clients of a file server", .flags = BENCH_DISK | BENCH_TIMED | more,      \
        .setup = fileserver_setup, .iter = fileserver_iter, .teardown = fileserver_teardown,       \
        .param = count                                                                             \
    }

static const struct bench fileserver[] = {
    FILESERVER(1, 0),           FILESERVER(2, BENCH_LONG),  FILESERVER(4, 0),
    FILESERVER(8, BENCH_LONG),  FILESERVER(16, BENCH_LONG), FILESERVER(32, BENCH_LONG),
    FILESERVER(64, BENCH_LONG),
};

BENCH_TABLE(fileserver);
