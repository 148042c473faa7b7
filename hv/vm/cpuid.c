/* What the guest's CPUID shows: the CPU below, less what cannot be virtualized here. The same bits are
 * masked in a native run (docs/same-machine.md), so that both sides' software makes the same choices. */

#include "host/cpu.h"
#include "host/log.h"
#include "vm/vm.h"

enum { EAX_REG, EBX_REG, ECX_REG, EDX_REG };

struct clear {
    u32 leaf, subleaf;
    u8 reg;
    u8 bit;
    const char *name;
};

/* SDM vol. 2A, CPUID; APM vol. 3, appendix E. */
static const struct clear clears[] = {
    {1, 0, ECX_REG, 2, "dtes64"},
    {1, 0, ECX_REG, 3, "monitor"},
    {1, 0, ECX_REG, 4, "ds-cpl"},
    {1, 0, ECX_REG, 5, "vmx"},
    {1, 0, ECX_REG, 6, "smx"},
    {1, 0, ECX_REG, 7, "est"},
    {1, 0, ECX_REG, 8, "tm2"},
    {1, 0, ECX_REG, 15, "pdcm"},
    {1, 0, ECX_REG, 17, "pcid"},
    {1, 0, ECX_REG, 18, "dca"},
    {1, 0, ECX_REG, 21, "x2apic"},
    {1, 0, ECX_REG, 24, "tsc-deadline"},
    {1, 0, ECX_REG, 31, "hypervisor"},
    {1, 0, EDX_REG, 7, "mce"},
    {1, 0, EDX_REG, 9, "apic"},
    {1, 0, EDX_REG, 14, "mca"},
    {1, 0, EDX_REG, 18, "psn"},
    {1, 0, EDX_REG, 21, "ds"},
    {1, 0, EDX_REG, 22, "acpi"},
    {1, 0, EDX_REG, 28, "htt"},
    {1, 0, EDX_REG, 29, "tm"},
    {1, 0, EDX_REG, 31, "pbe"},
    {7, 0, EBX_REG, 2, "sgx"},
    {7, 0, EBX_REG, 10, "invpcid"},
    {7, 0, EBX_REG, 12, "rdt-m"},
    {7, 0, EBX_REG, 15, "rdt-a"},
    {7, 0, EBX_REG, 25, "intel-pt"},
    {7, 0, ECX_REG, 3, "pku"},
    {7, 0, ECX_REG, 4, "ospke"},
    {7, 0, ECX_REG, 7, "cet-ss"},
    {7, 0, ECX_REG, 16, "la57"},
    {7, 0, ECX_REG, 31, "pks"},
    {7, 0, EDX_REG, 20, "cet-ibt"},
    {7, 0, EDX_REG, 26, "spec-ctrl"},
    {7, 0, EDX_REG, 27, "stibp"},
    {7, 0, EDX_REG, 28, "flush-l1d"},
    {7, 0, EDX_REG, 29, "arch-cap"},
    {7, 0, EDX_REG, 31, "ssbd"},
    {0xd, 1, EAX_REG, 3, "xsaves"},
    {0x80000001, 0, ECX_REG, 2, "svm"},
    {0x80000001, 0, ECX_REG, 3, "extapic"},
    {0x80000001, 0, ECX_REG, 10, "ibs"},
    {0x80000001, 0, ECX_REG, 12, "skinit"},
    {0x80000001, 0, ECX_REG, 13, "wdt"},
    {0x80000001, 0, ECX_REG, 15, "lwp"},
    {0x80000001, 0, ECX_REG, 23, "perfctr-core"},
    {0x80000001, 0, ECX_REG, 24, "perfctr-nb"},
    {0x80000001, 0, EDX_REG, 7, "mce"},
    {0x80000001, 0, EDX_REG, 9, "apic"},
    {0x80000001, 0, EDX_REG, 14, "mca"},
    {0x80000008, 0, EBX_REG, 12, "ibpb"},
    {0x80000008, 0, EBX_REG, 14, "ibrs"},
    {0x80000008, 0, EBX_REG, 15, "stibp"},
    {0x80000008, 0, EBX_REG, 24, "ssbd"},
    {0x80000008, 0, EBX_REG, 25, "virt-ssbd"},
};

/* Leaves that are all zero for the guest: MONITOR, power, cache QoS, performance counters, PT, SGX;
 * SVM, IBS, encryption; and those of a hypervisor below us. */
static const u32 empty_leaves[] = {5,    6,    0xa,        0xf,        0x10,
                                   0x12, 0x14, 0x8000000a, 0x8000001b, 0x8000001f};

struct masks {
    u32 reg[4];
};

static struct masks masks_of(u32 leaf, u32 subleaf)
{
    struct masks m = {{0}};
    for (unsigned i = 0; i < array_size(clears); i++)
        if (clears[i].leaf == leaf && clears[i].subleaf == subleaf)
            m.reg[clears[i].reg] |= 1u << clears[i].bit;
    return m;
}

static bool is_empty(u32 leaf)
{
    if (leaf >= 0x40000000 && leaf <= 0x400000ff)
        return true;
    for (unsigned i = 0; i < array_size(empty_leaves); i++)
        if (empty_leaves[i] == leaf)
            return true;
    return false;
}

static bool has_masks(u32 leaf)
{
    return leaf == 1 || leaf == 7 || leaf == 0xd || leaf == 0x80000001 || leaf == 0x80000008;
}

void vm_cpuid(struct vm *vm, u64 *gpr)
{
    u32 leaf = (u32)gpr[RAX], subleaf = (u32)gpr[RCX];
    struct cpuid_regs r = {0};

    if (!is_empty(leaf)) {
        r = cpuid(leaf, subleaf);
        if (has_masks(leaf)) {
            struct masks m = masks_of(leaf, leaf == 7 || leaf == 0xd ? subleaf : 0);
            r.eax &= ~m.reg[EAX_REG];
            r.ebx &= ~m.reg[EBX_REG];
            r.ecx &= ~m.reg[ECX_REG];
            r.edx &= ~m.reg[EDX_REG];
        }
        if (leaf == 1) {
            r.ecx &= ~(1u << 27);
            if (vm->vcpu->cr4 & CR4_OSXSAVE)
                r.ecx |= 1u << 27;
        }
    }
    gpr[RAX] = r.eax;
    gpr[RBX] = r.ebx;
    gpr[RCX] = r.ecx;
    gpr[RDX] = r.edx;
}

void vm_cpuid_log(void)
{
    static const struct {
        u32 leaf, subleaf;
    } leaves[] = {{1, 0}, {7, 0}, {0xd, 1}, {0x80000001, 0}, {0x80000008, 0}};
    static const char *const names[4] = {"eax", "ebx", "ecx", "edx"};

    for (unsigned i = 0; i < array_size(leaves); i++) {
        struct masks m = masks_of(leaves[i].leaf, leaves[i].subleaf);
        struct cpuid_regs r = cpuid(leaves[i].leaf, leaves[i].subleaf);
        u32 has[4] = {r.eax, r.ebx, r.ecx, r.edx};
        for (unsigned reg = 0; reg < 4; reg++)
            if (m.reg[reg] & has[reg])
                log_line("@hv cpuid-mask leaf=%x subleaf=%x reg=%s clear=%x", leaves[i].leaf,
                         leaves[i].subleaf, names[reg], m.reg[reg] & has[reg]);
    }
    for (unsigned i = 0; i < array_size(clears); i++) {
        struct cpuid_regs r = cpuid(clears[i].leaf, clears[i].subleaf);
        u32 has[4] = {r.eax, r.ebx, r.ecx, r.edx};
        if (has[clears[i].reg] & 1u << clears[i].bit)
            log_line("the guest's CPU has no %s", clears[i].name);
    }
}

/* CR4 bits that go with what CPUID shows. */
u64 vm_cr4_allowed(void)
{
    struct cpuid_regs r1 = cpuid(1, 0),
                      r7 = cpuid(0, 0).eax >= 7 ? cpuid(7, 0) : (struct cpuid_regs){0};
    u64 bits = CR4_TSD | CR4_PCE | CR4_MCE;
    bits |= r1.edx & 1u << 1 ? CR4_VME | CR4_PVI : 0;
    bits |= r1.edx & 1u << 2 ? CR4_DE : 0;
    bits |= r1.edx & 1u << 3 ? CR4_PSE : 0;
    bits |= r1.edx & 1u << 6 ? CR4_PAE : 0;
    bits |= r1.edx & 1u << 13 ? CR4_PGE : 0;
    bits |= r1.edx & 1u << 24 ? CR4_OSFXSR : 0;
    bits |= r1.edx & 1u << 25 ? CR4_OSXMMEXCPT : 0;
    bits |= r1.ecx & 1u << 26 ? CR4_OSXSAVE : 0;
    bits |= r7.ebx & 1u << 0 ? CR4_FSGSBASE : 0;
    bits |= r7.ebx & 1u << 7 ? CR4_SMEP : 0;
    bits |= r7.ebx & 1u << 20 ? CR4_SMAP : 0;
    bits |= r7.ecx & 1u << 2 ? CR4_UMIP : 0;
    return bits;
}
