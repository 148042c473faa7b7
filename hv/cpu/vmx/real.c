/* Real mode without unrestricted guest: the CPU runs it as a virtual-8086 task with IOPL 3 and virtual-8086
 * mode extensions (SDM vol. 3, 20.2 and 20.3), in which INT n, IRET, PUSHF, POPF, CLI and STI do what they
 * do in real mode. What real mode may and such a task may not (MOV CR, LGDT, HLT, accesses beyond 64 KiB)
 * raises #GP, and all exceptions exit. The guest's view is kept free of all this: its hidden segment parts, which real
 * mode never changes, stay in the cache. */

#include "cpu/vmx/vmx.h"
#include "host/cpu.h"
#include "lib/string.h"
#include "mmu/mmu.h"

/* A TSS of 104 bytes, the map of INT n that go to the vector table, the map of ports, and a byte of ones
 * (SDM vol. 3, 7.2.1, 19.5.2, 20.3): zeros send all to the vector table and allow all ports, which then exit by
 * the bitmaps of VT-x. */
enum { TSS_PORTS = 104 + 32, TSS_LIMIT = TSS_PORTS + 8192, TSS_PAGES = 3 };
/* Where it is: real mode reaches linear addresses up to 10FFEFh, all through the first PDPTE. So in this mode that
 * PDPTE is the one of the shadow, and the last leads to tables of our own, of supervisor pages. */
#define TSS_BASE 0xc0000000u

/* RFLAGS as the task must have it, beside the guest's (20.3.3, table 20-2). */
#define OWN_FLAGS (RFLAGS_VM | RFLAGS_IOPL | RFLAGS_VIF | RFLAGS_VIP)

static const u8 order[6] = {SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS};

/* Data that grows upwards, or code in CS: what a task's segments are, for 16-bit code and stacks. Real mode
 * with limits above 64 KiB is such a task as well: what lies above raises #GP or #SS. */
static const char *check_segment(const struct seg *s, unsigned n)
{
    unsigned type = SEG_TYPE(s->attr);
    if (s->base != (u64)s->sel << 4)
        return "real-mode segment base";
    if (s->limit < 0xffff)
        return "real-mode segment limit";
    if ((s->attr & (SEG_P | SEG_S)) != (SEG_P | SEG_S) ||
        ((type & 0xe) != 2 && (n != SEG_CS || (type & 0xa) != 0xa)))
        return "real-mode segment access rights: type, S or P";
    return s->attr & SEG_DB && (n == SEG_CS || n == SEG_SS) ? "real-mode CS.D or SS.B" : NULL;
}

const char *vmx_check_real(const struct vcpu *v)
{
    for (unsigned i = 0; i < array_size(order); i++) {
        const char *field = check_segment(&v->seg[order[i]], order[i]);
        if (field)
            return field;
    }
    /* INT n in such a task uses address 0 whatever IDTR says. */
    if (v->seg[SEG_IDTR].base || v->seg[SEG_IDTR].limit < 0x3ff)
        return "real-mode IDTR: not the vector table at 0";
    return v->rip >> 16 ? "real-mode IP" : NULL;
}

u64 vmx_real_flags(u64 guest)
{
    return (guest & ~OWN_FLAGS) | RFLAGS_VM | RFLAGS_IOPL;
}

u64 vmx_guest_flags(u64 flags, u64 before)
{
    return (flags & ~OWN_FLAGS) | (before & OWN_FLAGS);
}

bool vmx_real_create(struct vmx_vcpu *s, void *(*alloc)(void *ctx, u64 bytes), void *ctx)
{
    u64 *pages = alloc(ctx, (3 + TSS_PAGES) * PAGE_SIZE);
    if (!pages)
        return false;
    u64 *pd = pages + 512, *pt = pd + 512;
    u8 *tss = (u8 *)(pt + 512);
    for (unsigned i = 0; i < TSS_PAGES; i++)
        pt[i] = ((hpa_t)tss + i * PAGE_SIZE) | PTE_P | PTE_A | PTE_NX;
    pd[0] = (hpa_t)pt | PTE_P | PTE_A;
    pages[TSS_BASE >> 30] = (hpa_t)pd | PTE_P;
    *(u16 *)(tss + 102) = TSS_PORTS;
    tss[TSS_LIMIT] = 0xff;
    s->real_pdpt = pages;
    return true;
}

/* SYSENTER would leave the task for privilege 0; with CS 0 it raises #GP, as real mode does (SDM vol. 2). */
void vmx_real_enter(struct vmx_vcpu *s)
{
    struct vcpu *v = &s->vcpu;
    vcpu_need(v, ~0u);
    s->real = true;
    s->sysenter_cs = vmread(GUEST_SYSENTER_CS);
    vmwrite(GUEST_SYSENTER_CS, 0);
    for (unsigned i = 0; i < array_size(order); i++) {
        vmwrite(GUEST_ES_LIMIT + 2 * i, 0xffff);
        vmwrite(GUEST_ES_ACCESS + 2 * i, 0xf3);
    }
    vmwrite(GUEST_LDTR_ACCESS, ACCESS_UNUSABLE);
    vmwrite(GUEST_TR_SEL, 0);
    vmwrite(GUEST_TR_BASE, TSS_BASE);
    vmwrite(GUEST_TR_LIMIT, TSS_LIMIT);
    vmwrite(GUEST_TR_ACCESS, 0x8b);
    vmwrite(EXCEPTION_BITMAP, ~(1u << VEC_PF)); /* #PF: see paging.c */
    vmx_update_cr(v);
    s->check = false;
    v->dirty |= VCPU_RIP | VCPU_SEGS;
}

void vmx_real_leave(struct vmx_vcpu *s)
{
    struct vcpu *v = &s->vcpu;
    vcpu_need(v, ~0u);
    s->real = false;
    vmwrite(GUEST_SYSENTER_CS, s->sysenter_cs);
    vmwrite(EXCEPTION_BITMAP, VMX_EXCEPTIONS);
    v->dirty |= VCPU_RIP | VCPU_SEGS;
}

void vmx_real_load_segment(struct seg *seg, unsigned i)
{
    if (i >= array_size(order))
        return;
    seg->sel = (u16)vmread(GUEST_ES_SEL + 2 * i);
    seg->base = (u64)seg->sel << 4;
}

void vmx_real_store_segment(const struct seg *seg, unsigned i)
{
    if (i >= array_size(order))
        return;
    vmwrite(GUEST_ES_SEL + 2 * i, seg->sel);
    vmwrite(GUEST_ES_BASE + 2 * i, seg->base);
}

hpa_t vmx_real_root(struct vmx_vcpu *s)
{
    s->real_pdpt[0] = *(const u64 *)mmu_root(s->vcpu.mmu);
    return (hpa_t)s->real_pdpt;
}
