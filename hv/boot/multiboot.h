#pragma once

/* What the boot loader hands over (Multiboot Specification 0.6.96, section 3.3), checked and in a
 * form of our own. */

#include "lib/types.h"

#define BOOT_MODULES 16
#define BOOT_REGIONS 64
#define BOOT_CMDLINE 1024

struct boot_module {
    char name[16]; /* last word of its command line */
    hpa_t hpa;
    u64 bytes;
};

struct boot_region {
    hpa_t hpa;
    u64 bytes;
};

struct boot_info {
    char cmdline[BOOT_CMDLINE];
    unsigned modules, regions;
    struct boot_module module[BOOT_MODULES];
    struct boot_region region[BOOT_REGIONS]; /* usable RAM */
};

/* Reads the loader's information at hpa info. pointer = hpa + hpa_ptr. False: why has the reason. */
bool multiboot_parse(u32 magic, u32 info, intptr_t hpa_ptr, struct boot_info *out, char *why,
                     size_t why_size);
/* The module of that name, or NULL. */
const struct boot_module *boot_module(const struct boot_info *b, const char *name);
