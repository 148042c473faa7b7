/*
 * MemoryMotion: a large number of processes, one after the other, that allocate
 * large amounts of memory, write to it and free it. Reconstructed from the
 * paper's fault counters: about 10.66 million pages in at most 900 processes;
 * here 416 of 100 MiB at full size. Two variants touch each page only once, or
 * let the kernel use huge pages.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/bench.h"
#include "core/self.h"
#include "core/system.h"
#include "memory_touch.h"

enum { SPARE_MIB = 64, LEAST_MIB = 8, PAGES_PER_MIB = 256 };

static long processes, mib;

/* Whether a program may have huge pages if it asks for them. */
static bool huge_pages(void)
{
    char line[64];
    return system_read_line("/sys/kernel/mm/transparent_hugepage/enabled", line, sizeof line) &&
           !strstr(line, "[never]");
}

/* What does not fit is made smaller and more numerous; the total stays. */
static void mm_setup(struct bench_run *run)
{
    long fits = system_available_mib() - SPARE_MIB;
    long total = (long)run->config->mm_processes * run->config->mm_mib;
    mib = run->config->mm_mib;
    if (run->bench->param == TOUCH_HUGE && !huge_pages())
        bench_skip(run, "the kernel has no transparent huge pages, or never uses them");
    if (fits < LEAST_MIB)
        bench_skip(run, "needs %d MiB of free memory", SPARE_MIB + LEAST_MIB);
    if (fits < mib) {
        mib = fits;
        result_warn(run->result, "processes of %ld MiB instead of %d: memory is short", mib,
                    run->config->mm_mib);
    }
    processes = (total + mib - 1) / mib;
    run->ops = (double)(processes * mib * PAGES_PER_MIB);
    bench_fact_number(run, "processes", (double)processes, 0);
    bench_fact_number(run, "process_mib", (double)mib, 0);
}

static void run_process(struct bench_run *run, char *const argv[])
{
    int status;
    pid_t child = fork();
    if (child < 0)
        bench_fail(run, errno, "cannot fork");
    if (child == 0) {
        self_exec(argv);
        _exit(127);
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            bench_fail(run, errno, "lost a child process");
    }
    if (WIFSIGNALED(status))
        bench_fail(run, 0, "a process of %ld MiB was killed by signal %d", mib, WTERMSIG(status));
    if (WEXITSTATUS(status) == 127)
        bench_fail(run, 0, "cannot execute the suite's own binary");
    if (WEXITSTATUS(status) != 0)
        bench_mismatch(run, 0, WEXITSTATUS(status));
}

static void mm_iter(struct bench_run *run, uint64_t n)
{
    char size[24], mode[24];
    char *argv[] = {"guestbench", "--mm-child", size, mode, NULL};
    snprintf(size, sizeof size, "%ld", mib);
    snprintf(mode, sizeof mode, "%ld", run->bench->param);
    for (uint64_t i = n * (uint64_t)processes; i > 0; i--)
        run_process(run, argv);
}

/* One fault a page tells that no huge pages made the work another (or that they did). */
static void mm_teardown(struct bench_run *run)
{
    struct rusage usage;
    const struct result *result = run->result;
    if (result->status != RESULT_OK || getrusage(RUSAGE_CHILDREN, &usage) != 0)
        return;
    double pages = run->ops * (result->n + result->warmups);
    double seconds = 0;
    for (int i = 0; i < result->n; i++)
        seconds += result->samples[i];
    bench_fact_number(run, "faults_per_page", (double)usage.ru_minflt / pages, 4);
    bench_fact_number(run, "ns_per_page", seconds * 1e9 / (run->ops * result->n), 1);
}

#define MOTION(id, text, extra, mode)                                                              \
    {                                                                                              \
        .name = "mm." id, .table = "mm", .unit = "s", .what = text, .needs = "164-MiB",            \
        .flags = BENCH_FIXED | extra, .setup = mm_setup, .iter = mm_iter, .teardown = mm_teardown, \
        .param = mode                                                                              \
    }

static const struct bench motion[] = {
    MOTION("memorymotion", "processes that map, write and free 100 MiB each", 0, TOUCH_ALL),
    MOTION("memorymotion_byte", "the same, one byte a page written", BENCH_EXTRA, TOUCH_ONE_BYTE),
    MOTION("memorymotion_thp", "the same in huge pages", BENCH_EXTRA, TOUCH_HUGE),
};

BENCH_TABLE(motion);
