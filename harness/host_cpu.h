// A host CPU of one's own.
#pragma once
#include <sched.h>
#include <stdbool.h>

// Claims one of the CPUs that this program may use and that no other such program has claimed, until
// it ends. False if none is left.
bool host_cpu_claim(cpu_set_t *cpu);
