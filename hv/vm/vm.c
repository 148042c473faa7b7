/* The loop: enter, count, handle, deliver. */

#include "host/cpu.h"
#include "host/log.h"
#include "vm/vm.h"

#define NEVER (~0ull)
enum { LOG_HIGH_WATER = 64 * 1024 };

void vm_end(struct vm *vm, enum vm_end end, const char *why)
{
    if (vm->end != VM_RUNS)
        return;
    vm->end = end;
    vm->end_why = why;
}

static u64 watchdog_deadline(const struct vm *vm)
{
    return vm->options.watchdog_s ? vm->alive + vm->options.watchdog_s * vm->clock.tsc_hz : NEVER;
}

static void arm_timer(struct vm *vm)
{
    u64 due = machine_next_deadline(vm->machine);
    if (unlikely(vm->options.watchdog_s))
        due = min(due, watchdog_deadline(vm));
    host_clock_arm(&vm->clock, due == NEVER ? NEVER : due + vm->tsc_base);
}

void vm_set_time(struct vm *vm, u64 tsc)
{
    vm->now = tsc - vm->tsc_base;
    machine_set_time(vm->machine, vm->now);
    if (unlikely(vm->options.watchdog_s) && vm->now >= watchdog_deadline(vm))
        vm_end(vm, VM_HANG, "the watchdog saw no console output and no mark");
}

static bool wakes(struct vm *vm)
{
    vm_poll_nmi(vm);
    return vm_nmi_due(vm) || (vcpu_rflags(vm->vcpu) & RFLAGS_IF &&
                              (machine_intr(vm->machine) || vm->deferred.type != EVENT_NONE));
}

/* HLT: the machine below sleeps until an interrupt for the guest is there. With interrupts off only an NMI ends
 * it, which none of the guest's own devices makes. */
static void idle(struct vm *vm)
{
    if (vm->raised.type != EVENT_NONE) { /* HLT's own single-step trap */
        vm->halted = false;
        return;
    }
    if (!wakes(vm) && !(vcpu_rflags(vm->vcpu) & RFLAGS_IF)) {
        vm_end(vm, VM_HANG, "HLT with interrupts off, and nothing that could end it");
        return;
    }
    for (;;) {
        vm_set_time(vm, rdtsc());
        machine_poll(vm->machine);
        serial_send(vm->console);
        log_send();
        if (wakes(vm) || vm->end != VM_RUNS)
            break;
        arm_timer(vm);
        cpu_wait();
        vm->clock.armed = 0;
    }
    vm->halted = false;
}

static void trace(struct vm *vm, const struct exit *e)
{
    vm->ring[vm->exits++ % EXIT_RING] =
        (struct exit_trace){e->code, vm->vcpu->rip, e->info1, e->info2};
}

/* Between exits, outside their accounts: what is to be sent, and the audit. */
static void housekeeping(struct vm *vm)
{
    char text[200];
    if (unlikely(serial_queued(vm->console)))
        serial_send(vm->console);
    if (unlikely(vm->log_due || log_queued() > LOG_HIGH_WATER)) {
        log_drain();
        vm->log_due = false;
    }
    if (unlikely(vm->options.audit_every) && vm->exits % vm->options.audit_every == 0 &&
        mmu_audit(vm->mmu, text, sizeof text)) {
        log_line("audit: %s", text);
        vm_end(vm, VM_PANIC, "the audit found a shadow entry that the guest's tables do not allow");
    }
}

void vm_flush_due(struct vm *vm)
{
    struct vcpu *v = vm->vcpu;
    if (mmu_take_tlb_flush(v->mmu)) {
        v->virt->flush_tlb(v);
        vm->code.gva = NO_PAGE;
    }
}

static void enter(struct vm *vm, struct exit *e)
{
    struct vcpu *v = vm->vcpu;
    vm_flush_due(vm);
    hpa_t root = mmu_root(v->mmu);
    v->virt->run(v, e);
    if (unlikely(mmu_root(v->mmu) != root)) /* the guest loaded a CR3 by itself */
        vm->code.gva = NO_PAGE;
}

enum vm_end vm_run(struct vm *vm)
{
    struct exit e = {0};

    while (vm->end == VM_RUNS) {
        vm_deliver(vm);
        arm_timer(vm);
        enter(vm, &e);
        u64 begin = rdtsc();
        vm_set_time(vm, begin);
        if (likely(e.reason != EXIT_INTERPRET))
            trace(vm, &e);
        vm_handle_exit(vm, &e);
        if (unlikely(vm->init_due)) {
            vm_cpu_reset(vm, true);
            vm->init_due = false;
        }
        counters_exit(&vm->counters, rdtsc() - begin);
        housekeeping(vm);
        if (unlikely(vm->halted))
            idle(vm);
    }
    return vm->end;
}
