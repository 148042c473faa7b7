/* The emulator's door to the VM: its memory, ports, registers. */

#include "host/cpu.h"
#include "lib/string.h"
#include "vm/vm.h"

static struct vm *vm_of(struct emul *e)
{
    return e->ctx;
}

static enum emul_result page_fault(struct emul *e, u64 la, u32 pfec)
{
    e->fault = (struct emul_fault){.vector = VEC_PF, .has_error = true, .error = pfec, .cr2 = la};
    return EMUL_FAULT;
}

static enum emul_result general_protection(struct emul *e)
{
    e->fault = (struct emul_fault){.vector = VEC_GP, .has_error = true};
    return EMUL_FAULT;
}

/* The walk for an access that stays inside one page. */
static bool translate(struct emul *e, u64 la, u32 pfec, struct mmu_walk *w)
{
    struct vm *vm = vm_of(e);
    if ((la & PAGE_MASK) == vm->fault_page && pfec & PFEC_W) {
        *w = vm->fault_walk; /* the exit's own walk, of this page and for a write */
        w->gpa = (w->gpa & PAGE_MASK) | (la & ~PAGE_MASK);
        return true;
    }
    return mmu_translate(vm->vcpu->mmu, la, pfec, e->rflags & RFLAGS_AC, true, w);
}

static u32 access_pfec(const struct emul *e, unsigned access)
{
    u32 pfec = 0;
    if (access & EMUL_WRITE)
        pfec |= PFEC_W;
    if (access & EMUL_FETCH)
        pfec |= PFEC_I;
    if (e->cpl == 3 && !(access & EMUL_IMPLICIT))
        pfec |= PFEC_U;
    return pfec;
}

static void mmio_read(struct vm *vm, gpa_t gpa, u8 *buf, unsigned len)
{
    counters_mmio(&vm->counters, gpa);
    while (len) {
        unsigned n = len >= 8 ? 8 : len >= 4 ? 4 : len >= 2 ? 2 : 1;
        u64 value = machine_mmio_read(vm->machine, gpa, n);
        memcpy(buf, &value, n);
        gpa += n, buf += n, len -= n;
    }
}

static void mmio_write(struct vm *vm, gpa_t gpa, const u8 *buf, unsigned len)
{
    counters_mmio(&vm->counters, gpa);
    while (len) {
        unsigned n = len >= 8 ? 8 : len >= 4 ? 4 : len >= 2 ? 2 : 1;
        u64 value = 0;
        memcpy(&value, buf, n);
        machine_mmio_write(vm->machine, gpa, n, value);
        gpa += n, buf += n, len -= n;
    }
}

static bool crosses(u64 la, unsigned len)
{
    return (la ^ (la + len - 1)) & PAGE_MASK;
}

static enum emul_result read_page(struct emul *e, u64 la, void *buf, unsigned len, unsigned access)
{
    struct vm *vm = vm_of(e);
    struct mmu_walk w;
    if (!translate(e, la, access_pfec(e, access), &w))
        return page_fault(e, la, w.pfec);
    if (!mmu_read(vm->mmu, w.gpa, buf, len))
        mmio_read(vm, w.gpa, buf, len);
    return EMUL_OK;
}

static enum emul_result op_read(struct emul *e, u64 la, void *buf, unsigned len, unsigned access)
{
    if (likely(!crosses(la, len)))
        return read_page(e, la, buf, len, access);
    unsigned first = (unsigned)(PAGE_SIZE - (la & ~PAGE_MASK));
    enum emul_result r = read_page(e, la, buf, first, access);
    return r != EMUL_OK ? r : read_page(e, la + first, (u8 *)buf + first, len - first, access);
}

static void write_walked(struct emul *e, const struct mmu_walk *w, const void *buf, unsigned len)
{
    struct vm *vm = vm_of(e);
    hpa_t hpa;
    if (mmu_lookup(vm->mmu, w->gpa, &hpa) == P2M_RAM)
        mmu_emulated_store(vm->vcpu->mmu, w->gpa, buf, len, e->cpl == 3);
    else
        mmio_write(vm, w->gpa, buf, len);
}

static enum emul_result op_write(struct emul *e, u64 la, const void *buf, unsigned len,
                                 unsigned access)
{
    struct mmu_walk w, w2;
    u32 pfec = access_pfec(e, access | EMUL_WRITE);
    if (!translate(e, la, pfec, &w))
        return page_fault(e, la, w.pfec);
    if (likely(!crosses(la, len))) {
        write_walked(e, &w, buf, len);
        return EMUL_OK;
    }
    /* Both pages must allow it before either is written. */
    unsigned first = (unsigned)(PAGE_SIZE - (la & ~PAGE_MASK));
    if (!translate(e, la + first, pfec, &w2))
        return page_fault(e, la + first, w2.pfec);
    write_walked(e, &w, buf, first);
    write_walked(e, &w2, (const u8 *)buf + first, len - first);
    return EMUL_OK;
}

static void op_seg_load(struct emul *e, unsigned n)
{
    vcpu_need(vm_of(e)->vcpu, VCPU_SEG(n));
}

static enum emul_result op_fetch(struct emul *e, u64 la, void *buf, unsigned len, unsigned *got)
{
    struct vm *vm = vm_of(e);
    unsigned n = (unsigned)min((u64)len, PAGE_SIZE - (la & ~PAGE_MASK));
    *got = n;
    if (likely((la & PAGE_MASK) == vm->code.gva && vm->code.user == (e->cpl == 3))) {
        memcpy(buf, vm->code.memory + (la & ~PAGE_MASK), n);
        return EMUL_OK;
    }
    unsigned available;
    const u8 *code = vm_code(vm, &available); /* fills the cache for the page of RIP */
    if (code && (la & PAGE_MASK) == vm->code.gva) {
        memcpy(buf, vm->code.memory + (la & ~PAGE_MASK), n);
        return EMUL_OK;
    }
    return read_page(e, la, buf, n, EMUL_FETCH);
}

static enum emul_result op_in(struct emul *e, u16 port, unsigned size, u32 *value)
{
    struct vm *vm = vm_of(e);
    counters_port(&vm->counters, port, true);
    if (vm->counters.id == COUNT_INTERPRET) /* no exit has read the clock for this instruction */
        vm_set_time(vm, rdtsc());
    *value = machine_in(vm->machine, port, size);
    return EMUL_OK;
}

static enum emul_result op_out(struct emul *e, u16 port, unsigned size, u32 value)
{
    struct vm *vm = vm_of(e);
    counters_port(&vm->counters, port, false);
    machine_out(vm->machine, port, size, value);
    if (vm->counters.id == COUNT_INTERPRET)
        vm->code.gva = NO_PAGE; /* it may have moved memory: PAM, A20 */
    return EMUL_OK;
}

static enum emul_result op_cr_read(struct emul *e, unsigned n, u64 *value)
{
    *value = vm_cr_read(vm_of(e), n);
    return EMUL_OK;
}

static enum emul_result op_cr_write(struct emul *e, unsigned n, u64 value)
{
    vm_of(e)->fault_page = NO_PAGE; /* its walk was of the tables until now */
    return vm_cr_write(vm_of(e), n, value) ? EMUL_OK : general_protection(e);
}

/* DR0 to DR3 are the guest's in the CPU, whose DR7 is clear while the hypervisor runs. */
static enum emul_result op_dr_read(struct emul *e, unsigned n, u64 *value)
{
    struct vcpu *v = vm_of(e)->vcpu;
    *value = n < 4 ? read_dr(n) : v->virt->get_dr(v, n);
    return EMUL_OK;
}

static enum emul_result op_dr_write(struct emul *e, unsigned n, u64 value)
{
    struct vcpu *v = vm_of(e)->vcpu;
    if (n < 4)
        write_dr(n, value);
    else
        v->virt->set_dr(v, n, value);
    return EMUL_OK;
}

static enum emul_result op_msr_read(struct emul *e, u32 index, u64 *value)
{
    return vm_msr_read(vm_of(e), index, value) ? EMUL_OK : general_protection(e);
}

static enum emul_result op_msr_write(struct emul *e, u32 index, u64 value)
{
    return vm_msr_write(vm_of(e), index, value) ? EMUL_OK : general_protection(e);
}

static enum emul_result op_xcr_read(struct emul *e, u32 index, u64 *value)
{
    if (index)
        return general_protection(e);
    *value = xgetbv(0); /* the guest's, also while we run */
    return EMUL_OK;
}

static enum emul_result op_xcr_write(struct emul *e, u32 index, u64 value)
{
    (void)e;
    return vm_xcr_write(index, value) ? EMUL_OK : general_protection(e);
}

static enum emul_result op_cpuid(struct emul *e)
{
    vm_cpuid(vm_of(e), e->gpr);
    return EMUL_OK;
}

static enum emul_result op_invlpg(struct emul *e, u64 la)
{
    mmu_invlpg(vm_of(e)->vcpu->mmu, la);
    return EMUL_OK;
}

static enum emul_result op_hlt(struct emul *e)
{
    vm_of(e)->halted = true;
    return EMUL_OK;
}

/* The guest's vector registers stay in the CPU while the hypervisor runs: it uses none itself. */
#define XMM_CASES(insn)                                                                            \
    insn(0) insn(1) insn(2) insn(3) insn(4) insn(5) insn(6) insn(7) insn(8) insn(9) insn(10)       \
        insn(11) insn(12) insn(13) insn(14) insn(15)
#define XMM_STORE(n)                                                                               \
    case n:                                                                                        \
        __asm__ volatile("movups %%xmm" #n ", (%0)" : : "r"(buf) : "memory");                      \
        break;
#define XMM_LOAD(n)                                                                                \
    case n: __asm__ volatile("movups (%0), %%xmm" #n : : "r"(buf) : "memory"); break;

static void op_vec_read(struct emul *e, unsigned n, void *buf)
{
    (void)e;
    switch (n) {
        XMM_CASES(XMM_STORE)
    }
}

static void op_vec_write(struct emul *e, unsigned n, const void *buf)
{
    (void)e;
    switch (n) {
        XMM_CASES(XMM_LOAD)
    }
}

/* So is its FPU. Of these instructions only FLDCW waits, and its caller has looked for errors. */
static void op_fpu(struct emul *e, enum emul_fpu what, u16 *word)
{
    (void)e;
    switch (what) {
    case EMUL_FPU_INIT: __asm__ volatile("fninit"); break;
    case EMUL_FPU_CLEAR: __asm__ volatile("fnclex"); break;
    case EMUL_FPU_STATUS: __asm__ volatile("fnstsw %0" : "=m"(*word)); break;
    case EMUL_FPU_CONTROL: __asm__ volatile("fnstcw %0" : "=m"(*word)); break;
    case EMUL_FPU_LOAD_CONTROL: __asm__ volatile("fldcw %0" : : "m"(*word)); break;
    }
}

const struct emul_ops vm_emul_ops = {
    .seg_load = op_seg_load,
    .fetch = op_fetch,
    .read = op_read,
    .write = op_write,
    .in = op_in,
    .out = op_out,
    .cr_read = op_cr_read,
    .cr_write = op_cr_write,
    .dr_read = op_dr_read,
    .dr_write = op_dr_write,
    .msr_read = op_msr_read,
    .msr_write = op_msr_write,
    .xcr_read = op_xcr_read,
    .xcr_write = op_xcr_write,
    .cpuid = op_cpuid,
    .invlpg = op_invlpg,
    .hlt = op_hlt,
    .vec_read = op_vec_read,
    .vec_write = op_vec_write,
    .fpu = op_fpu,
};
