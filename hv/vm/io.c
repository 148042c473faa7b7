/* Port I/O exits. */

#include "host/cpu.h"
#include "vm/vm.h"

enum { STRING_CHUNKS = 32 };

static void io_single(struct vm *vm, const struct exit *e)
{
    struct vcpu *v = vm->vcpu;
    u64 next = vm_next_rip(vm, e);
    if (!next)
        return;
    counters_port(&vm->counters, e->io.port, e->io.in);
    if (e->io.in) {
        u32 value = machine_in(vm->machine, e->io.port, e->io.size);
        if (e->io.size == 4)
            v->gpr[RAX] = value;
        else if (e->io.size == 2)
            v->gpr[RAX] = (v->gpr[RAX] & ~0xffffull) | (u16)value;
        else
            v->gpr[RAX] = (v->gpr[RAX] & ~0xffull) | (u8)value;
    } else {
        u32 mask = e->io.size == 4 ? ~0u : (1u << e->io.size * 8) - 1;
        machine_out(vm->machine, e->io.port, e->io.size, (u32)v->gpr[RAX] & mask);
    }
    vm_skip(vm, next);
}

/* REP INS or OUTS under way: a run of elements that lie in one page of plain memory. */
struct string {
    struct vm *vm;
    const struct exit *e;
    u64 mask; /* of rCX, rSI and rDI: the address size */
    u64 base, limit;
    u64 *index; /* rSI or rDI */
    bool user, check_limit;
};

static void advance(struct string *s, u64 *reg, u64 by)
{
    u64 v = (*reg + by) & s->mask;
    *reg = s->mask == 0xffff ? (*reg & ~0xffffull) | v : v;
}

/* Moves up to count elements; returns how many were moved; 0: this place needs the emulator. */
static u32 move_chunk(struct string *s, u64 count)
{
    struct vm *vm = s->vm;
    struct vcpu *v = vm->vcpu;
    u64 size = s->e->io.size, ea = *s->index & s->mask, la = s->base + ea;
    if (!vcpu_code64(v))
        la = (u32)la;
    u64 n = min(count, (PAGE_SIZE - (la & ~PAGE_MASK)) / size);
    n = min(n, (s->mask - ea + 1) / size ? (s->mask - ea + 1) / size : n);
    if (!n || (s->check_limit && ea + n * size - 1 > s->limit))
        return 0;
    struct mmu_walk w;
    u32 access = (s->e->io.in ? PFEC_W : 0) | (s->user ? PFEC_U : 0);
    if (!mmu_translate(v->mmu, la, access, v->rflags & RFLAGS_AC, true, &w))
        return 0;
    void *memory = mmu_ptr(vm->mmu, w.gpa, n * size);
    if (!memory)
        return 0;
    if (!s->e->io.in)
        return machine_out_string(vm->machine, s->e->io.port, (unsigned)size, memory, (u32)n);
    mmu_will_write(vm->mmu, w.gpa, n * size);
    return machine_in_string(vm->machine, s->e->io.port, (unsigned)size, memory, (u32)n);
}

static bool string_begin(struct string *s, const struct emul_insn *insn)
{
    struct vcpu *v = s->vm->vcpu;
    const struct seg *seg = vcpu_seg(v, s->e->io.in ? SEG_ES : insn->mem_seg);
    bool code64 = vcpu_code64(v);
    s->mask = insn->address_size == 2 ? 0xffff : insn->address_size == 4 ? 0xffffffff : ~0ull;
    s->index = &v->gpr[s->e->io.in ? RDI : RSI];
    s->user = v->virt->cpl(v) == 3;
    s->base = code64 && insn->mem_seg != SEG_FS && insn->mem_seg != SEG_GS ? 0 : seg->base;
    if (s->e->io.in && code64)
        s->base = 0;
    s->limit = seg->limit;
    s->check_limit = !code64;
    /* Down-counting strings, and segments other than plain data that may be accessed so, are rare. */
    if (v->rflags & RFLAGS_DF)
        return false;
    if (!s->check_limit || !(v->cr0 & CR0_PE) || v->rflags & RFLAGS_VM)
        return true;
    u16 type = SEG_TYPE(seg->attr);
    bool data = seg->attr & SEG_P && seg->attr & SEG_S && !(type & 8) && !(type & 4);
    return data && (!s->e->io.in || type & 2);
}

static void io_string(struct vm *vm, const struct exit *e)
{
    struct vcpu *v = vm->vcpu;
    struct emul *emul = vm_emul_begin(vm);
    struct emul_insn insn;
    struct string s = {.vm = vm, .e = e};

    vm->counters.id = COUNT_IO_STRING;
    if (emul_decode(emul, &insn) != EMUL_OK || !insn.rep || !string_begin(&s, &insn)) {
        vm_emulate(vm);
        return;
    }
    for (unsigned i = 0; i < STRING_CHUNKS; i++) {
        u64 count = v->gpr[RCX] & s.mask;
        if (!count) {
            vm_skip(vm, v->rip + insn.length);
            return;
        }
        u32 moved = move_chunk(&s, count);
        if (!moved) {
            vm_emulate(vm); /* one element or more, or its fault */
            return;
        }
        counters_port(&vm->counters, e->io.port, e->io.in);
        advance(&s, &v->gpr[RCX], -(u64)moved);
        advance(&s, s.index, (u64)moved * e->io.size);
        v->dirty |= VCPU_RIP;
    }
}

/* DR6's bits of the I/O breakpoints that the access meets (SDM vol. 3, 17.2.4 and 17.2.5). DR0 to DR3
 * stay in the CPU. */
static u64 io_breakpoints(struct vcpu *v, const struct exit *e)
{
    u64 dr7 = v->virt->get_dr(v, 7), hit = 0;
    for (unsigned n = 0; n < 4; n++) {
        u64 length = dr7 >> (18 + n * 4) & 3, first = read_dr(n) & ~length;
        bool io = (dr7 >> (16 + n * 4) & 3) == 2;
        if (io && dr7 >> n * 2 & 3 && e->io.port <= first + length &&
            first < e->io.port + (u64)e->io.size)
            hit |= 1u << n;
    }
    return hit;
}

/* Traps behind the instruction; of a string behind its run, not its element. */
static void raise_breakpoint(struct vm *vm, u64 hit)
{
    struct vcpu *v = vm->vcpu;
    if (vm->end != VM_RUNS || (vm->raised.type != EVENT_NONE && vm->raised.vector != VEC_DB))
        return;
    v->virt->set_dr(v, 6, (v->virt->get_dr(v, 6) & ~0xfull) | hit);
    vm_raise(vm, VEC_DB);
}

void vm_io(struct vm *vm, const struct exit *e)
{
    u64 hit = unlikely(vm->vcpu->cr4 & CR4_DE) ? io_breakpoints(vm->vcpu, e) : 0;
    vm->counters.id = COUNT_IO;
    if (unlikely(e->io.string))
        io_string(vm, e);
    else
        io_single(vm, e);
    if (unlikely(hit))
        raise_breakpoint(vm, hit);
}
