#pragma once

/* RAM of the machine below, given out once at start; nothing is given back. */

#include "boot/multiboot.h"

#define HOST_MEM_MAX (4 * GiB) /* all that the hypervisor uses lies below */

struct host_memory {
    struct boot_region free[BOOT_REGIONS + BOOT_MODULES + 4];
    unsigned count;
};

/* All usable RAM from 1 MiB to 4 GiB but the hypervisor's image and the modules. */
void host_memory_init(struct host_memory *m, const struct boot_info *boot, hpa_t image_start,
                      hpa_t image_end);
/* The same, with the modules copied to the top where there is room, so that low memory is in one piece.
 * boot says where they are then. */
void host_memory_init_raised(struct host_memory *m, struct boot_info *boot, hpa_t image_start,
                             hpa_t image_end);
/* Takes bytes (rounded up to pages), aligned to align (a power of two, a page at least), zeroed. The
 * top of the highest fitting region is taken. NULL: no region is large enough. */
void *host_alloc(struct host_memory *m, u64 bytes, u64 align);
/* The same from the bottom of the lowest fitting region. */
void *host_alloc_low(struct host_memory *m, u64 bytes, u64 align);
/* The largest piece that is left. */
u64 host_memory_largest(const struct host_memory *m);
