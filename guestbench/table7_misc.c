/*
 * Table 7: misc_rtns_1 (AIM9) and its parts. Cheap system calls that only read
 * kernel data (misc_ids), and lookups in a file of accounts, by reads (misc_pw)
 * and through a mapping as the paper describes it (misc_pw_mmap).
 *
 * The file is the benchmark's own: /etc/passwd differs from machine to machine,
 * and a C library may ask more than that file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "account_file.h"
#include "core/bench.h"

enum { LOOPS = 10, LAST_ID = 1029, GROUPS = 64 };

/* The 16-bit calls of i386 have the plain names. */
#ifdef SYS_getuid32
#define CALL_ID(name) syscall(SYS_get##name##32)
#define SYS_GROUPS SYS_getgroups32
#else
#define CALL_ID(name) syscall(SYS_get##name)
#define SYS_GROUPS SYS_getgroups
#endif

typedef long account_lookup(const char *path, const struct account_key *key);
static account_lookup *const lookups[] = {account_lookup_read, account_lookup_mmap};

static const struct account_key by_root = {.name = "root"}, by_name = {.name = "user29"},
                                by_id = {.id = LAST_ID};
static struct misc {
    long ids;            /* sums over all loops */
    long names, offsets; /* of what the lookups found */
    int nodes;           /* times the system told its name */
    int directories, clocks, variables;
} seen;

static void files_setup(struct bench_run *run)
{
    if (!account_write("passwd", false) || !account_write("group", true))
        bench_fail(run, errno, "cannot write a file of accounts");
    setenv("PATH", "/usr/bin:/bin", 0);
    memset(&seen, 0, sizeof seen);
}

static void ids_iter(struct bench_run *run, uint64_t n)
{
    gid_t groups[GROUPS];
    struct tms times_now;
    (void)run;
    for (uint64_t i = n * LOOPS; i > 0; i--) {
        struct utsname name = {.sysname = ""};
        long id = CALL_ID(uid);
        id += CALL_ID(euid);
        id += CALL_ID(gid);
        id += CALL_ID(egid);
        syscall(SYS_GROUPS, GROUPS, groups);
        id += syscall(SYS_getpid);
        id += syscall(SYS_getpgid, 0);
        id += syscall(SYS_getppid);
        syscall(SYS_times, &times_now);
        syscall(SYS_uname, &name);
        seen.ids += id;
        seen.nodes += name.sysname[0] != '\0';
    }
}

static void expect(struct bench_run *run, double expected, double got)
{
    if (expected != got)
        bench_mismatch(run, expected, got);
}

static void ids_verify(struct bench_run *run)
{
    long loops = (long)run->done * LOOPS;
    long id = (long)getuid() + (long)geteuid() + (long)getgid() + (long)getegid() + getpid() +
              getpgrp() + getppid();
    expect(run, (double)(id * loops), (double)seen.ids);
    expect(run, (double)loops, seen.nodes);
    memset(&seen, 0, sizeof seen);
}

/* In turn by a name and by an id, each of the last line. */
static void lookup_iter(struct bench_run *run, uint64_t n)
{
    account_lookup *lookup = lookups[run->bench->param];
    for (uint64_t i = n * LOOPS; i > 0; i -= 2) {
        seen.names += lookup("passwd", &by_name);
        seen.offsets += lookup("passwd", &by_id);
    }
}

/* Where the last line of a file begins. */
static long last_line(struct bench_run *run, const char *path)
{
    char line[128];
    long at = 0, start = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        bench_fail(run, errno, "cannot read the file of accounts");
    while (fgets(line, sizeof line, file)) {
        start = at;
        at += (long)strlen(line);
    }
    fclose(file);
    return start;
}

static void lookup_verify(struct bench_run *run)
{
    double pairs = (double)run->done * LOOPS / 2;
    expect(run, pairs * LAST_ID, (double)seen.names);
    expect(run, pairs * (double)last_line(run, "passwd"), (double)seen.offsets);
    memset(&seen, 0, sizeof seen);
}

/* Calls whose results depend on the machine, or that it may lack the means for. */
static void ask_terminal(void)
{
    static struct termios settings;
    static const char *volatile terminal;
    char name[L_ctermid];
    cfgetispeed(&settings);
    cfgetospeed(&settings);
    ctermid(name);
    if (isatty(STDIN_FILENO))
        terminal = ttyname(STDIN_FILENO);
    (void)terminal;
}

static void misc_iter(struct bench_run *run, uint64_t n)
{
    char directory[PATH_MAX];
    (void)run;
    for (uint64_t i = n * LOOPS; i > 0; i--) {
        gid_t groups[GROUPS];
        struct tms times_now;
        struct utsname name = {.sysname = ""};
        ask_terminal();
        seen.clocks += clock() != (clock_t)-1;
        seen.directories += getcwd(directory, sizeof directory) != NULL;
        seen.variables += getenv("PATH") != NULL;
        seen.ids += (long)getuid() + (long)geteuid() + (long)getgid() + (long)getegid();
        getgroups(GROUPS, groups);
        seen.ids += (long)getpid() + getpgrp() + getppid();
        seen.names += account_lookup_mmap("passwd", &by_root);
        seen.offsets += account_lookup_mmap("passwd", &by_id);
        seen.offsets += account_lookup_mmap("group", &by_id);
        times(&times_now);
        uname(&name);
        seen.nodes += name.sysname[0] != '\0';
    }
}

static void misc_verify(struct bench_run *run)
{
    double loops = (double)run->done * LOOPS;
    double offsets = (double)last_line(run, "passwd") + (double)last_line(run, "group");
    expect(run, 0, (double)seen.names); /* root's id */
    expect(run, loops * offsets, (double)seen.offsets);
    expect(run, loops, seen.directories);
    expect(run, loops, seen.clocks);
    expect(run, loops, seen.variables);
    ids_verify(run);
}

#define LOOKUPS(id, text, index)                                                                   \
    {                                                                                              \
        .name = "aim9." id, .table = "7", .unit = "lookups/s", .what = text,                       \
        .flags = BENCH_DISK | BENCH_LUMPS, .ops = LOOPS, .setup = files_setup,                     \
        .iter = lookup_iter, .verify = lookup_verify, .param = index                               \
    }

static const struct bench misc[] = {
    {.name = "aim9.misc_rtns_1",
     .table = "7",
     .unit = "loops/s",
     .what = "18 cheap calls and three lookups in a file of accounts",
     .flags = BENCH_DISK | BENCH_LUMPS,
     .ops = LOOPS,
     .setup = files_setup,
     .iter = misc_iter,
     .verify = misc_verify},
    {.name = "aim9.misc_ids",
     .table = "7",
     .unit = "loops/s",
     .what = "ten system calls that only read kernel data",
     .ops = LOOPS,
     .iter = ids_iter,
     .verify = ids_verify},
    LOOKUPS("misc_pw", "lookups in a file of accounts, read", 0),
    LOOKUPS("misc_pw_mmap", "lookups in a file of accounts, mapped", 1),
};

BENCH_TABLE(misc);
