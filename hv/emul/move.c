/* Moves, exchanges, conversions. */

#include "emul/exec.h"

EXEC(mov)
{
    (void)e;
    in->dst.val = in->src.val;
    return EMUL_OK;
}

/* MOVSX, MOVSXD. MOVZX is exec_mov: values are zero-extended. */
EXEC(movsx)
{
    (void)e;
    in->dst.val = sign_extend(in->src.val, in->src.size);
    return EMUL_OK;
}

/* Has no 16-bit form: 66 makes it #UD, and 16-bit code writes 32 bits. */
EXEC(movnti)
{
    if (in->data16 || in->rep)
        return emul_ud(e);
    in->dst.size = in->rex & 8 ? 8 : 4;
    in->dst.val = reg_read(in->src.reg, in->dst.size);
    return EMUL_OK;
}

EXEC(movbe)
{
    (void)e;
    if (in->size == 2)
        in->dst.val = __builtin_bswap16((u16)in->src.val);
    else
        in->dst.val = __builtin_bswap64(in->src.val) >> (64 - 8 * in->size);
    return EMUL_OK;
}

EXEC(lea)
{
    (void)e;
    in->dst.val = in->ea;
    return EMUL_OK;
}

EXEC(xchg)
{
    struct operand old = in->dst;
    enum emul_result r;

    in->dst.val = in->src.val;
    r = operand_store(e, in, &in->dst);
    if (r == EMUL_OK)
        reg_write(in->src.reg, old.val, old.size);
    return r;
}

/* With one register as both operands the sum stays. */
EXEC(xadd)
{
    u64 old = in->dst.val;
    enum emul_result r;

    in->dst.val = alu_binary(ALU_ADD, old, in->src.val, in->size, &in->flags);
    if (!in->dst.mem)
        reg_write(in->src.reg, old, in->size);
    r = operand_store(e, in, &in->dst);
    if (r == EMUL_OK && in->dst.mem)
        reg_write(in->src.reg, old, in->size);
    return r;
}

/* A destination in memory is written in either case (SDM vol. 2, CMPXCHG). */
EXEC(cmpxchg)
{
    u64 old = in->dst.val;
    u64 acc = e->gpr[RAX] & size_mask(in->size);
    enum emul_result r = EMUL_OK;

    alu_binary(ALU_CMP, acc, old, in->size, &in->flags);
    if (acc == old)
        in->dst.val = in->src.val;
    if (in->dst.mem || acc == old)
        r = operand_store(e, in, &in->dst);
    if (r == EMUL_OK && acc != old)
        reg_write(&e->gpr[RAX], old, in->size);
    return r;
}

/* CMPXCHG8B, CMPXCHG16B. */
EXEC(cmpxchg8b)
{
    unsigned half = in->rex & 8 ? 8 : 4, access = EMUL_WRITE | (in->lock ? EMUL_LOCKED : 0);
    u64 mask = size_mask(half), la, lo = 0, hi = 0;
    u8 mem[16] = {0};
    bool equal;
    enum emul_result r = emul_linear(e, in, in->seg, in->ea, 2 * half, access, &la);

    if (r != EMUL_OK)
        return r;
    if (half == 8 && (la & 15))
        return emul_gp0(e);
    r = e->ops->read(e, la, mem, 2 * half, access);
    if (r != EMUL_OK)
        return r;
    __builtin_memcpy(&lo, mem, half);
    __builtin_memcpy(&hi, mem + half, half);
    equal = lo == (e->gpr[RAX] & mask) && hi == (e->gpr[RDX] & mask);
    if (equal) {
        __builtin_memcpy(mem, &e->gpr[RBX], half);
        __builtin_memcpy(mem + half, &e->gpr[RCX], half);
    }
    r = e->ops->write(e, la, mem, 2 * half, access);
    if (r != EMUL_OK)
        return r;
    in->flags &= ~RFLAGS_ZF;
    if (equal) {
        in->flags |= RFLAGS_ZF;
    } else {
        reg_write(&e->gpr[RAX], lo, half);
        reg_write(&e->gpr[RDX], hi, half);
    }
    return EMUL_OK;
}

/* A 32-bit destination is zero-extended whether or not the condition holds. */
EXEC(cmov)
{
    (void)e;
    if (condition(in->flags, in->opcode & 15))
        in->dst.val = in->src.val;
    return EMUL_OK;
}

EXEC(setcc)
{
    (void)e;
    in->dst.val = condition(in->flags, in->opcode & 15);
    return EMUL_OK;
}

EXEC(xlat)
{
    u64 ea = (e->gpr[RBX] + (u8)e->gpr[RAX]) & size_mask(in->adsize);
    u8 val = 0;
    enum emul_result r = emul_mem_read(e, in, in->seg, ea, &val, 1);

    if (r == EMUL_OK)
        reg_write(&e->gpr[RAX], val, 1);
    return r;
}

/* CBW, CWDE, CDQE. */
EXEC(cwde)
{
    reg_write(&e->gpr[RAX], sign_extend(e->gpr[RAX], in->size / 2), in->size);
    return EMUL_OK;
}

/* CWD, CDQ, CQO. */
EXEC(cdq)
{
    reg_write(&e->gpr[RDX], (u64)((s64)sign_extend(e->gpr[RAX], in->size) >> 63), in->size);
    return EMUL_OK;
}
