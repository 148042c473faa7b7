/* Model-specific registers that exit. Those the guest uses without exits are in the backend's bitmap. */

#include "host/cpu.h"
#include "lib/string.h"
#include "vm/vm.h"

#define MSR_PLATFORM_ID 0x17
#define MSR_BIOS_SIGN_ID 0x8b
#define MSR_MTRRCAP 0xfe
#define MSR_MISC_ENABLE 0x1a0
#define MSR_MTRR_PHYS_FIRST 0x200
#define MSR_MTRR_FIX64K 0x250
#define MSR_MTRR_FIX16K_FIRST 0x258
#define MSR_MTRR_FIX4K_FIRST 0x268
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MSR_TSC_ADJUST 0x3b
#define MSR_AMD_FIRST 0xc0010000

enum { MTRR_VARIABLE = 8, MTRR_FIXED = 11 };
#define MTRRCAP_VALUE (MTRR_VARIABLE | 1u << 8 | 1u << 10) /* fixed ranges and write-combining */

/* The memory types that a guest sets are kept for it to read and have no effect: its RAM is cached, and
 * its devices do not use memory (SDM vol. 3, 11.11). */
struct msr_state {
    u64 mtrr_phys[2 * MTRR_VARIABLE], mtrr_fixed[MTRR_FIXED], mtrr_def_type;
    u64 tsc_adjust;
};

bool vm_msr_init(struct vm *vm)
{
    vm->msr = host_alloc(vm->memory, sizeof *vm->msr, PAGE_SIZE);
    return vm->msr;
}

void vm_msr_reset(struct vm *vm)
{
    memset(vm->msr, 0, sizeof *vm->msr);
}

/* The kept register behind an index, or NULL. */
static u64 *mtrr(struct msr_state *m, u32 index)
{
    if (index >= MSR_MTRR_PHYS_FIRST && index < MSR_MTRR_PHYS_FIRST + 2 * MTRR_VARIABLE)
        return &m->mtrr_phys[index - MSR_MTRR_PHYS_FIRST];
    if (index == MSR_MTRR_FIX64K)
        return &m->mtrr_fixed[0];
    if (index >= MSR_MTRR_FIX16K_FIRST && index < MSR_MTRR_FIX16K_FIRST + 2)
        return &m->mtrr_fixed[1 + index - MSR_MTRR_FIX16K_FIRST];
    if (index >= MSR_MTRR_FIX4K_FIRST && index < MSR_MTRR_FIX4K_FIRST + 8)
        return &m->mtrr_fixed[3 + index - MSR_MTRR_FIX4K_FIRST];
    return index == MSR_MTRR_DEF_TYPE ? &m->mtrr_def_type : NULL;
}

static bool memory_type(u8 type)
{
    return type == 0 || type == 1 || (type >= 4 && type <= 6);
}

/* PAT knows UC- (7) too (SDM vol. 3, 11.12.2). */
static bool pat_valid(u64 value)
{
    for (unsigned i = 0; i < 64; i += 8)
        if (!memory_type((u8)(value >> i)) && (u8)(value >> i) != 7)
            return false;
    return true;
}

/* The guest's own counter: device time plus what the guest wrote to it. */
static u64 guest_tsc(const struct vm *vm)
{
    return rdtsc() - vm->tsc_base + vm->msr->tsc_adjust;
}

static bool is_amd(void)
{
    return cpuid(0, 0).ecx == 0x444d4163; /* "cAMD" */
}

bool vm_msr_read(struct vm *vm, u32 index, u64 *value)
{
    const u64 *kept = mtrr(vm->msr, index);
    if (kept) {
        *value = *kept;
        return true;
    }
    switch (index) {
    case MSR_EFER: *value = vm->vcpu->efer; return true;
    case MSR_PAT: *value = vm->vcpu->pat; return true;
    case MSR_TSC: *value = guest_tsc(vm); return true;
    case MSR_MTRRCAP: *value = MTRRCAP_VALUE; return true;
    case MSR_TSC_ADJUST: *value = vm->msr->tsc_adjust; return true;
    case MSR_PLATFORM_ID:
    case MSR_BIOS_SIGN_ID: /* no microcode was loaded */ *value = 0; return true;
    case MSR_MISC_ENABLE: /* fast strings (SDM vol. 4, table 2-2) */ *value = 1; return true;
    case MSR_APIC_BASE: /* CPUID shows no APIC */ return false;
    }
    /* AMD's implementation registers: defined on every such CPU, nothing behind them here. */
    if (is_amd() && index >= MSR_AMD_FIRST && index < MSR_AMD_FIRST + 0x2000) {
        *value = 0;
        return true;
    }
    return vm->vcpu->virt->read_msr(vm->vcpu, index, value);
}

/* SDM vol. 3, 17.17.3: a write to the TSC moves IA32_TSC_ADJUST by as much, and the reverse. */
static void tsc_adjust(struct vm *vm, u64 adjust)
{
    vm->msr->tsc_adjust = adjust;
    vm->vcpu->virt->set_tsc_offset(vm->vcpu, adjust - vm->tsc_base);
}

bool vm_msr_write(struct vm *vm, u32 index, u64 value)
{
    u64 *kept = mtrr(vm->msr, index);
    if (kept) {
        *kept = value;
        return true;
    }
    switch (index) {
    case MSR_EFER: return vm_efer_write(vm, value);
    case MSR_PAT:
        if (!pat_valid(value))
            return false;
        vm->vcpu->pat = value;
        return true;
    case MSR_TSC: tsc_adjust(vm, vm->msr->tsc_adjust + value - guest_tsc(vm)); return true;
    case MSR_TSC_ADJUST: tsc_adjust(vm, value); return true;
    case MSR_BIOS_SIGN_ID:
    case MSR_MISC_ENABLE: return true;
    }
    if (is_amd() && index >= MSR_AMD_FIRST && index < MSR_AMD_FIRST + 0x2000)
        return true;
    return vm->vcpu->virt->write_msr(vm->vcpu, index, value);
}
