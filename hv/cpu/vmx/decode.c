/* From the exit's fields to struct exit. */

#include "cpu/vmx/vmx.h"
#include "host/cpu.h"
#include "lib/fmt.h"

#define DR7_GD (1ull << 13)

/* Exits whose instruction length the CPU gives (SDM vol. 3, 27.2.5), and what they are. */
static enum exit_reason instruction_reason(u32 code)
{
    switch (code) {
    case VMX_CPUID: return EXIT_CPUID;
    case VMX_HLT: return EXIT_HLT;
    case VMX_INVD:
    case VMX_WBINVD: return EXIT_CACHE;
    case VMX_INVLPG: return EXIT_INVLPG;
    case VMX_RDPMC: return EXIT_RDPMC;
    case VMX_CR: return EXIT_CR;
    case VMX_IO: return EXIT_IO;
    case VMX_RDMSR: return EXIT_RDMSR;
    case VMX_WRMSR: return EXIT_WRMSR;
    case VMX_XSETBV: return EXIT_XSETBV;
    case VMX_TASK_SWITCH: return EXIT_TASK_SWITCH;
    case VMX_GETSEC:
    case VMX_RSM:
    case VMX_MWAIT:
    case VMX_MONITOR:
    case VMX_INVEPT:
    case VMX_INVVPID: return EXIT_VIRT;
    }
    return code >= VMX_VMCALL && code <= VMX_VMXON ? EXIT_VIRT : EXIT_UNKNOWN;
}

static enum exit_reason other_reason(u32 code)
{
    switch (code) {
    case VMX_INTR: return EXIT_INTR;
    case VMX_TRIPLE_FAULT: return EXIT_TRIPLE_FAULT;
    case VMX_INIT: return EXIT_INIT;
    case VMX_INTR_WINDOW: return EXIT_INTR_WINDOW;
    case VMX_NMI_WINDOW: return EXIT_NMI_WINDOW;
    case VMX_ENTRY_GUEST:
    case VMX_ENTRY_MSR:
    case VMX_ENTRY_MACHINE_CHECK: return EXIT_ENTRY_FAILED;
    }
    return EXIT_UNKNOWN;
}

/* Table 27-3. CLTS, LMSW: the interpreter executes them. */
static void decode_cr(struct vcpu *v, struct exit *e, u64 qualification)
{
    unsigned type = qualification >> 4 & 3;
    e->cr = qualification & 15;
    e->gpr = qualification >> 8 & 15;
    e->cr_access = (enum cr_access)type;
    e->decoded = type <= CR_MOV_FROM;
    if (e->gpr == RSP)
        vcpu_need(v, VCPU_RSP);
}

/* Table 27-5. */
static void decode_io(struct exit *e, u64 qualification)
{
    e->io.size = (u8)((qualification & 7) + 1);
    e->io.in = qualification >> 3 & 1;
    e->io.string = qualification >> 4 & 1;
    e->io.rep = qualification >> 5 & 1;
    e->io.port = (u16)(qualification >> 16);
}

/* Table 27-2. An error code is with the event that the switch interrupted. */
static void decode_task_switch(const struct vcpu *v, struct exit *e, u64 qualification)
{
    e->task.sel = (u16)qualification;
    e->task.source = (enum task_source)(qualification >> 30 & 3);
    e->task.has_error = v->interrupted.type != EVENT_NONE && v->interrupted.has_error;
    e->task.error = v->interrupted.error;
}

/* An NMI of the machine below has blocked the next one until an IRET, here that of our own handler, which notes
 * the NMI. */
static void unblock_nmi(void)
{
    __asm__ volatile("int $2" : : : "memory");
}

/* The exit has not written DR6: the qualification has what it would get (table 27-1). Nor has it cleared
 * DR7.GD as the exception does (17.2.4). */
static void decode_debug(struct vcpu *v, u64 qualification)
{
    vmx_set_dr(v, 6, (vmx_get_dr(v, 6) & ~0xfull) | (qualification & 0x600f));
    vmx_set_dr(v, 7, vmx_get_dr(v, 7) & ~DR7_GD);
}

/* Real mode as virtual-8086 mode: what it would execute, or take through the vector table. */
static bool emulates(u8 vector)
{
    return vector == VEC_GP || vector == VEC_SS || vector == VEC_BP || vector == VEC_OF;
}

/* A fault of an IRET comes after its unblocking of NMIs. It is to be executed again, so they are blocked again
 * (27.2.2, 31.7.1.2), but not where the bit says nothing. */
static bool iret_faulted(const struct vcpu *v, u32 info)
{
    return info & VMX_EVENT_IRET && v->interrupted.type == EVENT_NONE && (u8)info != VEC_DF;
}

static void decode_exception(struct vmx_vcpu *s, struct exit *e, u64 qualification)
{
    struct vcpu *v = &s->vcpu;
    u32 info = (u32)vmread(EXIT_INTR_INFO);
    if (VMX_EVENT_TYPE(info) == VMX_EVENT_NMI) {
        e->reason = EXIT_NMI;
        unblock_nmi();
        return;
    }
    e->vector = (u8)info;
    e->reason = s->real && emulates(e->vector) ? EXIT_EMULATE : EXIT_EXCEPTION;
    e->error = info & VMX_EVENT_ERROR ? (u32)vmread(EXIT_ERROR_CODE) : 0;
    e->address = qualification; /* of a #PF */
    e->iret = iret_faulted(v, info);
    if (unlikely(e->iret))
        v->virt->block_nmi(v, true);
    if (e->vector == VEC_DB)
        decode_debug(v, qualification);
}

static void decode_interrupted(struct vcpu *v)
{
    u32 info = (u32)vmread(IDT_VECTORING_INFO);
    v->interrupted.type = EVENT_NONE;
    if (likely(!(info & VMX_EVENT_VALID)))
        return;
    v->interrupted = (struct event){
        .vector = (u8)info,
        .has_error = info & VMX_EVENT_ERROR,
        .error = info & VMX_EVENT_ERROR ? (u32)vmread(IDT_VECTORING_ERROR) : 0,
        .cr2 = read_cr2(), /* set when the delivery began; an exit does not change it */
    };
    switch (VMX_EVENT_TYPE(info)) {
    case VMX_EVENT_INTR: v->interrupted.type = EVENT_INTR; break;
    case VMX_EVENT_NMI: v->interrupted.type = EVENT_NMI; break;
    case VMX_EVENT_EXCEPTION: v->interrupted.type = EVENT_EXCEPTION; break;
    default: v->interrupted.type = EVENT_SOFT; /* RIP is at the instruction: executed again */
    }
}

static const char *check_fields(const struct vmx_vcpu *s)
{
    struct vmx_fields f = {
        .cr0 = vmread(GUEST_CR0),
        .cr3 = vmread(GUEST_CR3),
        .cr4 = vmread(GUEST_CR4),
        .dr7 = vmread(GUEST_DR7),
        .debugctl = vmread(GUEST_DEBUGCTL),
        .rflags = vmread(GUEST_RFLAGS),
        .sysenter_esp = vmread(GUEST_SYSENTER_ESP),
        .sysenter_eip = vmread(GUEST_SYSENTER_EIP),
        .pending_debug = vmread(GUEST_PENDING_DEBUG),
        .link = vmread(VMCS_LINK),
        .entry_controls = s->entry_controls,
        .activity = (u32)vmread(GUEST_ACTIVITY),
        .interruptibility = (u32)vmread(GUEST_INTERRUPTIBILITY),
        .event = (u32)vmread(ENTRY_INTR_INFO),
        .ss_dpl = SEG_DPL(vmread(GUEST_SS_ACCESS)),
    };
    const u64 *pdpte = (const u64 *)(f.cr3 & ~31ull);
    for (unsigned i = 0; i < array_size(f.pdpte); i++)
        f.pdpte[i] = pdpte[i];
    return vmx_check_fields(&f, &s->limits);
}

/* A failed entry leaves the guest's state as it was written (SDM vol. 3, 26.8). */
static void explain_failure(struct vmx_vcpu *s, struct exit *e)
{
    struct vcpu *v = &s->vcpu;
    const char *field;
    vcpu_need(v, ~0u);
    field = vmx_check_guest(v);
    if (!field)
        field = check_fields(s);
    fmt_snprintf(s->text, sizeof s->text,
                 "VM entry refused the guest's state: %s (SDM vol. 3, 26.3)",
                 field ? field : "a field that passes our checks");
    e->text = s->text;
}

void vmx_decode(struct vmx_vcpu *s, struct exit *e)
{
    struct vcpu *v = &s->vcpu;
    u32 code = (u32)vmread(EXIT_REASON);
    u64 qualification = vmread(EXIT_QUALIFICATION);

    e->code = code;
    e->info1 = qualification;
    e->info2 = 0;
    e->next_rip = 0;
    e->decoded = false;
    e->text = NULL;
    vmx_load(v, VCPU_RIP);
    s->interruptibility = (u32)vmread(GUEST_INTERRUPTIBILITY);
    v->int_shadow = s->interruptibility & (BLOCKED_STI | BLOCKED_MOV_SS);
    if (unlikely(code & VMX_ENTRY_FAILED)) {
        v->interrupted.type = EVENT_NONE;
        e->reason = EXIT_ENTRY_FAILED;
        explain_failure(s, e);
        return;
    }
    decode_interrupted(v);
    if (code == VMX_EXCEPTION_NMI) {
        decode_exception(s, e, qualification);
        e->info2 = e->vector;
        return;
    }
    e->reason = instruction_reason(code);
    if (e->reason == EXIT_UNKNOWN) {
        e->reason = other_reason(code);
        return;
    }
    e->next_rip = v->rip + vmread(EXIT_INSN_LENGTH);
    if (!(v->efer & EFER_LMA))
        e->next_rip = (u32)e->next_rip;
    if (code == VMX_TASK_SWITCH) {
        decode_task_switch(v, e, qualification);
    } else if (code == VMX_IO) {
        decode_io(e, qualification);
    } else if (code == VMX_CR) {
        decode_cr(v, e, qualification);
    } else if (code == VMX_INVLPG) {
        e->decoded = true;
        e->address = qualification;
    }
}
