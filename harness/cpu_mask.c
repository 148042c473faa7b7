#include "cpu_mask.h"

#include <string.h>

// Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E.
const struct cpu_hidden cpu_hidden[] = {
    {0x1, 0, "ecx", 3, "monitor", "MONITOR/MWAIT are not carried"},
    {0x1, 0, "ecx", 5, "vmx", "no nested virtualization"},
    {0x1, 0, "ecx", 17, "pcid", "not carried by the shadow tables"},
    {0x1, 0, "ecx", 21, "x2apic", "the machine has no local APIC"},
    {0x1, 0, "ecx", 24, "tsc-deadline", "the machine has no local APIC"},
    {0x1, 0, "ecx", 31, "hypervisor",
     "an unmodified system must not look for paravirtual interfaces"},
    {0x1, 0, "edx", 7, "mce", "no machine-check banks"},
    {0x1, 0, "edx", 9, "apic", "the machine has no local APIC"},
    {0x1, 0, "edx", 14, "mca", "no machine-check banks"},
    {0x1, 0, "edx", 22, "acpi", "no thermal monitor and clock control registers"},
    {0x6, 0, "eax", 2, "arat", "the machine has no local APIC"},
    {0x7, 0, "ecx", 3, "pku", "not carried by the shadow tables"},
    {0x7, 0, "ecx", 16, "la57", "not carried by the shadow tables"},
    {0x7, 0, "ecx", 31, "pks", "not carried by the shadow tables"},
    {0xd, 1, "eax", 3, "xsaves", "IA32_XSS is not carried"},
    {0x80000001, 0, "ecx", 2, "svm", "no nested virtualization"},
    // AMD repeats these of leaf 1; QEMU lets them follow.
    {0x80000001, 0, "edx", 7, NULL, "as leaf 1"},
    {0x80000001, 0, "edx", 9, NULL, "as leaf 1"},
    {0x80000001, 0, "edx", 14, NULL, "as leaf 1"},
};
const size_t cpu_hidden_n = sizeof(cpu_hidden) / sizeof(*cpu_hidden);

char *cpu_native_model(const char *base)
{
    struct buf out = {0};
    buf_printf(&out, "%s", base);
    for (size_t i = 0; i < cpu_hidden_n; i++)
        if (cpu_hidden[i].flag)
            buf_printf(&out, ",-%s", cpu_hidden[i].flag);
    return out.data;
}

uint32_t cpu_hidden_bits(uint32_t leaf, uint32_t subleaf, const char *reg)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < cpu_hidden_n; i++) {
        const struct cpu_hidden *hidden = &cpu_hidden[i];
        if (hidden->leaf == leaf && hidden->subleaf == subleaf && !strcmp(hidden->reg, reg))
            bits |= 1u << hidden->bit;
    }
    return bits;
}
