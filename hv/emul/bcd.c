/* Decimal adjustments (SDM vol. 2, DAA, DAS, AAA, AAS, AAM, AAD) and SALC. */

#include "emul/exec.h"

/* SF, ZF and PF of a byte. */
static u64 byte_flags(u8 v)
{
    u64 flags = 0;
    alu_binary(ALU_TEST, v, v, 1, &flags);
    return flags;
}

static void set_al(struct emul *e, struct insn *in, u8 al, u64 carry)
{
    reg_write(&e->gpr[RAX], al, 1);
    in->flags = (in->flags & ~FLAGS_ARITH) | byte_flags(al) | carry;
}

/* DAA and DAS: add says which. */
static void decimal_adjust(struct emul *e, struct insn *in, bool add)
{
    u8 al = (u8)e->gpr[RAX], old = al;
    bool cf = in->flags & RFLAGS_CF;
    u64 carry = 0;

    if ((al & 15) > 9 || (in->flags & RFLAGS_AF)) {
        carry |= RFLAGS_AF;
        if (!add && al < 6)
            carry |= RFLAGS_CF;
        al = (u8)(add ? al + 6 : al - 6);
    }
    if (old > 0x99 || cf) {
        al = (u8)(add ? al + 0x60 : al - 0x60);
        carry |= RFLAGS_CF;
    }
    set_al(e, in, al, carry);
}

EXEC(daa)
{
    decimal_adjust(e, in, true);
    return EMUL_OK;
}

EXEC(das)
{
    decimal_adjust(e, in, false);
    return EMUL_OK;
}

static void ascii_adjust(struct emul *e, struct insn *in, bool add)
{
    u16 ax = (u16)e->gpr[RAX];
    bool adjust = (ax & 15) > 9 || (in->flags & RFLAGS_AF);

    if (adjust)
        ax = (u16)(add ? ax + 0x106 : ax - 0x106);
    ax &= 0xff0f;
    reg_write(&e->gpr[RAX], ax, 2);
    in->flags &= ~FLAGS_ARITH;
    in->flags |= byte_flags((u8)ax) | (adjust ? RFLAGS_AF | RFLAGS_CF : 0);
}

EXEC(aaa)
{
    ascii_adjust(e, in, true);
    return EMUL_OK;
}

EXEC(aas)
{
    ascii_adjust(e, in, false);
    return EMUL_OK;
}

EXEC(aam)
{
    u8 base = (u8)in->imm, al = (u8)e->gpr[RAX];

    if (!base)
        return emul_raise(e, VEC_DE);
    reg_write(&e->gpr[RAX], (u64)(al / base) << 8, 2);
    set_al(e, in, al % base, 0);
    return EMUL_OK;
}

EXEC(aad)
{
    u16 ax = (u16)e->gpr[RAX];
    u8 al = (u8)(ax + (ax >> 8) * (u8)in->imm);

    reg_write(&e->gpr[RAX], 0, 2);
    set_al(e, in, al, 0);
    return EMUL_OK;
}

/* AL from CF; undocumented by Intel, present in all CPUs (APM vol. 3, appendix A). */
EXEC(salc)
{
    reg_write(&e->gpr[RAX], in->flags & RFLAGS_CF ? 0xff : 0, 1);
    return EMUL_OK;
}
