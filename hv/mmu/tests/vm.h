#pragma once

/* A mmu with one vcpu over memory of its own. */

#include "mmu/mmu.h"

#define VM_HPA 0x10000000ull
#define VM_ALL ((1u << MMU_OPT_COUNT) - 1)

struct vm {
    u8 *host;
    struct mmu *mmu;
    struct mmu_vcpu *v;
};

/* config without the places; ram_bytes of zeros, and a pool of 8 MiB. */
struct vm vm_new(struct mmu_config config);
/* Audits, and frees the memory. */
void vm_end(struct vm *m);
void vm_put64(struct vm *m, gpa_t gpa, u64 e);
