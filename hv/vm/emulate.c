/* Instructions and events that the emulator executes for the guest. */

#include "vm/vm.h"

/* Iterations of a REP instruction in one exit. Over a guest table few: a table that is cleared or
 * overwritten by a string instruction is none any more after some stores, and the rest then runs in
 * the guest itself. */
enum { REP_MMIO = 4096, REP_TABLE = 8 };

struct emul *vm_emul_begin(struct vm *vm)
{
    struct vcpu *v = vm->vcpu;
    struct emul *e = &vm->emul;
    vcpu_need(v, VCPU_RIP | VCPU_RSP | VCPU_CR);
    e->ops = &vm_emul_ops;
    e->ctx = vm;
    e->gpr = v->gpr;
    e->seg = v->seg;
    e->seg_valid = v->valid >> VCPU_SEG_SHIFT;
    e->seg_changed = 0;
    e->rip = v->rip;
    e->rflags = v->rflags;
    e->cr0 = v->cr0;
    e->cr4 = v->cr4;
    e->efer = v->efer;
    e->cpl = (u8)v->virt->cpl(v);
    e->int_shadow = false;
    e->trap = e->new_task = e->iret = e->task_trap = false;
    return e;
}

/* IRET ends the blocking of NMIs, also where it faults (SDM vol. 3, 6.7.1, 25.3). */
static void unblock_nmi(struct vm *vm, const struct emul *e)
{
    if (unlikely(e->iret))
        vm->vcpu->virt->block_nmi(vm->vcpu, false);
}

/* Back to the vcpu after an instruction that was executed. */
static void finish(struct vm *vm, struct emul *e)
{
    struct vcpu *v = vm->vcpu;
    unblock_nmi(vm, e);
    v->rip = e->rip;
    v->rflags = e->rflags;
    v->int_shadow = e->int_shadow;
    v->dirty |= VCPU_RIP | VCPU_RSP | e->seg_changed << VCPU_SEG_SHIFT;
    v->valid |= e->seg_changed << VCPU_SEG_SHIFT;
    if (e->seg_changed)
        v->virt->set_cpl(v, e->cpl);
    if (unlikely(e->task_trap))
        vm_raise_task_trap(vm);
    else if (unlikely(e->trap))
        vm_raise_step(vm);
}

/* In the task that was switched to, if any. */
static void raise_fault(struct vm *vm, struct emul *e)
{
    const struct emul_fault *f = &e->fault;
    unblock_nmi(vm, e);
    if (unlikely(e->new_task))
        finish(vm, e);
    if (f->vector == VEC_PF)
        vm_raise_pf(vm, f->cr2, f->error);
    else if (f->has_error)
        vm_raise_error(vm, f->vector, f->error);
    else
        vm_raise(vm, f->vector);
}

enum emul_result vm_emul_deliver(struct vm *vm, const struct event *event)
{
    struct vcpu *v = vm->vcpu;
    struct emul *e = vm_emul_begin(vm);
    if (event->type == EVENT_EXCEPTION && event->vector == VEC_PF)
        v->virt->set_cr2(v, event->cr2);
    enum emul_result r = emul_deliver(e, event->vector, false, event->has_error, event->error);
    if (r == EMUL_OK) {
        finish(vm, e);
        if (event->type == EVENT_NMI)
            v->virt->block_nmi(v, true);
    }
    if (r == EMUL_FAULT)
        raise_fault(vm, e);
    return r;
}

void vm_emulate_refused(struct vm *vm, const struct exit *e)
{
    struct emul *emul = vm_emul_begin(vm);
    vm->counters.id = COUNT_EMULATE;
    enum emul_result r = emul_step(emul, REP_MMIO);
    if (r == EMUL_OK)
        finish(vm, emul);
    else if (r == EMUL_FAULT)
        raise_fault(vm, emul);
    else if (r == EMUL_UNHANDLED)
        vm_raise_error(vm, e->vector, 0);
}

void vm_emulate(struct vm *vm)
{
    struct emul *e = vm_emul_begin(vm);
    switch (emul_step(e, vm->counters.id == COUNT_PF_STORE ? REP_TABLE : REP_MMIO)) {
    case EMUL_OK: finish(vm, e); return;
    case EMUL_FAULT: raise_fault(vm, e); return;
    case EMUL_UNHANDLED:
        vm_end(vm, VM_ERROR, "an instruction that the emulator does not execute");
        return;
    case EMUL_STOP: return;
    }
}

void vm_emulate_half(struct vm *vm, gva_t gva)
{
    struct vcpu *v = vm->vcpu;
    if (vm->end != VM_RUNS || vm->raised.type != EVENT_NONE || v->virt->get_dr(v, 7) & 0xff)
        return; /* breakpoints: of their own each */
    struct emul *e = vm_emul_begin(vm);
    if (emul_store_at(e, gva, 4))
        finish(vm, e);
}

/* What the emulator does not execute loses the shadow: it is no move to the stack pointer, for which there are
 * shadows (SDM vol. 3, 6.8.3). */
void vm_end_shadow(struct vm *vm)
{
    vm_flush_due(vm);
    struct emul *e = vm_emul_begin(vm);
    enum emul_result r = emul_step(e, REP_MMIO);
    if (r == EMUL_OK)
        finish(vm, e);
    else if (r == EMUL_FAULT)
        raise_fault(vm, e);
    vm->vcpu->int_shadow = false;
}

void vm_task_switch(struct vm *vm, const struct exit *exit)
{
    struct vcpu *v = vm->vcpu;
    struct event *event = &v->interrupted;
    bool external = exit->task.source == TASK_EVENT && event->type != EVENT_SOFT;
    struct emul_task task = {
        .sel = exit->task.sel,
        .source = (enum emul_task_source)exit->task.source,
        .external = external,
        .has_error = exit->task.has_error,
        .error = exit->task.error,
        .next = external ? vcpu_rip(v) : vm_next_rip(vm, exit),
    };
    vm->counters.id = COUNT_OTHER;
    if (vm->end != VM_RUNS || vm->raised.type != EVENT_NONE)
        return;
    struct emul *e = vm_emul_begin(vm);
    enum emul_result r = emul_task_switch(e, &task);
    if (r == EMUL_OK)
        finish(vm, e);
    else
        raise_fault(vm, e);
    if (event->type == EVENT_NMI && (r == EMUL_OK || e->new_task))
        v->virt->block_nmi(v, true);
    /* Exceptions count for a double fault until their handler's first instruction. */
    if (r == EMUL_OK || (e->new_task && event->type != EVENT_EXCEPTION))
        event->type = EVENT_NONE;
}
