/* Page-fault exits, and code bytes of the guest. */

#include "vm/vm.h"

void vm_page_fault(struct vm *vm, const struct exit *e)
{
    struct vcpu *v = vm->vcpu;
    bool ac = vcpu_rflags(v) & RFLAGS_AC;

    switch (mmu_page_fault(v->mmu, e->address, e->error, ac, &vm->fault_walk)) {
    case MMU_FIXED: vm->counters.id = COUNT_PF_FIXED; return;
    case MMU_GUEST_FAULT:
        vm->counters.id = COUNT_PF_GUEST;
        vm_raise_pf(vm, e->address, vm->fault_walk.pfec);
        return;
    case MMU_EMULATE_STORE:
        vm->counters.id = COUNT_PF_STORE;
        mmu_set_cr2(v->mmu, v->virt->get_cr2(v));
        break;
    case MMU_EMULATE_MMIO: vm->counters.id = COUNT_PF_MMIO; break;
    }
    /* A fault while an event was delivered (a stack in a guest table or in device memory) cannot be
     * emulated as an instruction: the delivery itself would have to be. */
    if (v->interrupted.type != EVENT_NONE && v->interrupted.type != EVENT_SOFT) {
        if (vm->counters.id == COUNT_PF_STORE)
            mmu_will_write(vm->mmu, vm->fault_walk.gpa & PAGE_MASK,
                           PAGE_SIZE); /* it is no table any more */
        else
            vm_end(vm, VM_ERROR, "an event's stack frame lies in device memory");
        return;
    }
    vm->fault_page = e->address & PAGE_MASK;
    vm_emulate(vm);
    /* A 32-bit guest writes PAE entries in halves. */
    if (unlikely(vm->counters.id == COUNT_PF_STORE && v->cr4 & CR4_PAE && !vcpu_lma(v)))
        vm_emulate_half(vm, e->address ^ 4);
    vm->fault_page = NO_PAGE;
    mmu_stored(v->mmu, e->address, e->error, ac);
}

const u8 *vm_code(struct vm *vm, unsigned *available)
{
    struct vcpu *v = vm->vcpu;
    u64 at = vcpu_rip(v);
    if (!vcpu_code64(v))
        at = (u32)(at + vcpu_seg(v, SEG_CS)->base);
    bool user = v->virt->cpl(v) == 3;
    *available = (unsigned)(PAGE_SIZE - (at & ~PAGE_MASK));
    if (likely((at & PAGE_MASK) == vm->code.gva && user == vm->code.user))
        return vm->code.memory + (at & ~PAGE_MASK);

    struct mmu_walk w;
    hpa_t hpa;
    if (!mmu_translate(v->mmu, at, PFEC_I | (user ? PFEC_U : 0), false, false, &w) ||
        mmu_lookup(vm->mmu, w.gpa, &hpa) == P2M_MMIO)
        return NULL;
    vm->code = (struct code_page){at & PAGE_MASK, user, (const u8 *)(hpa & PAGE_MASK)};
    return vm->code.memory + (at & ~PAGE_MASK);
}
