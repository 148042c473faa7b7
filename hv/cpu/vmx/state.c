/* Between the register cache of struct vcpu and the VMCS. */

#include "cpu/vmx/vmx.h"
#include "host/cpu.h"
#include "mmu/mmu.h"

/* CR4 bits that the CPU runs with as the guest set them. */
#define CR4_PASSED                                                                                 \
    (CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PGE | CR4_MCE | CR4_PCE | CR4_OSFXSR |             \
     CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE | CR4_OSXSAVE | CR4_SMEP | CR4_SMAP)

/* The places of ES to TR among the VMCS's fields; GDTR and IDTR have fields of their own. */
static const u8 place[SEG_COUNT] = {
    [SEG_ES] = 0, [SEG_CS] = 1, [SEG_SS] = 2,   [SEG_DS] = 3,
    [SEG_FS] = 4, [SEG_GS] = 5, [SEG_LDTR] = 6, [SEG_TR] = 7,
};

/* attr has the descriptor's upper four bits closer (x86.h); not present is unusable (24.4.1). */
static u32 access_of(u16 attr)
{
    return (attr & 0xffu) | (attr & 0xf00u) << 4 | (attr & SEG_P ? 0 : ACCESS_UNUSABLE);
}

static u16 attr_of(u32 access)
{
    u16 attr = (u16)((access & 0xff) | (access >> 4 & 0xf00));
    return access & ACCESS_UNUSABLE ? attr & (u16)~SEG_P : attr;
}

static void load_segment(struct vmx_vcpu *s, unsigned n)
{
    struct seg *seg = &s->seg[n];
    unsigned i = place[n];
    if (n == SEG_GDTR) {
        *seg =
            (struct seg){.base = vmread(GUEST_GDTR_BASE), .limit = (u32)vmread(GUEST_GDTR_LIMIT)};
    } else if (n == SEG_IDTR) {
        *seg =
            (struct seg){.base = vmread(GUEST_IDTR_BASE), .limit = (u32)vmread(GUEST_IDTR_LIMIT)};
    } else if (s->real) {
        vmx_real_load_segment(seg, i);
    } else {
        seg->sel = (u16)vmread(GUEST_ES_SEL + 2 * i);
        seg->limit = (u32)vmread(GUEST_ES_LIMIT + 2 * i);
        seg->attr = attr_of((u32)vmread(GUEST_ES_ACCESS + 2 * i));
        seg->base = vmread(GUEST_ES_BASE + 2 * i);
    }
}

static void store_segment(const struct vmx_vcpu *s, unsigned n)
{
    const struct seg *seg = &s->seg[n];
    unsigned i = place[n];
    if (n == SEG_GDTR) {
        vmwrite(GUEST_GDTR_BASE, seg->base);
        vmwrite(GUEST_GDTR_LIMIT, seg->limit);
    } else if (n == SEG_IDTR) {
        vmwrite(GUEST_IDTR_BASE, seg->base);
        vmwrite(GUEST_IDTR_LIMIT, seg->limit);
    } else if (s->real) {
        vmx_real_store_segment(seg, i);
    } else {
        vmwrite(GUEST_ES_SEL + 2 * i, seg->sel);
        vmwrite(GUEST_ES_LIMIT + 2 * i, seg->limit);
        vmwrite(GUEST_ES_ACCESS + 2 * i, access_of(seg->attr));
        vmwrite(GUEST_ES_BASE + 2 * i, seg->base);
    }
}

static void load_cr(struct vmx_vcpu *s)
{
    struct vcpu *v = &s->vcpu;
    u64 free = mmu_cr0_free(v->mmu);
    v->cr0 = (v->cr0 & ~free) | (vmread(GUEST_CR0) & free);
    if (s->tpr)
        v->cr8 = *s->tpr >> 4;
}

void vmx_load(struct vcpu *v, u32 groups)
{
    struct vmx_vcpu *s = vmx_of(v);
    if (groups & VCPU_RIP) {
        u64 flags = vmread(GUEST_RFLAGS);
        v->rip = vmread(GUEST_RIP);
        v->rflags = s->real ? vmx_guest_flags(flags, v->rflags) : flags;
    }
    if (groups & VCPU_RSP)
        v->gpr[RSP] = vmread(GUEST_RSP);
    for (u32 segs = (groups & VCPU_SEGS) >> VCPU_SEG_SHIFT; segs; segs &= segs - 1)
        load_segment(s, (unsigned)__builtin_ctz(segs));
    if (groups & VCPU_CR)
        load_cr(s);
    v->valid |= groups;
}

/* Blocking by STI or MOV SS (24.4.2). With TF set the single-step trap that is held back has to be
 * among the pending debug exceptions (26.3.1.5). */
static __attribute__((noinline)) void change_shadow(struct vmx_vcpu *s)
{
    const struct vcpu *v = &s->vcpu;
    s->interruptibility &= ~(BLOCKED_STI | BLOCKED_MOV_SS);
    s->interruptibility |= v->int_shadow ? BLOCKED_MOV_SS : 0;
    vmwrite(GUEST_INTERRUPTIBILITY, s->interruptibility);
    vmwrite(GUEST_PENDING_DEBUG, v->int_shadow && v->rflags & RFLAGS_TF ? PENDING_BS : 0);
}

static inline void store_shadow(struct vmx_vcpu *s)
{
    bool was = s->interruptibility & (BLOCKED_STI | BLOCKED_MOV_SS);
    if (unlikely(s->vcpu.int_shadow != was))
        change_shadow(s);
}

void vmx_store(struct vmx_vcpu *s)
{
    struct vcpu *v = &s->vcpu;
    hpa_t root = s->real ? vmx_real_root(s) : mmu_root(v->mmu);
    if (v->dirty & VCPU_RIP) {
        vmwrite(GUEST_RIP, v->rip);
        vmwrite(GUEST_RFLAGS, s->real ? vmx_real_flags(v->rflags) : v->rflags);
    }
    if (v->dirty & VCPU_RSP)
        vmwrite(GUEST_RSP, v->gpr[RSP]);
    for (u32 segs = (v->dirty & VCPU_SEGS) >> VCPU_SEG_SHIFT; segs; segs &= segs - 1)
        store_segment(s, (unsigned)__builtin_ctz(segs));
    if (v->dirty & VCPU_CR && s->tpr)
        *s->tpr = (u8)(v->cr8 << 4);
    v->dirty = 0;
    store_shadow(s);
    vmx_store_paging(s);
    if (root != s->cr3) {
        s->cr3 = root;
        vmwrite(GUEST_CR3, root);
    }
}

/* SS.DPL, also where SS is unusable (SDM vol. 3, 24.4.1); 0 in real mode. */
unsigned vmx_cpl(struct vcpu *v)
{
    if (!(v->cr0 & CR0_PE))
        return 0;
    if (v->valid & VCPU_SEG(SEG_SS))
        return SEG_DPL(v->seg[SEG_SS].attr);
    return SEG_DPL(vmread(GUEST_SS_ACCESS));
}

/* Without the load-EFER control LMA follows the entry control, and the rest of EFER is the CPU's own: NXE
 * stays set, as our tables need it and the walk of the guest's tables judges bit 63 for the guest. */
static void update_efer(struct vcpu *v)
{
    u64 efer = rdmsr(MSR_EFER), want = (efer & ~EFER_SCE) | (v->efer & EFER_SCE);
    if (efer != want)
        wrmsr(MSR_EFER, want);
}

/* The bits of CR0 and EFER that the checks of an entry depend on (26.3.1.2); bits 0 and 10. */
static u64 guest_mode(const struct vcpu *v)
{
    return (v->cr0 & CR0_PE) | (v->efer & EFER_LMA);
}

void vmx_update_cr(struct vcpu *v)
{
    struct vmx_vcpu *s = vmx_of(v);
    bool paging = v->cr0 & CR0_PG;
    if (s->real && v->cr0 & CR0_PE)
        vmx_real_leave(s);
    /* CD and NW stay clear: uncached RAM is no service to a guest whose devices are all coherent. */
    u64 cr0 = (v->cr0 & ~(CR0_CD | CR0_NW)) | CR0_PG | CR0_WP | CR0_PE;
    u64 cr4 = (v->cr4 & CR4_PASSED) | CR4_PAE;
    u32 entry = vcpu_lma(v) ? s->entry_controls | ENTRY_IA32E : s->entry_controls & ~ENTRY_IA32E;

    if (!paging)
        cr4 &= ~(CR4_SMEP | CR4_SMAP); /* the identity tables are user pages */
    if (s->real) { /* what tells privilege 3, as which it runs, from real mode's 0 */
        cr0 &= ~CR0_AM;
        cr4 = (cr4 & ~(CR4_TSD | CR4_UMIP)) | CR4_VME;
    }
    vmwrite(GUEST_CR0, (cr0 | s->limits.cr0_fixed[0]) & s->limits.cr0_fixed[1]);
    vmwrite(CR0_MASK, ~mmu_cr0_free(v->mmu));
    vmwrite(CR0_SHADOW, v->cr0);
    vmwrite(GUEST_CR4, (cr4 | s->limits.cr4_fixed[0]) & s->limits.cr4_fixed[1]);
    vmwrite(CR4_SHADOW, v->cr4);
    if (entry != s->entry_controls) {
        s->entry_controls = entry;
        vmwrite(ENTRY_CONTROLS, entry);
    }
    update_efer(v);
    v->valid |= VCPU_CR;
    if (s->mode != guest_mode(v)) {
        s->mode = guest_mode(v);
        s->check = true;
    }
}

/* DR6 stays in the CPU; DR7 is in the VMCS (24.4.1). */
u64 vmx_get_dr(struct vcpu *v, unsigned n)
{
    u64 value;
    (void)v;
    if (n == 7)
        return vmread(GUEST_DR7);
    __asm__ volatile("mov %%dr6, %0" : "=r"(value));
    return value;
}

void vmx_set_dr(struct vcpu *v, unsigned n, u64 value)
{
    (void)v;
    if (n == 7)
        vmwrite(GUEST_DR7, value);
    else
        __asm__ volatile("mov %0, %%dr6" : : "r"(value));
}
