/* The x87 instructions that firmware and boot loaders look for an FPU with: FNINIT, FNCLEX, FNSTSW,
 * FNSTCW, FLDCW, WAIT. The guest's FPU is the one in this CPU. The others are not executed here, but
 * they tell when there is no FPU to use. */

#include "emul/exec.h"

#define STATUS_ES 0x80 /* an unmasked exception is pending (SDM vol. 1, 8.1.3) */

/* A pending error comes at the next waiting instruction. */
static enum emul_result pending(struct emul *e)
{
    u16 status = 0;

    if (!e->ops->fpu)
        return EMUL_UNHANDLED;
    e->ops->fpu(e, EMUL_FPU_STATUS, &status);
    if (!(status & STATUS_ES))
        return EMUL_OK;
    return e->cr0 & CR0_NE ? emul_raise(e, VEC_MF) : EMUL_UNHANDLED;
}

EXEC(wait)
{
    (void)in;
    if ((e->cr0 & CR0_MP) && (e->cr0 & CR0_TS))
        return emul_raise(e, VEC_NM);
    return pending(e);
}

static enum emul_result fldcw(struct emul *e, struct insn *in)
{
    u16 control = 0;
    enum emul_result r = pending(e);

    if (r == EMUL_OK)
        r = emul_mem_read(e, in, in->seg, in->ea, &control, 2);
    if (r == EMUL_OK)
        e->ops->fpu(e, EMUL_FPU_LOAD_CONTROL, &control);
    return r;
}

static enum emul_result store(struct emul *e, struct insn *in, enum emul_fpu what)
{
    u16 value = 0;

    e->ops->fpu(e, what, &value);
    return emul_mem_write(e, in, in->seg, in->ea, &value, 2);
}

EXEC(fpu)
{
    unsigned ext = in->modrm >> 3 & 7;
    u16 status = 0;

    if (e->cr0 & (CR0_EM | CR0_TS))
        return emul_raise(e, VEC_NM);
    if (!e->ops->fpu)
        return EMUL_UNHANDLED;
    if (in->has_mem) {
        if (in->opcode == 0xd9 && ext == 5)
            return fldcw(e, in);
        if (in->opcode == 0xd9 && ext == 7)
            return store(e, in, EMUL_FPU_CONTROL);
        if (in->opcode == 0xdd && ext == 7)
            return store(e, in, EMUL_FPU_STATUS);
        return EMUL_UNHANDLED;
    }
    if (in->opcode == 0xdb && (in->modrm == 0xe2 || in->modrm == 0xe3)) {
        e->ops->fpu(e, in->modrm == 0xe2 ? EMUL_FPU_CLEAR : EMUL_FPU_INIT, &status);
        return EMUL_OK;
    }
    if (in->opcode != 0xdf || in->modrm != 0xe0)
        return EMUL_UNHANDLED;
    e->ops->fpu(e, EMUL_FPU_STATUS, &status);
    reg_write(&e->gpr[RAX], status, 2);
    return EMUL_OK;
}
