#include "self.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../memory_touch.h"

extern char **environ;

static int binary = -1;

/* Where there is no /proc: the path, for this process and for those it starts. */
static const char path_variable[] = "GUESTBENCH_SELF";

static void find_without_proc(const char *argv0)
{
    char absolute[PATH_MAX];
    const char *known = getenv(path_variable);
    const char *executed = (const char *)getauxval(AT_EXECFN);
    if (known)
        binary = open(known, O_RDONLY | O_CLOEXEC);
    else if (realpath(executed ? executed : argv0, absolute) &&
             (binary = open(absolute, O_RDONLY | O_CLOEXEC)) >= 0)
        setenv(path_variable, absolute, 1);
}

void self_init(const char *argv0)
{
    binary = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (binary < 0)
        find_without_proc(argv0);
}

int self_fd(void)
{
    return binary;
}

void self_exec(char *const argv[])
{
    execve("/proc/self/exe", argv, environ);
    if (binary >= 0)
        fexecve(binary, argv, environ);
}

/* What `ls -l DIR` does: read the names, lstat each, print a line. */
static int list_directory(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return 1;
    int failed = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct stat info;
        if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            failed = 1;
        else
            printf("%06o %3lu %5u %5u %9lld %s\n", (unsigned)info.st_mode,
                   (unsigned long)info.st_nlink, (unsigned)info.st_uid, (unsigned)info.st_gid,
                   (long long)info.st_size, entry->d_name);
    }
    closedir(dir);
    return fflush(stdout) != 0 || failed;
}

static int run_list(char *directory)
{
    pid_t child = fork();
    if (child == 0) {
        char *argv[] = {"guestbench", "--list", directory, NULL};
        int null = open("/dev/null", O_WRONLY);
        if (null >= 0)
            dup2(null, STDOUT_FILENO);
        self_exec(argv);
        _exit(127);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return 126;
    return WEXITSTATUS(status);
}

/* A shell of three commands: "#...", "list DIR" and "exit N", one a line. */
static int run_script(const char *path)
{
    FILE *script = fopen(path, "re");
    char line[256];
    int status = 0;
    if (!script)
        return 127;
    while (fgets(line, sizeof line, script)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "list ", 5) == 0)
            status = run_list(line + 5);
        else if (strncmp(line, "exit ", 5) == 0)
            status = status ? status : atoi(line + 5);
        else if (line[0] != '#')
            status = 2;
    }
    fclose(script);
    return status;
}

static int copy_file(const char *path)
{
    char bytes[16384];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t part = fd < 0 ? -1 : 0;
    while (fd >= 0 && (part = read(fd, bytes, sizeof bytes)) > 0) {
        if (write(STDOUT_FILENO, bytes, (size_t)part) != part)
            return 1;
    }
    return part == 0 ? 0 : 1;
}

static int touch_memory(int argc, char **argv)
{
    int mode = argc > 3 ? atoi(argv[3]) : TOUCH_ALL;
    return memory_touch((size_t)atol(argv[2]) << 20, (enum memory_touch_mode)mode) ? 0 : 1;
}

int self_command(int argc, char **argv)
{
    if (argc < 2)
        return -1;
    if (strcmp(argv[1], "--exit0") == 0)
        return 0;
    if (argc < 3)
        return -1;
    if (strcmp(argv[1], "--mm-child") == 0)
        return touch_memory(argc, argv);
    if (strcmp(argv[1], "--cat") == 0)
        return copy_file(argv[2]);
    if (strcmp(argv[1], "--list") == 0)
        return list_directory(argv[2]);
    if (strcmp(argv[1], "--script") != 0)
        return -1;
    self_init(argv[0]);
    return run_script(argv[2]);
}
