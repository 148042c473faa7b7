#include "cpu/svm/svm.h"
#include "host/cpu.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mmu/mmu.h"

#define MSR_VM_CR 0xc0010114
#define MSR_VM_HSAVE_PA 0xc0010117
#define VM_CR_SVMDIS (1u << 4)

enum {
    IOPM_BYTES = 3 * 4096,
    MSRPM_BYTES = 2 * 4096,
    GUEST_ASID = 1,
    TLB_KEEP = 0,
    TLB_FLUSH_ALL = 1
};

/* CR4 bits that the CPU runs with as the guest set them. */
#define CR4_PASSED                                                                                 \
    (CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PGE | CR4_MCE | CR4_PCE | CR4_OSFXSR |             \
     CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE | CR4_OSXSAVE | CR4_SMEP | CR4_SMAP)

void svm_enter(u64 *gpr, hpa_t guest_vmcb, hpa_t host_vmcb);

/* The needs, one a line, with where the manual has them. */
static bool svm_probe(char *why, size_t size)
{
    const char *missing = NULL;
    if (cpuid(0x80000000, 0).eax < 0x8000000a || !(cpuid(0x80000001, 0).ecx & 1u << 2))
        missing = "SVM (CPUID 80000001h ECX bit 2; APM vol. 2, 15.4)";
    else if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS)
        missing = "SVM enabled by the firmware (MSR VM_CR bit 4 is set; APM vol. 2, 15.4)";
    else if (cpuid(0x8000000a, 0).ebx < 2)
        missing = "address space identifiers (CPUID 8000000Ah EBX; APM vol. 2, 15.16)";
    else if (!(cpuid(0x80000001, 0).edx & 1u << 20))
        missing = "the no-execute bit (CPUID 80000001h EDX bit 20)";
    if (missing)
        fmt_snprintf(why, size, "%s", missing);
    return !missing;
}

/* Lets the guest use an MSR without exits (APM vol. 2, 15.11: two bits an MSR, read and write). */
static void msrpm_allow(u8 *msrpm, u32 index, bool write)
{
    u32 bit = index < 0x2000 ? index * 2 : 0x800 * 8 + (index - 0xc0000000) * 2;
    msrpm[bit / 8] &= (u8) ~(1u << bit % 8);
    if (write)
        msrpm[(bit + 1) / 8] &= (u8) ~(1u << (bit + 1) % 8);
}

/* MSRs that VMLOAD and VMSAVE switch, and those only the guest uses. */
static void msrpm_init(u8 *msrpm)
{
    static const u32 own[] = {MSR_SYSENTER_CS, MSR_SYSENTER_ESP,  MSR_SYSENTER_EIP, MSR_STAR,
                              MSR_LSTAR,       MSR_CSTAR,         MSR_SFMASK,       MSR_FS_BASE,
                              MSR_GS_BASE,     MSR_KERNEL_GS_BASE};
    memset(msrpm, 0xff, MSRPM_BYTES);
    for (unsigned i = 0; i < array_size(own); i++)
        msrpm_allow(msrpm, own[i], true);
    if (cpuid(0x80000001, 0).edx & 1u << 27) /* RDTSCP */
        msrpm_allow(msrpm, MSR_TSC_AUX, true);
    msrpm_allow(msrpm, MSR_TSC, false);
}

/* INVLPG can be left to the CPU. Page faults exit all or none, and there is no list of CR3 values. */
static void svm_paging(struct mmu_config *config)
{
    config->invlpg_free = true;
}

static void iopm_init(u8 *iopm)
{
    memset(iopm, 0xff, IOPM_BYTES);
    /* Port 80h, the POST display, goes through: the guest's delays by it are then the machine's own. */
    iopm[0x80 / 8] &= (u8) ~(1u << (0x80 % 8));
}

static struct vcpu *svm_create(void *(*alloc)(void *ctx, u64 bytes), void *ctx)
{
    struct svm_vcpu *s = alloc(ctx, sizeof *s);
    struct vmcb *vmcb = alloc(ctx, sizeof *vmcb), *host = alloc(ctx, sizeof *host);
    u8 *hsave = alloc(ctx, PAGE_SIZE), *iopm = alloc(ctx, IOPM_BYTES),
       *msrpm = alloc(ctx, MSRPM_BYTES);

    if (!s || !vmcb || !host || !hsave || !iopm || !msrpm)
        return NULL;
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
    wrmsr(MSR_VM_HSAVE_PA, (hpa_t)hsave);
    __asm__ volatile("vmsave %%rax" : : "a"(host) : "memory");
    iopm_init(iopm);
    msrpm_init(msrpm);
    vmcb->iopm_hpa = (hpa_t)iopm;
    vmcb->msrpm_hpa = (hpa_t)msrpm;
    s->vmcb = vmcb;
    s->host_vmcb = (hpa_t)host;
    s->vcpu.virt = &svm_ops;
    s->vcpu.seg = vmcb->seg;
    return &s->vcpu;
}

static void svm_reset(struct vcpu *v, bool init)
{
    struct svm_vcpu *s = svm_of(v);
    struct vmcb *b = s->vmcb;

    b->exceptions = 1u << VEC_PF | 1u << VEC_AC | 1u << VEC_DB | 1u << VEC_MC;
    /* A task switch would load the guest's CR3 as it is, so it has to exit. */
    b->misc1 = INT_INTR | INT_NMI | INT_INIT | INT_RDPMC | INT_CPUID | INT_RSM | INT_INVD |
               INT_HLT | INT_INVLPG | INT_INVLPGA | INT_IOIO | INT_MSR | INT_TASK_SWITCH |
               INT_FERR_FREEZE | INT_SHUTDOWN;
    b->misc2 = INT_VMRUN | INT_VMMCALL | INT_VMLOAD | INT_VMSAVE | INT_STGI | INT_CLGI |
               INT_SKINIT | INT_WBINVD | INT_MONITOR | INT_MWAIT | INT_MWAIT_ARMED;
    b->asid = GUEST_ASID;
    b->tlb_control = TLB_FLUSH_ALL;
    svm_event_reset(s);
    b->int_shadow = 0;
    vcpu_reset_segments(b->seg);
    b->dr6 = 0xffff0ff0;
    b->dr7 = 0x400;
    b->cpl = 0;
    b->cr2 = 0;
    b->g_pat = 0x0007040600070406;

    memset(v->gpr, 0, sizeof v->gpr);
    v->gpr[RDX] = cpuid(1, 0).eax;
    v->rip = 0xfff0;
    v->rflags = RFLAGS_FIXED;
    v->cr0 = CR0_ET | (init ? v->cr0 & (CR0_NW | CR0_CD) : CR0_NW | CR0_CD);
    v->cr3 = v->cr4 = v->efer = 0;
    if (!init)
        v->pat = 0x0007040600070406;
    v->int_shadow = false;
    v->interrupted.type = EVENT_NONE;
    v->valid = ~0u;
    v->dirty = VCPU_RIP;
    if (!init && cpuid(1, 0).ecx & 1u << 26) { /* XSAVE: XCR0 is the guest's, also while we run */
        write_cr4(read_cr4() | CR4_OSXSAVE);
        xsetbv(0, 1);
    }
    __asm__ volatile("mov %0, %%dr0; mov %0, %%dr1; mov %0, %%dr2; mov %0, %%dr3" : : "r"(0ull));
}

static void svm_update_cr(struct vcpu *v)
{
    struct svm_vcpu *s = svm_of(v);
    struct vmcb *b = s->vmcb;
    bool paging = v->cr0 & CR0_PG;

    /* CD and NW stay clear: uncached RAM is no service to a guest whose devices are all coherent. */
    b->cr0 = (v->cr0 & ~(CR0_CD | CR0_NW)) | CR0_PG | CR0_WP;
    b->cr4 = (v->cr4 & CR4_PASSED) | CR4_PAE;
    if (!paging)
        b->cr4 &= ~(CR4_SMEP | CR4_SMAP); /* the identity tables are user pages */
    b->efer = (v->efer & (EFER_SCE | EFER_NXE | EFER_FFXSR)) | EFER_SVME;
    if (vcpu_lma(v))
        b->efer |= EFER_LME | EFER_LMA;

    s->cr0_owned = b->cr0 == v->cr0 && mmu_cr0_free(v->mmu);
    b->cr_read = 1u << 3 | (s->cr0_owned ? 0 : 1u << 0) | (b->cr4 == v->cr4 ? 0 : 1u << 4);
    b->cr_write = 1u << 3 | 1u << 4 | (s->cr0_owned ? 0 : 1u << 0);
    b->misc1 = s->cr0_owned ? b->misc1 | INT_CR0_SEL_WRITE : b->misc1 & ~INT_CR0_SEL_WRITE;
}

static void svm_load(struct vcpu *v, u32 groups)
{
    v->valid |= groups; /* everything is valid after an exit already */
}

static unsigned svm_cpl(struct vcpu *v)
{
    return svm_of(v)->vmcb->cpl;
}

static void svm_set_cpl(struct vcpu *v, unsigned cpl)
{
    svm_of(v)->vmcb->cpl = (u8)cpl;
}

static void svm_flush_tlb(struct vcpu *v)
{
    svm_of(v)->vmcb->tlb_control = TLB_FLUSH_ALL;
}

static void svm_set_tsc_offset(struct vcpu *v, u64 offset)
{
    svm_of(v)->vmcb->tsc_offset = offset;
}

static u64 svm_get_dr(struct vcpu *v, unsigned n)
{
    return n == 6 ? svm_of(v)->vmcb->dr6 : svm_of(v)->vmcb->dr7;
}

static void svm_set_dr(struct vcpu *v, unsigned n, u64 value)
{
    if (n == 6)
        svm_of(v)->vmcb->dr6 = value;
    else
        svm_of(v)->vmcb->dr7 = value;
}

static bool svm_read_msr(struct vcpu *v, u32 index, u64 *value)
{
    return svm_msr_read(svm_of(v)->vmcb, index, value);
}

static bool svm_write_msr(struct vcpu *v, u32 index, u64 value)
{
    return svm_msr_write(svm_of(v)->vmcb, index, value);
}

static u64 svm_get_cr2(struct vcpu *v)
{
    return svm_of(v)->vmcb->cr2;
}

static void svm_set_cr2(struct vcpu *v, u64 value)
{
    svm_of(v)->vmcb->cr2 = value;
}

static void decode_io(struct exit *e, const struct vmcb *b)
{
    u64 info = b->exit_info1; /* APM vol. 2, 15.10.2 */
    e->reason = EXIT_IO;
    e->io.port = (u16)(info >> 16);
    e->io.in = info & 1;
    e->io.string = info & 4;
    e->io.rep = info & 8;
    e->io.size = (u8)(info >> 4 & 7);
    e->next_rip = b->exit_info2;
}

static void decode_exception(struct exit *e, const struct vmcb *b)
{
    e->reason = EXIT_EXCEPTION;
    e->vector = (u8)(b->exit_code - VMEXIT_EXCP0);
    e->error = (u32)b->exit_info1;
    e->address = b->exit_info2;
    e->iret = false;
}

/* APM vol. 2, 15.14.1. */
static void decode_task_switch(struct vcpu *v, struct exit *e, const struct vmcb *b)
{
    u64 info = b->exit_info2;
    bool event = v->interrupted.type != EVENT_NONE;
    e->task.sel = (u16)b->exit_info1;
    e->task.source = info & TASK_BY_IRET  ? TASK_IRET
                     : info & TASK_BY_JMP ? TASK_JMP
                     : event              ? TASK_EVENT
                                          : TASK_CALL;
    e->task.has_error = info & TASK_ERROR;
    e->task.error = (u32)info;
    v->rflags = info & TASK_RF ? v->rflags | RFLAGS_RF : v->rflags & ~RFLAGS_RF;
}

static enum exit_reason simple_reason(u64 code)
{
    switch (code) {
    case VMEXIT_INTR: return EXIT_INTR;
    case VMEXIT_NMI: return EXIT_NMI;
    case VMEXIT_INIT: return EXIT_INIT;
    case VMEXIT_VINTR: return EXIT_INTR_WINDOW;
    case VMEXIT_IRET: return EXIT_IRET;
    case VMEXIT_CR0_SEL_WRITE: return EXIT_CR;
    case VMEXIT_RDPMC: return EXIT_RDPMC;
    case VMEXIT_CPUID: return EXIT_CPUID;
    case VMEXIT_INVD:
    case VMEXIT_WBINVD: return EXIT_CACHE;
    case VMEXIT_HLT: return EXIT_HLT;
    case VMEXIT_INVLPG: return EXIT_INVLPG;
    case VMEXIT_TASK_SWITCH: return EXIT_TASK_SWITCH;
    case VMEXIT_SHUTDOWN: return EXIT_TRIPLE_FAULT;
    case VMEXIT_INVALID: return EXIT_ENTRY_FAILED;
    }
    if (code <= VMEXIT_CR15_WRITE)
        return EXIT_CR;
    if (code == VMEXIT_RSM || code == VMEXIT_INVLPGA ||
        (code >= VMEXIT_VMRUN && code <= VMEXIT_SKINIT) ||
        (code >= VMEXIT_MONITOR && code <= VMEXIT_MWAIT_ARMED))
        return EXIT_VIRT;
    return EXIT_UNKNOWN;
}

/* What to say where such an exit ends the VM. */
static const char *exit_text(u64 code)
{
    switch (code) {
    case VMEXIT_INVALID: return "VMRUN refused the state (APM vol. 2, 15.5.1)";
    case VMEXIT_FERR_FREEZE: return "an x87 error with CR0.NE clear, whose IRQ 13 is not emulated";
    case VMEXIT_INIT: return "an INIT signal of the machine below";
    }
    return NULL;
}

static void svm_run(struct vcpu *v, struct exit *e)
{
    struct svm_vcpu *s = svm_of(v);
    struct vmcb *b = s->vmcb;

    b->rax = v->gpr[RAX];
    b->rsp = v->gpr[RSP];
    b->rip = v->rip;
    b->rflags = v->rflags;
    b->cr3 = mmu_root(v->mmu);
    b->int_shadow = v->int_shadow;
    b->misc1 = mmu_invlpg_exits(v->mmu) ? b->misc1 | INT_INVLPG : b->misc1 & ~(u32)INT_INVLPG;
    svm_enter(v->gpr, (hpa_t)b, s->host_vmcb);
    v->gpr[RAX] = b->rax;
    v->gpr[RSP] = b->rsp;
    v->rip = b->rip;
    v->rflags = b->rflags;
    v->int_shadow = b->int_shadow & 1;
    if (s->cr0_owned)
        v->cr0 = (v->cr0 & ~(CR0_TS | CR0_MP)) | (b->cr0 & (CR0_TS | CR0_MP));
    b->tlb_control = TLB_KEEP;
    svm_event_exit(s);

    u64 code = b->exit_code;
    e->code = code;
    e->info1 = b->exit_info1;
    e->info2 = b->exit_info2;
    e->next_rip = 0;
    e->decoded = false;
    if (code >= VMEXIT_EXCP0 && code <= VMEXIT_EXCP31)
        decode_exception(e, b);
    else if (code == VMEXIT_IOIO)
        decode_io(e, b);
    else if (code == VMEXIT_MSR)
        e->reason = b->exit_info1 & 1 ? EXIT_WRMSR : EXIT_RDMSR;
    else
        e->reason = simple_reason(code);
    e->text = exit_text(code);
    if (unlikely(e->reason == EXIT_TASK_SWITCH))
        decode_task_switch(v, e, b);
    /* Some emulators switch tasks without the intercept (docs/caveats.md): CR3 is then
     * the guest's own choice, and the VM must not go on. */
    if (unlikely(b->cr3 != mmu_root(v->mmu))) {
        e->reason = EXIT_UNKNOWN;
        e->text = "a task switch that the CPU below did by itself, against the intercept";
    }
}

const struct virt_ops svm_ops = {
    .name = "svm",
    .probe = svm_probe,
    .paging = svm_paging,
    .create = svm_create,
    .reset = svm_reset,
    .run = svm_run,
    .load = svm_load,
    .cpl = svm_cpl,
    .set_cpl = svm_set_cpl,
    .update_cr = svm_update_cr,
    .inject = svm_inject,
    .intr_window = svm_intr_window,
    .intr_excludes_window = true,
    .nmi_blocked = svm_nmi_blocked,
    .block_nmi = svm_block_nmi,
    .flush_tlb = svm_flush_tlb,
    .set_tsc_offset = svm_set_tsc_offset,
    .get_dr = svm_get_dr,
    .set_dr = svm_set_dr,
    .read_msr = svm_read_msr,
    .write_msr = svm_write_msr,
    .get_cr2 = svm_get_cr2,
    .set_cr2 = svm_set_cr2,
};
