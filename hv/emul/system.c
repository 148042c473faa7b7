/* Instructions on control registers, tables and MSRs. */

#include "emul/exec.h"

/* CR4.UMIP keeps SGDT, SIDT, SLDT, STR and SMSW from user code (SDM vol. 3, 2.5). */
enum emul_result emul_umip(struct emul *e)
{
    return (e->cr4 & CR4_UMIP) && e->cpl ? emul_gp0(e) : EMUL_OK;
}

/* SGDT, SIDT; arg: which table. */
EXEC(sgdt)
{
    const struct seg *table = seg_get(e, in->op->arg);
    u16 limit = (u16)table->limit;
    u8 buf[10] = {0};
    enum emul_result r = emul_umip(e);

    __builtin_memcpy(buf, &limit, 2);
    __builtin_memcpy(buf + 2, &table->base, 8);
    if (r != EMUL_OK)
        return r;
    return emul_mem_write(e, in, in->seg, in->ea, buf, in->mode64 ? 10 : 6);
}

/* LGDT, LIDT. With a 16-bit operand size the base has 24 bits. */
EXEC(lgdt)
{
    u8 buf[10] = {0};
    u16 limit = 0;
    u64 base = 0;
    enum emul_result r = emul_mem_read(e, in, in->seg, in->ea, buf, in->mode64 ? 10 : 6);

    if (r != EMUL_OK)
        return r;
    __builtin_memcpy(&limit, buf, 2);
    __builtin_memcpy(&base, buf + 2, 8);
    if (in->mode64 && !is_canonical(e, base))
        return emul_gp0(e);
    if (!in->mode64 && in->opsize == 2)
        base &= 0xffffff;
    seg_get(e, in->op->arg)->base = base;
    e->seg[in->op->arg].limit = limit;
    e->seg_changed |= 1u << in->op->arg;
    return EMUL_OK;
}

EXEC(smsw)
{
    enum emul_result r = emul_umip(e);

    in->dst.val = e->cr0;
    if (in->dst.mem)
        in->dst.size = 2;
    return r;
}

/* Loads MP, EM, TS, and sets but never clears PE. */
EXEC(lmsw)
{
    u64 cr0 = (e->cr0 & ~0xeull) | (in->src.val & 0xf);
    return e->ops->cr_write ? e->ops->cr_write(e, 0, cr0) : EMUL_UNHANDLED;
}

EXEC(clts)
{
    (void)in;
    return e->ops->cr_write ? e->ops->cr_write(e, 0, e->cr0 & ~CR0_TS) : EMUL_UNHANDLED;
}

/* CR8, or LOCK MOV CR0 for it, is AMD's and 64-bit mode's. */
static bool cr_exists(const struct insn *in)
{
    unsigned n = in->reg;
    return n == 0 || n == 2 || n == 3 || n == 4 || (n == 8 && in->mode64);
}

EXEC(mov_cr_read)
{
    u64 val = 0;
    enum emul_result r;

    if (!cr_exists(in))
        return emul_ud(e);
    if (e->cpl)
        return emul_gp0(e);
    if (!e->ops->cr_read)
        return EMUL_UNHANDLED;
    r = e->ops->cr_read(e, in->reg, &val);
    if (r == EMUL_OK)
        reg_write(&e->gpr[in->rm], val, in->mode64 ? 8 : 4);
    return r;
}

EXEC(mov_cr_write)
{
    u64 val = in->mode64 ? e->gpr[in->rm] : (u32)e->gpr[in->rm];

    if (!cr_exists(in))
        return emul_ud(e);
    if (e->cpl)
        return emul_gp0(e);
    return e->ops->cr_write ? e->ops->cr_write(e, in->reg, val) : EMUL_UNHANDLED;
}

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE (SDM vol. 3, 17.2.2). Returns 8 for #UD. */
static unsigned dr_number(const struct emul *e, const struct insn *in)
{
    if (in->reg > 7 || ((in->reg == 4 || in->reg == 5) && (e->cr4 & CR4_DE)))
        return 8;
    return in->reg == 4 || in->reg == 5 ? in->reg + 2u : in->reg;
}

#define DR6_BD (1ull << 13)
#define DR7_GD (1ull << 13)

/* With DR7.GD an access is #DB, which clears GD for its handler (SDM vol. 3, 17.2.4). */
static enum emul_result dr_check(struct emul *e, unsigned n)
{
    u64 dr6 = 0, dr7 = 0;
    enum emul_result r;

    if (n > 7)
        return emul_ud(e);
    if (e->cpl)
        return emul_gp0(e);
    if (!e->ops->dr_read || !e->ops->dr_write)
        return EMUL_UNHANDLED;
    r = e->ops->dr_read(e, 7, &dr7);
    if (r != EMUL_OK || !(dr7 & DR7_GD))
        return r;
    r = e->ops->dr_read(e, 6, &dr6);
    if (r == EMUL_OK)
        r = e->ops->dr_write(e, 6, dr6 | DR6_BD);
    if (r == EMUL_OK)
        r = e->ops->dr_write(e, 7, dr7 & ~DR7_GD);
    return r == EMUL_OK ? emul_raise(e, VEC_DB) : r;
}

EXEC(mov_dr_read)
{
    unsigned n = dr_number(e, in);
    u64 val = 0;
    enum emul_result r;

    r = dr_check(e, n);
    if (r == EMUL_OK)
        r = e->ops->dr_read(e, n, &val);
    if (r == EMUL_OK)
        reg_write(&e->gpr[in->rm], val, in->mode64 ? 8 : 4);
    return r;
}

EXEC(mov_dr_write)
{
    unsigned n = dr_number(e, in);
    u64 val = in->mode64 ? e->gpr[in->rm] : (u32)e->gpr[in->rm];

    enum emul_result r = dr_check(e, n);

    if (r == EMUL_OK && n >= 6 && val >> 32)
        r = emul_gp0(e);
    if (n == 6) /* bits that are what they are (17.2) */
        val = (val & 0xe00f) | 0xffff0ff0;
    else if (n == 7)
        val = (val & 0xffff2bff) | 0x400;
    return r == EMUL_OK ? e->ops->dr_write(e, n, val) : r;
}

/* No segment check applies; an address that is not canonical does nothing (SDM vol. 2, INVLPG). */
EXEC(invlpg)
{
    u64 base = in->mode64 && in->seg < SEG_FS ? 0 : seg_get(e, in->seg)->base;
    u64 la = in->mode64 ? base + in->ea : (u32)(base + in->ea);

    if (!e->ops->invlpg)
        return EMUL_UNHANDLED;
    return is_canonical(e, la) ? e->ops->invlpg(e, la) : EMUL_OK;
}

EXEC(hlt)
{
    (void)in;
    return e->ops->hlt ? e->ops->hlt(e) : EMUL_UNHANDLED;
}

EXEC(cpuid)
{
    (void)in;
    return e->ops->cpuid ? e->ops->cpuid(e) : EMUL_UNHANDLED;
}

/* EDX:EAX; the upper halves of both registers are cleared. */
static void write_edx_eax(struct emul *e, u64 val)
{
    e->gpr[RAX] = (u32)val;
    e->gpr[RDX] = val >> 32;
}

EXEC(rdmsr)
{
    u64 val = 0;
    enum emul_result r;

    (void)in;
    if (!e->ops->msr_read)
        return EMUL_UNHANDLED;
    r = e->ops->msr_read(e, (u32)e->gpr[RCX], &val);
    if (r == EMUL_OK)
        write_edx_eax(e, val);
    return r;
}

EXEC(wrmsr)
{
    u64 val = (u32)e->gpr[RAX] | e->gpr[RDX] << 32;

    (void)in;
    return e->ops->msr_write ? e->ops->msr_write(e, (u32)e->gpr[RCX], val) : EMUL_UNHANDLED;
}

/* RDTSC; RDTSCP adds TSC_AUX in ECX. */
EXEC(rdtsc)
{
    u64 tsc = 0, aux = 0;
    enum emul_result r;

    if ((e->cr4 & CR4_TSD) && e->cpl)
        return emul_gp0(e);
    if (!e->ops->msr_read)
        return EMUL_UNHANDLED;
    r = e->ops->msr_read(e, MSR_TSC, &tsc);
    if (r == EMUL_OK && in->modrm)
        r = e->ops->msr_read(e, MSR_TSC_AUX, &aux);
    if (r != EMUL_OK)
        return r;
    write_edx_eax(e, tsc);
    if (in->modrm)
        e->gpr[RCX] = (u32)aux;
    return EMUL_OK;
}

static enum emul_result swapgs(struct emul *e, struct insn *in)
{
    u64 base = 0;
    enum emul_result r;

    if (!in->mode64)
        return emul_ud(e);
    if (e->cpl)
        return emul_gp0(e);
    if (!e->ops->msr_read || !e->ops->msr_write)
        return EMUL_UNHANDLED;
    r = e->ops->msr_read(e, MSR_KERNEL_GS_BASE, &base);
    if (r == EMUL_OK)
        r = e->ops->msr_write(e, MSR_KERNEL_GS_BASE, seg_get(e, SEG_GS)->base);
    if (r != EMUL_OK)
        return r;
    e->seg[SEG_GS].base = base;
    e->seg_changed |= 1u << SEG_GS;
    return EMUL_OK;
}

/* No counters are in CPUID. */
EXEC(rdpmc)
{
    (void)in;
    return emul_gp0(e);
}

static enum emul_result xgetbv(struct emul *e)
{
    u64 val = 0;
    enum emul_result r;

    if (!(e->cr4 & CR4_OSXSAVE))
        return emul_ud(e);
    if (!e->ops->xcr_read)
        return EMUL_UNHANDLED;
    r = e->ops->xcr_read(e, (u32)e->gpr[RCX], &val);
    if (r == EMUL_OK)
        write_edx_eax(e, val);
    return r;
}

static enum emul_result xsetbv(struct emul *e)
{
    u64 val = (u32)e->gpr[RAX] | e->gpr[RDX] << 32;

    if (!(e->cr4 & CR4_OSXSAVE))
        return emul_ud(e);
    if (e->cpl)
        return emul_gp0(e);
    return e->ops->xcr_write ? e->ops->xcr_write(e, (u32)e->gpr[RCX], val) : EMUL_UNHANDLED;
}

/* CLAC and STAC are there where CR4.SMAP can be set, which is not asked: the bit itself is. */
static enum emul_result set_ac(struct emul *e, struct insn *in, bool on)
{
    if (e->cpl)
        return emul_ud(e);
    if (!(e->cr4 & CR4_SMAP))
        return EMUL_UNHANDLED;
    in->flags = on ? in->flags | RFLAGS_AC : in->flags & ~RFLAGS_AC;
    return EMUL_OK;
}

/* 0F 01 with a register. VMX (C1 to C4), MONITOR and MWAIT (C8, C9) and SVM (D8 to DF) are not in the
 * guest's CPUID. */
EXEC(group7_reg)
{
    switch (in->modrm) {
    case 0xc1 ... 0xc4:
    case 0xc8 ... 0xc9:
    case 0xd8 ... 0xdf: return emul_ud(e);
    case 0xca: return set_ac(e, in, false);
    case 0xcb: return set_ac(e, in, true);
    case 0xd0: return xgetbv(e);
    case 0xd1: return xsetbv(e);
    case 0xf8: return swapgs(e, in);
    case 0xf9: return exec_rdtsc(e, in);
    default: return EMUL_UNHANDLED;
    }
}

/* F3 0F AE with a register: RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE by ModRM.reg. */
EXEC(fsgsbase)
{
    unsigned ext = in->modrm >> 3 & 7, n = ext & 1 ? SEG_GS : SEG_FS;
    struct seg s = *seg_get(e, n);

    if (in->rep != 0xf3)
        return EMUL_UNHANDLED;
    if (!in->mode64 || !(e->cr4 & CR4_FSGSBASE))
        return emul_ud(e);
    if (ext < 2) {
        in->dst.val = s.base;
        return operand_store(e, in, &in->dst);
    }
    s.base = in->dst.val;
    if (!is_canonical(e, s.base))
        return emul_gp0(e);
    seg_set(e, n, &s);
    return EMUL_OK;
}
