#pragma once

/* What the files of this backend share. */

#include "cpu/virt.h"
#include "cpu/vmx/vmcs.h"

struct vmx_vcpu {
    struct vcpu vcpu;
    struct seg seg[SEG_COUNT]; /* vcpu.seg */
    hpa_t vmxon, vmcs;
    u64 host_rsp, cr3; /* as the VMCS has them */
    u32 proc_controls, entry_controls, interruptibility;
    bool launched;
    bool check;   /* segments or modes changed: is the state one that the CPU enters? */
    bool refused; /* it is not */
    char text[128];
};

static inline struct vmx_vcpu *vmx_of(struct vcpu *v)
{
    return container_of(v, struct vmx_vcpu, vcpu);
}

/* features.c: is VT-x there with all that is needed? False: why names what is missing. */
bool vmx_probe(char *why, size_t size);
/* The control word for what is wanted, with the bits that the CPU forces. */
u32 vmx_control(u32 msr, u32 want);

/* setup.c */
struct vcpu *vmx_create(void *(*alloc)(void *ctx, u64 bytes), void *ctx);
void vmx_reset(struct vcpu *v, bool init);

/* state.c: between the cache in struct vcpu and the VMCS. */
void vmx_load(struct vcpu *v, u32 groups);
void vmx_store(struct vmx_vcpu *s);
unsigned vmx_cpl(struct vcpu *v);
void vmx_update_cr(struct vcpu *v);
u64 vmx_get_dr(struct vcpu *v, unsigned n);
void vmx_set_dr(struct vcpu *v, unsigned n, u64 value);

/* check.c: the first field of the guest's state that VM entry would refuse (SDM vol. 3, 26.3.1), or
 * NULL. Needs all groups. */
const char *vmx_check_guest(const struct vcpu *v);

/* decode.c: *e and the interrupted delivery from the exit's fields. */
void vmx_decode(struct vmx_vcpu *s, struct exit *e);
