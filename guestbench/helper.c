#define _GNU_SOURCE
#include "helper.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t helper_fork(struct bench_run *run)
{
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        bench_fail(run, errno, "cannot fork a helper process");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) /* it ended before the request to be told */
            _exit(1);
        signal(SIGPIPE, SIG_IGN);
    }
    return pid;
}

void helper_kill(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

bool helper_read(int fd, void *data, size_t size)
{
    char *at = data;
    while (size > 0) {
        ssize_t part = read(fd, at, size);
        if (part < 0 && errno == EINTR)
            continue;
        if (part == 0)
            errno = 0;
        if (part <= 0)
            return false;
        at += part;
        size -= (size_t)part;
    }
    return true;
}

bool helper_write(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t part = write(fd, at, size);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return false;
        at += part;
        size -= (size_t)part;
    }
    return true;
}

void *helper_share(struct bench_run *run, size_t size)
{
    void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        bench_fail(run, errno, "no memory to share with helper processes");
    return shared;
}
