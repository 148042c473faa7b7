/* Guest paging without exits, where the mmu says that none is needed. */

#include "cpu/vmx/vmx.h"
#include "host/cpu.h"

void vmx_paging(struct mmu_config *config)
{
    config->fault_filter = true;
    config->invlpg_free = !(vmx_control(MSR_VMX_PROC, 0) & PROC_INVLPG);
    config->cr3_targets = rdmsr(MSR_VMX_MISC) >> 16 & 0x1ff; /* SDM vol. 3, A.6 */
}

/* With its bit in the exception bitmap clear, a #PF exits where its error code and the mask differ from
 * the match (SDM vol. 3, 25.2): with a mask of 0 and a match of 1 always. */
static void store_fault_mask(struct vmx_vcpu *s, u32 mask)
{
    if (likely(mask == s->fault_mask))
        return;
    s->fault_mask = mask;
    vmwrite(PFEC_MASK, mask);
    vmwrite(PFEC_MATCH, !mask);
}

static void store_invlpg(struct vmx_vcpu *s, bool exits)
{
    u32 controls = exits ? s->proc_controls | PROC_INVLPG : s->proc_controls & ~(u32)PROC_INVLPG;

    if (likely(controls == s->proc_controls))
        return;
    s->proc_controls = controls;
    vmwrite(PROC_CONTROLS, controls);
}

/* A CR3 load with a value on the list does not exit (SDM vol. 3, 25.1.3). The count must be exact: a
 * field that is not in use would match a load of 0. */
static void store_targets(struct vmx_vcpu *s)
{
    u64 values[MMU_CR3_TARGETS];
    unsigned n = mmu_cr3_targets(s->vcpu.mmu, values);

    for (unsigned i = 0; i < n; i++)
        if (unlikely(values[i] != s->targets[i])) {
            s->targets[i] = values[i];
            vmwrite(CR3_TARGET_0 + 2 * i, values[i]);
        }
    if (unlikely(n != s->target_count)) {
        s->target_count = n;
        vmwrite(CR3_TARGETS, n);
    }
}

void vmx_follow_cr3(struct vmx_vcpu *s)
{
    if (!s->target_count)
        return;
    u64 cr3 = vmread(GUEST_CR3);
    if (cr3 == s->cr3)
        return;
    s->cr3 = s->vcpu.cr3 = cr3;
    mmu_cr3_followed(s->vcpu.mmu, cr3);
}

void vmx_store_paging(struct vmx_vcpu *s)
{
    store_fault_mask(s, mmu_fault_mask(s->vcpu.mmu));
    store_invlpg(s, mmu_invlpg_exits(s->vcpu.mmu));
    store_targets(s);
}
