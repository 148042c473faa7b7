#pragma once

/* The one door to hardware virtualization: what VT-x and SVM have in common, made so that both can do
 * it on their first generation (no nested paging, no VPID, no decode assists, no NRIP save; VT-x without
 * unrestricted guest, without load-EFER, with CR3 exits). Everything above this header is
 * vendor-neutral.
 *
 * Register state is cached in struct vcpu. A backend marks what is valid after an exit and loads the
 * rest when asked (VMREADs cost), and writes back what is dirty at the next entry. */

#include "lib/x86.h"

enum exit_reason {
    EXIT_INTR,        /* an interrupt of the machine below */
    EXIT_NMI,         /* an NMI of the machine below */
    EXIT_INTR_WINDOW, /* the guest can take an interrupt now */
    EXIT_NMI_WINDOW,  /* the guest can take an NMI now */
    EXIT_IRET,        /* with NMIs blocked, where the CPU does not unblock them by itself */
    EXIT_EXCEPTION,   /* vector, error, and for #PF address */
    EXIT_IO,
    EXIT_CPUID,
    EXIT_HLT,
    EXIT_INVLPG,
    EXIT_CR, /* access to CR0, CR3, CR4 */
    EXIT_RDMSR,
    EXIT_WRMSR,
    EXIT_RDPMC,
    EXIT_CACHE, /* INVD, WBINVD */
    EXIT_XSETBV,
    EXIT_VIRT, /* an instruction that the guest's CPU does not have: VMX, SVM, MONITOR... */
    EXIT_TASK_SWITCH,
    EXIT_TRIPLE_FAULT,
    EXIT_INIT,
    EXIT_EMULATE,   /* vector: the CPU refused an instruction that the guest's mode may have */
    EXIT_INTERPRET, /* nothing ran: the CPU cannot enter this state, the interpreter has to run it */
    EXIT_ENTRY_FAILED, /* the guest state is not one the CPU enters */
    EXIT_UNKNOWN,
    EXIT_REASONS,
};

/* What switches tasks, as VT-x numbers it (SDM vol. 3, table 27-2); EVENT: a task gate in the IDT. */
enum task_source { TASK_CALL, TASK_IRET, TASK_JMP, TASK_EVENT };

enum cr_access { CR_MOV_TO, CR_MOV_FROM, CR_CLTS, CR_LMSW, CR_SMSW };

struct exit {
    enum exit_reason reason;
    u64 next_rip; /* after the instruction that exited; 0: the CPU does not say (decode it) */
    u64 address;  /* #PF: linear address; INVLPG where decoded */
    u32 error;    /* of an exception */
    u8 vector;
    bool decoded; /* CR, INVLPG: the operands below are filled */
    /* The exception is a fault of an IRET, which had unblocked NMIs; they are blocked again. */
    bool iret;
    u8 cr, gpr;
    enum cr_access cr_access;
    u16 lmsw;
    struct {
        u16 port;
        u8 size;
        bool in, string, rep;
    } io;
    struct {
        u16 sel; /* of the new TSS */
        enum task_source source;
        bool has_error; /* an error code for the new task's stack */
        u32 error;
    } task;
    u64 code, info1, info2; /* the vendor's own, for reports */
    const char *text;       /* why such an exit ends the VM, or NULL */
};

/* An event for the guest, or one whose delivery an exit interrupted. */
enum event_type { EVENT_NONE, EVENT_INTR, EVENT_NMI, EVENT_EXCEPTION, EVENT_SOFT };

struct event {
    enum event_type type;
    u8 vector;
    bool has_error;
    u32 error;
    u64 cr2; /* #PF */
};

/* Groups of cached state; each segment register is one, from VCPU_SEG_SHIFT on. */
enum vcpu_group {
    VCPU_RIP = 1 << 0, /* rip, rflags */
    VCPU_RSP = 1 << 1, /* gpr[RSP] */
    VCPU_CR = 1 << 2,  /* cr0 (its guest-owned bits), cr8 */
    VCPU_SEG_SHIFT = 8,
    VCPU_SEGS = ((1 << SEG_COUNT) - 1) << VCPU_SEG_SHIFT,
};
#define VCPU_SEG(n) (1u << (VCPU_SEG_SHIFT + (n)))

struct virt_ops;
struct mmu_config;
struct mmu_vcpu;

struct vcpu {
    const struct virt_ops *virt;
    struct mmu_vcpu *mmu;
    void *vm;
    u32 valid, dirty; /* enum vcpu_group */
    u64 gpr[16];
    u64 rip, rflags;
    struct seg *seg;         /* SEG_COUNT; may be the backend's own memory */
    u64 cr0, cr3, cr4, efer; /* as the guest sees them */
    u64 cr8;
    u64 pat;
    bool int_shadow; /* STI or MOV SS: no interrupt before the next instruction has ended */
    struct event interrupted; /* whose delivery the last exit interrupted */
};

struct virt_ops {
    const char *name;
    /* Is it there, enabled and complete? False: why names what is missing. */
    bool (*probe)(char *why, size_t size);
    /* Puts into config what the CPU can do about the guest's paging without exits. NULL: nothing. */
    void (*paging)(struct mmu_config *config);
    /* Switches virtualization on for this CPU and makes a vcpu. alloc: zeroed pages below 4 GiB. */
    struct vcpu *(*create)(void *(*alloc)(void *ctx, u64 bytes), void *ctx);
    /* Sets the state that a CPU has after RESET, or after INIT, which leaves the caches' mode, MSRs and
     * the FPU alone (SDM vol. 3, table 9-1). */
    void (*reset)(struct vcpu *v, bool init);
    /* Enters the guest; returns at its next exit. The guest's TSC is the CPU's plus tsc_offset. */
    void (*run)(struct vcpu *v, struct exit *e);
    /* Can run() enter this state? NULL: any. While false, run() returns EXIT_INTERPRET. */
    bool (*enterable)(struct vcpu *v);
    /* Can inject() deliver to it? NULL: always. */
    bool (*injectable)(struct vcpu *v);
    void (*load)(struct vcpu *v, u32 groups);
    unsigned (*cpl)(struct vcpu *v);
    /* After a change of the segments, whose SS.DPL is the CPL already. */
    void (*set_cpl)(struct vcpu *v, unsigned cpl);
    /* After a change of cr0, cr4 or efer. The CPU's CR3 is the mmu's root at each entry. */
    void (*update_cr)(struct vcpu *v);
    /* Delivers the event at the next entry. An NMI blocks further ones until the guest's IRET. */
    void (*inject)(struct vcpu *v, const struct event *event);
    /* Exit as soon as the guest can take an interrupt. */
    void (*intr_window)(struct vcpu *v, bool on);
    /* Such an exit cannot be asked for at an entry that delivers an interrupt. */
    bool intr_excludes_window;
    /* The same for an NMI. NULL: the CPU has no such exit but EXIT_IRET. */
    void (*nmi_window)(struct vcpu *v, bool on);
    /* Are NMIs blocked by one that is being served? Says so where an NMI or an IRET was emulated. */
    bool (*nmi_blocked)(struct vcpu *v);
    void (*block_nmi)(struct vcpu *v, bool on);
    void (*flush_tlb)(struct vcpu *v);
    void (*set_tsc_offset)(struct vcpu *v, u64 offset);
    /* DR6 and DR7, for the emulator's #DB. */
    u64 (*get_dr)(struct vcpu *v, unsigned n);
    void (*set_dr)(struct vcpu *v, unsigned n, u64 value);
    /* MSRs that the guest uses without exits, for the emulator. False: #GP. */
    bool (*read_msr)(struct vcpu *v, u32 index, u64 *value);
    bool (*write_msr)(struct vcpu *v, u32 index, u64 value);
    u64 (*get_cr2)(struct vcpu *v);
    void (*set_cr2)(struct vcpu *v, u64 value);
};

extern const struct virt_ops svm_ops, vmx_ops;

/* The segment registers after RESET and INIT (SDM vol. 3, table 9-1); seg has SEG_COUNT. */
void vcpu_reset_segments(struct seg *seg);

static inline void vcpu_need(struct vcpu *v, u32 groups)
{
    if (unlikely(~v->valid & groups))
        v->virt->load(v, groups & ~v->valid);
}

static inline const struct seg *vcpu_seg(struct vcpu *v, unsigned n)
{
    vcpu_need(v, VCPU_SEG(n));
    return &v->seg[n];
}

static inline u64 vcpu_rip(struct vcpu *v)
{
    vcpu_need(v, VCPU_RIP);
    return v->rip;
}

static inline u64 vcpu_rflags(struct vcpu *v)
{
    vcpu_need(v, VCPU_RIP);
    return v->rflags;
}

static inline bool vcpu_enterable(struct vcpu *v)
{
    return !v->virt->enterable || v->virt->enterable(v);
}

static inline bool vcpu_injectable(struct vcpu *v)
{
    return !v->virt->injectable || v->virt->injectable(v);
}

/* 4-level long mode is active (as opposed to a 32-bit code segment in it). */
static inline bool vcpu_lma(const struct vcpu *v)
{
    return v->efer & EFER_LMA;
}

static inline bool vcpu_code64(struct vcpu *v)
{
    if (!vcpu_lma(v))
        return false;
    return vcpu_seg(v, SEG_CS)->attr & SEG_L;
}

/* Moves past the instruction that exited. Ends an interrupt shadow and a resume flag, as its end does. */
static inline void vcpu_skip(struct vcpu *v, u64 next_rip)
{
    vcpu_need(v, VCPU_RIP);
    v->rip = next_rip;
    v->rflags &= ~RFLAGS_RF;
    v->int_shadow = false;
    v->dirty |= VCPU_RIP;
}
