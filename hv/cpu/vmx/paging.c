/* Guest paging without exits, where the mmu says that none is needed. */

#include "cpu/vmx/vmx.h"
#include "mmu/mmu.h"

void vmx_paging(struct mmu_config *config)
{
    config->fault_filter = true;
    config->invlpg_free = !(vmx_control(MSR_VMX_PROC, 0) & PROC_INVLPG);
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

void vmx_store_paging(struct vmx_vcpu *s)
{
    store_fault_mask(s, mmu_fault_mask(s->vcpu.mmu));
    store_invlpg(s, mmu_invlpg_exits(s->vcpu.mmu));
}
