// The CPU features that a guest must not see, because the hypervisor's machine lacks the device or
// does not carry the feature. The native run switches the same ones off in the emulated CPU, so
// that both sides are the same machine (docs/same-machine.md).
#pragma once
#include "util.h"

#include <stdint.h>

struct cpu_hidden {
    uint32_t leaf, subleaf;
    const char *reg;  // eax, ebx, ecx, edx
    unsigned bit;     // of that register
    const char *flag; // QEMU's name; NULL where another flag switches it
    const char *why;
};

extern const struct cpu_hidden cpu_hidden[];
extern const size_t cpu_hidden_n;

// QEMU's -cpu argument for the native side: `base` without what is hidden.
char *cpu_native_model(const char *base);

// Bits of a CPUID register that the native side hides.
uint32_t cpu_hidden_bits(uint32_t leaf, uint32_t subleaf, const char *reg);
