#include "emul/internal.h"

/* What makes an instruction #UD or #GP before its operands count. */
static enum emul_result check(struct emul *e, const struct insn *in)
{
    u32 flags = in->op->flags;

    if (flags & F_UD)
        return emul_ud(e);
    if (!in->op->exec)
        return EMUL_UNHANDLED;
    if (in->lock && !((flags & F_LOCK) && in->dst.mem))
        return emul_ud(e);
    if ((flags & F_NO64) && in->mode64)
        return emul_ud(e);
    if ((flags & F_PROT) && !is_protected(e))
        return emul_ud(e);
    if ((flags & F_MEM) && !in->has_mem)
        return emul_ud(e);
    if ((flags & F_CPL0) && e->cpl)
        return emul_gp0(e);
    return EMUL_OK;
}

static inline enum emul_result execute(struct emul *e, struct insn *in)
{
    const struct opcode *op = in->op;
    enum emul_result r;

    if (op->src && in->src.mem && !(op->flags & F_NOSRC)) {
        r = operand_load(e, in, &in->src, false);
        if (r != EMUL_OK)
            return r;
    }
    if ((op->flags & F_RD) && in->dst.mem) {
        r = operand_load(e, in, &in->dst, op->flags & F_WR);
        if (r != EMUL_OK)
            return r;
    }
    r = op->exec(e, in);
    if (r == EMUL_OK && (op->flags & (F_WR | F_SELF)) == F_WR)
        r = operand_store(e, in, &in->dst);
    return r;
}

void emul_save(struct emul *e, struct emul_undo *undo)
{
    for (unsigned i = 0; i < SEG_COUNT; i++)
        undo->seg[i] = *seg_get(e, i);
    __builtin_memcpy(undo->gpr, e->gpr, sizeof(undo->gpr));
    undo->seg_changed = e->seg_changed;
    undo->rflags = e->rflags;
    undo->cpl = e->cpl;
}

void emul_restore(struct emul *e, const struct emul_undo *undo)
{
    for (unsigned i = 0; i < SEG_COUNT; i++)
        e->seg[i] = undo->seg[i];
    __builtin_memcpy(e->gpr, undo->gpr, sizeof(undo->gpr));
    e->seg_changed = undo->seg_changed;
    e->rflags = undo->rflags;
    e->cpl = undo->cpl;
}

/* For instructions with several effects, of which a later one may fault. */
static enum emul_result execute_undo(struct emul *e, struct insn *in)
{
    struct emul_undo undo;
    enum emul_result r;

    emul_save(e, &undo);
    r = execute(e, in);
    if (r != EMUL_OK && !e->new_task)
        emul_restore(e, &undo);
    return r;
}

enum emul_result emul_step(struct emul *e, unsigned max_iterations)
{
    struct insn in;
    enum emul_result r = insn_begin(e, &in);

    if (unlikely(r != EMUL_OK))
        return r;
    e->int_shadow = false;
    e->trap = e->new_task = e->iret = e->task_trap = false;
    if ((in.bytes[0] == 0x89 || in.bytes[1] == 0x89) && emul_store_fast(e, &in, &r))
        return r;
    r = insn_decode(e, &in);
    if (unlikely(r != EMUL_OK))
        return r;
    if (unlikely(in.lock || !in.op->exec ||
                 (in.op->flags & (F_UD | F_NO64 | F_PROT | F_MEM | F_CPL0)))) {
        r = check(e, &in);
        if (r != EMUL_OK)
            return r;
    }
    in.iterations = max_iterations ? max_iterations : 1;
    r = unlikely(in.op->flags & F_UNDO) ? execute_undo(e, &in) : execute(e, &in);
    if (unlikely(r != EMUL_OK))
        return r;
    /* MOV SS and POP SS hold back the trap as well (SDM vol. 3, 6.8.3). */
    e->trap = (e->rflags & RFLAGS_TF) && !in.no_trap;
    e->rip = in.next;
    e->rflags = in.keep_rf ? in.flags : in.flags & ~RFLAGS_RF;
    return EMUL_OK;
}
