/* VT-x of the first generation behind cpu/virt.h. */

#include "cpu/vmx/vmx.h"
#include "host/cpu.h"
#include "lib/fmt.h"

bool vmx_enter(u64 *gpr, bool launched, u64 *host_rsp);

static bool vmx_enterable(struct vcpu *v)
{
    struct vmx_vcpu *s = vmx_of(v);
    if (unlikely(s->check || s->refused || v->dirty & VCPU_SEGS)) {
        vcpu_need(v, ~0u);
        s->refused = vmx_check_guest(v);
        s->check = false;
    }
    return !s->refused;
}

/* An event's gate would be read from the IDT; in real mode it is in the vector table. */
static bool vmx_injectable(struct vcpu *v)
{
    return v->cr0 & CR0_PE && vmx_enterable(v);
}

/* Blocking by NMI, of virtual NMIs (24.4.2): the CPU sets it as it injects one and clears it at IRET. */
static bool vmx_nmi_blocked(struct vcpu *v)
{
    return vmx_of(v)->interruptibility & BLOCKED_NMI;
}

static void vmx_block_nmi(struct vcpu *v, bool on)
{
    struct vmx_vcpu *s = vmx_of(v);
    if (vmx_nmi_blocked(v) == on)
        return;
    s->interruptibility ^= BLOCKED_NMI;
    vmwrite(GUEST_INTERRUPTIBILITY, s->interruptibility);
}

static void vmx_inject(struct vcpu *v, const struct event *event)
{
    static const u8 types[] = {
        [EVENT_INTR] = VMX_EVENT_INTR,
        [EVENT_NMI] = VMX_EVENT_NMI,
        [EVENT_EXCEPTION] = VMX_EVENT_EXCEPTION,
        [EVENT_SOFT] = VMX_EVENT_SOFT,
    };
    u32 info = VMX_EVENT_VALID | event->vector | (u32)types[event->type] << 8;
    if (event->has_error) {
        info |= VMX_EVENT_ERROR;
        vmwrite(ENTRY_ERROR_CODE, event->error);
    }
    if (event->type == EVENT_EXCEPTION && event->vector == VEC_PF)
        write_cr2(event->cr2);
    if (event->type == EVENT_NMI) /* again, after its delivery was interrupted (26.3.1.5) */
        vmx_block_nmi(v, false);
    vmwrite(ENTRY_INTR_INFO, info); /* the CPU clears it after the entry (26.5) */
}

static void set_window(struct vcpu *v, u32 window, bool on)
{
    struct vmx_vcpu *s = vmx_of(v);
    s->proc_controls = on ? s->proc_controls | window : s->proc_controls & ~window;
    vmwrite(PROC_CONTROLS, s->proc_controls);
}

static void vmx_intr_window(struct vcpu *v, bool on)
{
    set_window(v, PROC_INTR_WINDOW, on);
}

static void vmx_nmi_window(struct vcpu *v, bool on)
{
    set_window(v, PROC_NMI_WINDOW, on);
}

/* Without VPIDs every entry and exit flushes (SDM vol. 3, 28.3.3.1). */
static void vmx_flush_tlb(struct vcpu *v)
{
    (void)v;
}

static void vmx_set_tsc_offset(struct vcpu *v, u64 offset)
{
    (void)v;
    vmwrite(TSC_OFFSET, offset);
}

static u64 vmx_get_cr2(struct vcpu *v)
{
    (void)v;
    return read_cr2(); /* the guest's, also while we run: a #PF of our own is the end */
}

static void vmx_set_cr2(struct vcpu *v, u64 value)
{
    (void)v;
    write_cr2(value);
}

static void vmx_set_cpl(struct vcpu *v, unsigned cpl)
{
    (void)v; /* it is SS.DPL */
    (void)cpl;
}

static void vmx_run(struct vcpu *v, struct exit *e)
{
    struct vmx_vcpu *s = vmx_of(v);

    if (unlikely(!vmx_enterable(v))) {
        *e = (struct exit){.reason = EXIT_INTERPRET};
        return;
    }
    if (unlikely(!(v->cr0 & CR0_PE) && !s->real))
        vmx_real_enter(s);
    vmx_store(s);
    if (unlikely(vmx_enter(v->gpr, s->launched, &s->host_rsp))) {
        u64 error = vmread(INSN_ERROR);
        *e = (struct exit){.reason = EXIT_ENTRY_FAILED, .info1 = error, .text = s->text};
        fmt_snprintf(s->text, sizeof s->text, "VM entry: instruction error %lu (SDM vol. 3, 30.4)",
                     error);
        return;
    }
    s->launched = true;
    vmx_follow_cr3(s);
    v->valid = 0;
    vmx_decode(s, e);
}

const struct virt_ops vmx_ops = {
    .name = "vmx",
    .probe = vmx_probe,
    .paging = vmx_paging,
    .create = vmx_create,
    .reset = vmx_reset,
    .run = vmx_run,
    .enterable = vmx_enterable,
    .injectable = vmx_injectable,
    .load = vmx_load,
    .cpl = vmx_cpl,
    .set_cpl = vmx_set_cpl,
    .update_cr = vmx_update_cr,
    .inject = vmx_inject,
    .intr_window = vmx_intr_window,
    .nmi_window = vmx_nmi_window,
    .nmi_blocked = vmx_nmi_blocked,
    .block_nmi = vmx_block_nmi,
    .flush_tlb = vmx_flush_tlb,
    .set_tsc_offset = vmx_set_tsc_offset,
    .get_dr = vmx_get_dr,
    .set_dr = vmx_set_dr,
    .read_msr = vmx_read_msr,
    .write_msr = vmx_write_msr,
    .get_cr2 = vmx_get_cr2,
    .set_cr2 = vmx_set_cr2,
};
