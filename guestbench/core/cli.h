/* guestbench as an ordinary command. */
#ifndef GUESTBENCH_CLI_H
#define GUESTBENCH_CLI_H

#include <stdio.h>

#include "config.h"

/* Exit statuses of a run. */
enum { CLI_OK = 0, CLI_NOT_OK = 1, CLI_USAGE = 2, CLI_BAILED_OUT = 255 };

int cli_main(int argc, char **argv);

/* Selects and runs with a resolved config. Returns an exit status. */
int cli_run(const struct config *config, FILE *out, char *error, size_t size);

#endif
