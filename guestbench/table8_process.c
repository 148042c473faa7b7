/*
 * Table 8: fork_test, exec_test and shell_rtns (AIM9), and relatives of theirs.
 *
 * Every child's status is checked; the parent waits until there is none left,
 * as AIM9 does. Programs are the suite's own binary (small, static) or, in the
 * *_sh and shell_rtns_N tests, the system's /bin/sh.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/bench.h"
#include "core/self.h"
#include "core/system.h"

enum { FORKS = 100, RSS_FORKS = 2, EXECS = 5, LISTED = 32, RSS_MIB = 64 };

static char *exit0_argv[] = {"guestbench", "--exit0", NULL};
static char *script_sh_argv[] = {"./true.sh", NULL};
static char *script_self_argv[] = {"guestbench", "--script", "script", NULL};
extern char **environ;

/* Waits for all children; each must have exited with status 0. Returns how many there were. */
static long wait_for_all(struct bench_run *run)
{
    long children = 0;
    for (;;) {
        int status;
        pid_t child = wait(&status);
        if (child < 0 && errno == EINTR)
            continue;
        if (child < 0)
            return children;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            bench_fail(run, 0, "a child process ended with wait status 0x%x", (unsigned)status);
        children++;
    }
}

static void expect_one(struct bench_run *run)
{
    long children = wait_for_all(run);
    if (children != 1)
        bench_mismatch(run, 1, (double)children);
}

static pid_t fork_or_fail(struct bench_run *run)
{
    pid_t child = fork();
    if (child < 0)
        bench_fail(run, errno, "cannot fork");
    return child;
}

/* What fork has to copy: recorded with the result. */
static void record_size(struct bench_run *run)
{
    char text[2048], value[64];
    system_read_text("/proc/self/status", text, sizeof text);
    if (system_find_value(text, "VmRSS", value, sizeof value))
        bench_fact_number(run, "rss_kib", (double)strtol(value, NULL, 10), 0);
    if (system_find_value(text, "VmPTE", value, sizeof value))
        bench_fact_number(run, "page_tables_kib", (double)strtol(value, NULL, 10), 0);
}

static void rss_setup(struct bench_run *run)
{
    size_t bytes = (size_t)RSS_MIB << 20;
    if (system_available_mib() < RSS_MIB + 32)
        bench_skip(run, "needs %d MiB of free memory", RSS_MIB + 32);
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        bench_fail(run, errno, "cannot map %d MiB", RSS_MIB);
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    memset(memory, 1, bytes);
    record_size(run);
}

/* param forks an iteration. */
static void fork_iter(struct bench_run *run, uint64_t n)
{
    for (uint64_t i = n * (uint64_t)run->bench->param; i > 0; i--) {
        if (fork_or_fail(run) == 0)
            _exit(0);
        expect_one(run);
    }
}

static void exec_iter(struct bench_run *run, uint64_t n)
{
    for (uint64_t i = n * EXECS; i > 0; i--) {
        if (fork_or_fail(run) == 0) {
            self_exec(exit0_argv);
            _exit(127);
        }
        expect_one(run);
    }
}

static void spawn_iter(struct bench_run *run, uint64_t n)
{
    for (uint64_t i = n * EXECS; i > 0; i--) {
        pid_t child;
        int error = posix_spawn(&child, "/proc/self/exe", NULL, NULL, exit0_argv, environ);
        if (error)
            bench_fail(run, error, "cannot spawn");
        expect_one(run);
    }
}

static void spawn_setup(struct bench_run *run)
{
    if (access("/proc/self/exe", X_OK) != 0)
        bench_skip(run, "/proc is not mounted");
    record_size(run);
}

static void write_file(struct bench_run *run, const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    ssize_t length = (ssize_t)strlen(text);
    if (fd < 0 || write(fd, text, (size_t)length) != length || close(fd) != 0)
        bench_fail(run, errno, "cannot write %s", path);
}

static void need_sh(struct bench_run *run)
{
    if (access("/bin/sh", X_OK) != 0)
        bench_skip(run, "there is no /bin/sh");
}

static void exec_sh_setup(struct bench_run *run)
{
    need_sh(run);
    write_file(run, "true.sh", "#!/bin/sh\nexit 0\n");
}

static void exec_sh_iter(struct bench_run *run, uint64_t n)
{
    for (uint64_t i = n * EXECS; i > 0; i--) {
        if (fork_or_fail(run) == 0) {
            execve(script_sh_argv[0], script_sh_argv, environ);
            _exit(127);
        }
        expect_one(run);
    }
}

static void make_listed_directory(struct bench_run *run)
{
    char path[32];
    if (mkdir("listed", 0755) != 0)
        bench_fail(run, errno, "cannot make a directory");
    for (int i = 0; i < LISTED; i++) {
        snprintf(path, sizeof path, "listed/entry-%02d", i);
        write_file(run, path, "");
    }
}

/* AIM9's three scripts differ in their argument only. */
static void shell_setup(struct bench_run *run)
{
    char path[32];
    need_sh(run);
    make_listed_directory(run);
    snprintf(path, sizeof path, "aim_%ld.sh", run->bench->param);
    write_file(run, path, "#!/bin/sh\n# lists a directory\nls -l \"$1\" > /dev/null\n");
}

/* A child that does what system(3) does: sh -c, which starts the script's own sh. */
static void shell_iter(struct bench_run *run, uint64_t n)
{
    char command[64];
    snprintf(command, sizeof command, "./aim_%ld.sh listed", run->bench->param);
    for (uint64_t i = 0; i < n; i++) {
        if (fork_or_fail(run) == 0) {
            int status = system(command);
            _exit(status == 0 ? 0 : 1);
        }
        expect_one(run);
    }
}

static void shell_self_setup(struct bench_run *run)
{
    make_listed_directory(run);
    write_file(run, "script", "# lists a directory\nlist listed\nexit 0\n");
}

/*
 * The same with the suite's own three-command shell. One process fewer than above: it needs no
 * second shell to start a script.
 */
static int run_self_script(void)
{
    pid_t child = fork();
    if (child == 0) {
        self_exec(script_self_argv);
        _exit(127);
    }
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static void shell_self_iter(struct bench_run *run, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        if (fork_or_fail(run) == 0)
            _exit(run_self_script() == 0 ? 0 : 1);
        expect_one(run);
    }
}

#define SHELL(number)                                                                              \
    {                                                                                              \
        .name = "aim9.shell_rtns_" #number, .table = "8", .unit = "scripts/s",                     \
        .what = "scripts of /bin/sh that list a directory", .needs = "/bin/sh",                    \
        .flags = BENCH_TMP | BENCH_LUMPS, .ops = 1, .setup = shell_setup, .iter = shell_iter,      \
        .param = number                                                                            \
    }

#define SHELL_SELF(number)                                                                         \
    {                                                                                              \
        .name = "aim9.shell_rtns_" #number "_self", .table = "8", .unit = "scripts/s",             \
        .what = "the same with a shell of the suite's own", .flags = BENCH_TMP | BENCH_LUMPS,      \
        .ops = 1, .setup = shell_self_setup, .iter = shell_self_iter, .param = number              \
    }

static const struct bench processes[] = {
    {.name = "aim9.exec_test",
     .table = "8",
     .unit = "programs/s",
     .what = "fork, execute a small static program, wait",
     .flags = BENCH_LUMPS,
     .ops = EXECS,
     .setup = record_size,
     .iter = exec_iter},
    {.name = "aim9.exec_test_sh",
     .table = "8",
     .unit = "programs/s",
     .what = "the same with a #!/bin/sh script",
     .needs = "/bin/sh",
     .flags = BENCH_TMP | BENCH_LUMPS,
     .ops = EXECS,
     .setup = exec_sh_setup,
     .iter = exec_sh_iter},
    {.name = "aim9.exec_test_spawn",
     .table = "8",
     .unit = "programs/s",
     .what = "the same by posix_spawn, without copying the page tables",
     .flags = BENCH_LUMPS,
     .ops = EXECS,
     .setup = spawn_setup,
     .iter = spawn_iter},
    {.name = "aim9.fork_test",
     .table = "8",
     .unit = "tasks/s",
     .what = "fork, exit, wait",
     .ops = FORKS,
     .setup = record_size,
     .iter = fork_iter,
     .param = FORKS},
    {.name = "aim9.fork_test_rss64",
     .table = "8",
     .unit = "tasks/s",
     .what = "the same from a process with 64 MiB of touched memory",
     .needs = "96-MiB",
     .ops = RSS_FORKS,
     .setup = rss_setup,
     .iter = fork_iter,
     .param = RSS_FORKS},
    SHELL(1),
    SHELL(2),
    SHELL(3),
    SHELL_SELF(1),
    SHELL_SELF(2),
    SHELL_SELF(3),
};

BENCH_TABLE(processes);
