/* The guest in states that the CPU cannot enter: on VT-x real mode that is no virtual-8086 task, and
 * segments that a change of CR0.PE left behind. */

#include "host/cpu.h"
#include "vm/vm.h"

/* Instructions in one turn: the loop around sends output and audits between turns. */
enum { TURN = 256, CLOCK = 16 }; /* timers run every so many; a port sees the time as it is */

/* Something that the loop has to do before the next instruction. */
static bool due(struct vm *vm)
{
    struct vcpu *v = vm->vcpu;
    if (vm->end != VM_RUNS || vm->halted || vm->init_due || vm->log_due ||
        vm->raised.type != EVENT_NONE)
        return true;
    if (v->int_shadow)
        return false;
    return vm_nmi_due(vm) || (v->rflags & RFLAGS_IF &&
                              (vm->deferred.type != EVENT_NONE || machine_intr(vm->machine)));
}

void vm_interpret(struct vm *vm, const struct exit *e)
{
    (void)e;
    /* What is only interpreted is in no shadow table, whose flush would drop this. */
    vm->code.gva = NO_PAGE;
    for (unsigned i = 0; i < TURN; i++) {
        vm->counters.id = COUNT_INTERPRET;
        vm_emulate(vm);
        if (i % CLOCK == CLOCK - 1)
            vm_set_time(vm, rdtsc());
        if (due(vm) || vcpu_enterable(vm->vcpu))
            return;
        vm_flush_due(vm);
    }
}
