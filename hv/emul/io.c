/* IN and OUT, and the I/O permission bitmap of the TSS (SDM vol. 1, 19.5). */

#include "emul/exec.h"

#define TSS_IO_BASE 0x66

/* Reads of the TSS are supervisor accesses; beyond its limit is #GP(0). */
static enum emul_result tss_read16(struct emul *e, u32 offset, u16 *val)
{
    const struct seg *tr = seg_get(e, SEG_TR);

    if (offset + 1 > tr->limit)
        return emul_gp0(e);
    return e->ops->read(e, tr->base + offset, val, 2, EMUL_READ | EMUL_IMPLICIT);
}

enum emul_result emul_io_check(struct emul *e, const struct insn *in, u16 port, unsigned size)
{
    unsigned iopl = in->flags >> 12 & 3;
    u16 base = 0, bits = 0;
    enum emul_result r;

    if (!(e->cr0 & CR0_PE) || (e->cpl <= iopl && !(e->rflags & RFLAGS_VM)))
        return EMUL_OK;
    if (!(seg_get(e, SEG_TR)->attr & 8)) /* a 16-bit TSS has none */
        return emul_gp0(e);
    r = tss_read16(e, TSS_IO_BASE, &base);
    if (r == EMUL_OK)
        r = tss_read16(e, (u32)base + port / 8, &bits);
    if (r == EMUL_OK && (bits >> port % 8 & ((1u << size) - 1)))
        r = emul_gp0(e);
    return r;
}

/* arg 1: the port is DX, else an immediate byte. I/O has at most 4 bytes. */
EXEC(in)
{
    unsigned size = in->size == 8 ? 4 : in->size;
    u16 port = in->op->arg ? (u16)e->gpr[RDX] : (u8)in->imm;
    u32 val = 0;
    enum emul_result r = emul_io_check(e, in, port, size);

    if (r == EMUL_OK)
        r = e->ops->in(e, port, size, &val);
    if (r == EMUL_OK)
        reg_write(&e->gpr[RAX], val, size);
    return r;
}

EXEC(out)
{
    unsigned size = in->size == 8 ? 4 : in->size;
    u16 port = in->op->arg ? (u16)e->gpr[RDX] : (u8)in->imm;
    enum emul_result r = emul_io_check(e, in, port, size);

    if (r == EMUL_OK)
        r = e->ops->out(e, port, size, (u32)(e->gpr[RAX] & size_mask(size)));
    return r;
}
