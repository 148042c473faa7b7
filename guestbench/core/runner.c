#define _GNU_SOURCE
#include "runner.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "derived.h"
#include "env.h"
#include "report.h"
#include "rounds.h"
#include "sampler.h"
#include "scratch.h"
#include "tap.h"
#include "workdir.h"

static bool interrupted; /* by SIGINT or SIGTERM */

/* What a run waits for. */
static sigset_t awaited(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

/* Waits for child until the deadline, or an interruption. Returns false if it still runs then. */
static bool wait_until(pid_t child, int *status, uint64_t deadline)
{
    const sigset_t set = awaited();
    for (;;) {
        pid_t ended = waitpid(child, status, WNOHANG);
        if (ended == child || (ended < 0 && errno != EINTR))
            return true;
        uint64_t now = clock_ns();
        if (now >= deadline)
            return false;
        uint64_t left = deadline - now;
        struct timespec timeout = {.tv_sec = (time_t)(left / 1000000000u),
                                   .tv_nsec = (long)(left % 1000000000u)};
        int signal = sigtimedwait(&set, NULL, &timeout);
        if (signal == SIGINT || signal == SIGTERM) {
            interrupted = true;
            return false;
        }
    }
}

/* The benchmark, its helpers and, for init, whatever they left behind. */
static void reap(pid_t child)
{
    kill(-child, SIGKILL);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static void fail(struct result *result, int error, const char *message)
{
    result->status = RESULT_FAIL;
    result->error = error;
    snprintf(result->message, sizeof result->message, "%s", message);
}

static void judge(struct result *result, bool ended, int status, double timeout_s)
{
    char message[80];
    if (!ended)
        snprintf(message, sizeof message, "no result within %.1f s", timeout_s);
    else if (WIFSIGNALED(status))
        snprintf(message, sizeof message, "ended by signal %d", WTERMSIG(status));
    else if (result->status == RESULT_NONE)
        snprintf(message, sizeof message, "ended with status %d and no result",
                 WEXITSTATUS(status));
    else
        return;
    fail(result, 0, message);
}

static void start_child(const struct bench *bench, const struct config *config,
                        struct result *result, int id, const char *workdir)
{
    sigset_t set;
    setpgid(0, 0);
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    if (*workdir && chdir(workdir) != 0) {
        fail(result, errno, "cannot enter the working directory");
        _exit(0);
    }
    sampler_run(bench, config, result, id);
}

static void run_in_child(const struct bench *bench, const struct config *config,
                         struct result *result, int id, const char *workdir)
{
    pid_t child = fork();
    if (child < 0) {
        fail(result, errno, "cannot fork");
        return;
    }
    if (child == 0)
        start_child(bench, config, result, id, workdir);
    setpgid(child, child);
    int status = 0;
    uint64_t second = 1000000000u;
    bool ended = wait_until(child, &status, clock_ns() + (uint64_t)(config->timeout_s * 1e9));
    kill(-child, SIGKILL);
    if (!ended) {
        int ignored;
        wait_until(child, &ignored, clock_ns() + 5 * second);
    }
    reap(child);
    judge(result, ended, status, config->timeout_s);
}

/* Runs one benchmark; its findings are in result afterwards. */
static void run_one(const struct bench *bench, const struct config *config, struct result *result,
                    int id)
{
    char workdir[WORKDIR_MAX] = "";
    const char *base = bench->flags & BENCH_DISK ? config->dir : config->tmp;
    memset(result, 0, sizeof *result);
    if (bench->flags & (BENCH_DISK | BENCH_TMP)) {
        if (!base) {
            result->status = RESULT_SKIP;
            strcpy(result->message, "no directory on a disk was given (--dir)");
            return;
        }
        if (bench->flags & BENCH_DISK && scratch_renew(base) != 0) {
            fail(result, errno, "cannot mount the scratch partition again");
            return;
        }
        if (workdir_make(base, workdir) != 0) {
            fail(result, errno, "cannot make a working directory");
            return;
        }
    }
    run_in_child(bench, config, result, id, workdir);
    if (*workdir)
        workdir_remove(workdir);
}

/* Generous: slow machines must not fail, hangs must end. */
static double default_timeout(const struct config *config)
{
    return 60 + 20 * config->sample_s * (config->samples + 1);
}

/* Loads of servers: warmed up, and in the paper's set as long as the paper ran them. */
static void take_durations(const struct bench *bench, struct config *config)
{
    config->warm_s = strcmp(config->set, "quick") == 0 ? 0 : bench->standard_warm_s;
    if (bench->paper_measured_s <= 0 || config->own_seconds)
        return;
    if (strcmp(config->set, "standard") == 0) {
        config->sample_s = bench->standard_s;
    } else if (strcmp(config->set, "paper") == 0) {
        config->warm_s = bench->paper_warm_s;
        config->sample_s = bench->paper_measured_s / config->samples;
    }
}

static struct result *share_result(void)
{
    struct result *result =
        mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return result == MAP_FAILED ? NULL : result;
}

/* One line that is written over, for people at a terminal. */
static void show_progress(const char *name, int at, int count, uint64_t started)
{
    unsigned seconds = (unsigned)((clock_ns() - started) / 1000000000u);
    fprintf(stderr, "\r\033[K[%d/%d] %s  %02u:%02u", at, count, name, seconds / 60, seconds % 60);
}

/* The settings of one benchmark. */
static struct config settings_of(const struct bench *bench, const struct config *config)
{
    struct config one = *config;
    take_durations(bench, &one);
    if (one.timeout_s <= 0)
        one.timeout_s =
            default_timeout(&one) + 2 * one.warm_s +
            (bench->flags & BENCH_FIXED ? 6.0 * config->mm_processes * (config->samples + 1) : 0);
    return one;
}

struct run {
    const struct config *config;
    const struct bench *const *list;
    int count;
    struct result *shared; /* with the process of a benchmark */
    struct result *all;    /* of the visits so far, one a benchmark */
    int reported;
    uint64_t started;
};

/* One that did not go well, or is skipped, is not visited again. */
static void visit(struct run *run, int i, int round)
{
    struct result *all = &run->all[i];
    if (round > 0 && all->status != RESULT_OK)
        return;
    struct config one = settings_of(run->list[i], run->config);
    one.samples = rounds_samples(run->config->samples, run->config->rounds, round);
    one.iters = all->iters;
    if (run->config->progress)
        show_progress(run->list[i]->name, round * run->count + i + 1,
                      run->config->rounds * run->count, run->started);
    run_one(run->list[i], &one, run->shared, i + 2);
    if (!interrupted)
        rounds_add(all, run->shared);
}

/* Returns whether the point is ok. */
static bool report(struct run *run, int i, FILE *out)
{
    const struct bench *bench = run->list[i];
    struct result *all = &run->all[i];
    if (bench->mean_of)
        derived_compute(bench, all);
    derived_keep(bench, all);
    bool ok = report_point(bench, all, i + 2, out);
    fflush(out);
    run->reported = i + 1;
    return ok;
}

/* The last visit also reports. Returns how many points were not ok. */
static int visit_all(struct run *run, int round, FILE *out)
{
    int failed = 0;
    for (int i = 0; i < run->count && !interrupted; i++) {
        if (!run->list[i]->mean_of)
            visit(run, i, round);
        if (round == run->config->rounds - 1 && !interrupted)
            failed += !report(run, i, out);
    }
    return failed;
}

/* Before a bail-out: what the visits until then have measured. */
static void report_rest(struct run *run, FILE *out)
{
    for (int i = run->reported; i < run->count; i++) {
        if (run->all[i].status == RESULT_OK)
            report(run, i, out);
    }
    tap_bail(out, "interrupted");
}

int runner_run(const struct config *config, const struct bench *const *list, int count, FILE *out)
{
    struct run run = {
        .config = config,
        .list = list,
        .count = count,
        .shared = share_result(),
        .all = calloc((size_t)count + 1, sizeof *run.all),
        .started = clock_ns(),
    };
    if (!run.shared || !run.all) {
        tap_bail(out, "no memory for the results");
        free(run.all);
        return -1;
    }
    const sigset_t set = awaited();
    sigprocmask(SIG_BLOCK, &set, NULL);

    tap_begin(out, count + 1);
    env_report(config, out);
    fflush(out);
    int failed = 0;
    for (int round = 0; round < config->rounds; round++)
        failed += visit_all(&run, round, out);
    if (interrupted)
        report_rest(&run, out);
    if (config->progress)
        fputs("\r\033[K", stderr);
    munmap(run.shared, sizeof *run.shared);
    free(run.all);
    return interrupted ? -1 : failed;
}
