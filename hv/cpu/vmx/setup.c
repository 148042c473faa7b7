/* VMX operation, and a VMCS with all that does not change. */

#include "cpu/vmx/vmx.h"
#include "host/cpu.h"
#include "host/idt.h"
#include "lib/string.h"

#define PAT_RESET 0x0007040600070406ull

extern u8 vmx_exited[];

struct pseudo_descriptor {
    u16 limit;
    u64 base;
} __attribute__((packed));

/* VMXON (SDM vol. 3, 23.7): CR0.NE and CR4.VMXE, and the feature MSR locked with VMX on. */
static bool vmx_on(struct vmx_vcpu *s)
{
    u32 revision = (u32)rdmsr(MSR_VMX_BASIC) & 0x7fffffff;
    u64 feature = rdmsr(MSR_FEATURE_CONTROL);
    if (!(feature & FEATURE_LOCKED))
        wrmsr(MSR_FEATURE_CONTROL, feature | FEATURE_LOCKED | FEATURE_VMX);
    write_cr0((read_cr0() | rdmsr(MSR_VMX_CR0_FIXED0)) & rdmsr(MSR_VMX_CR0_FIXED1));
    write_cr4((read_cr4() | rdmsr(MSR_VMX_CR4_FIXED0)) & rdmsr(MSR_VMX_CR4_FIXED1));
    if (cpuid(1, 0).ecx & 1u << 26) /* XSAVE: XCR0 is the guest's, also while we run */
        write_cr4(read_cr4() | CR4_OSXSAVE);
    *(u32 *)s->vmxon = *(u32 *)s->vmcs = revision;
    return vmxon(s->vmxon) && vmclear(s->vmcs) && vmptrld(s->vmcs);
}

/* SDM vol. 3, 24.5. */
static void host_state(void)
{
    struct pseudo_descriptor gdtr, idtr;
    __asm__ volatile("sgdt %0; sidt %1" : "=m"(gdtr), "=m"(idtr));
    const u64 *tss = (const u64 *)(gdtr.base + HOST_TR);
    vmwrite(HOST_CR0, read_cr0());
    vmwrite(HOST_CR3, read_cr3());
    vmwrite(HOST_CR4, read_cr4());
    vmwrite(HOST_CS_SEL, HOST_CS);
    vmwrite(HOST_TR_SEL, HOST_TR);
    for (u64 field = HOST_SS_SEL; field <= HOST_GS_SEL; field += 2)
        vmwrite(field, 0);
    vmwrite(HOST_ES_SEL, 0);
    vmwrite(HOST_FS_BASE, 0);
    vmwrite(HOST_GS_BASE, 0);
    vmwrite(HOST_TR_BASE, (tss[0] >> 16 & 0xffffff) | (tss[0] >> 56) << 24 | tss[1] << 32);
    vmwrite(HOST_GDTR_BASE, gdtr.base);
    vmwrite(HOST_IDTR_BASE, idtr.base);
    vmwrite(HOST_SYSENTER_CS, 0);
    vmwrite(HOST_SYSENTER_ESP, 0);
    vmwrite(HOST_SYSENTER_EIP, 0);
    vmwrite(HOST_RIP, (u64)vmx_exited);
}

/* CR8 without exits where the CPU can (SDM vol. 3, 24.6.8); with threshold 0 no value of it exits. */
static void tpr_shadow(struct vmx_vcpu *s, u8 *page)
{
    if (!(rdmsr(MSR_VMX_PROC) >> 32 & PROC_TPR_SHADOW))
        return;
    s->tpr = page + 0x80;
    s->proc_controls =
        (s->proc_controls & ~(u32)(PROC_CR8_LOAD | PROC_CR8_STORE)) | PROC_TPR_SHADOW;
    vmwrite(VIRTUAL_APIC, (hpa_t)page);
    vmwrite(TPR_THRESHOLD, 0);
}

static void controls(struct vmx_vcpu *s, u8 *apic)
{
    s->proc_controls = vmx_control(
        MSR_VMX_PROC, PROC_TSC_OFFSET | PROC_HLT | PROC_INVLPG | PROC_MWAIT | PROC_RDPMC |
                          PROC_CR3_LOAD | PROC_CR3_STORE | PROC_CR8_LOAD | PROC_CR8_STORE |
                          PROC_IO_BITMAPS | PROC_MSR_BITMAPS | PROC_MONITOR);
    tpr_shadow(s, apic);
    s->entry_controls = vmx_control(MSR_VMX_ENTRY, ENTRY_LOAD_DEBUG);
    vmwrite(PIN_CONTROLS, vmx_control(MSR_VMX_PIN, PIN_INTR | PIN_NMI | PIN_VIRTUAL_NMI));
    vmwrite(PROC_CONTROLS, s->proc_controls);
    vmwrite(EXIT_CONTROLS, vmx_control(MSR_VMX_EXIT, EXIT_SAVE_DEBUG | EXIT_HOST_64));
    vmwrite(ENTRY_CONTROLS, s->entry_controls);
    vmwrite(EXCEPTION_BITMAP, VMX_EXCEPTIONS);
    vmwrite(PFEC_MASK, 0); /* every #PF exits: see paging.c */
    vmwrite(PFEC_MATCH, 1);
    vmwrite(CR3_TARGETS, 0);
    vmwrite(EXIT_MSR_STORES, 0);
    vmwrite(EXIT_MSR_LOADS, 0);
    vmwrite(ENTRY_MSR_LOADS, 0);
    vmwrite(CR4_MASK, ~0ull);
    vmwrite(VMCS_LINK, ~0ull);
}

struct vcpu *vmx_create(void *(*alloc)(void *ctx, u64 bytes), void *ctx)
{
    struct vmx_vcpu *s = alloc(ctx, sizeof *s);
    u8 *vmxon_region = alloc(ctx, PAGE_SIZE), *vmcs = alloc(ctx, PAGE_SIZE),
       *io = alloc(ctx, 2 * PAGE_SIZE), *msr = alloc(ctx, PAGE_SIZE), *apic = alloc(ctx, PAGE_SIZE);

    if (!s || !vmxon_region || !vmcs || !io || !msr || !apic || !vmx_real_create(s, alloc, ctx))
        return NULL;
    s->vmxon = (hpa_t)vmxon_region;
    s->vmcs = (hpa_t)vmcs;
    if (!vmx_on(s))
        return NULL;
    s->limits = (struct vmx_limits){
        .cr0_fixed = {rdmsr(MSR_VMX_CR0_FIXED0), rdmsr(MSR_VMX_CR0_FIXED1)},
        .cr4_fixed = {rdmsr(MSR_VMX_CR4_FIXED0), rdmsr(MSR_VMX_CR4_FIXED1)},
        .maxphyaddr = cpuid(0x80000008, 0).eax & 0xff,
        .activities = rdmsr(MSR_VMX_MISC) >> 6 & 7,
    };
    memset(io, 0xff, 2 * PAGE_SIZE);
    /* Port 80h, the POST display, goes through: the guest's delays by it are then the machine's own. */
    io[0x80 / 8] &= (u8) ~(1u << (0x80 % 8));
    vmx_msr_bitmap_init(msr);
    host_state();
    controls(s, apic);
    vmwrite(IO_BITMAP_A, (hpa_t)io);
    vmwrite(IO_BITMAP_B, (hpa_t)io + PAGE_SIZE);
    vmwrite(MSR_BITMAP, (hpa_t)msr);
    s->vcpu.virt = &vmx_ops;
    s->vcpu.seg = s->seg;
    return &s->vcpu;
}

void vmx_reset(struct vcpu *v, bool init)
{
    struct vmx_vcpu *s = vmx_of(v);

    if (s->real) {
        s->real = false;
        vmwrite(GUEST_SYSENTER_CS, s->sysenter_cs);
        vmwrite(EXCEPTION_BITMAP, VMX_EXCEPTIONS);
    }
    vcpu_reset_segments(s->seg);
    vmwrite(GUEST_DEBUGCTL, 0);
    vmwrite(GUEST_ACTIVITY, 0);
    vmwrite(GUEST_PENDING_DEBUG, 0);
    vmwrite(GUEST_INTERRUPTIBILITY, 0);
    vmwrite(ENTRY_INTR_INFO, 0);
    if (!init) {
        vmwrite(GUEST_SYSENTER_CS, 0);
        vmwrite(GUEST_SYSENTER_ESP, 0);
        vmwrite(GUEST_SYSENTER_EIP, 0);
        v->pat = PAT_RESET;
        if (read_cr4() & CR4_OSXSAVE)
            xsetbv(0, 1);
    }
    vmx_set_dr(v, 6, 0xffff0ff0);
    vmx_set_dr(v, 7, 0x400);
    write_cr2(0);

    memset(v->gpr, 0, sizeof v->gpr);
    v->gpr[RDX] = cpuid(1, 0).eax;
    v->rip = 0xfff0;
    v->rflags = RFLAGS_FIXED;
    v->cr0 = CR0_ET | (init ? v->cr0 & (CR0_NW | CR0_CD) : CR0_NW | CR0_CD);
    v->cr3 = v->cr4 = v->efer = v->cr8 = 0;
    v->int_shadow = false;
    v->interrupted.type = EVENT_NONE;
    v->valid = v->dirty = ~0u;
    s->interruptibility = 0;
    __asm__ volatile("mov %0, %%dr0; mov %0, %%dr1; mov %0, %%dr2; mov %0, %%dr3" : : "r"(0ull));
}
