#include "cli.h"

#include <errno.h>
#include <string.h>

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

static int print_list(void)
{
    const struct bench *list[REGISTRY_MAX];
    int count = registry_all(list);
    for (int i = 0; i < count; i++)
        printf("%-28s %-8s %-12s %s\n", list[i]->name, list[i]->table, list[i]->unit,
               list[i]->what);
    return fflush(stdout) == 0 ? CLI_OK : CLI_NOT_OK;
}

static int usage(const char *error)
{
    fprintf(stderr, "guestbench: %s\n", error);
    return CLI_USAGE;
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
    FILE *out = stdout;
    if (config.output && !(out = fopen(config.output, "we"))) {
        snprintf(error, sizeof error, "cannot write '%s': %s", config.output, strerror(errno));
        return usage(error);
    }
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
    if (strcmp(argv[1], "list") == 0 && argc == 2)
        return print_list();
    if (strcmp(argv[1], "list") == 0)
        return usage("list takes no arguments");
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
