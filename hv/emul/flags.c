/* Instructions on RFLAGS itself. */

#include "emul/exec.h"

static unsigned iopl_of(const struct insn *in)
{
    return in->flags >> 12 & 3;
}

/* CMC, CLC, STC, CLD, STD by opcode. */
EXEC(flag)
{
    (void)e;
    switch (in->opcode) {
    case 0xf5: in->flags ^= RFLAGS_CF; break;
    case 0xf8: in->flags &= ~RFLAGS_CF; break;
    case 0xf9: in->flags |= RFLAGS_CF; break;
    case 0xfc: in->flags &= ~RFLAGS_DF; break;
    default: in->flags |= RFLAGS_DF;
    }
    return EMUL_OK;
}

/* CLI, STI: CPL may not exceed IOPL; in virtual-8086 mode (CPL 3) that means IOPL 3. */
EXEC(cli)
{
    if ((e->cr0 & CR0_PE) && e->cpl > iopl_of(in))
        return emul_gp0(e);
    in->flags &= ~RFLAGS_IF;
    return EMUL_OK;
}

EXEC(sti)
{
    if ((e->cr0 & CR0_PE) && e->cpl > iopl_of(in))
        return emul_gp0(e);
    e->int_shadow = !(in->flags & RFLAGS_IF);
    in->flags |= RFLAGS_IF;
    return EMUL_OK;
}

#define FLAGS_AH (RFLAGS_SF | RFLAGS_ZF | RFLAGS_AF | RFLAGS_PF | RFLAGS_CF)

EXEC(lahf)
{
    u8 ah = (u8)((in->flags & FLAGS_AH) | RFLAGS_FIXED);
    reg_write((u8 *)&e->gpr[RAX] + 1, ah, 1);
    return EMUL_OK;
}

EXEC(sahf)
{
    in->flags = (in->flags & ~FLAGS_AH) | (e->gpr[RAX] >> 8 & FLAGS_AH);
    return EMUL_OK;
}

EXEC(pushf)
{
    if ((e->rflags & RFLAGS_VM) && iopl_of(in) < 3)
        return emul_gp0(e);
    return emul_push(e, in, in->flags & ~(RFLAGS_VM | RFLAGS_RF), in->size);
}

/* Which bits a POPF or IRET of this size may change at this CPL (SDM vol. 2, POPF). */
u64 emul_flags_writable(const struct emul *e, unsigned size)
{
    u64 mask = FLAGS_ARITH | RFLAGS_TF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC | RFLAGS_ID;
    bool real = !(e->cr0 & CR0_PE);

    if (real || e->cpl == 0)
        mask |= RFLAGS_IOPL;
    if (real || e->cpl <= (e->rflags >> 12 & 3))
        mask |= RFLAGS_IF;
    return size == 2 ? mask & 0xffff : mask;
}

EXEC(popf)
{
    u64 val, mask = emul_flags_writable(e, in->size);
    enum emul_result r;

    if ((e->rflags & RFLAGS_VM) && iopl_of(in) < 3)
        return emul_gp0(e);
    r = emul_pop(e, in, &val, in->size);
    if (r == EMUL_OK)
        in->flags = (in->flags & ~mask) | (val & mask);
    return r;
}
