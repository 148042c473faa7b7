/* Instructions that look at descriptors, or load LDTR and TR (SDM vol. 3, 5.10, vol. 2). */

#include "emul/exec.h"

EXEC(str)
{
    enum emul_result r = emul_umip(e);

    in->dst.val = seg_get(e, in->op->arg)->sel;
    if (in->dst.mem)
        in->dst.size = 2;
    return r;
}

/* System descriptors have 16 bytes in long mode: the upper half of the base follows. */
static enum emul_result read_system(struct emul *e, u16 sel, struct seg *s)
{
    u64 desc = 0, la = 0, upper = 0;
    enum emul_result r;

    if (sel & 4)
        return emul_raise_error(e, VEC_GP, sel & 0xfffc);
    r = desc_read(e, sel, &desc);
    if (r != EMUL_OK)
        return r;
    desc_unpack(desc, sel, s);
    if (!(e->efer & EFER_LMA))
        return EMUL_OK;
    r = desc_address(e, sel, 16, &la);
    if (r == EMUL_OK)
        r = e->ops->read(e, la + 8, &upper, 8, EMUL_READ | EMUL_IMPLICIT);
    s->base |= upper << 32;
    if (r == EMUL_OK && ((upper >> 40 & 0x1f) || !is_canonical(e, s->base)))
        r = emul_raise_error(e, VEC_GP, sel & 0xfffc);
    return r;
}

EXEC(lldt)
{
    u16 sel = (u16)in->src.val;
    struct seg s = {.sel = sel};
    enum emul_result r;

    if (sel & 0xfffc) {
        r = read_system(e, sel, &s);
        if (r != EMUL_OK)
            return r;
        if ((s.attr & 0x1f) != 2)
            return emul_raise_error(e, VEC_GP, sel & 0xfffc);
        if (!(s.attr & SEG_P))
            return emul_raise_error(e, VEC_NP, sel & 0xfffc);
    }
    seg_set(e, SEG_LDTR, &s);
    return EMUL_OK;
}

EXEC(ltr)
{
    u16 sel = (u16)in->src.val;
    struct seg s = {0};
    unsigned type;
    enum emul_result r;

    if (!(sel & 0xfffc))
        return emul_gp0(e);
    r = read_system(e, sel, &s);
    if (r != EMUL_OK)
        return r;
    type = s.attr & 0x1f;
    if (type != 9 && (type != 1 || (e->efer & EFER_LMA))) /* an available TSS */
        return emul_raise_error(e, VEC_GP, sel & 0xfffc);
    if (!(s.attr & SEG_P))
        return emul_raise_error(e, VEC_NP, sel & 0xfffc);
    r = desc_set_type(e, sel, &s, 2);
    if (r == EMUL_OK)
        seg_set(e, SEG_TR, &s);
    return r;
}

/* Reads a descriptor for inspection. *found is false where LAR and kin only clear ZF. */
static enum emul_result inspect(struct emul *e, u16 sel, u64 *desc, bool *found)
{
    u64 la = 0;
    const struct seg *table = seg_get(e, sel & 4 ? SEG_LDTR : SEG_GDTR);

    *found = (sel & 0xfffc) && (sel | 7u) <= table->limit && (!(sel & 4) || (table->attr & SEG_P));
    if (!*found)
        return EMUL_OK;
    if (desc_address(e, sel, 8, &la) != EMUL_OK)
        return EMUL_FAULT;
    return e->ops->read(e, la, desc, 8, EMUL_READ | EMUL_IMPLICIT);
}

/* CPL and RPL against DPL; conforming code is open to all. */
static bool visible(const struct emul *e, u16 sel, const struct seg *s)
{
    unsigned dpl = SEG_DPL(s->attr);
    if ((s->attr & (SEG_S | 0xc)) == (SEG_S | 0xc))
        return true;
    return e->cpl <= dpl && (sel & 3u) <= dpl;
}

/* System types that LAR and LSL take (SDM vol. 2, tables 3-52 and 3-55), by bit. */
#define LAR_TYPES 0x1a3eu /* TSS, LDT, call gates, task gate */
#define LAR_TYPES_LONG 0x1a04u
#define LSL_TYPES 0x0a0eu /* TSS, LDT */
#define LSL_TYPES_LONG 0x0a04u

static enum emul_result lar_lsl(struct emul *e, struct insn *in, u32 types, bool lsl)
{
    u16 sel = (u16)in->src.val;
    struct seg s = {0};
    u64 desc = 0;
    bool ok;
    enum emul_result r = inspect(e, sel, &desc, &ok);

    if (r != EMUL_OK)
        return r;
    desc_unpack(desc, sel, &s);
    ok = ok && visible(e, sel, &s) && ((s.attr & SEG_S) || (types >> SEG_TYPE(s.attr) & 1));
    in->flags &= ~RFLAGS_ZF;
    if (!ok)
        return EMUL_OK;
    in->flags |= RFLAGS_ZF;
    in->dst.val = lsl ? s.limit : desc >> 32 & 0xffff00;
    return operand_store(e, in, &in->dst);
}

EXEC(lar)
{
    return lar_lsl(e, in, e->efer & EFER_LMA ? LAR_TYPES_LONG : LAR_TYPES, false);
}

EXEC(lsl)
{
    return lar_lsl(e, in, e->efer & EFER_LMA ? LSL_TYPES_LONG : LSL_TYPES, true);
}

/* VERR, VERW (arg 1). */
EXEC(verr)
{
    u16 sel = (u16)in->src.val;
    struct seg s = {0};
    u64 desc = 0;
    bool ok;
    enum emul_result r = inspect(e, sel, &desc, &ok);

    if (r != EMUL_OK)
        return r;
    desc_unpack(desc, sel, &s);
    ok = ok && (s.attr & SEG_S) && visible(e, sel, &s);
    if (in->op->arg)
        ok = ok && (s.attr & 0xa) == 2; /* writable data */
    else
        ok = ok && (s.attr & 0xa) != 8; /* not execute-only code */
    in->flags = (in->flags & ~RFLAGS_ZF) | (ok ? RFLAGS_ZF : 0);
    return EMUL_OK;
}

EXEC(arpl)
{
    bool adjust = (in->dst.val & 3) < (in->src.val & 3);

    (void)e;
    if (adjust)
        in->dst.val = (in->dst.val & ~3ull) | (in->src.val & 3);
    in->flags = (in->flags & ~RFLAGS_ZF) | (adjust ? RFLAGS_ZF : 0);
    return EMUL_OK;
}
