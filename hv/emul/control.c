/* Near transfers of control. */

#include "emul/exec.h"

enum emul_result emul_jump(struct emul *e, struct insn *in, u64 rip)
{
    rip &= size_mask(in->opsize);
    if (in->mode64 ? !is_canonical(e, rip) : rip > seg_get(e, SEG_CS)->limit)
        return emul_gp0(e);
    in->next = rip;
    return EMUL_OK;
}

EXEC(nop)
{
    (void)e;
    (void)in;
    return EMUL_OK;
}

/* LFENCE, MFENCE, SFENCE: there is nothing to order here. With a prefix they are others. */
EXEC(fence)
{
    (void)e;
    return in->data16 || in->rep ? EMUL_UNHANDLED : EMUL_OK;
}

EXEC(jcc)
{
    return condition(in->flags, in->opcode & 15) ? emul_jump(e, in, in->next + in->imm) : EMUL_OK;
}

EXEC(jmp)
{
    return emul_jump(e, in, in->next + in->imm);
}

EXEC(jmp_rm)
{
    return emul_jump(e, in, in->src.val);
}

static enum emul_result call(struct emul *e, struct insn *in, u64 target)
{
    u64 back = in->next;
    enum emul_result r = emul_jump(e, in, target);
    return r == EMUL_OK ? emul_push(e, in, back, in->opsize) : r;
}

EXEC(call)
{
    return call(e, in, in->next + in->imm);
}

EXEC(call_rm)
{
    return call(e, in, in->src.val);
}

EXEC(ret)
{
    u64 rip = 0, sp = e->gpr[RSP];
    enum emul_result r = emul_pop(e, in, &rip, in->opsize);

    if (r == EMUL_OK)
        r = emul_jump(e, in, rip);
    if (r != EMUL_OK)
        e->gpr[RSP] = sp;
    else if (in->imm)
        emul_sp_set(e, in, e->gpr[RSP] + in->imm);
    return r;
}

/* LOOPNE, LOOPE, LOOP by opcode. The counter has the address size. */
EXEC(loop)
{
    u64 count = (e->gpr[RCX] - 1) & size_mask(in->adsize);
    bool taken = count;
    enum emul_result r = EMUL_OK;

    if (in->opcode != 0xe2 && !(in->flags & RFLAGS_ZF) != (in->opcode == 0xe0))
        taken = false;
    if (taken)
        r = emul_jump(e, in, in->next + in->imm);
    if (r == EMUL_OK)
        reg_write(&e->gpr[RCX], count, in->adsize);
    return r;
}

EXEC(jcxz)
{
    if (e->gpr[RCX] & size_mask(in->adsize))
        return EMUL_OK;
    return emul_jump(e, in, in->next + in->imm);
}

/* Two signed bounds in memory. */
EXEC(bound)
{
    unsigned size = in->size;
    u8 mem[8] = {0};
    u64 lower = 0, upper = 0;
    s64 index = (s64)sign_extend(in->dst.val, size);
    enum emul_result r = emul_mem_read(e, in, in->seg, in->ea, mem, 2 * size);

    if (r != EMUL_OK)
        return r;
    __builtin_memcpy(&lower, mem, size);
    __builtin_memcpy(&upper, mem + size, size);
    if (index < (s64)sign_extend(lower, size) || index > (s64)sign_extend(upper, size))
        return emul_raise(e, VEC_BR);
    return EMUL_OK;
}
