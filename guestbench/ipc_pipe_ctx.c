/*
 * pipe_ctx: two processes on one CPU hand a number to and fro over two pipes:
 * two context switches (address space switches) a round trip, which is what
 * virtualization hurts and AIM9's IPC tests do not contain.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc_messages.h"

enum { TRIPS = 100 };

static int there[2] = {-1, -1}, back[2] = {-1, -1};
static pid_t partner = -1;
static uint32_t number, trips;

/* Adds one to each number until the other side closes. */
static void partner_run(void)
{
    uint32_t value;
    close(there[1]);
    close(back[0]);
    while (read(there[0], &value, sizeof value) == sizeof value) {
        value++;
        if (write(back[1], &value, sizeof value) != sizeof value)
            break;
    }
    _exit(0);
}

static void ctx_setup(struct bench_run *run)
{
    if (pipe(there) != 0 || pipe(back) != 0)
        bench_fail(run, errno, "cannot make pipes");
    partner = fork();
    if (partner < 0)
        bench_fail(run, errno, "cannot fork");
    if (partner == 0)
        partner_run();
    close(there[0]);
    close(back[1]);
}

static void ctx_iter(struct bench_run *run, uint64_t n)
{
    for (n *= TRIPS; n > 0; n--, trips++) {
        message_write(run, there[1], &number, sizeof number);
        message_read(run, back[0], &number, sizeof number);
    }
}

static void ctx_verify(struct bench_run *run)
{
    if (number != trips)
        bench_mismatch(run, trips, number);
}

static void ctx_teardown(struct bench_run *run)
{
    (void)run;
    close(there[1]);
    if (partner > 0)
        waitpid(partner, NULL, 0);
}

static const struct bench context[] = {
    {.name = "ipc.pipe_ctx",
     .table = "ipc",
     .unit = "trips/s",
     .what = "round trips between two processes over two pipes",
     .ops = TRIPS,
     .setup = ctx_setup,
     .iter = ctx_iter,
     .verify = ctx_verify,
     .teardown = ctx_teardown},
};

BENCH_TABLE(context);
