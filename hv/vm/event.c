/* Exceptions and interrupts for the guest. */

#include "host/nmi.h"
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
    if (first->type == EVENT_INTR) {
        vm->deferred = *first;
        return;
    }
    if (first->type == EVENT_NMI) /* gone, as in the CPU; the next one waits for an IRET */
        vm->vcpu->virt->block_nmi(vm->vcpu, true);
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

bool vm_nmi_due(struct vm *vm)
{
    return machine_nmi(vm->machine) && !vm->vcpu->virt->nmi_blocked(vm->vcpu);
}

/* Is it the CPU that delivers the event? Not in a state that it cannot enter; nor where an NMI or a further interrupt is to
 * follow and it has no exit for that. */
static bool by_cpu(struct vm *vm, const struct event *event)
{
    struct vcpu *v = vm->vcpu;
    if (unlikely(vm_nmi_due(vm)) && !v->virt->nmi_window)
        return false;
    if (event->type == EVENT_INTR && v->virt->intr_excludes_window && machine_intr(vm->machine))
        return false;
    return vcpu_injectable(v);
}

/* True: at the next entry, before which nothing else can be delivered. */
static bool inject(struct vm *vm, const struct event *event)
{
    struct vcpu *v = vm->vcpu;
    vcpu_need(v, VCPU_RIP);
    if (event->type == EVENT_EXCEPTION && is_fault(event->vector)) {
        v->rflags |= RFLAGS_RF;
        v->dirty |= VCPU_RIP;
    }
    v->int_shadow = false;
    vm->halted = false;
    if (likely(by_cpu(vm, event))) {
        v->virt->inject(v, event);
        return true;
    }
    deliver_interpreted(vm, event);
    return false;
}

static bool inject_raised(struct vm *vm)
{
    struct event event = vm->raised;
    vm->raised.type = EVENT_NONE;
    return inject(vm, &event);
}

static bool can_interrupt(struct vcpu *v)
{
    return vcpu_rflags(v) & RFLAGS_IF && !v->int_shadow;
}

enum window { WINDOW_INTR = 1, WINDOW_NMI = 2 };

/* Out of line, as all of an exit that is rare: vm_deliver() is in the path of each. */
static __attribute__((noinline)) void change_windows(struct vm *vm, unsigned windows)
{
    const struct virt_ops *virt = vm->vcpu->virt;
    unsigned changed = vm->windows ^ windows;
    vm->windows = windows;
    if (changed & WINDOW_INTR)
        virt->intr_window(vm->vcpu, windows & WINDOW_INTR);
    if (changed & WINDOW_NMI && virt->nmi_window)
        virt->nmi_window(vm->vcpu, windows & WINDOW_NMI);
}

static inline void want_windows(struct vm *vm, unsigned windows)
{
    if (unlikely(vm->windows != windows))
        change_windows(vm, windows);
}

void vm_close_windows(struct vm *vm)
{
    want_windows(vm, 0);
}

void vm_poll_nmi(struct vm *vm)
{
    if (unlikely(host_nmi_noted))
        machine_nmi_request(vm->machine, host_nmi_take());
}

/* The CPU has latched an NMI (SDM vol. 3, 6.7.1). Not in a shadow, whose one instruction is emulated where no exit
 * follows it. True: at the next entry. */
static bool deliver_nmi(struct vm *vm)
{
    struct event nmi = {.type = EVENT_NMI, .vector = VEC_NMI};
    struct vcpu *v = vm->vcpu;
    if (v->int_shadow && v->virt->nmi_window)
        return false;
    if (v->int_shadow) {
        vm_end_shadow(vm);
        if (vm->raised.type != EVENT_NONE)
            inject_raised(vm);
        if (vm->end != VM_RUNS)
            return false;
    }
    machine_nmi_take(vm->machine);
    return inject(vm, &nmi);
}

static bool deliver_intr(struct vm *vm)
{
    struct event event = vm->deferred;
    vm->deferred.type = EVENT_NONE;
    if (event.type == EVENT_NONE)
        event = (struct event){.type = EVENT_INTR, .vector = machine_intr_ack(vm->machine)};
    return inject(vm, &event);
}

/* What waits at the CPU's pins, after an event of the last exit: busy is that the CPU delivers one. */
static __attribute__((noinline)) void deliver_pins(struct vm *vm, bool busy)
{
    unsigned windows = 0;
    if (!busy && vm_nmi_due(vm))
        busy = deliver_nmi(vm);
    if (machine_nmi(vm->machine))
        windows |= WINDOW_NMI;
    if (!busy && can_interrupt(vm->vcpu) &&
        (vm->deferred.type != EVENT_NONE || machine_intr(vm->machine)))
        deliver_intr(vm);
    if (vm->deferred.type != EVENT_NONE || machine_intr(vm->machine))
        windows |= WINDOW_INTR;
    want_windows(vm, windows);
}

void vm_deliver(struct vm *vm)
{
    struct event *interrupted = &vm->vcpu->interrupted;
    bool busy = false;

    vm_poll_nmi(vm); /* one that comes from here on ends the turn (idt.S) */
    if (vm->raised.type != EVENT_NONE) {
        if (interrupted->type != EVENT_NONE)
            combine(vm, interrupted);
        busy = inject_raised(vm);
    } else if (interrupted->type != EVENT_NONE && interrupted->type != EVENT_SOFT) {
        /* EVENT_SOFT: RIP is still at the INT instruction, which is executed again. */
        struct event event = *interrupted;
        busy = inject(vm, &event);
    }
    interrupted->type = EVENT_NONE;

    if (likely(vm->deferred.type == EVENT_NONE && !machine_pins(vm->machine)))
        want_windows(vm, 0);
    else
        deliver_pins(vm, busy);
}
