/* What VM entry asks of the guest-state fields beside segments, RIP and RFLAGS (SDM vol. 3, 26.3.1.1, 26.3.1.5 and
 * 26.3.1.6), and of them with the event that is injected. Read only where an entry has failed. */

#include "cpu/vmx/vmx.h"

#define DEBUGCTL_LBR_BTF 3ull
#define DEBUGCTL_DEFINED 0xffc3ull
#define PENDING_DEFINED 0x500full /* B0 to B3, enabled breakpoint, BS (24.4.2) */
#define PDPTE_RESERVED 0x1e6ull   /* without NX: bits 63 to MAXPHYADDR as well (4.4.1) */

enum { ACTIVE, HALTED, SHUTDOWN, WAIT_FOR_SIPI };

static bool fixed(u64 value, const u64 bits[2])
{
    return !(bits[0] & ~value) && !(value & ~bits[1]);
}

static const char *check_registers(const struct vmx_fields *f, const struct vmx_limits *limits)
{
    bool long_mode = f->entry_controls & ENTRY_IA32E;
    if (!fixed(f->cr0, limits->cr0_fixed))
        return "CR0: a bit that VMX operation fixes";
    if (f->cr0 & CR0_PG && !(f->cr0 & CR0_PE))
        return "CR0.PG without CR0.PE";
    if (!fixed(f->cr4, limits->cr4_fixed))
        return "CR4: a bit that VMX operation fixes";
    if (long_mode && (!(f->cr0 & CR0_PG) || !(f->cr4 & CR4_PAE)))
        return "IA-32e mode without CR0.PG and CR4.PAE";
    if (!long_mode && f->cr4 & CR4_PCIDE)
        return "CR4.PCIDE outside IA-32e mode";
    if (f->cr3 >> limits->maxphyaddr)
        return "CR3: bits beyond the physical-address width";
    if (f->entry_controls & ENTRY_LOAD_DEBUG && f->debugctl & ~DEBUGCTL_DEFINED)
        return "IA32_DEBUGCTL: reserved bits";
    if (f->entry_controls & ENTRY_LOAD_DEBUG && f->dr7 >> 32)
        return "DR7: bits 63:32";
    if (!canonical48(f->sysenter_esp) || !canonical48(f->sysenter_eip))
        return "IA32_SYSENTER_ESP or _EIP: not canonical";
    return f->link == ~0ull ? NULL : "VMCS link pointer";
}

static const char *check_activity(const struct vmx_fields *f, const struct vmx_limits *limits)
{
    unsigned type = VMX_EVENT_TYPE(f->event), vector = f->event & 0xff;
    bool injects = f->event & VMX_EVENT_VALID;
    if (f->activity > WAIT_FOR_SIPI ||
        (f->activity && !(limits->activities & 1u << (f->activity - 1))))
        return "activity state: not one that the CPU has";
    if (f->activity == HALTED && f->ss_dpl)
        return "activity state HLT with SS.DPL";
    if (f->activity && f->interruptibility & (BLOCKED_STI | BLOCKED_MOV_SS))
        return "activity state with blocking by STI or MOV SS";
    if (injects &&
        (f->activity == WAIT_FOR_SIPI || (f->activity == HALTED && type == VMX_EVENT_SOFT) ||
         (f->activity == SHUTDOWN && vector != VEC_NMI && vector != VEC_MC)))
        return "activity state with the injected event";
    return NULL;
}

static const char *check_interruptibility(const struct vmx_fields *f)
{
    unsigned type = VMX_EVENT_TYPE(f->event);
    bool injects = f->event & VMX_EVENT_VALID;
    bool sti = f->interruptibility & BLOCKED_STI, mov_ss = f->interruptibility & BLOCKED_MOV_SS;
    if (f->interruptibility >> 4)
        return "interruptibility: reserved bits";
    if (sti && mov_ss)
        return "interruptibility: STI and MOV SS at once";
    if (sti && !(f->rflags & RFLAGS_IF))
        return "interruptibility: blocking by STI with RFLAGS.IF clear";
    if (f->interruptibility & BLOCKED_SMI)
        return "interruptibility: blocking by SMI outside SMM";
    if (injects && type == VMX_EVENT_INTR && (sti || mov_ss))
        return "interruptibility with an injected interrupt";
    if (injects && type == VMX_EVENT_INTR && !(f->rflags & RFLAGS_IF))
        return "RFLAGS.IF clear with an injected interrupt";
    if (injects && type == VMX_EVENT_NMI && mov_ss)
        return "interruptibility with an injected NMI";
    if (injects && type == VMX_EVENT_NMI && f->interruptibility & BLOCKED_NMI)
        return "interruptibility: blocking by NMI with an injected NMI";
    return NULL;
}

/* The single-step trap that a shadow or HLT holds back is pending exactly where TF asks for one. */
static const char *check_pending(const struct vmx_fields *f)
{
    bool held = f->interruptibility & (BLOCKED_STI | BLOCKED_MOV_SS) || f->activity == HALTED;
    bool step = f->rflags & RFLAGS_TF && (f->debugctl & DEBUGCTL_LBR_BTF) < 2;
    if (f->pending_debug & ~PENDING_DEFINED)
        return "pending debug exceptions: reserved bits";
    if (held && step != !!(f->pending_debug & PENDING_BS))
        return "pending debug exceptions: BS, not as RFLAGS.TF";
    return NULL;
}

static const char *check_pdptes(const struct vmx_fields *f, const struct vmx_limits *limits)
{
    u64 reserved = PDPTE_RESERVED | ~0ull << limits->maxphyaddr;
    if (f->entry_controls & ENTRY_IA32E || !(f->cr0 & CR0_PG) || !(f->cr4 & CR4_PAE))
        return NULL;
    for (unsigned i = 0; i < 4; i++)
        if (f->pdpte[i] & PTE_P && f->pdpte[i] & reserved)
            return "a PDPTE: reserved bits";
    return NULL;
}

const char *vmx_check_fields(const struct vmx_fields *f, const struct vmx_limits *limits)
{
    const char *field = check_registers(f, limits);
    if (!field)
        field = check_activity(f, limits);
    if (!field)
        field = check_interruptibility(f);
    if (!field)
        field = check_pending(f);
    return field ? field : check_pdptes(f, limits);
}
