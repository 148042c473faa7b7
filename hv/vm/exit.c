/* One function an exit reason. */

#include "host/cpu.h"
#include "vm/vm.h"

/* Two-byte codes of the instructions that exit without operands to decode, where the CPU gives no
 * length; any prefix goes the long way. */
static u64 short_length(enum exit_reason reason, const u8 *c)
{
    if (reason == EXIT_HLT)
        return c[0] == 0xf4 ? 1 : 0;
    if (c[0] != 0x0f)
        return 0;
    switch (reason) {
    case EXIT_CPUID: return c[1] == 0xa2 ? 2 : 0;
    case EXIT_RDMSR: return c[1] == 0x32 ? 2 : 0;
    case EXIT_WRMSR: return c[1] == 0x30 ? 2 : 0;
    case EXIT_CACHE: return c[1] == 0x08 || c[1] == 0x09 ? 2 : 0;
    default: return 0;
    }
}

u64 vm_next_rip(struct vm *vm, const struct exit *e)
{
    unsigned available;
    struct emul_insn insn;
    if (e->next_rip)
        return e->next_rip;
    const u8 *c = vm_code(vm, &available);
    u64 length = c && available >= 2 ? short_length(e->reason, c) : 0;
    if (likely(length))
        return vm->vcpu->rip + length;
    if (emul_decode(vm_emul_begin(vm), &insn) == EMUL_OK)
        return vm->vcpu->rip + insn.length;
    vm_end(vm, VM_ERROR, "the instruction that exited cannot be decoded");
    return 0;
}

static void skip(struct vm *vm, const struct exit *e)
{
    u64 next = vm_next_rip(vm, e);
    if (next)
        vm_skip(vm, next);
}

static void on_intr(struct vm *vm, const struct exit *e)
{
    (void)e;
    vm->counters.id = COUNT_INTR;
    vm->clock.armed = 0; /* its timer may have fired */
    machine_poll(vm->machine);
}

static void on_nmi(struct vm *vm, const struct exit *e)
{
    (void)e;
    vm->counters.id = COUNT_NMI; /* vm_deliver() finds it, as one that came to the hypervisor */
}

static void on_window(struct vm *vm, const struct exit *e)
{
    (void)e;
    vm->counters.id = COUNT_INTR_WINDOW;
}

/* The CPU's word that it is possible: an STI's shadow, which may also hold NMIs back, does not (SDM vol. 2,
 * STI). */
static void on_nmi_window(struct vm *vm, const struct exit *e)
{
    (void)e;
    vm->counters.id = COUNT_NMI_WINDOW;
    vm->vcpu->int_shadow = false;
}

static void on_iret(struct vm *vm, const struct exit *e)
{
    (void)e;
    vm->counters.id = COUNT_IRET;
    vm_emulate(vm);
}

static void on_other_exception(struct vm *vm, const struct exit *e)
{
    vm->counters.id = COUNT_EXCEPTION;
    if (e->vector == VEC_MC)
        vm_end(vm, VM_ERROR, "a machine check of the CPU below");
    else if (e->vector == VEC_AC)
        vm_raise_error(vm, VEC_AC, 0);
    else
        vm_raise(vm, e->vector);
}

static void on_exception(struct vm *vm, const struct exit *e)
{
    if (likely(e->vector == VEC_PF))
        vm_page_fault(vm, e);
    else
        on_other_exception(vm, e);
    if (unlikely(e->iret) && vm->raised.type != EVENT_NONE) /* the IRET's fault is the guest's */
        vm->vcpu->virt->block_nmi(vm->vcpu, false);
}

static void on_cpuid(struct vm *vm, const struct exit *e)
{
    vm->counters.id = COUNT_CPUID;
    u64 next = vm_next_rip(vm, e);
    if (!next)
        return;
    vm_cpuid(vm, vm->vcpu->gpr);
    vm_skip(vm, next);
}

static void on_hlt(struct vm *vm, const struct exit *e)
{
    vm->counters.id = COUNT_HLT;
    skip(vm, e);
    vm->halted = true;
}

/* INVLPG (reg), 0F 01 /7 with no prefix, SIB or displacement: the form that compilers make of it. */
static bool decode_invlpg(struct vm *vm, u64 *address)
{
    struct vcpu *v = vm->vcpu;
    unsigned available;
    const u8 *c = vm_code(vm, &available);
    if (!c || available < 3 || c[0] != 0x0f || c[1] != 0x01 || (c[2] & 0xf8) != 0x38 ||
        (c[2] & 7) == 4 || (c[2] & 7) == 5)
        return false;
    *address = v->gpr[c[2] & 7];
    if (vcpu_code64(v))
        return true;
    *address = (u32)(*address + vcpu_seg(v, SEG_DS)->base);
    return vcpu_seg(v, SEG_CS)->attr & SEG_DB;
}

static void on_invlpg(struct vm *vm, const struct exit *e)
{
    u64 address;
    vm->counters.id = COUNT_INVLPG;
    if (e->decoded) {
        mmu_invlpg(vm->vcpu->mmu, e->address);
        skip(vm, e);
    } else if (decode_invlpg(vm, &address)) {
        mmu_invlpg(vm->vcpu->mmu, address);
        vm_skip(vm, vm->vcpu->rip + 3);
    } else {
        vm_emulate(vm);
    }
}

static void on_rdmsr(struct vm *vm, const struct exit *e)
{
    struct vcpu *v = vm->vcpu;
    u64 value;
    vm->counters.id = COUNT_RDMSR;
    if (!vm_msr_read(vm, (u32)v->gpr[RCX], &value)) {
        vm_raise_error(vm, VEC_GP, 0);
        return;
    }
    v->gpr[RAX] = (u32)value;
    v->gpr[RDX] = value >> 32;
    skip(vm, e);
}

static void on_wrmsr(struct vm *vm, const struct exit *e)
{
    struct vcpu *v = vm->vcpu;
    vm->counters.id = COUNT_WRMSR;
    if (!vm_msr_write(vm, (u32)v->gpr[RCX], (u32)v->gpr[RAX] | v->gpr[RDX] << 32))
        vm_raise_error(vm, VEC_GP, 0);
    else
        skip(vm, e);
}

/* RAM is coherent and no device bypasses the caches: there is nothing to write back. */
static void on_cache(struct vm *vm, const struct exit *e)
{
    vm->counters.id = COUNT_OTHER;
    skip(vm, e);
}

static void on_rdpmc(struct vm *vm, const struct exit *e)
{
    (void)e;
    vm->counters.id = COUNT_OTHER;
    vm_raise_error(vm, VEC_GP, 0); /* no counters in CPUID */
}

static void on_virt(struct vm *vm, const struct exit *e)
{
    (void)e;
    vm->counters.id = COUNT_OTHER;
    vm_raise(vm, VEC_UD);
}

static void on_triple_fault(struct vm *vm, const struct exit *e)
{
    (void)e;
    vm->counters.id = COUNT_OTHER;
    vm_end(vm, VM_TRIPLE_FAULT, "the guest's triple fault");
}

static void on_entry_failed(struct vm *vm, const struct exit *e)
{
    vm->counters.id = COUNT_OTHER;
    vm_end(vm, VM_ERROR, e->text);
}

static void on_unknown(struct vm *vm, const struct exit *e)
{
    vm->counters.id = COUNT_OTHER;
    vm_end(vm, VM_ERROR, e->text ? e->text : "an exit of unknown reason");
}

/* SDM vol. 3, 13.3: x87 always, AVX with SSE only, AVX-512's three together and with AVX. */
static bool xcr0_valid(u64 value)
{
    struct cpuid_regs r = cpuid(0xd, 0);
    u64 avx512 = value & 0xe0;
    return !(value & ~((u64)r.edx << 32 | r.eax)) && value & 1 && (!(value & 4) || value & 2) &&
           (!avx512 || (avx512 == 0xe0 && value & 4)) && !(value & 8) == !(value & 16);
}

bool vm_xcr_write(u32 index, u64 value)
{
    if (index || !xcr0_valid(value))
        return false;
    xsetbv(0, value);
    return true;
}

static void on_xsetbv(struct vm *vm, const struct exit *e)
{
    struct vcpu *v = vm->vcpu;
    u64 value = (u32)v->gpr[RAX] | v->gpr[RDX] << 32;
    vm->counters.id = COUNT_OTHER;
    if (v->virt->cpl(v) || !vm_xcr_write((u32)v->gpr[RCX], value))
        vm_raise_error(vm, VEC_GP, 0);
    else
        skip(vm, e);
}

static void (*const handlers[EXIT_REASONS])(struct vm *vm, const struct exit *e) = {
    [EXIT_INTR] = on_intr,
    [EXIT_NMI] = on_nmi,
    [EXIT_INTR_WINDOW] = on_window,
    [EXIT_NMI_WINDOW] = on_nmi_window,
    [EXIT_IRET] = on_iret,
    [EXIT_EXCEPTION] = on_exception,
    [EXIT_IO] = vm_io,
    [EXIT_CPUID] = on_cpuid,
    [EXIT_HLT] = on_hlt,
    [EXIT_INVLPG] = on_invlpg,
    [EXIT_CR] = vm_cr,
    [EXIT_RDMSR] = on_rdmsr,
    [EXIT_WRMSR] = on_wrmsr,
    [EXIT_RDPMC] = on_rdpmc,
    [EXIT_CACHE] = on_cache,
    [EXIT_XSETBV] = on_xsetbv,
    [EXIT_VIRT] = on_virt,
    [EXIT_TASK_SWITCH] = vm_task_switch,
    [EXIT_TRIPLE_FAULT] = on_triple_fault,
    [EXIT_INIT] = on_unknown,
    [EXIT_EMULATE] = vm_emulate_refused,
    [EXIT_INTERPRET] = vm_interpret,
    [EXIT_ENTRY_FAILED] = on_entry_failed,
    [EXIT_UNKNOWN] = on_unknown,
};

void vm_handle_exit(struct vm *vm, const struct exit *e)
{
    handlers[e->reason](vm, e);
}
