/* Bit tests and scans. */

#include "emul/exec.h"

enum { BT, BTS, BTR, BTC };

/* arg: BT, BTS, BTR, BTC. A bit number from a register reaches beyond an operand in memory
 * (SDM vol. 2, 3.1.1.9, Bit(BitBase, BitOffset)). */
EXEC(bt)
{
    unsigned size = in->size;
    u64 bit = 0;
    enum emul_result r;

    if (in->dst.mem && in->op->src == REG) {
        s64 offset = (s64)sign_extend(in->src.val, size) >> (size == 2 ? 4 : size == 4 ? 5 : 6);
        in->ea = (in->ea + (u64)offset * size) & size_mask(in->adsize);
    }
    r = operand_load(e, in, &in->dst, in->op->arg != BT);
    if (r != EMUL_OK)
        return r;
    bit = 1ull << (in->src.val & (8 * size - 1));
    in->flags = (in->flags & ~RFLAGS_CF) | (in->dst.val & bit ? RFLAGS_CF : 0);
    switch (in->op->arg) {
    case BT: return EMUL_OK;
    case BTS: in->dst.val |= bit; break;
    case BTR: in->dst.val &= ~bit; break;
    default: in->dst.val ^= bit;
    }
    return operand_store(e, in, &in->dst);
}

/* With a source of 0 the destination stays, as CPUs do it (APM vol. 3, BSF). */
EXEC(bsf)
{
    in->flags &= ~RFLAGS_ZF;
    if (!in->src.val) {
        in->flags |= RFLAGS_ZF;
        return EMUL_OK;
    }
    in->dst.val = (u64)__builtin_ctzll(in->src.val);
    return operand_store(e, in, &in->dst);
}

EXEC(bsr)
{
    in->flags &= ~RFLAGS_ZF;
    if (!in->src.val) {
        in->flags |= RFLAGS_ZF;
        return EMUL_OK;
    }
    in->dst.val = 63 - (u64)__builtin_clzll(in->src.val);
    return operand_store(e, in, &in->dst);
}

EXEC(bswap)
{
    (void)e;
    /* Undefined with 16 bits; CPUs give 0. */
    in->dst.val = in->size == 2 ? 0 : __builtin_bswap64(in->dst.val) >> (64 - 8 * in->size);
    return EMUL_OK;
}

static unsigned count_bits(u64 v)
{
    unsigned n = 0;
    for (; v; v &= v - 1)
        n++;
    return n;
}

EXEC(popcnt)
{
    (void)e;
    if (in->rep != 0xf3)
        return emul_ud(e);
    in->dst.val = count_bits(in->src.val);
    in->flags &= ~FLAGS_ARITH;
    if (!in->src.val)
        in->flags |= RFLAGS_ZF;
    return EMUL_OK;
}
