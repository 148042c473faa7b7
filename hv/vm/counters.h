#pragma once

/* What the VM did, counted always: exits by reason with cycles, ports, MMIO addresses. `cur` is since
 * the last mark; marks and the end print it and fold it into `total`. */

#include "lib/types.h"

struct mmu;

/* Exits, finer than the CPU's reasons. */
enum count_id {
    COUNT_INTR,
    COUNT_NMI,
    COUNT_INTR_WINDOW,
    COUNT_NMI_WINDOW,
    COUNT_IRET, /* of an NMI, where it exits */
    COUNT_PF_FIXED,
    COUNT_PF_GUEST,
    COUNT_PF_STORE,
    COUNT_PF_MMIO,
    COUNT_EXCEPTION,
    COUNT_IO,
    COUNT_IO_STRING,
    COUNT_CPUID,
    COUNT_HLT,
    COUNT_INVLPG,
    COUNT_CR0,
    COUNT_CR3,
    COUNT_CR4,
    COUNT_RDMSR,
    COUNT_WRMSR,
    COUNT_EMULATE,
    COUNT_INTERPRET, /* not an exit: a turn of the interpreter */
    COUNT_OTHER,
    COUNT_IDS,
};

struct counter {
    u64 count, cycles, min, max;
};

enum { PORTS = 65536, PORT_TOUCHED = 512, MMIO_SLOTS = 64, MMU_COUNTERS = 32 };

struct mmio_count {
    u64 gpa, count;
};

struct counters {
    enum count_id id; /* of the exit under way */
    u16 mark;         /* 0: outside marks */
    struct counter cur[COUNT_IDS], total[COUNT_IDS];
    u32 *port_cur, *port_total; /* [port * 2 + in] */
    u32 touched[PORT_TOUCHED];  /* indices of port_cur that are not 0 */
    unsigned touched_count;
    struct mmio_count mmio_cur[MMIO_SLOTS], mmio_total[MMIO_SLOTS];
    u64 mmu_cur[MMU_COUNTERS]; /* the mmu's own counters at the last mark */
};

/* Ends the count of an exit. */
static inline void counters_exit(struct counters *c, u64 cycles)
{
    struct counter *n = &c->cur[c->id];
    n->count++;
    n->cycles += cycles;
    if (cycles > n->max)
        n->max = cycles;
    if (n->count == 1 || cycles < n->min)
        n->min = cycles;
}

static inline void counters_port(struct counters *c, u16 port, bool in)
{
    u32 i = port * 2u + in;
    if (c->port_cur[i]++ == 0 && c->touched_count < PORT_TOUCHED)
        c->touched[c->touched_count++] = i;
}

void counters_mmio(struct counters *c, u64 gpa);
/* A mark of the guest (docs/reference.md): prints and folds what was counted since the last one. */
void counters_mark(struct counters *c, struct mmu *mmu, unsigned kind, unsigned id, u64 tsc);
/* The whole run, as mark 0. */
void counters_end(struct counters *c, struct mmu *mmu);
