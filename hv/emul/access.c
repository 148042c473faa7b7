/* Segmentation checks (SDM vol. 3, 5.3 to 5.5) and operands in memory. */

#include "emul/linear.h"

void emul_seg_fill(struct emul *e, unsigned n)
{
    if (e->ops->seg_load)
        e->ops->seg_load(e, n);
    e->seg_valid |= 1u << n;
}

enum emul_result emul_seg_violation(struct emul *e, unsigned seg)
{
    return emul_raise_error(e, seg == SEG_SS ? VEC_SS : VEC_GP, 0);
}

enum emul_result emul_linear(struct emul *e, const struct insn *in, unsigned seg, u64 ea,
                             unsigned size, unsigned access, u64 *la)
{
    return linear_address(e, in->mode64, seg, ea, size, access, la);
}

enum emul_result emul_mem_read(struct emul *e, const struct insn *in, unsigned seg, u64 ea,
                               void *buf, unsigned size)
{
    u64 la = 0;
    enum emul_result r = emul_linear(e, in, seg, ea, size, EMUL_READ, &la);
    return r == EMUL_OK ? e->ops->read(e, la, buf, size, EMUL_READ) : r;
}

enum emul_result emul_mem_write(struct emul *e, const struct insn *in, unsigned seg, u64 ea,
                                const void *buf, unsigned size)
{
    u64 la = 0;
    enum emul_result r = emul_linear(e, in, seg, ea, size, EMUL_WRITE, &la);
    return r == EMUL_OK ? e->ops->write(e, la, buf, size, EMUL_WRITE) : r;
}

static inline unsigned locked(const struct insn *in)
{
    return in->lock || (in->op->flags & F_LOCKED) ? EMUL_LOCKED : 0;
}

/* Loads an operand; one that is to be stored as well is checked for that here, so that the store
 * cannot fault in segmentation. */
enum emul_result operand_load(struct emul *e, struct insn *in, struct operand *o, bool for_write)
{
    unsigned access = for_write ? EMUL_READ | EMUL_WRITE | locked(in) : EMUL_READ;
    enum emul_result r;

    if (!o->mem)
        return EMUL_OK;
    r = emul_linear(e, in, in->seg, in->ea, o->size, access, &in->la);
    o->val = 0;
    return r == EMUL_OK ? e->ops->read(e, in->la, &o->val, o->size, access) : r;
}

enum emul_result operand_store(struct emul *e, struct insn *in, struct operand *o)
{
    if (!o->mem) {
        reg_write(o->reg, o->val, o->size);
        return EMUL_OK;
    }
    if (!(in->op->flags & F_RD)) {
        enum emul_result r = emul_linear(e, in, in->seg, in->ea, o->size, EMUL_WRITE, &in->la);
        if (r != EMUL_OK)
            return r;
    }
    return e->ops->write(e, in->la, &o->val, o->size, EMUL_WRITE | locked(in));
}
