#pragma once

/* A virtual machine: one vcpu, its memory and its devices, and the loop that runs it. */

#include "boot/multiboot.h"
#include "boot/options.h"
#include "cpu/virt.h"
#include "dev/dev.h"
#include "emul/emul.h"
#include "host/clock.h"
#include "host/memory.h"
#include "host/serial.h"
#include "mmu/mmu.h"
#include "vm/counters.h"

enum { EXIT_RING = 16 };

/* What the report shows of the last exits. */
struct exit_trace {
    u64 code, rip, info1, info2;
};

/* The page of code last fetched from: a TLB entry of our own, dropped with the CPU's TLB. */
struct code_page {
    u64 gva; /* page address, or ~0 */
    bool user;
    const u8 *memory;
};

#define NO_PAGE (~0ull)

struct vm {
    struct options options;
    struct host_memory *memory;
    struct host_clock clock;
    struct vcpu *vcpu;
    struct mmu *mmu;
    struct machine *machine;
    hpa_t ram;
    u64 tsc_base; /* TSC of the machine below at the guest's RESET; device time is the difference */
    u64 now;      /* device time of this exit */
    u64 alive;    /* device time of the last sign of life */
    struct event raised;   /* an exception that handling this exit raised */
    struct event deferred; /* an interrupt whose delivery a guest exception interrupted */
    unsigned windows;      /* what is asked for: enum window in event.c */
    bool halted;
    bool init_due; /* the CPU's INIT pin, after this exit */
    bool log_due;  /* a mark's records are to be sent */
    struct code_page code;
    struct emul emul;
    struct mmu_walk fault_walk; /* of the #PF exit under way: saves the emulator the same walk */
    u64 fault_page;             /* its linear page, or NO_PAGE */
    enum vm_end end;
    const char *end_why;
    u64 exits;
    struct exit_trace ring[EXIT_RING];
    struct counters counters;
    struct msr_state *msr;
    struct serial *console;
};

/* Builds the VM from the loader's modules and the options. False: why names the thing. */
bool vm_create(struct vm *vm, const struct boot_info *boot, char *why, size_t why_size);
/* Runs it to its end, and returns that. */
enum vm_end vm_run(struct vm *vm);
/* Ends the VM after this exit; the first reason stays. */
void vm_end(struct vm *vm, enum vm_end end, const char *why);

/* Time of the machine below to the devices: runs the timers that are due. */
void vm_set_time(struct vm *vm, u64 tsc);
/* A flush of the TLB that the mmu asks for, and of our own entry. */
void vm_flush_due(struct vm *vm);

/* cr.c: the CPU's RESET or INIT pin. */
void vm_cpu_reset(struct vm *vm, bool init);

/* exit.c */
void vm_handle_exit(struct vm *vm, const struct exit *e);
/* The next instruction's address: the CPU's word or a decode. 0: an exception was raised instead. */
u64 vm_next_rip(struct vm *vm, const struct exit *e);

/* XSETBV; false raises #GP. */
bool vm_xcr_write(u32 index, u64 value);

/* event.c */
void vm_raise(struct vm *vm, u8 vector);
void vm_raise_error(struct vm *vm, u8 vector, u32 error);
void vm_raise_pf(struct vm *vm, gva_t gva, u32 pfec);
/* The trap after an instruction that ran with TF set, or after a switch to a task with T set. */
void vm_raise_step(struct vm *vm);
void vm_raise_task_trap(struct vm *vm);
/* Moves past the instruction that exited, and raises its single-step trap. */
void vm_skip(struct vm *vm, u64 next_rip);
/* Chooses what the next entry delivers: an exception just raised, an interrupted delivery, an NMI, an
 * interrupt. */
void vm_deliver(struct vm *vm);
/* Has the guest an NMI that it can take, but for the shadow of an instruction? */
bool vm_nmi_due(struct vm *vm);
/* Hands an NMI of the machine below, if there was one, to the guest's board. */
void vm_poll_nmi(struct vm *vm);
/* No windows are asked for any more, as after RESET and INIT. */
void vm_close_windows(struct vm *vm);

/* fault.c */
void vm_page_fault(struct vm *vm, const struct exit *e);
/* Bytes of code at RIP within its page; NULL where the page is no memory or faults. */
const u8 *vm_code(struct vm *vm, unsigned *available);

/* emul_ops.c: the emulator's door to this VM */
extern const struct emul_ops vm_emul_ops;

/* emulate.c */
/* Emulates the instruction at RIP; raises its exceptions; ends the VM where it cannot. */
void vm_emulate(struct vm *vm);
/* After it: the next instruction too, if it stores the other half of an eight-byte entry, at gva. */
void vm_emulate_half(struct vm *vm, gva_t gva);
/* The same for one that the CPU refused with e->vector, which is raised where the emulator cannot. */
void vm_emulate_refused(struct vm *vm, const struct exit *e);
/* Takes an event through the guest's IVT or IDT by the emulator. EMUL_FAULT: raised anew. */
enum emul_result vm_emul_deliver(struct vm *vm, const struct event *event);
/* Emulates the instruction in an interrupt shadow, and ends that. */
void vm_end_shadow(struct vm *vm);
/* A task switch that the CPU left to the hypervisor. */
void vm_task_switch(struct vm *vm, const struct exit *e);
/* Fills vm->emul from the vcpu, for decoding. */
struct emul *vm_emul_begin(struct vm *vm);

/* interpret.c: runs the guest where the CPU cannot, until it can or something else is due. */
void vm_interpret(struct vm *vm, const struct exit *e);

/* io.c */
void vm_io(struct vm *vm, const struct exit *e);
/* cpuid.c: what the guest sees is the CPU below less a list of bits; logs that list. */
void vm_cpuid(struct vm *vm, u64 *gpr);
void vm_cpuid_log(void);
u64 vm_cr4_allowed(void);
/* msr.c: false raises #GP */
bool vm_msr_init(struct vm *vm);
void vm_msr_reset(struct vm *vm);
bool vm_msr_read(struct vm *vm, u32 index, u64 *value);
bool vm_msr_write(struct vm *vm, u32 index, u64 value);
/* cr.c: false raises #GP */
void vm_cr(struct vm *vm, const struct exit *e);
u64 vm_cr_read(struct vm *vm, unsigned n);
bool vm_cr_write(struct vm *vm, unsigned n, u64 value);
bool vm_efer_write(struct vm *vm, u64 value);

/* report.c */
void vm_report(struct vm *vm);
