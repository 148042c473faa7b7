/* Delivery of interrupts and exceptions, INT, IRET (SDM vol. 3, 6.12, 6.14, 20.1.4, 20.3). */

#include "emul/far.h"

struct event {
    u8 vector;
    bool soft; /* INT n, INT3, INTO: the gate's DPL counts */
    bool has_error;
    u32 error;
    u64 rip; /* to return to */
};

#define TASK_GATE 5

struct gate {
    unsigned type, ist, dpl;
    bool present;
    u16 sel;
    u64 rip;
};

void far_external(struct emul *e, bool external)
{
    if (external && e->fault.has_error && e->fault.vector >= VEC_TS && e->fault.vector <= VEC_GP)
        e->fault.error |= 1;
}

static enum emul_result gate_fault(struct emul *e, unsigned vector, const struct event *ev)
{
    return emul_raise_error(e, vector, (u32)ev->vector * 8 + 2);
}

static enum emul_result deliver_real(struct emul *e, struct insn *in, const struct event *ev)
{
    const struct seg *idt = seg_get(e, SEG_IDTR);
    u16 pointer[2] = {0};
    enum emul_result r;

    if (ev->vector * 4u + 3 > idt->limit)
        return emul_gp0(e);
    r = e->ops->read(e, idt->base + ev->vector * 4u, pointer, 4, EMUL_READ);
    if (r == EMUL_OK)
        r = emul_push(e, in, in->flags, 2);
    if (r == EMUL_OK)
        r = emul_push(e, in, seg_get(e, SEG_CS)->sel, 2);
    if (r == EMUL_OK)
        r = emul_push(e, in, ev->rip, 2);
    if (r != EMUL_OK)
        return r;
    in->opsize = 2;
    in->flags &= ~(RFLAGS_IF | RFLAGS_TF | RFLAGS_AC | RFLAGS_RF);
    return far_real(e, in, pointer[1], pointer[0]);
}

static enum emul_result read_gate(struct emul *e, const struct event *ev, struct gate *g)
{
    const struct seg *idt = seg_get(e, SEG_IDTR);
    bool lma = e->efer & EFER_LMA;
    u32 size = lma ? 16 : 8, offset = ev->vector * size;
    u64 d[2] = {0, 0};
    enum emul_result r;

    if (offset + size - 1 > idt->limit)
        return gate_fault(e, VEC_GP, ev);
    r = e->ops->read(e, idt->base + offset, d, size, EMUL_READ | EMUL_IMPLICIT);
    if (r != EMUL_OK)
        return r;
    g->type = d[0] >> 40 & 0x1f;
    g->ist = d[0] >> 32 & 7;
    g->dpl = d[0] >> 45 & 3;
    g->present = d[0] >> 47 & 1;
    g->sel = d[0] >> 16 & 0xffff;
    g->rip = (d[0] & 0xffff) | (g->type & 8 ? d[0] >> 48 << 16 : 0) | (lma ? d[1] << 32 : 0);
    if ((g->type & 0x1e) != 14 && (lma || ((g->type & 0x1e) != 6 && g->type != TASK_GATE)))
        return gate_fault(e, VEC_GP, ev);
    if (ev->soft && g->dpl < e->cpl)
        return gate_fault(e, VEC_GP, ev);
    return g->present ? EMUL_OK : gate_fault(e, VEC_NP, ev);
}

/* The handler's code segment; *cpl is the privilege it runs at. */
static enum emul_result handler_code(struct emul *e, u16 sel, struct seg *code, unsigned *cpl)
{
    u32 error = sel & 0xfffc;
    u64 desc = 0;
    unsigned dpl;
    enum emul_result r;

    if (!(sel & 0xfffc))
        return emul_gp0(e);
    r = desc_read(e, sel, &desc);
    if (r != EMUL_OK)
        return r;
    desc_unpack(desc, sel, code);
    dpl = SEG_DPL(code->attr);
    if ((code->attr & (SEG_S | 8)) != (SEG_S | 8) || dpl > e->cpl)
        return emul_raise_error(e, VEC_GP, error);
    if ((e->efer & EFER_LMA) && (code->attr & (SEG_L | SEG_DB)) != SEG_L)
        return emul_raise_error(e, VEC_GP, error);
    if (!(code->attr & SEG_P))
        return emul_raise_error(e, VEC_NP, error);
    *cpl = code->attr & 4 ? e->cpl : dpl;
    if ((e->rflags & RFLAGS_VM) && *cpl)
        return emul_raise_error(e, VEC_GP, error);
    return desc_set_type(e, sel, code, 1);
}

static enum emul_result push_all(struct emul *e, struct insn *in, const u64 *v, unsigned n,
                                 unsigned size)
{
    enum emul_result r = EMUL_OK;
    for (unsigned i = 0; i < n && r == EMUL_OK; i++)
        r = emul_push(e, in, v[i], size);
    return r;
}

/* The frame of 64-bit mode: always SS:RSP, on a stack aligned to 16 (SDM vol. 3, 6.14). */
static enum emul_result stack_long(struct emul *e, struct insn *in, const struct event *ev,
                                   const struct gate *g, unsigned cpl, u16 cs)
{
    const struct seg *tr = seg_get(e, SEG_TR);
    unsigned offset = g->ist ? 36 + (g->ist - 1) * 8 : 4 + cpl * 8;
    u64 sp = e->gpr[RSP], frame[5] = {seg_get(e, SEG_SS)->sel, sp, in->flags, cs, ev->rip};
    bool inner = cpl != e->cpl;
    enum emul_result r;

    if (inner || g->ist) {
        if (offset + 7 > tr->limit)
            return emul_raise_error(e, VEC_TS, tr->sel & 0xfffc);
        r = e->ops->read(e, tr->base + offset, &sp, 8, EMUL_READ | EMUL_IMPLICIT);
        if (r != EMUL_OK)
            return r;
    }
    if (inner)
        seg_set(e, SEG_SS, &(struct seg){.sel = (u16)cpl, .attr = (u16)(cpl << 5)});
    e->cpl = (u8)cpl;
    in->mode64 = true;
    e->gpr[RSP] = sp & ~15ull;
    return push_all(e, in, frame, 5, 8);
}

/* The frame of a 16- or 32-bit gate; more privilege brings a new stack. */
static enum emul_result stack_legacy(struct emul *e, struct insn *in, const struct event *ev,
                                     unsigned cpl, unsigned size, u16 cs)
{
    u64 old_sp = e->gpr[RSP] & size_mask(emul_stack_size(e, in)), sp = 0;
    u64 frame[9] = {0};
    unsigned n = 0;
    u16 ss = 0;
    enum emul_result r;

    if (cpl != e->cpl) {
        bool vm = e->rflags & RFLAGS_VM;
        static const u8 data[4] = {SEG_GS, SEG_FS, SEG_DS, SEG_ES};
        for (unsigned i = 0; vm && i < 4; i++)
            frame[n++] = seg_get(e, data[i])->sel;
        frame[n++] = seg_get(e, SEG_SS)->sel;
        frame[n++] = old_sp;
        r = far_tss_stack(e, cpl, &ss, &sp);
        if (r == EMUL_OK)
            r = far_load_stack(e, ss, cpl, VEC_TS);
        if (r != EMUL_OK)
            return r;
        for (unsigned i = 0; vm && i < 4; i++)
            seg_set(e, data[i], &(struct seg){0});
        e->rflags &= ~RFLAGS_VM;
        e->cpl = (u8)cpl;
        emul_sp_set(e, in, sp);
    }
    frame[n++] = in->flags;
    frame[n++] = cs;
    frame[n++] = ev->rip;
    return push_all(e, in, frame, n, size);
}

static enum emul_result through_task_gate(struct emul *e, struct insn *in, const struct event *ev,
                                          u16 sel)
{
    struct emul_task task = {
        .sel = sel,
        .source = EMUL_TASK_EVENT,
        .external = !ev->soft,
        .has_error = ev->has_error,
        .error = ev->error,
        .next = ev->rip,
    };
    return far_task_switch(e, in, &task);
}

static enum emul_result deliver_gate(struct emul *e, struct insn *in, const struct event *ev)
{
    u16 cs = seg_get(e, SEG_CS)->sel;
    struct seg code = {0};
    struct gate g = {0};
    unsigned cpl = 0, size;
    enum emul_result r = read_gate(e, ev, &g);

    if (r == EMUL_OK && g.type == TASK_GATE)
        return through_task_gate(e, in, ev, g.sel);
    if (r == EMUL_OK)
        r = handler_code(e, g.sel, &code, &cpl);
    if (r != EMUL_OK)
        return r;
    size = e->efer & EFER_LMA ? 8 : g.type & 8 ? 4 : 2;
    r = size == 8 ? stack_long(e, in, ev, &g, cpl, cs) : stack_legacy(e, in, ev, cpl, size, cs);
    if (r == EMUL_OK && ev->has_error)
        r = emul_push(e, in, ev->error, size);
    if (r != EMUL_OK)
        return r;
    in->flags &= ~(RFLAGS_TF | RFLAGS_VM | RFLAGS_RF | RFLAGS_NT);
    if (!(g.type & 1))
        in->flags &= ~RFLAGS_IF;
    return far_enter_code(e, in, &code, cpl, g.rip);
}

static enum emul_result deliver(struct emul *e, struct insn *in, const struct event *ev)
{
    enum emul_result r = e->cr0 & CR0_PE ? deliver_gate(e, in, ev) : deliver_real(e, in, ev);
    if (r == EMUL_FAULT)
        far_external(e, !ev->soft);
    return r;
}

enum emul_result emul_deliver(struct emul *e, u8 vector, bool soft, bool has_error, u32 error)
{
    const struct seg *cs = seg_get(e, SEG_CS);
    struct event ev = {vector, soft, has_error, error, e->rip};
    struct insn in = {
        .mode64 = (e->efer & EFER_LMA) && (cs->attr & SEG_L),
        .flags = e->rflags,
    };
    struct emul_undo undo;
    enum emul_result r;

    e->trap = e->int_shadow = e->new_task = e->iret = e->task_trap = false;
    emul_save(e, &undo);
    r = deliver(e, &in, &ev);
    if (r != EMUL_OK) {
        if (!e->new_task)
            emul_restore(e, &undo);
        return r;
    }
    e->rip = in.next;
    e->rflags = in.flags;
    return EMUL_OK;
}

/* INT n, INT3, INTO, INT1 by opcode. */
EXEC(int)
{
    struct event ev = {.soft = in->opcode != 0xf1, .rip = in->next};

    switch (in->opcode) {
    case 0xcc: ev.vector = VEC_BP; break;
    case 0xcd: ev.vector = (u8)in->imm; break;
    case 0xf1: ev.vector = VEC_DB; break;
    default: ev.vector = VEC_OF;
    }
    if (in->opcode == 0xce && !(in->flags & RFLAGS_OF))
        return EMUL_OK;
    if (in->opcode == 0xcd && (e->rflags & RFLAGS_VM) && (in->flags & RFLAGS_IOPL) != RFLAGS_IOPL)
        return emul_gp0(e);
    in->no_trap = true;
    return deliver(e, in, &ev);
}

/* The rest of an IRET to virtual-8086 mode: a frame of nine words, then all segments. */
static enum emul_result return_v86(struct emul *e, struct insn *in, u16 cs, u64 rip, u64 flags)
{
    static const u8 order[5] = {SEG_SS, SEG_ES, SEG_DS, SEG_FS, SEG_GS};
    u64 sp = 0, sel[5] = {0};
    enum emul_result r = emul_pop(e, in, &sp, 4);

    for (unsigned i = 0; i < 5 && r == EMUL_OK; i++)
        r = emul_pop(e, in, &sel[i], 4);
    if (r == EMUL_OK && rip > 0xffff)
        r = emul_gp0(e);
    if (r != EMUL_OK)
        return r;
    e->rflags |= RFLAGS_VM;
    e->cpl = 3;
    seg_load_real(e, SEG_CS, cs);
    for (unsigned i = 0; i < 5; i++)
        seg_load_real(e, order[i], (u16)sel[i]);
    reg_write(&e->gpr[RSP], sp, 4);
    in->flags = (flags & 0x3f7fd5) | RFLAGS_FIXED;
    in->keep_rf = true;
    in->next = rip;
    return EMUL_OK;
}

/* To the task that the current TSS has a link to. */
static enum emul_result return_nested(struct emul *e, struct insn *in)
{
    struct emul_task task = {.source = EMUL_TASK_IRET, .next = in->next};
    u64 tss = seg_get(e, SEG_TR)->base;
    enum emul_result r = e->ops->read(e, tss, &task.sel, 2, EMUL_READ | EMUL_IMPLICIT);

    return r == EMUL_OK ? far_task_switch(e, in, &task) : r;
}

EXEC(iret)
{
    u64 rip, sel, flags, mask = emul_flags_writable(e, in->opsize);
    bool protect = is_protected(e);
    enum emul_result r;

    e->iret = true;
    if ((e->rflags & RFLAGS_VM) && (in->flags & RFLAGS_IOPL) != RFLAGS_IOPL)
        return emul_gp0(e);
    if (protect && (in->flags & RFLAGS_NT))
        return e->efer & EFER_LMA ? emul_gp0(e) : return_nested(e, in);
    r = emul_pop(e, in, &rip, in->opsize);
    if (r == EMUL_OK)
        r = emul_pop(e, in, &sel, in->opsize);
    if (r == EMUL_OK)
        r = emul_pop(e, in, &flags, in->opsize);
    if (r != EMUL_OK)
        return r;
    if (protect && (flags & RFLAGS_VM) && in->opsize == 4 && e->cpl == 0 && !(e->efer & EFER_LMA))
        return return_v86(e, in, (u16)sel, rip, flags);
    if (in->opsize > 2) {
        mask |= RFLAGS_RF;
        if (protect && e->cpl == 0)
            mask |= RFLAGS_VIF | RFLAGS_VIP;
    }
    r = protect ? far_return(e, in, (u16)sel, rip, 0, in->mode64) : far_real(e, in, (u16)sel, rip);
    in->flags = (in->flags & ~(mask | RFLAGS_RF)) | (flags & mask);
    in->keep_rf = true;
    return r;
}
