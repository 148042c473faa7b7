#pragma once

#include "host/memory.h"

/* The hypervisor's own tables: RAM below 4 GiB mapped at its own address; code read-only, all else not
 * executable, address 0 and the pages below the stacks not mapped, device memory uncached. */
bool host_paging_init(struct host_memory *m, const struct boot_info *boot);
