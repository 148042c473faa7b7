#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../net_server.h"
#include "registry.h"
#include "runner.h"
#include "self.h"

static void print_help(void)
{
    size_t count;
    const struct config_option *options = config_options(&count);
    printf(
        "Usage: guestbench run [OPTION...]   measure; the report (TAP) goes to standard output\n"
        "       guestbench list              the benchmarks: name, table, unit, what it does\n"
        "       guestbench --serve [--port=N]  the other end of another machine's network tests\n"
        "       guestbench --help\n\nOptions of run:\n");
    for (size_t i = 0; i < count; i++) {
        char left[40];
        snprintf(left, sizeof left, "--%s%s%s", options[i].name, options[i].arg ? "=" : "",
                 options[i].arg ? options[i].arg : "");
        if (strcmp(options[i].name, "shell") != 0 && strcmp(options[i].name, "address") != 0 &&
            strcmp(options[i].name, "serve") != 0)
            printf("  %-18s %s\n", left, options[i].help);
    }
    printf("\nAs the init of a guest, the same options are words guestbench.NAME=VALUE on the\n"
           "kernel's command line; guestbench.shell gives a shell instead.\n"
           "Exit status: 0 all points ok or skipped, 1 some not ok, 2 usage, 255 bailed out.\n");
}

static int usage(const char *error)
{
    fprintf(stderr, "guestbench: %s\n", error);
    return CLI_USAGE;
}

static const char *needs_of(const struct bench *bench)
{
    if (bench->flags & BENCH_DISK)
        return bench->needs ? bench->needs : "--dir";
    return bench->needs ? bench->needs : "-";
}

/* In which runs a benchmark is without being named. */
static const char *sets_of(const struct bench *bench)
{
    return bench->flags & BENCH_EXTRA ? "named" : bench->flags & BENCH_LONG ? "standard" : "quick";
}

/* All benchmarks, or with options those that they select. */
static int print_list(int argc, char **argv)
{
    const struct bench *list[REGISTRY_MAX];
    struct config config = {0};
    char error[256];
    if (config_parse_args(&config, argc, argv, error, sizeof error) != 0 ||
        config_resolve(&config, error, sizeof error) != 0)
        return usage(error);
    int count = argc > 0 ? registry_select(&config, list, error, sizeof error) : registry_all(list);
    if (count < 0)
        return usage(error);
    for (int i = 0; i < count; i++)
        printf("%-28s %-8s %-12s %-8s %-10s %s\n", list[i]->name, list[i]->table, list[i]->unit,
               sets_of(list[i]), needs_of(list[i]), list[i]->what);
    return fflush(stdout) == 0 ? CLI_OK : CLI_NOT_OK;
}

int cli_run(const struct config *config, FILE *out, char *error, size_t size)
{
    const struct bench *list[REGISTRY_MAX];
    int count = registry_select(config, list, error, size);
    if (count < 0)
        return CLI_USAGE;
    int failed = runner_run(config, list, count, out);
    if (failed < 0)
        return CLI_BAILED_OUT;
    return failed == 0 ? CLI_OK : CLI_NOT_OK;
}

/* Benchmarks work in directories of their own. What does not exist they skip by its name. */
static void make_absolute(const char **path)
{
    char *absolute = *path ? realpath(*path, NULL) : NULL;
    if (absolute)
        *path = absolute;
}

static int run_command(int argc, char **argv)
{
    struct config config = {0};
    char error[256];
    if (config_parse_args(&config, argc, argv, error, sizeof error) != 0 ||
        config_resolve(&config, error, sizeof error) != 0)
        return usage(error);
    if (config.help) {
        print_help();
        return CLI_OK;
    }
    if (config.serve)
        return net_serve_command(config.port);
    make_absolute(&config.tcc);
    make_absolute(&config.toolchain);
    FILE *out = stdout;
    if (config.output && !(out = fopen(config.output, "we"))) {
        snprintf(error, sizeof error, "cannot write '%s': %s", config.output, strerror(errno));
        return usage(error);
    }
    config.progress = isatty(STDERR_FILENO);
    if (config.shuffle)
        fprintf(stderr, "guestbench: in an order drawn from seed %llu\n",
                (unsigned long long)config.seed);
    int status = cli_run(&config, out, error, sizeof error);
    if (status == CLI_USAGE)
        return usage(error);
    if (fflush(out) != 0 || ferror(out)) {
        fprintf(stderr, "guestbench: cannot write the report: %s\n", strerror(errno));
        return CLI_BAILED_OUT;
    }
    return status;
}

int cli_main(int argc, char **argv)
{
    if (argc < 2)
        return usage("no command; expected run, list, --serve or --help");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help();
        return CLI_OK;
    }
    if (strcmp(argv[1], "list") == 0)
        return print_list(argc - 2, argv + 2);
    bool serve = strcmp(argv[1], "--serve") == 0;
    if (serve || strcmp(argv[1], "run") == 0) {
        self_init(argv[0]);
        return run_command(argc - 2 + serve, argv + 2 - serve);
    }
    char error[256];
    snprintf(error, sizeof error, "unknown command '%s'; expected run, list, --serve or --help",
             argv[1]);
    return usage(error);
}
