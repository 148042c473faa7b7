/* String instructions. One that faults leaves the registers of the iterations before it. */

#include "emul/exec.h"

static u64 step_of(const struct insn *in)
{
    return in->flags & RFLAGS_DF ? (u64) - (s64)in->size : in->size;
}

static void advance(struct emul *e, const struct insn *in, unsigned reg)
{
    reg_write(&e->gpr[reg], e->gpr[reg] + step_of(in), in->adsize);
}

static u64 address(const struct emul *e, const struct insn *in, unsigned reg)
{
    return e->gpr[reg] & size_mask(in->adsize);
}

static enum emul_result read_si(struct emul *e, struct insn *in, u64 *val)
{
    *val = 0;
    return emul_mem_read(e, in, in->seg, address(e, in, RSI), val, in->size);
}

static enum emul_result read_di(struct emul *e, struct insn *in, u64 *val)
{
    *val = 0;
    return emul_mem_read(e, in, SEG_ES, address(e, in, RDI), val, in->size);
}

static enum emul_result movs_once(struct emul *e, struct insn *in)
{
    u64 val = 0;
    enum emul_result r = read_si(e, in, &val);

    if (r == EMUL_OK)
        r = emul_mem_write(e, in, SEG_ES, address(e, in, RDI), &val, in->size);
    if (r == EMUL_OK) {
        advance(e, in, RSI);
        advance(e, in, RDI);
    }
    return r;
}

static enum emul_result stos_once(struct emul *e, struct insn *in)
{
    enum emul_result r = emul_mem_write(e, in, SEG_ES, address(e, in, RDI), &e->gpr[RAX], in->size);
    if (r == EMUL_OK)
        advance(e, in, RDI);
    return r;
}

static enum emul_result lods_once(struct emul *e, struct insn *in)
{
    u64 val = 0;
    enum emul_result r = read_si(e, in, &val);

    if (r == EMUL_OK) {
        reg_write(&e->gpr[RAX], val, in->size);
        advance(e, in, RSI);
    }
    return r;
}

static enum emul_result scas_once(struct emul *e, struct insn *in)
{
    u64 val, acc = e->gpr[RAX] & size_mask(in->size);
    enum emul_result r = read_di(e, in, &val);

    if (r == EMUL_OK) {
        alu_binary(ALU_CMP, acc, val, in->size, &in->flags);
        advance(e, in, RDI);
    }
    return r;
}

static enum emul_result cmps_once(struct emul *e, struct insn *in)
{
    u64 a = 0, b = 0;
    enum emul_result r = read_si(e, in, &a);

    if (r == EMUL_OK)
        r = read_di(e, in, &b);
    if (r == EMUL_OK) {
        alu_binary(ALU_CMP, a, b, in->size, &in->flags);
        advance(e, in, RSI);
        advance(e, in, RDI);
    }
    return r;
}

/* The read checks that the write will be allowed: a fault after IN would lose what the device gave. */
static enum emul_result ins_once(struct emul *e, struct insn *in)
{
    u64 la = 0;
    u32 val = 0;
    enum emul_result r = emul_linear(e, in, SEG_ES, address(e, in, RDI), in->size, EMUL_WRITE, &la);

    if (r == EMUL_OK)
        r = e->ops->read(e, la, &val, in->size, EMUL_READ | EMUL_WRITE);
    if (r == EMUL_OK)
        r = e->ops->in(e, (u16)e->gpr[RDX], in->size, &val);
    if (r == EMUL_OK)
        r = e->ops->write(e, la, &val, in->size, EMUL_WRITE);
    if (r == EMUL_OK)
        advance(e, in, RDI);
    return r;
}

static enum emul_result outs_once(struct emul *e, struct insn *in)
{
    u64 val = 0;
    enum emul_result r = read_si(e, in, &val);

    if (r == EMUL_OK)
        r = e->ops->out(e, (u16)e->gpr[RDX], in->size, (u32)val);
    if (r == EMUL_OK)
        advance(e, in, RSI);
    return r;
}

/* Repeats by rCX. With until_zf, F3 goes on while ZF is set and F2 while it is clear. TF traps
 * after each iteration. */
static enum emul_result repeat(struct emul *e, struct insn *in, emul_exec *once, bool until_zf)
{
    unsigned limit = e->rflags & RFLAGS_TF ? 1 : in->iterations;

    if (!in->rep)
        return once(e, in);
    for (unsigned i = 0; e->gpr[RCX] & size_mask(in->adsize); i++) {
        enum emul_result r;
        if (i == limit) {
            in->next = e->rip;
            return EMUL_OK;
        }
        r = once(e, in);
        if (r != EMUL_OK)
            return r;
        reg_write(&e->gpr[RCX], e->gpr[RCX] - 1, in->adsize);
        if (until_zf && !(in->flags & RFLAGS_ZF) == (in->rep == 0xf3))
            break;
    }
    return EMUL_OK;
}

EXEC(movs)
{
    return repeat(e, in, movs_once, false);
}

EXEC(stos)
{
    return repeat(e, in, stos_once, false);
}

EXEC(lods)
{
    return repeat(e, in, lods_once, false);
}

EXEC(scas)
{
    return repeat(e, in, scas_once, true);
}

EXEC(cmps)
{
    return repeat(e, in, cmps_once, true);
}

/* INS and OUTS move at most 4 bytes, whatever REX.W says. */
static enum emul_result string_io(struct emul *e, struct insn *in, emul_exec *once)
{
    enum emul_result r;

    if (in->size == 8)
        in->size = 4;
    r = emul_io_check(e, in, (u16)e->gpr[RDX], in->size);
    return r == EMUL_OK ? repeat(e, in, once, false) : r;
}

EXEC(ins)
{
    return string_io(e, in, ins_once);
}

EXEC(outs)
{
    return string_io(e, in, outs_once);
}
