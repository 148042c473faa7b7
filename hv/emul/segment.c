/* Segment registers and descriptors (SDM vol. 3, chapters 3 and 5). */

#include "emul/exec.h"

enum emul_result desc_address(struct emul *e, u16 sel, unsigned size, u64 *la)
{
    const struct seg *table = seg_get(e, sel & 4 ? SEG_LDTR : SEG_GDTR);

    if ((sel & 4) && !(table->attr & SEG_P))
        return emul_raise_error(e, VEC_GP, sel & 0xfffc);
    if ((u32)(sel & 0xfff8) + size - 1 > table->limit)
        return emul_raise_error(e, VEC_GP, sel & 0xfffc);
    *la = table->base + (sel & 0xfff8);
    if (!(e->efer & EFER_LMA))
        *la = (u32)*la;
    return EMUL_OK;
}

enum emul_result desc_read(struct emul *e, u16 sel, u64 *desc)
{
    u64 la = 0;
    enum emul_result r = desc_address(e, sel, 8, &la);
    return r == EMUL_OK ? e->ops->read(e, la, desc, 8, EMUL_READ | EMUL_IMPLICIT) : r;
}

/* The hidden part that a descriptor gives. */
void desc_unpack(u64 desc, u16 sel, struct seg *s)
{
    s->sel = sel;
    s->attr = (u16)((desc >> 40 & 0xff) | (desc >> 52 & 0xf) << 8);
    s->base = (desc >> 16 & 0xffffff) | (desc >> 56 & 0xff) << 24;
    s->limit = (u32)((desc & 0xffff) | (desc >> 48 & 0xf) << 16);
    if (s->attr & SEG_G)
        s->limit = s->limit << 12 | 0xfff;
}

/* Sets bits in the type of a descriptor in memory: accessed, or busy. */
enum emul_result desc_set_type(struct emul *e, u16 sel, struct seg *s, unsigned bits)
{
    u64 la = 0;
    u8 byte = (u8)(s->attr | bits);
    enum emul_result r;

    if ((s->attr & bits) == bits)
        return EMUL_OK;
    r = desc_address(e, sel, 8, &la);
    if (r != EMUL_OK)
        return r;
    s->attr |= (u16)bits;
    return e->ops->write(e, la + 5, &byte, 1, EMUL_WRITE | EMUL_IMPLICIT | EMUL_LOCKED);
}

void seg_set(struct emul *e, unsigned n, const struct seg *s)
{
    e->seg[n] = *s;
    e->seg_valid |= 1u << n;
    e->seg_changed |= 1u << n;
}

/* Real mode changes selector and base only, and makes the segment usable; virtual-8086 mode sets
 * all (SDM vol. 3, 20.1.1, 20.2.1). */
void seg_load_real(struct emul *e, unsigned n, u16 sel)
{
    struct seg s = *seg_get(e, n);

    s.sel = sel;
    s.base = (u64)sel << 4;
    if (e->rflags & RFLAGS_VM) {
        s.limit = 0xffff;
        s.attr = 0xf3;
    } else {
        s.attr = (s.attr & (SEG_DB | SEG_G)) | 0x93;
    }
    seg_set(e, n, &s);
}

static enum emul_result seg_load_null(struct emul *e, const struct insn *in, unsigned n, u16 sel)
{
    struct seg s = {.sel = sel};

    if (n == SEG_SS) {
        if (!in->mode64 || e->cpl == 3 || (sel & 3) != e->cpl)
            return emul_gp0(e);
        s.attr = (u16)(e->cpl << 5); /* VMCB: the CPL is SS.DPL */
    }
    seg_set(e, n, &s);
    return EMUL_OK;
}

static bool stack_ok(const struct seg *s, unsigned rpl, unsigned cpl)
{
    return rpl == cpl && SEG_DPL(s->attr) == cpl && (s->attr & (SEG_S | 0xa)) == (SEG_S | 2);
}

static bool data_ok(const struct seg *s, unsigned rpl, unsigned cpl)
{
    if (!(s->attr & SEG_S) || (s->attr & 0xa) == 8) /* system, or execute-only */
        return false;
    if ((s->attr & 0xc) == 0xc) /* conforming code */
        return true;
    return rpl <= SEG_DPL(s->attr) && cpl <= SEG_DPL(s->attr);
}

/* Loads ES, SS, DS, FS or GS. */
enum emul_result seg_load(struct emul *e, const struct insn *in, unsigned n, u16 sel)
{
    struct seg s = {0};
    u64 desc = 0;
    enum emul_result r;
    u32 error = sel & 0xfffc;

    if (!is_protected(e)) {
        seg_load_real(e, n, sel);
        return EMUL_OK;
    }
    if (!error)
        return seg_load_null(e, in, n, sel);
    r = desc_read(e, sel, &desc);
    if (r != EMUL_OK)
        return r;
    desc_unpack(desc, sel, &s);
    if (n == SEG_SS ? !stack_ok(&s, sel & 3, e->cpl) : !data_ok(&s, sel & 3, e->cpl))
        return emul_raise_error(e, VEC_GP, error);
    if (!(s.attr & SEG_P))
        return emul_raise_error(e, n == SEG_SS ? VEC_SS : VEC_NP, error);
    r = desc_set_type(e, sel, &s, 1);
    if (r == EMUL_OK)
        seg_set(e, n, &s);
    return r;
}

/* MOV from a segment register: 16 bits to memory, zero-extended in a register. */
EXEC(mov_sreg_read)
{
    if ((in->modrm >> 3 & 7) > SEG_GS)
        return emul_ud(e);
    in->dst.val = seg_get(e, in->modrm >> 3 & 7)->sel;
    if (in->dst.mem)
        in->dst.size = 2;
    return EMUL_OK;
}

static enum emul_result load_any(struct emul *e, struct insn *in, unsigned n, u16 sel)
{
    enum emul_result r = seg_load(e, in, n, sel);
    if (r == EMUL_OK && n == SEG_SS) {
        e->int_shadow = true;
        in->no_trap = true;
    }
    return r;
}

EXEC(mov_sreg_write)
{
    unsigned n = in->modrm >> 3 & 7;
    if (n > SEG_GS || n == SEG_CS)
        return emul_ud(e);
    return load_any(e, in, n, (u16)in->src.val);
}

/* arg: which register. Zero-extended to operand size (APM vol. 3, PUSH). */
EXEC(push_sreg)
{
    return emul_push(e, in, seg_get(e, in->op->arg)->sel, in->size);
}

EXEC(pop_sreg)
{
    u64 sel = 0, sp = e->gpr[RSP];
    enum emul_result r = emul_pop(e, in, &sel, in->size);

    if (r == EMUL_OK) {
        u64 popped = e->gpr[RSP];
        e->gpr[RSP] = sp;
        r = load_any(e, in, in->op->arg, (u16)sel);
        if (r == EMUL_OK)
            e->gpr[RSP] = popped;
    }
    return r;
}

/* LES, LDS, LSS, LFS, LGS; arg: which. */
EXEC(load_far_pointer)
{
    u8 mem[10] = {0};
    u16 sel = 0;
    enum emul_result r = emul_mem_read(e, in, in->seg, in->ea, mem, in->size + 2u);

    if (r != EMUL_OK)
        return r;
    __builtin_memcpy(&sel, mem + in->size, 2);
    r = seg_load(e, in, in->op->arg, sel);
    in->dst.val = 0;
    __builtin_memcpy(&in->dst.val, mem, in->size);
    return r;
}
