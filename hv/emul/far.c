/* Far transfers of control. */

#include "emul/exec.h"

/* Goes to sel:rip in real or virtual-8086 mode. */
static enum emul_result far_real(struct emul *e, struct insn *in, u16 sel, u64 rip)
{
    enum emul_result r = emul_jump(e, in, rip);
    if (r == EMUL_OK)
        seg_load_real(e, SEG_CS, sel);
    return r;
}

static enum emul_result go(struct emul *e, struct insn *in, u16 sel, u64 rip)
{
    return is_protected(e) ? EMUL_UNHANDLED : far_real(e, in, sel, rip);
}

static enum emul_result call_to(struct emul *e, struct insn *in, u16 sel, u64 rip)
{
    u64 back = in->next;
    enum emul_result r = emul_push(e, in, seg_get(e, SEG_CS)->sel, in->size);
    if (r == EMUL_OK)
        r = emul_push(e, in, back, in->size);
    return r == EMUL_OK ? go(e, in, sel, rip) : r;
}

static enum emul_result read_pointer(struct emul *e, struct insn *in, u16 *sel, u64 *rip)
{
    u8 mem[10];
    enum emul_result r = emul_mem_read(e, in, in->seg, in->ea, mem, in->size + 2u);

    *rip = 0;
    if (r == EMUL_OK) {
        __builtin_memcpy(rip, mem, in->size);
        __builtin_memcpy(sel, mem + in->size, 2);
    }
    return r;
}

EXEC(jmp_far)
{
    return go(e, in, (u16)in->imm2, in->imm);
}

EXEC(jmp_far_mem)
{
    u16 sel;
    u64 rip;
    enum emul_result r = read_pointer(e, in, &sel, &rip);
    return r == EMUL_OK ? go(e, in, sel, rip) : r;
}

EXEC(call_far)
{
    return call_to(e, in, (u16)in->imm2, in->imm);
}

EXEC(call_far_mem)
{
    u16 sel;
    u64 rip;
    enum emul_result r = read_pointer(e, in, &sel, &rip);
    return r == EMUL_OK ? call_to(e, in, sel, rip) : r;
}

EXEC(ret_far)
{
    u64 rip, sel;
    enum emul_result r;

    r = emul_pop(e, in, &rip, in->size);
    if (r == EMUL_OK)
        r = emul_pop(e, in, &sel, in->size);
    if (r == EMUL_OK)
        r = go(e, in, (u16)sel, rip);
    if (r == EMUL_OK)
        emul_sp_set(e, in, e->gpr[RSP] + in->imm);
    return r;
}

EXEC(iret)
{
    u64 rip, sel, flags, mask = emul_flags_writable(e, in->size);
    enum emul_result r;

    if (is_protected(e))
        return EMUL_UNHANDLED;
    if ((e->rflags & RFLAGS_VM) && (in->flags & RFLAGS_IOPL) != RFLAGS_IOPL)
        return emul_gp0(e);
    r = emul_pop(e, in, &rip, in->size);
    if (r == EMUL_OK)
        r = emul_pop(e, in, &sel, in->size);
    if (r == EMUL_OK)
        r = emul_pop(e, in, &flags, in->size);
    if (r == EMUL_OK)
        r = far_real(e, in, (u16)sel, rip);
    if (r == EMUL_OK)
        in->flags = (in->flags & ~mask) | (flags & mask);
    return r;
}

/* INT n, INT3, INTO, INT1 by opcode. */
EXEC(int)
{
    unsigned vector = in->opcode == 0xcd   ? (u8)in->imm
                      : in->opcode == 0xcc ? VEC_BP
                      : in->opcode == 0xf1 ? VEC_DB
                                           : VEC_OF;
    if (in->opcode == 0xce && !(in->flags & RFLAGS_OF))
        return EMUL_OK;
    (void)vector;
    (void)e;
    return EMUL_UNHANDLED;
}
