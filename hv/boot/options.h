#pragma once

/* The hypervisor's command line (docs/reference.md). */

#include "lib/types.h"

#define OPTION_DISKS 4

enum disk_backing { DISK_AUTO, DISK_NONE, DISK_MODULE, DISK_HOST };

struct options {
    u64 mem_bytes;
    struct {
        enum disk_backing backing;
        unsigned host; /* which disk of the machine below */
    } disk[OPTION_DISKS];
    enum disk_backing cdrom; /* DISK_AUTO, _NONE or _MODULE */
    enum { BOOT_AUTO, BOOT_DISK, BOOT_CDROM } boot;
    u16 console_port, log_port; /* I/O base of a UART, 0: none */
    u32 shadow;                 /* 1 << enum mmu_option */
    u64 audit_every;            /* exits */
    u64 watchdog_s;             /* guest seconds; 0: off */
};

/* Parses the words; a first one that begins with / or has no = is the image's own path and passed
 * over. shadow_names: the
 * optimisations that `shadow=` knows. False: why names the word and what was expected. */
bool options_parse(const char *cmdline, const char *const *shadow_names, unsigned shadow_count,
                   struct options *o, char *why, size_t why_size);
