/* Kernel modules of the guest image. */
#ifndef GUESTBENCH_MODULES_H
#define GUESTBENCH_MODULES_H

#include <stddef.h>

/* Loads /modules/NN-name.ko in the order of NN. */
void modules_load(const char *cmdline);

/*
 * Collects a module's parameters from the kernel's command line: the words
 * name.parameter=value, with '-' and '_' alike in the name, as modprobe does.
 */
void modules_parameters(const char *file, const char *cmdline, char *parameters, size_t size);

#endif
