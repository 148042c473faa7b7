#include "emul/exec.h"

unsigned emul_stack_size(struct emul *e, const struct insn *in)
{
    if (in->mode64)
        return 8;
    return seg_get(e, SEG_SS)->attr & SEG_DB ? 4 : 2;
}

/* rSP has the width of the stack; with 16 bits the rest stays. */
void emul_sp_set(struct emul *e, const struct insn *in, u64 sp)
{
    reg_write(&e->gpr[RSP], sp, emul_stack_size(e, in));
}

enum emul_result emul_push(struct emul *e, const struct insn *in, u64 val, unsigned size)
{
    u64 sp = (e->gpr[RSP] - size) & size_mask(emul_stack_size(e, in));
    enum emul_result r = emul_mem_write(e, in, SEG_SS, sp, &val, size);

    if (r == EMUL_OK)
        emul_sp_set(e, in, sp);
    return r;
}

enum emul_result emul_pop(struct emul *e, const struct insn *in, u64 *val, unsigned size)
{
    u64 sp = e->gpr[RSP] & size_mask(emul_stack_size(e, in));
    enum emul_result r;

    *val = 0;
    r = emul_mem_read(e, in, SEG_SS, sp, val, size);
    if (r == EMUL_OK)
        emul_sp_set(e, in, sp + size);
    return r;
}

EXEC(push)
{
    return emul_push(e, in, in->src.val, in->size);
}

/* F_UNDO covers a store that faults. */
EXEC(pop)
{
    return emul_pop(e, in, &in->dst.val, in->size);
}

EXEC(pusha)
{
    u64 sp = e->gpr[RSP];

    for (unsigned i = 0; i < 8; i++) {
        enum emul_result r = emul_push(e, in, i == RSP ? sp : e->gpr[i], in->size);
        if (r != EMUL_OK)
            return r;
    }
    return EMUL_OK;
}

EXEC(popa)
{
    for (int i = 7; i >= 0; i--) {
        u64 val;
        enum emul_result r = emul_pop(e, in, &val, in->size);
        if (r != EMUL_OK)
            return r;
        if (i != RSP)
            reg_write(&e->gpr[i], val, in->size);
    }
    return EMUL_OK;
}

/* Pushes the enclosing frame pointers (SDM vol. 1, 6.6). */
static enum emul_result enter_frames(struct emul *e, struct insn *in, unsigned level, u64 frame)
{
    u64 mask = size_mask(emul_stack_size(e, in)), bp = e->gpr[RBP];

    for (unsigned i = 1; i < level; i++) {
        u64 val = 0;
        enum emul_result r;
        bp -= in->size;
        r = emul_mem_read(e, in, SEG_SS, bp & mask, &val, in->size);
        if (r == EMUL_OK)
            r = emul_push(e, in, val, in->size);
        if (r != EMUL_OK)
            return r;
    }
    return emul_push(e, in, frame, in->size);
}

EXEC(enter)
{
    unsigned level = in->imm2 & 31;
    u64 frame = 0, sp = 0, la = 0;
    enum emul_result r = emul_push(e, in, e->gpr[RBP], in->size);

    if (r != EMUL_OK)
        return r;
    frame = e->gpr[RSP];
    if (level) {
        r = enter_frames(e, in, level, frame);
        if (r != EMUL_OK)
            return r;
    }
    /* The new stack top has to be writable. */
    sp = (e->gpr[RSP] - in->imm) & size_mask(emul_stack_size(e, in));
    r = emul_linear(e, in, SEG_SS, sp, in->size, EMUL_WRITE, &la);
    if (r != EMUL_OK)
        return r;
    emul_sp_set(e, in, sp);
    reg_write(&e->gpr[RBP], frame, in->size);
    return EMUL_OK;
}

EXEC(leave)
{
    u64 val = 0;
    enum emul_result r;

    emul_sp_set(e, in, e->gpr[RBP]);
    r = emul_pop(e, in, &val, in->size);
    if (r == EMUL_OK)
        reg_write(&e->gpr[RBP], val, in->size);
    return r;
}
