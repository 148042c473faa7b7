/*
 * Table 5: names and directories (AIM9): disk_src, link_test, creat_clo and
 * dir_rtns_1, on trees of the suite's own.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bench.h"
#include "core/random.h"

enum {
    DEPTHS = 7,
    STAT_NAMES = 57,
    CREATE_NAMES = 43,
    NAME_BYTES = 64,
    SHUFFLES = 5,
    LINKS = 7,
    LINK_ROUNDS = 9,
    CREATES = 1000,
    ENTRIES = 128,
    READDIRS = 10000
};

/* How many names have 1, 2, ... 7 path components: those of AIM9's own tree. */
static const int stat_depths[DEPTHS] = {8, 6, 7, 0, 7, 22, 7};
static const int create_depths[DEPTHS] = {0, 7, 5, 0, 6, 19, 6};

static char stat_names[STAT_NAMES][NAME_BYTES], create_names[CREATE_NAMES][NAME_BYTES];
static uint64_t random_state;
static long done; /* operations counted where they succeeded */
static DIR *directory;

static void make_file(struct bench_run *run, const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0777);
    if (fd < 0 || close(fd) != 0)
        bench_fail(run, errno, "cannot create %s", name);
}

/* "d0/d1/.../LETTERnn" with the given number of components; makes the directories. */
static void make_path(struct bench_run *run, char *name, int components, char letter, int number)
{
    size_t at = 0;
    for (int level = 1; level < components; level++) {
        at += (size_t)snprintf(name + at, NAME_BYTES - at, "d%d", level == 1 ? number % 3 : level);
        if (mkdir(name, 0755) != 0 && errno != EEXIST)
            bench_fail(run, errno, "cannot make a directory");
        name[at++] = '/';
        name[at] = '\0';
    }
    snprintf(name + at, NAME_BYTES - at, "%c%02d", letter, number);
}

static void make_names(struct bench_run *run, const int depths[DEPTHS], char letter,
                       char names[][NAME_BYTES])
{
    int number = 0;
    for (int depth = 0; depth < DEPTHS; depth++) {
        for (int i = 0; i < depths[depth]; i++, number++)
            make_path(run, names[number], depth + 1, letter, number);
    }
}

/* AIM9's tree: the files are links to one empty file; a list of names lies beside them. */
static void src_setup(struct bench_run *run)
{
    random_state = run->config->seed;
    if (mkdir("tree", 0755) != 0 || chdir("tree") != 0)
        bench_fail(run, errno, "cannot make the tree");
    make_names(run, stat_depths, 's', stat_names);
    make_names(run, create_depths, 'c', create_names);
    make_file(run, "empty");
    for (int i = 0; i < STAT_NAMES; i++) {
        if (link("empty", stat_names[i]) != 0)
            bench_fail(run, errno, "cannot link");
    }
    int list = open("list", O_WRONLY | O_CREAT | O_TRUNC, 0777);
    ssize_t written = list < 0 ? -1 : write(list, stat_names, sizeof stat_names);
    if (written != (ssize_t)sizeof stat_names ||
        write(list, create_names, sizeof create_names) != (ssize_t)sizeof create_names)
        bench_fail(run, errno, "cannot write the list of names");
    close(list);
    if (chdir("..") != 0)
        bench_fail(run, errno, "cannot leave the tree");
}

static void shuffle(char names[][NAME_BYTES], int count)
{
    for (int pass = 0; pass < SHUFFLES; pass++) {
        for (int i = 0; i < count; i++) {
            char other[NAME_BYTES];
            int j = (int)random_below(&random_state, (uint32_t)count);
            memcpy(other, names[i], NAME_BYTES);
            memcpy(names[i], names[j], NAME_BYTES);
            memcpy(names[j], other, NAME_BYTES);
        }
    }
}

static void read_list(struct bench_run *run)
{
    int list = open("list", O_RDONLY);
    if (list < 0 || read(list, stat_names, sizeof stat_names) != (ssize_t)sizeof stat_names ||
        read(list, create_names, sizeof create_names) != (ssize_t)sizeof create_names)
        bench_fail(run, errno, "cannot read the list of names");
    close(list);
}

static void search_once(struct bench_run *run)
{
    if (chdir("tree") != 0)
        bench_fail(run, errno, "cannot enter the tree");
    read_list(run);
    shuffle(stat_names, STAT_NAMES);
    shuffle(create_names, CREATE_NAMES);
    for (int i = 0; i < STAT_NAMES; i++) {
        struct stat info;
        if (stat(stat_names[i], &info) != 0)
            bench_fail(run, errno, "cannot stat %s", stat_names[i]);
        done += info.st_nlink == STAT_NAMES + 1;
    }
    for (int i = 0; i < CREATE_NAMES; i++) {
        make_file(run, create_names[i]);
        if (unlink(create_names[i]) != 0)
            bench_fail(run, errno, "cannot remove %s", create_names[i]);
        done++;
    }
    if (chdir("..") != 0)
        bench_fail(run, errno, "cannot leave the tree");
}

static void src_iter(struct bench_run *run, uint64_t n)
{
    for (done = 0; n > 0; n--)
        search_once(run);
}

static void count_verify(struct bench_run *run)
{
    double expected = (double)run->done * run->ops;
    if ((double)done != expected)
        bench_mismatch(run, expected, (double)done);
}

static void link_once(struct bench_run *run)
{
    static const char *const names[LINKS] = {"l1", "l2", "l3", "l4", "l5", "l6", "l7"};
    make_file(run, "l0");
    for (int i = 0; i < LINKS; i++) {
        if (link("l0", names[i]) != 0)
            bench_fail(run, errno, "cannot link");
    }
    for (int round = 0; round < LINK_ROUNDS; round++) {
        for (int i = 0; i < LINKS; i++) {
            if (unlink(names[i]) != 0 || link("l0", names[i]) != 0)
                bench_fail(run, errno, "cannot unlink and link");
            done++;
        }
    }
    for (int i = 0; i < LINKS; i++)
        unlink(names[i]);
    if (unlink("l0") != 0)
        bench_fail(run, errno, "cannot remove a file");
}

static void link_iter(struct bench_run *run, uint64_t n)
{
    for (done = 0; n > 0; n--)
        link_once(run);
}

/* 999 of the 1000 open an existing empty file with O_TRUNC. */
static void creat_iter(struct bench_run *run, uint64_t n)
{
    for (done = 0; n > 0; n--) {
        for (int i = 0; i < CREATES; i++, done++)
            make_file(run, "created");
        if (unlink("created") != 0)
            bench_fail(run, errno, "cannot remove a file");
    }
}

static void dir_setup(struct bench_run *run)
{
    char name[32];
    if (mkdir("entries", 0755) != 0)
        bench_fail(run, errno, "cannot make a directory");
    /* "." and ".." are two of the entries */
    for (int i = 0; i < ENTRIES - 2; i++) {
        snprintf(name, sizeof name, "entries/entry-%03d", i);
        make_file(run, name);
    }
}

static void read_directory(struct bench_run *run)
{
    directory = opendir("entries");
    if (!directory)
        bench_fail(run, errno, "cannot open a directory");
    for (int i = 0; i < READDIRS;) {
        if (readdir(directory)) {
            i++;
            continue;
        }
        if (i % ENTRIES != 0)
            bench_mismatch(run, ENTRIES, i % ENTRIES);
        rewinddir(directory);
    }
    done += READDIRS;
    closedir(directory);
}

static void dir_iter(struct bench_run *run, uint64_t n)
{
    for (done = 0; n > 0; n--)
        read_directory(run);
}

static const struct bench disk_names[] = {
    {.name = "aim9.disk_src",
     .table = "5",
     .unit = "searches/s",
     .what = "stat of 57 names and creation of 43 in a tree",
     .flags = BENCH_DISK,
     .ops = STAT_NAMES + CREATE_NAMES,
     .aim9_ops = 75,
     .setup = src_setup,
     .iter = src_iter,
     .verify = count_verify},
    {.name = "aim9.link_test",
     .table = "5",
     .unit = "pairs/s",
     .what = "unlink and link of seven names of one file",
     .flags = BENCH_DISK,
     .ops = LINKS * LINK_ROUNDS,
     .iter = link_iter,
     .verify = count_verify},
    {.name = "aim9.creat_clo",
     .table = "5",
     .unit = "files/s",
     .what = "creat and close of one name",
     .flags = BENCH_DISK,
     .ops = CREATES,
     .iter = creat_iter,
     .verify = count_verify},
    {.name = "aim9.dir_rtns_1",
     .table = "5",
     .unit = "entries/s",
     .what = "readdir over a directory of 128 entries",
     .flags = BENCH_DISK,
     .ops = READDIRS,
     .setup = dir_setup,
     .iter = dir_iter,
     .verify = count_verify},
};

BENCH_TABLE(disk_names);
