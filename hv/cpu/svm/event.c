/* Events to the guest, and those that an exit interrupted (APM vol. 2, 15.20 and 15.21). */

#include "cpu/svm/svm.h"

/* SVM does not know of an NMI being served: its IRET exits, and the interpreter executes it (APM vol. 2, 15.20). */
bool svm_nmi_blocked(struct vcpu *v)
{
    return svm_of(v)->vmcb->misc1 & INT_IRET;
}

void svm_block_nmi(struct vcpu *v, bool on)
{
    struct vmcb *b = svm_of(v)->vmcb;
    b->misc1 = on ? b->misc1 | INT_IRET : b->misc1 & ~(u32)INT_IRET;
}

/* The one virtual interrupt (15.21.4) is an interrupt for the guest; or a window: its intercept then comes before it
 * is taken. */
static void set_virtual_intr(struct svm_vcpu *s)
{
    struct vmcb *b = s->vmcb;
    b->v_intr &= ~(V_IRQ | V_IGN_TPR | V_VECTOR);
    if (s->intr || s->window)
        b->v_intr |= V_IRQ | V_IGN_TPR | (s->intr ? (u64)s->vector << V_VECTOR_SHIFT : 0);
    b->misc1 = s->window && !s->intr ? b->misc1 | INT_VINTR : b->misc1 & ~(u32)INT_VINTR;
}

void svm_intr_window(struct vcpu *v, bool on)
{
    struct svm_vcpu *s = svm_of(v);
    s->window = on;
    set_virtual_intr(s);
}

/* Interrupts are virtual interrupts, which the guest takes at once as its IF is set. EVENTINJ is as good for a real CPU,
 * but that of QEMU's emulator may deliver such a one twice (docs/emulator-differences.md). */
static void inject_intr(struct svm_vcpu *s, u8 vector)
{
    s->intr = true;
    s->vector = vector;
    set_virtual_intr(s);
}

void svm_inject(struct vcpu *v, const struct event *event)
{
    static const u8 types[] = {
        [EVENT_NMI] = SVM_EVENT_NMI,
        [EVENT_EXCEPTION] = SVM_EVENT_EXCEPTION,
        [EVENT_SOFT] = SVM_EVENT_SOFT,
    };
    struct vmcb *b = svm_of(v)->vmcb;
    if (event->type == EVENT_INTR) {
        inject_intr(svm_of(v), event->vector);
        return;
    }
    b->event_inject = SVM_EVENT_VALID | event->vector | (u64)types[event->type] << 8;
    if (event->has_error)
        b->event_inject |= SVM_EVENT_ERROR | (u64)event->error << SVM_EVENT_ERROR_SHIFT;
    if (event->type == EVENT_EXCEPTION && event->vector == VEC_PF)
        b->cr2 = event->cr2;
    if (event->type == EVENT_NMI)
        svm_block_nmi(v, true);
}

/* EXITINTINFO: the low bits are stale where the valid bit is clear. */
static void decode_interrupted(struct vcpu *v, const struct vmcb *b)
{
    u64 info = b->exit_int_info;
    v->interrupted.type = EVENT_NONE;
    if (likely(!(info & SVM_EVENT_VALID)))
        return;
    v->interrupted = (struct event){
        .vector = (u8)info,
        .has_error = info & SVM_EVENT_ERROR,
        .error = (u32)(info >> SVM_EVENT_ERROR_SHIFT),
        .cr2 = b->cr2, /* set when the delivery began */
    };
    switch (SVM_EVENT_TYPE(info)) {
    case SVM_EVENT_INTR: v->interrupted.type = EVENT_INTR; break;
    case SVM_EVENT_NMI: v->interrupted.type = EVENT_NMI; break;
    case SVM_EVENT_EXCEPTION:
        /* INT3 and INTO count as software: the instruction is executed again. */
        v->interrupted.type = v->interrupted.vector == VEC_BP || v->interrupted.vector == VEC_OF
                                  ? EVENT_SOFT
                                  : EVENT_EXCEPTION;
        break;
    default: v->interrupted.type = EVENT_SOFT;
    }
}

/* The CPU clears V_IRQ once it has delivered the interrupt. Where it has not, one of the machine below came first or
 * the delivery faulted, for which QEMU's EXITINTINFO has a wrong type. */
static void end_intr(struct svm_vcpu *s)
{
    if (s->vmcb->v_intr & V_IRQ)
        s->vcpu.interrupted = (struct event){.type = EVENT_INTR, .vector = s->vector};
    s->intr = false;
    set_virtual_intr(s);
}

void svm_event_exit(struct svm_vcpu *s)
{
    s->vmcb->event_inject = 0;
    decode_interrupted(&s->vcpu, s->vmcb);
    if (unlikely(s->intr))
        end_intr(s);
}

void svm_event_reset(struct svm_vcpu *s)
{
    struct vmcb *b = s->vmcb;
    s->intr = s->window = false;
    b->v_intr = V_INTR_MASKING;
    b->event_inject = 0;
    set_virtual_intr(s);
}
