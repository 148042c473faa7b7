/* MSRs that the guest uses without exits, and the emulator for it. */

#include "cpu/vmx/vmx.h"
#include "host/cpu.h"
#include "lib/string.h"

/* Those that the VMCS switches, and those only the guest uses, which stay in the CPU. */
static const u32 own[] = {MSR_SYSENTER_CS, MSR_SYSENTER_ESP,  MSR_SYSENTER_EIP, MSR_STAR,
                          MSR_LSTAR,       MSR_CSTAR,         MSR_SFMASK,       MSR_FS_BASE,
                          MSR_GS_BASE,     MSR_KERNEL_GS_BASE};

static bool has_rdtscp(void)
{
    return cpuid(0x80000001, 0).edx & 1u << 27;
}

/* SDM vol. 3, 24.6.9. */
static void allow(u8 *bitmap, u32 index, bool write)
{
    u32 bit = (index & 0x1fff) + (index >= 0xc0000000 ? 0x400 * 8 : 0);
    bitmap[bit / 8] &= (u8) ~(1u << bit % 8);
    if (write)
        bitmap[0x800 + bit / 8] &= (u8) ~(1u << bit % 8);
}

void vmx_msr_bitmap_init(u8 *bitmap)
{
    memset(bitmap, 0xff, PAGE_SIZE);
    for (unsigned i = 0; i < array_size(own); i++)
        allow(bitmap, own[i], true);
    if (has_rdtscp())
        allow(bitmap, MSR_TSC_AUX, true);
    allow(bitmap, MSR_TSC, false);
}

static bool known(u32 index)
{
    for (unsigned i = 0; i < array_size(own); i++)
        if (own[i] == index)
            return true;
    return index == MSR_TSC_AUX && has_rdtscp();
}

/* The ones with an address refuse one that is not canonical, the others what has no bit (SDM vol. 4, 2.1). */
static bool valid(u32 index, u64 value)
{
    switch (index) {
    case MSR_STAR:
    case MSR_SYSENTER_CS: return true;
    case MSR_SFMASK:
    case MSR_TSC_AUX: return !(value >> 32);
    }
    return canonical48(value);
}

bool vmx_read_msr(struct vcpu *v, u32 index, u64 *value)
{
    struct vmx_vcpu *s = vmx_of(v);
    switch (index) {
    case MSR_SYSENTER_CS: *value = s->real ? s->sysenter_cs : vmread(GUEST_SYSENTER_CS); break;
    case MSR_SYSENTER_ESP: *value = vmread(GUEST_SYSENTER_ESP); break;
    case MSR_SYSENTER_EIP: *value = vmread(GUEST_SYSENTER_EIP); break;
    case MSR_FS_BASE: *value = vcpu_seg(v, SEG_FS)->base; break;
    case MSR_GS_BASE: *value = vcpu_seg(v, SEG_GS)->base; break;
    default:
        if (!known(index))
            return false;
        *value = rdmsr(index);
    }
    return true;
}

static void write_base(struct vcpu *v, unsigned n, u64 base)
{
    vcpu_need(v, VCPU_SEG(n));
    v->seg[n].base = base;
    v->dirty |= VCPU_SEG(n);
}

bool vmx_write_msr(struct vcpu *v, u32 index, u64 value)
{
    struct vmx_vcpu *s = vmx_of(v);
    if (!known(index) || !valid(index, value))
        return false;
    switch (index) {
    case MSR_SYSENTER_CS:
        s->sysenter_cs = (u32)value;
        if (!s->real)
            vmwrite(GUEST_SYSENTER_CS, s->sysenter_cs);
        break;
    case MSR_SYSENTER_ESP: vmwrite(GUEST_SYSENTER_ESP, value); break;
    case MSR_SYSENTER_EIP: vmwrite(GUEST_SYSENTER_EIP, value); break;
    case MSR_FS_BASE: write_base(v, SEG_FS, value); break;
    case MSR_GS_BASE: write_base(v, SEG_GS, value); break;
    default: wrmsr(index, value);
    }
    return true;
}
