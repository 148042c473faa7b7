/*
 * Compiles a generated tree of C sources, in place of the paper's kernel
 * compilation: one compiler process for each source, one that links each
 * directory, one that links the program. Fixed work; the result is seconds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compile_tree.h"
#include "core/bench.h"
#include "helper.h"

enum { WITH_TCC, WITH_GCC, LOG_MAX = 120 };

/* A source with its object, whole blocks of a file system, and the room of an inode for each. */
enum { KIB_PER_FILE = 24, INODES_PER_FILE = 2 };

static struct tree tree;
static char compiler[512];
static char include_options[TREE_HEADER_DIRS][16];
static const char program[] = "./program";

static void build_command(const struct bench_run *run, const char **argv, int *count)
{
    argv[(*count)++] = compiler;
    argv[(*count)++] = "-nostdlib";
    if (run->bench->param == WITH_GCC) {
        argv[(*count)++] = "-O2";
        argv[(*count)++] = "-fno-pie";
        argv[(*count)++] = "-no-pie";
        argv[(*count)++] = "-fno-stack-protector";
        argv[(*count)++] = sizeof(void *) == 8 ? "-m64" : "-m32";
    }
}

/* Runs a compiler; what it says goes to a file. */
static void run_compiler(struct bench_run *run, const char *const *argv)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        int log = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (log >= 0) {
            dup2(log, STDOUT_FILENO);
            dup2(log, STDERR_FILENO);
        }
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    if (pid < 0)
        bench_fail(run, errno, "cannot start a compiler");
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    char text[LOG_MAX] = "";
    FILE *log = fopen("log", "re");
    if (log) {
        if (!fgets(text, sizeof text, log))
            text[0] = '\0';
        fclose(log);
    }
    text[strcspn(text, "\n")] = '\0';
    bench_fail(run, 0, "the compiler %s %d: %s", WIFSIGNALED(status) ? "got signal" : "ended with",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), text);
}

static void compile_one(struct bench_run *run, const char *source, const char *object)
{
    const char *argv[32];
    int count = 0;
    build_command(run, argv, &count);
    argv[count++] = "-nostdinc";
    for (int i = 0; i < TREE_HEADER_DIRS; i++)
        argv[count++] = include_options[i];
    argv[count++] = "-c";
    argv[count++] = "-o";
    argv[count++] = object;
    argv[count++] = source;
    argv[count] = NULL;
    run_compiler(run, argv);
}

/* The objects of a directory become one, as in a kernel's build. */
static void link_directory(struct bench_run *run, int first, const char *whole)
{
    static char objects[TREE_PER_DIR][TREE_PATH_MAX];
    const char *argv[TREE_PER_DIR + 16];
    int count = 0;
    build_command(run, argv, &count);
    argv[count++] = "-r";
    argv[count++] = "-o";
    argv[count++] = whole;
    for (int i = 0; i < TREE_PER_DIR && first + i < tree.files; i++) {
        tree_object_path(first + i, objects[i]);
        argv[count++] = objects[i];
    }
    argv[count] = NULL;
    run_compiler(run, argv);
}

static void link_program(struct bench_run *run, int directories)
{
    char(*whole)[TREE_PATH_MAX] = calloc((size_t)directories, sizeof *whole);
    const char **argv = calloc((size_t)directories + 16, sizeof *argv);
    int count = 0;
    if (!whole || !argv)
        bench_fail(run, ENOMEM, "no memory for the linker's arguments");
    build_command(run, argv, &count);
    argv[count++] = "-static";
    argv[count++] = "-o";
    argv[count++] = program;
    argv[count++] = "main.o";
    for (int i = 0; i < directories; i++) {
        snprintf(whole[i], sizeof *whole, "part%02d/whole.o", i);
        argv[count++] = whole[i];
    }
    run_compiler(run, argv);
    free(argv);
    free(whole);
}

static void compile_all(struct bench_run *run)
{
    int directories = (tree.files + TREE_PER_DIR - 1) / TREE_PER_DIR;
    for (int i = 0; i < tree.files; i++) {
        char source[TREE_PATH_MAX], object[TREE_PATH_MAX];
        tree_source_path(i, source);
        tree_object_path(i, object);
        compile_one(run, source, object);
    }
    for (int i = 0; i < directories; i++) {
        char whole[TREE_PATH_MAX];
        snprintf(whole, sizeof whole, "part%02d/whole.o", i);
        link_directory(run, i * TREE_PER_DIR, whole);
    }
    compile_one(run, "main.c", "main.o");
    link_program(run, directories);
}

static void find_compiler(struct bench_run *run)
{
    const struct config *config = run->config;
    if (run->bench->param == WITH_TCC) {
        snprintf(compiler, sizeof compiler, "%s", config->tcc);
        if (access(compiler, X_OK) != 0)
            bench_skip(run, "there is no %s (--tcc)", compiler);
        return;
    }
    if (!config->toolchain)
        bench_skip(run, "no tool chain was given (--toolchain)");
    snprintf(compiler, sizeof compiler, "%s/bin/gcc", config->toolchain);
    if (access(compiler, X_OK) != 0)
        bench_skip(run, "there is no %s", compiler);
}

static void check_room(struct bench_run *run, int files)
{
    struct statvfs info;
    long needed = 1 + (long)(files + files / 5) * KIB_PER_FILE / 1024;
    long inodes = (long)files * INODES_PER_FILE + files / 5 + 200;
    if (statvfs(".", &info) != 0)
        return;
    long room = (long)((uint64_t)info.f_bavail * info.f_frsize >> 20);
    if (room < needed)
        bench_skip(run, "the directory has room for %ld MiB, %d files need %ld", room, files,
                   needed);
    if (info.f_files > 0 && (long)info.f_favail < inodes)
        bench_skip(run, "the directory has room for %ld files, %ld are needed", (long)info.f_favail,
                   inodes);
}

static void compile_setup(struct bench_run *run)
{
    find_compiler(run);
    check_room(run, run->config->compile_files);
    if (tree_make(&tree, run->config->compile_files, run->config->seed) != 0)
        bench_fail(run, errno, "cannot write the sources");
    for (int i = 0; i < TREE_HEADER_DIRS; i++)
        snprintf(include_options[i], sizeof include_options[i], "-Iinclude%d", i);
    bench_fact_text(run, "compiler", compiler);
    bench_fact_number(run, "files", tree.files, 0);
    bench_fact_number(run, "headers", tree.headers, 0);
    bench_fact_number(run, "includes", (double)tree.include_count, 0);
    bench_fact_number(run, "source_kib", (double)tree.bytes / 1024, 0);
}

static void compile_iter(struct bench_run *run, uint64_t n)
{
    for (; n > 0; n--)
        compile_all(run);
}

/* What was built runs and prints what the sources say; then it goes, for the next to be new. */
static void compile_verify(struct bench_run *run)
{
    char text[16] = "";
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        bench_fail(run, errno, "no pipe");
    pid_t pid = helper_fork(run);
    if (pid == 0) {
        char *argv[] = {(char *)program, NULL};
        dup2(ends[1], STDOUT_FILENO);
        execv(program, argv);
        _exit(127);
    }
    close(ends[1]);
    bool printed = helper_read(ends[0], text, 9);
    close(ends[0]);
    helper_kill(pid);
    if (!printed)
        bench_fail(run, 0, "the program that was built printed nothing");
    uint32_t got = (uint32_t)strtoul(text, NULL, 16);
    if (got != tree.result)
        bench_mismatch(run, tree.result, got);
    unlink(program);
    for (int i = 0; i < tree.files; i++) {
        char object[TREE_PATH_MAX];
        tree_object_path(i, object);
        unlink(object);
    }
}

static const struct bench compiles[] = {
    {.name = "compile.tcc",
     .table = "compile",
     .unit = "s",
     .what = "a tree of C sources compiled and linked by tcc",
     .needs = "--dir,tcc",
     .flags = BENCH_FIXED | BENCH_DISK,
     .ops = 1,
     .setup = compile_setup,
     .iter = compile_iter,
     .verify = compile_verify,
     .param = WITH_TCC},
    {.name = "compile.gcc",
     .table = "compile",
     .unit = "s",
     .what = "the same by a gcc that is given with --toolchain",
     .needs = "--dir,gcc",
     .flags = BENCH_FIXED | BENCH_DISK | BENCH_LONG,
     .ops = 1,
     .setup = compile_setup,
     .iter = compile_iter,
     .verify = compile_verify,
     .param = WITH_GCC},
};

BENCH_TABLE(compiles);
