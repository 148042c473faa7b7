/* Multiplication and division. */

#include "emul/exec.h"

typedef unsigned __int128 u128;
typedef __int128 s128;

/* CF and OF tell that the upper half counts. */
static void mul_flags(struct insn *in, bool wide)
{
    in->flags &= ~(RFLAGS_CF | RFLAGS_OF);
    if (wide)
        in->flags |= RFLAGS_CF | RFLAGS_OF;
}

/* Writes a double-width result to rDX:rAX, or AX for bytes. */
static void write_pair(struct emul *e, unsigned size, u64 lo, u64 hi)
{
    if (size == 1) {
        reg_write(&e->gpr[RAX], (lo & 0xff) | hi << 8, 2);
    } else {
        reg_write(&e->gpr[RAX], lo, size);
        reg_write(&e->gpr[RDX], hi, size);
    }
}

EXEC(mul)
{
    unsigned size = in->dst.size;
    u128 p = (u128)(e->gpr[RAX] & size_mask(size)) * in->dst.val;
    u64 hi = (u64)(p >> (8 * size));

    write_pair(e, size, (u64)p, hi);
    mul_flags(in, hi & size_mask(size));
    return EMUL_OK;
}

EXEC(imul)
{
    unsigned size = in->dst.size;
    s128 p = (s128)(s64)sign_extend(e->gpr[RAX], size) * (s64)sign_extend(in->dst.val, size);

    write_pair(e, size, (u64)p, (u64)(p >> (8 * size)));
    mul_flags(in, p != (s64)sign_extend((u64)p, size));
    return EMUL_OK;
}

/* IMUL with two operands, and with three (arg 1: the immediate is the second factor). */
EXEC(imul2)
{
    unsigned size = in->size;
    u64 factor = in->op->arg ? in->imm : in->dst.val;
    s128 p = (s128)(s64)sign_extend(factor, size) * (s64)sign_extend(in->src.val, size);

    (void)e;
    mul_flags(in, p != (s64)sign_extend((u64)p, size));
    in->dst.val = (u64)p;
    return EMUL_OK;
}

/* hi:lo / d, where hi < d. */
static u64 div128(u64 hi, u64 lo, u64 d, u64 *rem)
{
    u64 q;
    __asm__("divq %[d]" : "=a"(q), "=d"(*rem) : "a"(lo), "d"(hi), [d] "r"(d) : "cc");
    return q;
}

/* The dividend is AX, or rDX:rAX. */
static u128 dividend(const struct emul *e, unsigned size)
{
    u64 mask = size_mask(size);
    if (size == 1)
        return (u16)e->gpr[RAX];
    return (u128)(e->gpr[RDX] & mask) << (8 * size) | (e->gpr[RAX] & mask);
}

EXEC(div)
{
    unsigned size = in->dst.size;
    u128 n = dividend(e, size);
    u64 d = in->dst.val, q, rem;

    if (!d || n >> (8 * size) >= d)
        return emul_raise(e, VEC_DE);
    q = div128((u64)(n >> 64), (u64)n, d, &rem);
    write_pair(e, size, q, rem);
    return EMUL_OK;
}

EXEC(idiv)
{
    unsigned size = in->dst.size;
    unsigned shift = 128 - 16 * size;
    s128 n = (s128)(dividend(e, size) << shift) >> shift;
    s64 d = (s64)sign_extend(in->dst.val, size);
    u128 n_abs = n < 0 ? -(u128)n : (u128)n;
    u64 d_abs = d < 0 ? -(u64)d : (u64)d, q, rem;
    bool negative = (n < 0) != (d < 0);

    if (!d || (u64)(n_abs >> 64) >= d_abs)
        return emul_raise(e, VEC_DE);
    q = div128((u64)(n_abs >> 64), (u64)n_abs, d_abs, &rem);
    if (q > (size_mask(size) >> 1) + negative)
        return emul_raise(e, VEC_DE);
    write_pair(e, size, negative ? -q : q, n < 0 ? -rem : rem);
    return EMUL_OK;
}
