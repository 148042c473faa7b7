#pragma once

/* What the files of this backend share. */

#include "cpu/svm/vmcb.h"
#include "cpu/virt.h"

struct svm_vcpu {
    struct vcpu vcpu;
    struct vmcb *vmcb;
    hpa_t host_vmcb;
    bool cr0_owned; /* the guest changes CR0.TS and MP without exits */
    bool intr;      /* the next entry delivers the interrupt of this vector */
    u8 vector;
    bool window; /* an exit is wanted once the guest can take an interrupt */
};

static inline struct svm_vcpu *svm_of(struct vcpu *v)
{
    return container_of(v, struct svm_vcpu, vcpu);
}

/* event.c: members of svm_ops. */
void svm_inject(struct vcpu *v, const struct event *event);
void svm_intr_window(struct vcpu *v, bool on);
bool svm_nmi_blocked(struct vcpu *v);
void svm_block_nmi(struct vcpu *v, bool on);
/* No event under way, no window. */
void svm_event_reset(struct svm_vcpu *s);
/* After an exit: vcpu.interrupted from EXITINTINFO, and what is not delivered yet. */
void svm_event_exit(struct svm_vcpu *s);

/* msr.c: MSRs that the guest uses without exits. False: there is none, or not with this value. */
bool svm_msr_read(struct vmcb *b, u32 index, u64 *value);
bool svm_msr_write(struct vmcb *b, u32 index, u64 value);
