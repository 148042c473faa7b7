/* Control registers. */

#include "host/cpu.h"
#include "vm/vm.h"

#define CR0_DEFINED                                                                                \
    (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD |     \
     CR0_PG)

/* Applies a whole new set; false, with nothing changed, where the mmu finds a bad PDPTE. */
static bool apply(struct vm *vm, u64 cr0, u64 cr4, u64 efer)
{
    struct vcpu *v = vm->vcpu;
    if (!mmu_set_mode(v->mmu, cr0, v->cr3, cr4, efer))
        return false;
    v->cr0 = cr0;
    v->cr4 = cr4;
    v->efer = efer;
    v->dirty |= VCPU_CR;
    v->virt->update_cr(v);
    return true;
}

void vm_cpu_reset(struct vm *vm, bool init)
{
    struct vcpu *v = vm->vcpu;
    vm_close_windows(vm);
    v->virt->reset(v, init);
    vm->raised.type = vm->deferred.type = EVENT_NONE;
    vm->halted = false;
    /* Paging off has no PDPTEs, so that this is never refused. */
    apply(vm, v->cr0, v->cr4, v->efer);
}

/* SDM vol. 3, 2.5 and 4.1.2. */
static bool write_cr0_guest(struct vm *vm, u64 value)
{
    struct vcpu *v = vm->vcpu;
    if (value >> 32 || (value & CR0_PG && !(value & CR0_PE)) ||
        (value & CR0_NW && !(value & CR0_CD)))
        return false;
    value = (value & CR0_DEFINED) | CR0_ET;
    u64 efer = v->efer;
    if (~v->cr0 & value & CR0_PG && efer & EFER_LME) {
        if (!(v->cr4 & CR4_PAE) || vcpu_seg(v, SEG_CS)->attr & SEG_L)
            return false;
        efer |= EFER_LMA;
    }
    if (v->cr0 & ~value & CR0_PG && vcpu_lma(v)) {
        if (vcpu_code64(v))
            return false;
        efer &= ~EFER_LMA;
    }
    return apply(vm, value, v->cr4, efer);
}

static bool write_cr4_guest(struct vm *vm, u64 value)
{
    struct vcpu *v = vm->vcpu;
    if (value & ~vm_cr4_allowed() || (vcpu_lma(v) && !(value & CR4_PAE)))
        return false;
    bool flush = (v->cr4 ^ value) & CR4_PGE;
    if (!apply(vm, v->cr0, value, v->efer))
        return false;
    if (flush)
        mmu_flush(v->mmu, true);
    return true;
}

static bool write_cr3_guest(struct vm *vm, u64 value)
{
    struct vcpu *v = vm->vcpu;
    if (vcpu_lma(v) && value >> (cpuid(0x80000008, 0).eax & 0xff))
        return false;
    if (!mmu_load_cr3(v->mmu, value))
        return false;
    v->cr3 = value;
    return true;
}

u64 vm_cr_read(struct vm *vm, unsigned n)
{
    struct vcpu *v = vm->vcpu;
    vcpu_need(v, VCPU_CR);
    switch (n) {
    case 0: return v->cr0;
    case 2: return v->virt->get_cr2(v);
    case 3: return v->cr3;
    case 4: return v->cr4;
    case 8: return v->cr8;
    }
    return 0;
}

bool vm_cr_write(struct vm *vm, unsigned n, u64 value)
{
    struct vcpu *v = vm->vcpu;
    vcpu_need(v, VCPU_CR);
    switch (n) {
    case 0: return write_cr0_guest(vm, value);
    case 2: v->virt->set_cr2(v, value); return true;
    case 3: return write_cr3_guest(vm, value);
    case 4: return write_cr4_guest(vm, value);
    case 8: /* no APIC: a priority without effect */
        if (value >> 4)
            return false;
        v->cr8 = value;
        v->dirty |= VCPU_CR;
        return true;
    }
    return false;
}

/* SDM vol. 3, 2.2.1; APM vol. 2, 3.1.7. */
bool vm_efer_write(struct vm *vm, u64 value)
{
    struct vcpu *v = vm->vcpu;
    vcpu_need(v, VCPU_CR);
    u32 features = cpuid(0x80000001, 0).edx;
    u64 allowed = EFER_LMA | (features & 1u << 11 ? EFER_SCE : 0) |
                  (features & 1u << 20 ? EFER_NXE : 0) | (features & 1u << 25 ? EFER_FFXSR : 0) |
                  (features & 1u << 29 ? EFER_LME : 0);
    if (value & ~allowed || ((value ^ v->efer) & EFER_LME && v->cr0 & CR0_PG))
        return false;
    value = (value & ~EFER_LMA) | (v->efer & EFER_LMA);
    return apply(vm, v->cr0, v->cr4, value);
}

/* MOV to or from CR0 to CR4, decoded here where the CPU does not: 0F 20 or 0F 22, a REX prefix at most. */
static bool decode_mov(struct vm *vm, struct exit *e)
{
    unsigned available;
    const u8 *c = vm_code(vm, &available);
    u8 rex = 0;
    if (!c || available < 4)
        return false;
    u64 rip = vm->vcpu->rip;
    if (vcpu_code64(vm->vcpu) && (*c & 0xf0) == 0x40) {
        rex = *c++;
        rip++;
    }
    if (c[0] != 0x0f || (c[1] != 0x20 && c[1] != 0x22))
        return false;
    e->cr = (u8)((c[2] >> 3 & 7) | (rex & 4) << 1);
    e->gpr = (u8)((c[2] & 7) | (rex & 1) << 3);
    e->cr_access = c[1] == 0x22 ? CR_MOV_TO : CR_MOV_FROM;
    e->next_rip = rip + 3;
    return true;
}

static void count(struct vm *vm, unsigned cr)
{
    vm->counters.id = cr == 3 ? COUNT_CR3 : cr == 4 ? COUNT_CR4 : COUNT_CR0;
}

void vm_cr(struct vm *vm, const struct exit *exit)
{
    struct vcpu *v = vm->vcpu;
    struct exit e = *exit;

    count(vm, 0);
    if (!(e.decoded || decode_mov(vm, &e)) || e.cr_access > CR_MOV_FROM) {
        vm_emulate(vm); /* CLTS, LMSW, SMSW, and odd encodings */
        return;
    }
    count(vm, e.cr);
    bool code64 = vcpu_code64(v);
    if (e.cr_access == CR_MOV_FROM) {
        u64 value = vm_cr_read(vm, e.cr);
        v->gpr[e.gpr] = code64 ? value : (u32)value;
    } else if (!vm_cr_write(vm, e.cr, code64 ? v->gpr[e.gpr] : (u32)v->gpr[e.gpr])) {
        vm_raise_error(vm, VEC_GP, 0);
        return;
    }
    if (e.gpr == RSP)
        v->dirty |= VCPU_RSP;
    vm_skip(vm, e.next_rip);
}
