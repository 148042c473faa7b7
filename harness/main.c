// penumbra: runs benchmarks in guests, natively and under the hypervisor, and compares them.

#include "commands.h"
#include "util.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"engines", cmd_engines, "what machines can be run here, found by probing"},
    {"guests", cmd_guests, "the guests that are described"},
    {"run", cmd_run, "run a guest's benchmarks on one side, TAP into a file"},
    {"compare", cmd_compare, "compare a native and an HVM result"},
    {"exits", cmd_exits, "instructions and exits per operation, both sides"},
    {"boot", cmd_boot, "boot a guest or an image with its console on this terminal"},
};

const char *argp_program_version = "penumbra 1.0";

static char *filter(int key, const char *text, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)text;
    struct buf out = {0};
    buf_printf(&out, "Commands:\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        buf_printf(&out, "  %-10s %s\n", commands[i].name, commands[i].help);
    buf_printf(&out, "\n`penumbra COMMAND --help` tells each one's options.");
    return out.data;
}

struct chosen {
    const struct command *command;
    int first; // index of the command in argv
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct chosen *chosen = state->input;
    if (key == ARGP_KEY_NO_ARGS)
        argp_error(state, "a command is missing");
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (!strcmp(arg, commands[i].name))
            chosen->command = &commands[i];
    if (!chosen->command)
        argp_error(state, "unknown command '%s'", arg);
    chosen->first = state->next - 1;
    state->next = state->argc;
    return 0;
}

int main(int argc, char **argv)
{
    argp_err_exit_status = exit_trouble;
    const struct argp argp = {
        .parser = parse,
        .args_doc = "COMMAND [OPTION...]",
        .doc = "Measures what hardware virtualization costs.\v ",
        .help_filter = filter,
    };
    struct chosen chosen = {0};
    argv[0] = (char *)"penumbra";
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &chosen);
    argv[chosen.first] = xasprintf("penumbra %s", chosen.command->name);
    int rc = chosen.command->run(argc - chosen.first, argv + chosen.first);
    free(argv[chosen.first]);
    if (fflush(stdout) || ferror(stdout))
        die(exit_trouble, "cannot write standard output");
    return rc;
}
