/* Arithmetic and logic. The host's own instruction does the work, so that flags, undefined ones
 * included, are those of a real CPU. */

#include "emul/exec.h"

/* LAHF and SETO bring the flags to AX: no stack, nothing but arithmetic flags. */
static inline void flags_set(u64 *flags, unsigned ax, u64 mask)
{
    u64 v = (ax >> 8 & 0xd5) | (u64)(ax & 1) << 11;
    *flags = (*flags & ~mask) | (v & mask);
}

#define LOAD_CF "bt $0, %k[f]\n\t"

#define ASM_BINARY(pre, name, suffix, m)                                                           \
    __asm__(pre #name #suffix " %" #m "[b], %" #m "[a]\n\tlahf\n\tseto %%al"                       \
            : [a] "+r"(a), "=&a"(ax)                                                               \
            : [b] "r"(b), [f] "r"(*flags)                                                          \
            : "cc")

#define BINARY(name, pre)                                                                          \
    static u64 do_##name(u64 a, u64 b, unsigned size, u64 *flags)                                  \
    {                                                                                              \
        unsigned ax;                                                                               \
        switch (size) {                                                                            \
        case 1: ASM_BINARY(pre, name, b, b); break;                                                \
        case 2: ASM_BINARY(pre, name, w, w); break;                                                \
        case 4: ASM_BINARY(pre, name, l, k); break;                                                \
        default: ASM_BINARY(pre, name, q, q);                                                      \
        }                                                                                          \
        flags_set(flags, ax, FLAGS_ARITH);                                                         \
        return a;                                                                                  \
    }

BINARY(add, "")
BINARY(or, "")
BINARY(adc, LOAD_CF)
BINARY(sbb, LOAD_CF)
BINARY(and, "")
BINARY(sub, "")
BINARY(xor, "")

u64 alu_binary(enum alu_op op, u64 a, u64 b, unsigned size, u64 *flags)
{
    switch (op) {
    case ALU_ADD: return do_add(a, b, size, flags);
    case ALU_OR: return do_or(a, b, size, flags);
    case ALU_ADC: return do_adc(a, b, size, flags);
    case ALU_SBB: return do_sbb(a, b, size, flags);
    case ALU_TEST:
    case ALU_AND: return do_and(a, b, size, flags);
    case ALU_CMP:
    case ALU_SUB: return do_sub(a, b, size, flags);
    default: return do_xor(a, b, size, flags);
    }
}

enum emul_result exec_alu(struct emul *e, struct insn *in)
{
    (void)e;
    in->dst.val = alu_binary(in->op->arg, in->dst.val, in->src.val, in->dst.size, &in->flags);
    return EMUL_OK;
}

#define ASM_UNARY(name, suffix, m)                                                                 \
    __asm__(#name #suffix " %" #m "[a]\n\tlahf\n\tseto %%al" : [a] "+r"(a), "=&a"(ax) : : "cc")

#define UNARY(name, mask)                                                                          \
    enum emul_result exec_##name(struct emul *e, struct insn *in)                                  \
    {                                                                                              \
        u64 a = in->dst.val;                                                                       \
        unsigned ax;                                                                               \
        (void)e;                                                                                   \
        switch (in->dst.size) {                                                                    \
        case 1: ASM_UNARY(name, b, b); break;                                                      \
        case 2: ASM_UNARY(name, w, w); break;                                                      \
        case 4: ASM_UNARY(name, l, k); break;                                                      \
        default: ASM_UNARY(name, q, q);                                                            \
        }                                                                                          \
        in->dst.val = a;                                                                           \
        flags_set(&in->flags, ax, mask);                                                           \
        return EMUL_OK;                                                                            \
    }

UNARY(inc, FLAGS_ARITH & ~RFLAGS_CF)
UNARY(dec, FLAGS_ARITH & ~RFLAGS_CF)
UNARY(neg, FLAGS_ARITH)

enum emul_result exec_not(struct emul *e, struct insn *in)
{
    (void)e;
    in->dst.val = ~in->dst.val;
    return EMUL_OK;
}

/* Shifts and rotates by the count in CL. */

#define ASM_SHIFT(pre, name, suffix, m)                                                            \
    __asm__(pre #name #suffix " %%cl, %" #m "[a]\n\tlahf\n\tseto %%al"                             \
            : [a] "+r"(a), "=&a"(ax)                                                               \
            : "c"(count), [f] "r"(*flags)                                                          \
            : "cc")

#define SHIFT(name, pre)                                                                           \
    static u64 do_##name(u64 a, u8 count, unsigned size, u64 *flags, u64 mask)                     \
    {                                                                                              \
        unsigned ax;                                                                               \
        switch (size) {                                                                            \
        case 1: ASM_SHIFT(pre, name, b, b); break;                                                 \
        case 2: ASM_SHIFT(pre, name, w, w); break;                                                 \
        case 4: ASM_SHIFT(pre, name, l, k); break;                                                 \
        default: ASM_SHIFT(pre, name, q, q);                                                       \
        }                                                                                          \
        flags_set(flags, ax, mask);                                                                \
        return a;                                                                                  \
    }

SHIFT(rol, "")
SHIFT(ror, "")
SHIFT(rcl, LOAD_CF)
SHIFT(rcr, LOAD_CF)
SHIFT(shl, "")
SHIFT(shr, "")
SHIFT(sar, "")

enum emul_result exec_shift(struct emul *e, struct insn *in)
{
    const u64 rotate = RFLAGS_CF | RFLAGS_OF;
    unsigned size = in->dst.size;
    u8 count = in->src.val & (size == 8 ? 63 : 31);
    u64 a = in->dst.val, *flags = &in->flags;

    (void)e;
    if (!count)
        return EMUL_OK; /* flags stay; a destination in memory is written all the same */
    switch (in->op->arg) {
    case 0: a = do_rol(a, count, size, flags, rotate); break;
    case 1: a = do_ror(a, count, size, flags, rotate); break;
    case 2: a = do_rcl(a, count, size, flags, rotate); break;
    case 3: a = do_rcr(a, count, size, flags, rotate); break;
    case 5: a = do_shr(a, count, size, flags, FLAGS_ARITH); break;
    case 7: a = do_sar(a, count, size, flags, FLAGS_ARITH); break;
    default: a = do_shl(a, count, size, flags, FLAGS_ARITH);
    }
    in->dst.val = a;
    return EMUL_OK;
}

#define ASM_DOUBLE(name, suffix, m)                                                                \
    __asm__(#name #suffix " %%cl, %" #m "[b], %" #m "[a]\n\tlahf\n\tseto %%al"                     \
            : [a] "+r"(a), "=&a"(ax)                                                               \
            : [b] "r"(b), "c"(count)                                                               \
            : "cc")

#define DOUBLE_SHIFT(name)                                                                         \
    static u64 do_##name(u64 a, u64 b, u8 count, unsigned size, u64 *flags)                        \
    {                                                                                              \
        unsigned ax;                                                                               \
        switch (size) {                                                                            \
        case 2: ASM_DOUBLE(name, w, w); break;                                                     \
        case 4: ASM_DOUBLE(name, l, k); break;                                                     \
        default: ASM_DOUBLE(name, q, q);                                                           \
        }                                                                                          \
        flags_set(flags, ax, FLAGS_ARITH);                                                         \
        return a;                                                                                  \
    }

DOUBLE_SHIFT(shld)
DOUBLE_SHIFT(shrd)

/* SHLD (arg 0) and SHRD (arg 1); the count is the immediate or CL (arg bit 1). */
enum emul_result exec_double_shift(struct emul *e, struct insn *in)
{
    unsigned size = in->dst.size;
    u8 count = (in->op->arg & 2 ? e->gpr[RCX] : in->imm) & (size == 8 ? 63 : 31);

    if (!count)
        return EMUL_OK;
    in->dst.val = in->op->arg & 1 ? do_shrd(in->dst.val, in->src.val, count, size, &in->flags)
                                  : do_shld(in->dst.val, in->src.val, count, size, &in->flags);
    return EMUL_OK;
}
