// What the engines that are QEMU have in common: its command line and its end.
#pragma once
#include "engine.h"

// Host memory beside the guest's RAM and the disk's copy: the hypervisor, its page tables and pools.
enum { hv_extra_mib = 96 };

extern const char qemu_program[];

// Checks that QEMU is installed and that `WORDS help` lists `needle`. 0 if so; else -1 and what lacks.
int qemu_probe(const char *words, const char *needle, struct buf *found, struct buf *missing);

// The machine of the job: `accel` is QEMU's -accel argument, `cpu` and `hvm_cpu` the processor of the
// two sides. 0, or -1 with a message.
int qemu_command(const struct job *job, struct words *argv, const char *accel, const char *cpu,
                 const char *hvm_cpu);
struct ending qemu_ending(const struct remains *remains);
char *qemu_where(pid_t pid, int monitor_fd);
