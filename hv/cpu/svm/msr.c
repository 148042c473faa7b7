/* MSRs that VMLOAD and VMSAVE switch, or that only the guest uses, for the emulator: the guest itself
 * reaches them without exits. */

#include "cpu/svm/svm.h"
#include "host/cpu.h"

static u64 *svm_msr(struct vmcb *b, u32 index)
{
    switch (index) {
    case MSR_SYSENTER_CS: return &b->sysenter_cs;
    case MSR_SYSENTER_ESP: return &b->sysenter_esp;
    case MSR_SYSENTER_EIP: return &b->sysenter_eip;
    case MSR_STAR: return &b->star;
    case MSR_LSTAR: return &b->lstar;
    case MSR_CSTAR: return &b->cstar;
    case MSR_SFMASK: return &b->sfmask;
    case MSR_KERNEL_GS_BASE: return &b->kernel_gs_base;
    case MSR_FS_BASE: return &b->seg[SEG_FS].base;
    case MSR_GS_BASE: return &b->seg[SEG_GS].base;
    }
    return NULL;
}

static bool is_address(u32 index)
{
    return index != MSR_SYSENTER_CS && index != MSR_STAR && index != MSR_SFMASK;
}

bool svm_msr_read(struct vmcb *b, u32 index, u64 *value)
{
    const u64 *msr = svm_msr(b, index);
    if (index == MSR_TSC_AUX && cpuid(0x80000001, 0).edx & 1u << 27)
        *value = rdmsr(MSR_TSC_AUX);
    else if (msr)
        *value = *msr;
    else
        return false;
    return true;
}

bool svm_msr_write(struct vmcb *b, u32 index, u64 value)
{
    u64 *msr = svm_msr(b, index);
    if (index == MSR_TSC_AUX && cpuid(0x80000001, 0).edx & 1u << 27 && !(value >> 32))
        wrmsr(MSR_TSC_AUX, value);
    else if (msr && (!is_address(index) || canonical48(value)))
        *msr = value;
    else
        return false;
    return true;
}
