/* Exceptions and interrupts for the guest. */

#include "vm/vm.h"

#define DR6_BS (1ull << 14)
#define DR6_BT (1ull << 15)

void vm_raise(struct vm *vm, u8 vector)
{
    vm->raised = (struct event){.type = EVENT_EXCEPTION, .vector = vector};
}

void vm_raise_error(struct vm *vm, u8 vector, u32 error)
{
    vm->raised = (struct event){
        .type = EVENT_EXCEPTION, .vector = vector, .has_error = true, .error = error};
}

void vm_raise_pf(struct vm *vm, gva_t gva, u32 pfec)
{
    vm->raised = (struct event){
        .type = EVENT_EXCEPTION, .vector = VEC_PF, .has_error = true, .error = pfec, .cr2 = gva};
}

static void raise_debug(struct vm *vm, u64 why)
{
    struct vcpu *v = vm->vcpu;
    v->virt->set_dr(v, 6, v->virt->get_dr(v, 6) | why);
    vm_raise(vm, VEC_DB);
}

/* SDM vol. 3, 17.3.1.4. */
void vm_raise_step(struct vm *vm)
{
    raise_debug(vm, DR6_BS);
}

/* SDM vol. 3, 17.3.1.5. */
void vm_raise_task_trap(struct vm *vm)
{
    raise_debug(vm, DR6_BT);
}

void vm_skip(struct vm *vm, u64 next_rip)
{
    bool step = vcpu_rflags(vm->vcpu) & RFLAGS_TF;
    vcpu_skip(vm->vcpu, next_rip);
    if (unlikely(step))
        vm_raise_step(vm);
}

/* SDM vol. 3, table 6-4. */
static bool contributory(u8 vector)
{
    return vector == VEC_DE || (vector >= VEC_TS && vector <= VEC_GP);
}

/* An exception that came while another event was delivered (SDM vol. 3, table 6-5). */
static void combine(struct vm *vm, const struct event *first)
{
    struct event *second = &vm->raised;
    if (first->type == EVENT_INTR || first->type == EVENT_NMI) {
        vm->deferred = *first;
        return;
    }
    if (first->type != EVENT_EXCEPTION)
        return;
    if (first->vector == VEC_DF && (contributory(second->vector) || second->vector == VEC_PF)) {
        vm_end(vm, VM_TRIPLE_FAULT, "an exception while a double fault was delivered");
        return;
    }
    if ((contributory(first->vector) && contributory(second->vector)) ||
        (first->vector == VEC_PF && (contributory(second->vector) || second->vector == VEC_PF)))
        vm_raise_error(vm, VEC_DF, 0);
}

/* Faults push RF set, so that an instruction breakpoint is not taken again (SDM vol. 3, 17.3.1.1). */
static bool is_fault(u8 vector)
{
    return vector != VEC_DB && vector != VEC_BP && vector != VEC_OF && vector != VEC_DF &&
           vector != VEC_MC;
}

/* For a state in which the CPU delivers none. Bounded: the third fault in a row is a triple fault. */
static void deliver_interpreted(struct vm *vm, const struct event *event)
{
    struct event first = *event;
    while (vm_emul_deliver(vm, &first) == EMUL_FAULT) {
        combine(vm, &first);
        if (vm->end != VM_RUNS)
            return;
        first = vm->raised;
        vm->raised.type = EVENT_NONE;
    }
}

static void inject(struct vm *vm, const struct event *event)
{
    struct vcpu *v = vm->vcpu;
    vcpu_need(v, VCPU_RIP);
    if (event->type == EVENT_EXCEPTION && is_fault(event->vector)) {
        v->rflags |= RFLAGS_RF;
        v->dirty |= VCPU_RIP;
    }
    v->int_shadow = false;
    vm->halted = false;
    if (likely(vcpu_injectable(v)))
        v->virt->inject(v, event);
    else
        deliver_interpreted(vm, event);
}

static bool can_interrupt(struct vcpu *v)
{
    return vcpu_rflags(v) & RFLAGS_IF && !v->int_shadow;
}

static void want_window(struct vm *vm, bool on)
{
    if (vm->window == on)
        return;
    vm->window = on;
    vm->vcpu->virt->intr_window(vm->vcpu, on);
}

void vm_deliver(struct vm *vm)
{
    struct vcpu *v = vm->vcpu;
    struct event *interrupted = &v->interrupted;
    bool busy = false;

    if (vm->raised.type != EVENT_NONE) {
        if (interrupted->type != EVENT_NONE)
            combine(vm, interrupted);
        struct event event = vm->raised;
        vm->raised.type = EVENT_NONE;
        inject(vm, &event);
        busy = true;
    } else if (interrupted->type != EVENT_NONE && interrupted->type != EVENT_SOFT) {
        /* EVENT_SOFT: RIP is still at the INT instruction, which is executed again. */
        struct event event = *interrupted;
        inject(vm, &event);
        busy = true;
    }
    interrupted->type = EVENT_NONE;

    if (likely(vm->deferred.type == EVENT_NONE && !machine_intr(vm->machine))) {
        want_window(vm, false);
        return;
    }
    if (busy || !can_interrupt(v)) {
        want_window(vm, true);
        return;
    }
    if (vm->deferred.type != EVENT_NONE) {
        struct event event = vm->deferred;
        vm->deferred.type = EVENT_NONE;
        inject(vm, &event);
    } else {
        struct event event = {.type = EVENT_INTR, .vector = machine_intr_ack(vm->machine)};
        inject(vm, &event);
    }
    want_window(vm, machine_intr(vm->machine));
}
