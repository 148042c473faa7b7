#pragma once

/* What the files of this backend share. */

#include "cpu/virt.h"
#include "cpu/vmx/vmcs.h"
#include "mmu/mmu.h"

/* What differs from CPU to CPU. */
struct vmx_limits {
    u64 cr0_fixed[2], cr4_fixed[2]; /* bits that must be 1, bits that may be (A.7, A.8) */
    unsigned maxphyaddr;
    unsigned activities; /* bit 0 HLT, 1 shutdown, 2 wait-for-SIPI (A.6) */
};

struct vmx_vcpu {
    struct vcpu vcpu;
    struct seg seg[SEG_COUNT]; /* vcpu.seg */
    hpa_t vmxon, vmcs;
    u64 host_rsp, cr3; /* as the VMCS has them */
    struct vmx_limits limits;
    u32 fault_mask; /* see paging.c */
    unsigned target_count;
    u64 targets[MMU_CR3_TARGETS];
    u64 *real_pdpt;  /* CR3 while real */
    u64 sysenter_cs; /* the guest's while real */
    u64 mode;        /* what of CR0 and EFER the last check was made for */
    u8 *tpr;         /* CR8 in bits 7:4, where its moves do not exit, or NULL */
    u32 proc_controls, entry_controls, interruptibility;
    bool launched;
    bool real;    /* the VMCS has real mode in the form of real.c */
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

/* #DB and #MC are the hypervisor's, #AC may not loop in the CPU. #PF is filtered by its error code: paging.c. */
#define VMX_EXCEPTIONS (1u << VEC_AC | 1u << VEC_DB | 1u << VEC_MC)

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

/* paging.c: guest paging without exits. What the CPU can do; what the mmu wants, to the VMCS. */
void vmx_paging(struct mmu_config *config);
void vmx_store_paging(struct vmx_vcpu *s);
/* After an exit: the CR3 that the guest has loaded meanwhile. */
void vmx_follow_cr3(struct vmx_vcpu *s);

/* check.c: the first field of the guest's state that VM entry would refuse (SDM vol. 3, 26.3.1), or
 * NULL. Needs all groups. */
const char *vmx_check_guest(const struct vcpu *v);

/* msr.c: a bitmap by which MSRs of the guest's own do not exit; their values, for the emulator. */
void vmx_msr_bitmap_init(u8 *bitmap);
bool vmx_read_msr(struct vcpu *v, u32 index, u64 *value);
bool vmx_write_msr(struct vcpu *v, u32 index, u64 value);

/* real.c: real mode as a virtual-8086 task. Why it cannot be one, or NULL; needs all groups. */
const char *vmx_check_real(const struct vcpu *v);
/* The task's RFLAGS for the guest's, and back: `before` is the guest's at the last entry. */
u64 vmx_real_flags(u64 guest);
u64 vmx_guest_flags(u64 flags, u64 before);
bool vmx_real_create(struct vmx_vcpu *s, void *(*alloc)(void *ctx, u64 bytes), void *ctx);
/* Between the two forms of the VMCS. */
void vmx_real_enter(struct vmx_vcpu *s);
void vmx_real_leave(struct vmx_vcpu *s);
/* One segment register; i: its place among the VMCS's fields. LDTR and TR stay in the cache. */
void vmx_real_load_segment(struct seg *seg, unsigned i);
void vmx_real_store_segment(const struct seg *seg, unsigned i);
/* The CR3 to run with, brought up to date with the shadow. */
hpa_t vmx_real_root(struct vmx_vcpu *s);

/* check_fields.c: the same for fields that no group has. */
struct vmx_fields {
    u64 cr0, cr3, cr4, dr7, debugctl, rflags, sysenter_esp, sysenter_eip, pending_debug, link;
    u64 pdpte[4]; /* at CR3 */
    u32 entry_controls, activity, interruptibility;
    u32 event; /* to be injected: ENTRY_INTR_INFO */
    unsigned ss_dpl;
};
const char *vmx_check_fields(const struct vmx_fields *f, const struct vmx_limits *limits);

/* decode.c: *e and the interrupted delivery from the exit's fields. */
void vmx_decode(struct vmx_vcpu *s, struct exit *e);
