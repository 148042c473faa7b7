#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noreturn)) static void child_exec(const struct child_spec *spec, int report)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    // A shell without job control starts what is in the background with SIGINT ignored.
    signal(SIGINT, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!spec->interactive) {
        setpgid(0, 0);
        int null = open("/dev/null", O_RDONLY);
        if (null > 0)
            dup2(null, 0);
    }
    if (spec->output >= 0) {
        dup2(spec->output, 1);
        dup2(spec->output, 2);
    }
    for (size_t i = 0; i < spec->n_keep; i++)
        fcntl(spec->keep[i], F_SETFD, 0);
    if (spec->cpus)
        sched_setaffinity(0, sizeof(*spec->cpus), spec->cpus);
    if (!spec->dir || !chdir(spec->dir))
        execvp(spec->argv->word[0], spec->argv->word);
    int error = errno;
    if (write(report, &error, sizeof(error)) < 0)
        _exit(126);
    _exit(127);
}

pid_t child_start(const struct child_spec *spec)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC))
        return -1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        child_exec(spec, report[1]);
    int error = errno;
    close(report[1]);
    if (pid > 0) {
        if (!spec->interactive)
            setpgid(pid, pid);
        if (read(report[0], &error, sizeof(error)) == sizeof(error)) {
            waitpid(pid, NULL, 0);
            pid = -1;
        }
    }
    close(report[0]);
    errno = error;
    return pid;
}

static bool reaped(pid_t pid, int *status, double until_s)
{
    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid || (got < 0 && errno != EINTR))
            return true;
        if (now_s() >= until_s)
            return false;
        poll(NULL, 0, 10);
    }
}

int child_stop(pid_t pid, double grace_s)
{
    int status = 0;
    kill(-pid, SIGTERM);
    if (!reaped(pid, &status, now_s() + grace_s)) {
        kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    kill(-pid, SIGKILL);
    return status;
}

// Collects until end of file; false when the time is over first.
static bool collect(int fd, struct buf *out, double until_s)
{
    char block[4096];
    for (;;) {
        int left_ms = (int)((until_s - now_s()) * 1000);
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        if (left_ms <= 0 || poll(&pfd, 1, left_ms) == 0)
            return false;
        ssize_t n = read(fd, block, sizeof(block));
        if (n < 0 && errno != EINTR)
            return false;
        if (n == 0)
            return true;
        if (n > 0)
            buf_add(out, block, (size_t)n);
    }
}

int child_capture(const struct words *argv, struct buf *out, double timeout_s)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return -1;
    double until_s = now_s() + timeout_s;
    pid_t pid = child_start(&(struct child_spec){.argv = argv, .output = ends[1]});
    int error = errno;
    close(ends[1]);
    buf_add(out, "", 0);
    int status = -1;
    if (pid > 0) {
        error = ETIMEDOUT;
        if (!collect(ends[0], out, until_s) || !reaped(pid, &status, until_s)) {
            child_stop(pid, 0);
            status = -1;
        }
    }
    close(ends[0]);
    errno = error;
    return status;
}

bool child_in_path(const char *program)
{
    if (strchr(program, '/'))
        return !access(program, X_OK);
    const char *path = getenv("PATH");
    for (const char *at = path; at && *at;) {
        size_t len = strcspn(at, ":");
        char *full = xasprintf("%.*s/%s", (int)len, at, program);
        bool found = !access(full, X_OK);
        free(full);
        if (found)
            return true;
        at += len + (at[len] == ':');
    }
    return false;
}
