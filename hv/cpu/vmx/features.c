/* What this backend needs of the CPU. */

#include "cpu/vmx/vmx.h"
#include "host/cpu.h"
#include "lib/fmt.h"

/* Controls that have to be there, one a line: MSR, bit, what it is. */
static const struct {
    u32 msr, bit;
    const char *name;
} needs[] = {
    {MSR_VMX_PIN, PIN_INTR, "external-interrupt exiting (SDM vol. 3, 24.6.1)"},
    {MSR_VMX_PIN, PIN_NMI, "NMI exiting (SDM vol. 3, 24.6.1)"},
    {MSR_VMX_PIN, PIN_VIRTUAL_NMI, "virtual NMIs (SDM vol. 3, 24.6.1)"},
    {MSR_VMX_PROC, PROC_INTR_WINDOW, "interrupt-window exiting (SDM vol. 3, 24.6.2)"},
    {MSR_VMX_PROC, PROC_NMI_WINDOW, "NMI-window exiting (SDM vol. 3, 24.6.2)"},
    {MSR_VMX_PROC, PROC_TSC_OFFSET, "TSC offsetting (SDM vol. 3, 24.6.2)"},
    {MSR_VMX_PROC, PROC_HLT, "HLT exiting (SDM vol. 3, 24.6.2)"},
    {MSR_VMX_PROC, PROC_INVLPG, "INVLPG exiting (SDM vol. 3, 24.6.2)"},
    {MSR_VMX_PROC, PROC_MWAIT, "MWAIT exiting (SDM vol. 3, 24.6.2)"},
    {MSR_VMX_PROC, PROC_RDPMC, "RDPMC exiting (SDM vol. 3, 24.6.2)"},
    {MSR_VMX_PROC, PROC_CR3_LOAD, "CR3-load exiting (SDM vol. 3, 24.6.2)"},
    {MSR_VMX_PROC, PROC_CR3_STORE, "CR3-store exiting (SDM vol. 3, 24.6.2)"},
    {MSR_VMX_PROC, PROC_CR8_LOAD, "CR8-load exiting (SDM vol. 3, 24.6.2)"},
    {MSR_VMX_PROC, PROC_CR8_STORE, "CR8-store exiting (SDM vol. 3, 24.6.2)"},
    {MSR_VMX_PROC, PROC_IO_BITMAPS, "I/O bitmaps (SDM vol. 3, 24.6.2)"},
    {MSR_VMX_PROC, PROC_MSR_BITMAPS, "MSR bitmaps (SDM vol. 3, 24.6.2)"},
    {MSR_VMX_PROC, PROC_MONITOR, "MONITOR exiting (SDM vol. 3, 24.6.2)"},
    {MSR_VMX_EXIT, EXIT_SAVE_DEBUG, "saving debug controls at exits (SDM vol. 3, 24.7.1)"},
    {MSR_VMX_EXIT, EXIT_HOST_64, "a 64-bit host (SDM vol. 3, 24.7.1)"},
    {MSR_VMX_ENTRY, ENTRY_LOAD_DEBUG, "loading debug controls at entries (SDM vol. 3, 24.8.1)"},
    {MSR_VMX_ENTRY, ENTRY_IA32E, "64-bit guests (SDM vol. 3, 24.8.1)"},
};

/* The high half of a capability MSR has the bits that may be 1 (SDM vol. 3, A.3 to A.5). */
static const char *missing_control(void)
{
    for (unsigned i = 0; i < array_size(needs); i++)
        if (!(rdmsr(needs[i].msr) >> 32 & needs[i].bit))
            return needs[i].name;
    return NULL;
}

static const char *missing(void)
{
    if (!(cpuid(1, 0).ecx & 1u << 5))
        return "VT-x (CPUID 1 ECX bit 5; SDM vol. 3, 23.6)";
    u64 feature = rdmsr(MSR_FEATURE_CONTROL);
    if (feature & FEATURE_LOCKED && !(feature & FEATURE_VMX))
        return "VT-x enabled by the firmware (MSR 3Ah bit 2 is clear; SDM vol. 3, 23.7)";
    if (!(cpuid(0x80000001, 0).edx & 1u << 20))
        return "the no-execute bit (CPUID 80000001h EDX bit 20)";
    return missing_control();
}

bool vmx_probe(char *why, size_t size)
{
    const char *name = missing();
    if (name)
        fmt_snprintf(why, size, "%s", name);
    return !name;
}

u32 vmx_control(u32 msr, u32 want)
{
    u64 allowed = rdmsr(msr);
    return (want | (u32)allowed) & (u32)(allowed >> 32);
}
