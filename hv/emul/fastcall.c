/* SYSENTER, SYSEXIT, SYSCALL, SYSRET: to the kernel and back without descriptors (SDM vol. 3, 5.8.7
 * and 5.8.8). Where Intel's CPUs and AMD's differ (SYSCALL outside 64-bit mode, SYSENTER in long
 * mode) they are EMUL_UNHANDLED. */

#include "emul/exec.h"

#define FLAT_CODE 0x09bu
#define FLAT_DATA 0x093u

static void flat(struct emul *e, unsigned n, u64 sel, u16 attr)
{
    unsigned cpl = sel & 3;
    seg_set(e, n,
            &(struct seg){
                .sel = (u16)sel, .attr = (u16)(attr | SEG_G | cpl << 5), .limit = 0xffffffff});
    e->cpl = (u8)cpl;
}

static enum emul_result read_msr(struct emul *e, u32 index, u64 *val)
{
    *val = 0;
    return e->ops->msr_read ? e->ops->msr_read(e, index, val) : EMUL_UNHANDLED;
}

static enum emul_result sysenter_cs(struct emul *e, u64 *cs)
{
    enum emul_result r;

    if (!(e->cr0 & CR0_PE))
        return emul_gp0(e);
    if (e->efer & EFER_LMA)
        return EMUL_UNHANDLED;
    r = read_msr(e, MSR_SYSENTER_CS, cs);
    return r == EMUL_OK && !(*cs & 0xfffc) ? emul_gp0(e) : r;
}

EXEC(sysenter)
{
    u64 cs = 0, esp = 0, eip = 0;
    enum emul_result r = sysenter_cs(e, &cs);

    if (r == EMUL_OK)
        r = read_msr(e, MSR_SYSENTER_ESP, &esp);
    if (r == EMUL_OK)
        r = read_msr(e, MSR_SYSENTER_EIP, &eip);
    if (r != EMUL_OK)
        return r;
    in->flags &= ~(RFLAGS_VM | RFLAGS_IF | RFLAGS_RF);
    flat(e, SEG_CS, cs & 0xfffc, FLAT_CODE | SEG_DB);
    flat(e, SEG_SS, (cs & 0xfffc) + 8, FLAT_DATA | SEG_DB);
    e->gpr[RSP] = (u32)esp;
    in->next = (u32)eip;
    return EMUL_OK;
}

EXEC(sysexit)
{
    u64 cs = 0;
    enum emul_result r = sysenter_cs(e, &cs);

    if (r != EMUL_OK)
        return r;
    flat(e, SEG_CS, (cs + 16) | 3, FLAT_CODE | SEG_DB);
    flat(e, SEG_SS, (cs + 24) | 3, FLAT_DATA | SEG_DB);
    e->gpr[RSP] = (u32)e->gpr[RCX];
    in->next = (u32)e->gpr[RDX];
    return EMUL_OK;
}

EXEC(syscall)
{
    u64 star = 0, mask = 0, target = 0;
    enum emul_result r;

    if (!(e->efer & EFER_SCE))
        return emul_ud(e);
    if (!in->mode64)
        return EMUL_UNHANDLED;
    r = read_msr(e, MSR_STAR, &star);
    if (r == EMUL_OK)
        r = read_msr(e, MSR_SFMASK, &mask);
    if (r == EMUL_OK)
        r = read_msr(e, MSR_LSTAR, &target);
    if (r != EMUL_OK)
        return r;
    e->gpr[RCX] = in->next;
    e->gpr[R11] = in->flags & ~RFLAGS_RF;
    in->flags = (in->flags & ~(mask | RFLAGS_RF)) | RFLAGS_FIXED;
    flat(e, SEG_CS, star >> 32 & 0xfffc, FLAT_CODE | SEG_L);
    flat(e, SEG_SS, (star >> 32 & 0xfffc) + 8, FLAT_DATA | SEG_DB);
    in->next = target;
    return EMUL_OK;
}

EXEC(sysret)
{
    bool wide = in->opsize == 8;
    u64 star = 0, sel;
    enum emul_result r;

    if (!(e->efer & EFER_SCE))
        return emul_ud(e);
    if (!in->mode64)
        return EMUL_UNHANDLED;
    if (e->cpl || (wide && !is_canonical(e, e->gpr[RCX])))
        return emul_gp0(e);
    r = read_msr(e, MSR_STAR, &star);
    if (r != EMUL_OK)
        return r;
    sel = star >> 48;
    flat(e, SEG_CS, (sel + (wide ? 16 : 0)) | 3, FLAT_CODE | (wide ? SEG_L : SEG_DB));
    flat(e, SEG_SS, (sel + 8) | 3, FLAT_DATA | SEG_DB);
    in->flags = (e->gpr[R11] & 0x3c7fd7) | RFLAGS_FIXED;
    in->next = wide ? e->gpr[RCX] : (u32)e->gpr[RCX];
    return EMUL_OK;
}
