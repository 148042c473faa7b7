/* A short way for MOV of a register to memory (89 /r) with 32- or 64-bit addressing and no legacy
 * prefix: what guests write page tables and device registers with. Everything else, and every
 * rare condition, is left to the tables. */

#include "emul/linear.h"

static bool plain(const struct emul *e, const struct insn *in)
{
    /* 9 bytes: REX, opcode, ModRM, SIB, disp32 and one more */
    return in->have >= 9 && in->adsize != 2 && !(e->rflags & RFLAGS_TF);
}

/* Base and index of a SIB byte; false without base. */
static inline bool sib_address(const struct emul *e, u8 sib, unsigned mod, unsigned rex, u64 *ea,
                               unsigned *base)
{
    unsigned index = (sib >> 3 & 7) | (rex & 2) << 2;

    if ((sib & 7) == 5 && !mod)
        return false;
    *base = (sib & 7) | (rex & 1) << 3;
    *ea = e->gpr[*base];
    if (index != RSP)
        *ea += e->gpr[index] << (sib >> 6);
    return true;
}

struct store {
    u64 la, value;
    unsigned size;
    u8 length; /* of the instruction */
};

/* False: another instruction. *result is EMUL_FAULT where the segment does not allow the store. */
static inline bool decode(struct emul *e, const struct insn *in, struct store *s,
                          enum emul_result *result)
{
    const u8 *p = in->bytes;
    unsigned rex = 0, mod, base;
    u64 ea;

    if (in->mode64 && (*p & 0xf0) == 0x40)
        rex = *p++;
    if (*p != 0x89 || !plain(e, in))
        return false;
    mod = p[1] >> 6;
    base = (p[1] & 7) | (rex & 1) << 3;
    s->value = e->gpr[(p[1] >> 3 & 7) | (rex & 4) << 1];
    if (mod == 3 || (!mod && (p[1] & 7) == 5))
        return false;
    if ((p[1] & 7) != 4)
        ea = e->gpr[base];
    else if (!sib_address(e, p[2], mod, rex, &ea, &base))
        return false;
    p += (p[1] & 7) == 4 ? 3 : 2;
    if (mod == 1) {
        ea += (u64)(s64)(s8)*p++;
    } else if (mod == 2) {
        ea += (u64)(s64)(s32)(p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24);
        p += 4;
    }
    if (in->adsize == 4)
        ea = (u32)ea;
    s->size = rex & 8 ? 8 : in->opsize;
    s->length = (u8)(p - in->bytes);
    *result = linear_address(e, in->mode64, base == RSP || base == RBP ? SEG_SS : SEG_DS, ea,
                             s->size, EMUL_WRITE, &s->la);
    return true;
}

static inline enum emul_result execute(struct emul *e, const struct insn *in, const struct store *s)
{
    enum emul_result result = e->ops->write(e, s->la, &s->value, s->size, EMUL_WRITE);

    if (result == EMUL_OK) {
        e->rip += s->length;
        if (!in->mode64)
            e->rip = (u32)e->rip;
        e->rflags &= ~RFLAGS_RF; /* set where the store's own fault brought it here */
    }
    return result;
}

bool emul_store_fast(struct emul *e, struct insn *in, enum emul_result *result)
{
    struct store s;

    if (!decode(e, in, &s, result))
        return false;
    if (*result == EMUL_OK)
        *result = execute(e, in, &s);
    return true;
}

bool emul_store_at(struct emul *e, u64 la, unsigned size)
{
    struct insn in;
    struct store s = {0};
    enum emul_result result = insn_begin(e, &in);

    return result == EMUL_OK && decode(e, &in, &s, &result) && result == EMUL_OK && s.la == la &&
           s.size == size && execute(e, &in, &s) == EMUL_OK;
}
