/* Far transfers of control: JMP, CALL, RET, IRET (SDM vol. 3, 5.8 and 6.14, vol. 2). Call gates
 * of long mode are EMUL_UNHANDLED. The rows have F_UNDO, so that a fault
 * in the middle needs no care. */

#include "emul/far.h"

/* Code segment checks. A target by JMP or CALL has its own privilege kept (cpl); a return gives
 * cpl as the RPL of sel. */
static enum emul_result code_segment(struct emul *e, u16 sel, unsigned cpl, bool is_return,
                                     struct seg *s)
{
    u64 desc = 0;
    unsigned dpl;
    enum emul_result r;

    if (!(sel & 0xfffc))
        return emul_gp0(e);
    r = desc_read(e, sel, &desc);
    if (r != EMUL_OK)
        return r;
    desc_unpack(desc, sel, s);
    dpl = SEG_DPL(s->attr);
    if ((s->attr & (SEG_S | 8)) != (SEG_S | 8))
        return emul_raise_error(e, VEC_GP, sel & 0xfffc);
    if (s->attr & 4 ? dpl > cpl : dpl != cpl || (!is_return && (sel & 3u) > cpl))
        return emul_raise_error(e, VEC_GP, sel & 0xfffc);
    if ((e->efer & EFER_LMA) && (s->attr & SEG_L) && (s->attr & SEG_DB))
        return emul_raise_error(e, VEC_GP, sel & 0xfffc);
    if (!(s->attr & SEG_P))
        return emul_raise_error(e, VEC_NP, sel & 0xfffc);
    return desc_set_type(e, sel, s, 1);
}

enum emul_result far_enter_code(struct emul *e, struct insn *in, struct seg *s, unsigned cpl,
                                u64 rip)
{
    bool long_code = (e->efer & EFER_LMA) && (s->attr & SEG_L);

    if (long_code ? !is_canonical(e, rip) : rip > s->limit)
        return emul_gp0(e);
    s->sel = (u16)((s->sel & ~3) | cpl);
    seg_set(e, SEG_CS, s);
    e->cpl = (u8)cpl;
    in->next = rip;
    return EMUL_OK;
}

enum emul_result far_real(struct emul *e, struct insn *in, u16 sel, u64 rip)
{
    enum emul_result r = emul_jump(e, in, rip);
    if (r == EMUL_OK)
        seg_load_real(e, SEG_CS, sel);
    return r;
}

static enum emul_result push_return(struct emul *e, struct insn *in, unsigned size)
{
    enum emul_result r = emul_push(e, in, seg_get(e, SEG_CS)->sel, size);
    return r == EMUL_OK ? emul_push(e, in, in->next, size) : r;
}

enum emul_result far_tss_stack(struct emul *e, unsigned cpl, u16 *ss, u64 *sp)
{
    const struct seg *tr = seg_get(e, SEG_TR);
    bool wide = tr->attr & 8;
    unsigned size = wide ? 4 : 2, offset = wide ? 4 + cpl * 8 : 2 + cpl * 4;
    enum emul_result r;

    *sp = 0;
    if (offset + 2 * size - 1 > tr->limit)
        return emul_raise_error(e, VEC_TS, tr->sel & 0xfffc);
    r = e->ops->read(e, tr->base + offset, sp, size, EMUL_READ | EMUL_IMPLICIT);
    if (r != EMUL_OK)
        return r;
    return e->ops->read(e, tr->base + offset + size, ss, 2, EMUL_READ | EMUL_IMPLICIT);
}

/* Loads SS for privilege cpl; vector is that of a bad selector (#TS or #GP). */
enum emul_result far_load_stack(struct emul *e, u16 sel, unsigned cpl, unsigned vector)
{
    struct seg s = {0};
    u64 desc = 0;
    enum emul_result r;

    if (!(sel & 0xfffc))
        return emul_raise_error(e, vector, 0);
    r = desc_read(e, sel, &desc);
    if (r == EMUL_FAULT && e->fault.vector == VEC_GP)
        e->fault.vector = (u8)vector;
    if (r != EMUL_OK)
        return r;
    desc_unpack(desc, sel, &s);
    if ((sel & 3u) != cpl || SEG_DPL(s.attr) != cpl || (s.attr & (SEG_S | 0xa)) != (SEG_S | 2))
        return emul_raise_error(e, vector, sel & 0xfffc);
    if (!(s.attr & SEG_P))
        return emul_raise_error(e, VEC_SS, sel & 0xfffc);
    r = desc_set_type(e, sel, &s, 1);
    if (r == EMUL_OK)
        seg_set(e, SEG_SS, &s);
    return r;
}

/* Through a call gate to more privilege: a new stack, the old one's address and the parameters. */
static enum emul_result gate_inner(struct emul *e, struct insn *in, struct seg *code, u64 rip,
                                   unsigned size, unsigned params)
{
    unsigned cpl = SEG_DPL(code->attr);
    u32 arg[31];
    u64 old_sp = e->gpr[RSP] & size_mask(emul_stack_size(e, in)), sp = 0;
    u16 old_ss = seg_get(e, SEG_SS)->sel, ss = 0;
    enum emul_result r = EMUL_OK;

    for (unsigned i = 0; i < params && r == EMUL_OK; i++)
        r = emul_mem_read(e, in, SEG_SS, old_sp + i * size, &arg[i], size);
    if (r == EMUL_OK)
        r = far_tss_stack(e, cpl, &ss, &sp);
    if (r == EMUL_OK)
        r = far_load_stack(e, ss, cpl, VEC_TS);
    if (r != EMUL_OK)
        return r;
    e->cpl = (u8)cpl;
    emul_sp_set(e, in, sp);
    r = emul_push(e, in, old_ss, size);
    if (r == EMUL_OK)
        r = emul_push(e, in, old_sp, size);
    for (unsigned i = params; i-- && r == EMUL_OK;)
        r = emul_push(e, in, arg[i], size);
    if (r == EMUL_OK)
        r = push_return(e, in, size);
    return r == EMUL_OK ? far_enter_code(e, in, code, cpl, rip) : r;
}

static enum emul_result to_task(struct emul *e, struct insn *in, u16 sel, bool is_call)
{
    struct emul_task task = {
        .sel = sel, .source = is_call ? EMUL_TASK_CALL : EMUL_TASK_JMP, .next = in->next};
    return far_task_switch(e, in, &task);
}

/* A system descriptor: a call gate, a task gate or a TSS. */
static enum emul_result through_gate(struct emul *e, struct insn *in, u16 gate_sel, u64 desc,
                                     bool is_call)
{
    unsigned type = desc >> 40 & 0xf, size = type == 12 ? 4 : 2, dpl = desc >> 45 & 3;
    u16 sel = desc >> 16 & 0xffff;
    u64 rip = (desc & 0xffff) | (size == 4 ? desc >> 48 << 16 : 0);
    struct seg code = {0};
    u64 target = 0;
    unsigned target_dpl;
    enum emul_result r;

    if ((e->efer & EFER_LMA) && type == 12)
        return EMUL_UNHANDLED;
    if ((e->efer & EFER_LMA) || dpl < e->cpl || dpl < (gate_sel & 3u))
        return emul_raise_error(e, VEC_GP, gate_sel & 0xfffc);
    if ((type & 5) == 1)
        return to_task(e, in, gate_sel, is_call);
    if (type != 4 && type != 12 && type != 5)
        return emul_raise_error(e, VEC_GP, gate_sel & 0xfffc);
    if (!(desc >> 47 & 1))
        return emul_raise_error(e, VEC_NP, gate_sel & 0xfffc);
    if (type == 5)
        return to_task(e, in, sel, is_call);
    if (!(sel & 0xfffc))
        return emul_gp0(e);
    r = desc_read(e, sel, &target);
    if (r != EMUL_OK)
        return r;
    target_dpl = target >> 45 & 3;
    if (!is_call || (target >> 42 & 1) || target_dpl >= e->cpl) { /* same privilege */
        r = code_segment(e, sel & 0xfffc, e->cpl, false, &code);
        if (r == EMUL_OK && is_call)
            r = push_return(e, in, size);
        return r == EMUL_OK ? far_enter_code(e, in, &code, e->cpl, rip) : r;
    }
    r = code_segment(e, sel & 0xfffc, target_dpl, false, &code);
    return r == EMUL_OK ? gate_inner(e, in, &code, rip, size, desc >> 32 & 31) : r;
}

static enum emul_result go(struct emul *e, struct insn *in, u16 sel, u64 rip, bool is_call)
{
    struct seg code = {0};
    u64 desc = 0;
    enum emul_result r;

    if (!is_protected(e)) {
        r = is_call ? push_return(e, in, in->opsize) : EMUL_OK;
        return r == EMUL_OK ? far_real(e, in, sel, rip) : r;
    }
    if (!(sel & 0xfffc))
        return emul_gp0(e);
    r = desc_read(e, sel, &desc);
    if (r != EMUL_OK)
        return r;
    if (!(desc >> 44 & 1))
        return through_gate(e, in, sel, desc, is_call);
    r = code_segment(e, sel, e->cpl, false, &code);
    if (r == EMUL_OK && is_call)
        r = push_return(e, in, in->opsize);
    return r == EMUL_OK ? far_enter_code(e, in, &code, e->cpl, rip & size_mask(in->opsize)) : r;
}

static enum emul_result go_mem(struct emul *e, struct insn *in, bool is_call)
{
    u64 rip = 0;
    u16 sel = 0;
    u8 mem[10] = {0};
    enum emul_result r = emul_mem_read(e, in, in->seg, in->ea, mem, in->opsize + 2u);

    if (r != EMUL_OK)
        return r;
    __builtin_memcpy(&rip, mem, in->opsize);
    __builtin_memcpy(&sel, mem + in->opsize, 2);
    return go(e, in, sel, rip, is_call);
}

EXEC(jmp_far)
{
    return go(e, in, (u16)in->imm2, in->imm, false);
}

EXEC(call_far)
{
    return go(e, in, (u16)in->imm2, in->imm, true);
}

EXEC(jmp_far_mem)
{
    return go_mem(e, in, false);
}

EXEC(call_far_mem)
{
    return go_mem(e, in, true);
}

/* After a return to less privilege, data segments of more privilege are not left behind. */
static void drop_segments(struct emul *e)
{
    for (unsigned n = SEG_ES; n <= SEG_GS; n++) {
        const struct seg *s = seg_get(e, n);
        bool conforming = (s->attr & (SEG_S | 0xc)) == (SEG_S | 0xc);
        if (n == SEG_CS || n == SEG_SS || conforming || !(s->attr & SEG_P))
            continue;
        if (SEG_DPL(s->attr) < e->cpl)
            seg_set(e, n, &(struct seg){0});
    }
}

enum emul_result far_return(struct emul *e, struct insn *in, u16 sel, u64 rip, unsigned extra,
                            bool stack_always)
{
    unsigned rpl = sel & 3;
    struct seg code = {0};
    u64 sp = 0, ss = 0;
    bool outer = rpl > e->cpl;
    enum emul_result r;

    if (rpl < e->cpl)
        return emul_raise_error(e, VEC_GP, sel & 0xfffc);
    r = code_segment(e, sel, rpl, true, &code);
    if (r != EMUL_OK)
        return r;
    if (extra)
        emul_sp_set(e, in, e->gpr[RSP] + extra);
    if (!outer && !stack_always)
        return far_enter_code(e, in, &code, rpl, rip);
    r = emul_pop(e, in, &sp, in->opsize);
    if (r == EMUL_OK)
        r = emul_pop(e, in, &ss, in->opsize);
    if (r != EMUL_OK)
        return r;
    e->cpl = (u8)rpl;
    if (!(ss & 0xfffc) && (code.attr & SEG_L) && (e->efer & EFER_LMA) && rpl != 3)
        seg_set(e, SEG_SS, &(struct seg){.sel = (u16)ss, .attr = (u16)(rpl << 5)});
    else
        r = far_load_stack(e, (u16)ss, rpl, VEC_GP);
    if (r == EMUL_OK)
        r = far_enter_code(e, in, &code, rpl, rip);
    if (r != EMUL_OK)
        return r;
    if ((e->efer & EFER_LMA) && (code.attr & SEG_L))
        e->gpr[RSP] = sp;
    else
        reg_write(&e->gpr[RSP], sp, seg_get(e, SEG_SS)->attr & SEG_DB ? 4 : 2);
    if (extra)
        reg_write(&e->gpr[RSP], e->gpr[RSP] + extra, emul_stack_size(e, in));
    if (outer)
        drop_segments(e);
    return EMUL_OK;
}

EXEC(ret_far)
{
    u64 rip = 0, sel = 0;
    enum emul_result r = emul_pop(e, in, &rip, in->opsize);

    if (r == EMUL_OK)
        r = emul_pop(e, in, &sel, in->opsize);
    if (r != EMUL_OK)
        return r;
    if (is_protected(e))
        return far_return(e, in, (u16)sel, rip, (unsigned)in->imm, false);
    r = far_real(e, in, (u16)sel, rip);
    if (r == EMUL_OK && in->imm)
        emul_sp_set(e, in, e->gpr[RSP] + in->imm);
    return r;
}
