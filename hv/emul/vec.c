/* Moves between a vector register and memory: the MOVs of SSE and SSE2 without arithmetic. */

#include "emul/exec.h"

enum { LOAD, STORE };
enum prefix { P_NONE, P_66, P_F3, P_F2 };

/* Forms by opcode and mandatory prefix (SDM vol. 2). A load of fewer than 16 bytes clears the
 * rest, but for `half`, which changes 8 bytes at that offset only. */
static const struct vec_move {
    u8 opcode, prefix, dir, size;
    bool aligned, partial;
    u8 offset;
} moves[] = {
    {0x10, P_NONE, LOAD, 16, false, false, 0}, /* MOVUPS */
    {0x10, P_66, LOAD, 16, false, false, 0},   /* MOVUPD */
    {0x10, P_F3, LOAD, 4, false, false, 0},    /* MOVSS */
    {0x10, P_F2, LOAD, 8, false, false, 0},    /* MOVSD */
    {0x11, P_NONE, STORE, 16, false, false, 0}, {0x11, P_66, STORE, 16, false, false, 0},
    {0x11, P_F3, STORE, 4, false, false, 0},    {0x11, P_F2, STORE, 8, false, false, 0},
    {0x12, P_NONE, LOAD, 8, false, true, 0}, /* MOVLPS */
    {0x12, P_66, LOAD, 8, false, true, 0},   /* MOVLPD */
    {0x13, P_NONE, STORE, 8, false, false, 0},  {0x13, P_66, STORE, 8, false, false, 0},
    {0x16, P_NONE, LOAD, 8, false, true, 8}, /* MOVHPS */
    {0x16, P_66, LOAD, 8, false, true, 8},   /* MOVHPD */
    {0x17, P_NONE, STORE, 8, false, false, 8},  {0x17, P_66, STORE, 8, false, false, 8},
    {0x28, P_NONE, LOAD, 16, true, false, 0}, /* MOVAPS */
    {0x28, P_66, LOAD, 16, true, false, 0},   /* MOVAPD */
    {0x29, P_NONE, STORE, 16, true, false, 0},  {0x29, P_66, STORE, 16, true, false, 0},
    {0x2b, P_NONE, STORE, 16, true, false, 0}, /* MOVNTPS */
    {0x2b, P_66, STORE, 16, true, false, 0},   /* MOVNTPD */
    {0x6e, P_66, LOAD, 4, false, false, 0},    /* MOVD, with REX.W MOVQ */
    {0x6f, P_66, LOAD, 16, true, false, 0},    /* MOVDQA */
    {0x6f, P_F3, LOAD, 16, false, false, 0},   /* MOVDQU */
    {0x7e, P_66, STORE, 4, false, false, 0},    {0x7e, P_F3, LOAD, 8, false, false, 0}, /* MOVQ */
    {0x7f, P_66, STORE, 16, true, false, 0},    {0x7f, P_F3, STORE, 16, false, false, 0},
    {0xd6, P_66, STORE, 8, false, false, 0}, /* MOVQ */
    {0xe7, P_66, STORE, 16, true, false, 0}, /* MOVNTDQ */
    {0xf0, P_F2, LOAD, 16, false, false, 0}, /* LDDQU */
};

static const struct vec_move *vec_find(const struct insn *in)
{
    unsigned prefix = in->rep == 0xf3 ? P_F3 : in->rep == 0xf2 ? P_F2 : in->data16 ? P_66 : P_NONE;
    for (unsigned i = 0; i < array_size(moves); i++)
        if (moves[i].opcode == in->opcode && moves[i].prefix == prefix)
            return &moves[i];
    return NULL;
}

/* SDM vol. 3, 13.1: #UD by CR0.EM and CR4.OSFXSR, #NM by CR0.TS. */
static enum emul_result vec_check(struct emul *e)
{
    if ((e->cr0 & CR0_EM) || !(e->cr4 & CR4_OSFXSR))
        return emul_ud(e);
    if (e->cr0 & CR0_TS)
        return emul_raise(e, VEC_NM);
    return EMUL_OK;
}

enum emul_result exec_vec_move(struct emul *e, struct insn *in)
{
    const struct vec_move *m = vec_find(in);
    unsigned size;
    u8 v[16] = {0};
    u64 la = 0;
    enum emul_result r;

    if (!m || !in->has_mem || !e->ops->vec_read || !e->ops->vec_write)
        return EMUL_UNHANDLED;
    r = vec_check(e);
    if (r != EMUL_OK)
        return r;
    size = m->size == 4 && (in->opcode & 0xef) == 0x6e && (in->rex & 8) ? 8 : m->size;
    r = emul_linear(e, in, in->seg, in->ea, size, m->dir == STORE ? EMUL_WRITE : EMUL_READ, &la);
    if (r != EMUL_OK)
        return r;
    if (m->aligned && (la & 15))
        return emul_gp0(e);
    if (m->dir == STORE) {
        e->ops->vec_read(e, in->reg, v);
        return e->ops->write(e, la, v + m->offset, size, EMUL_WRITE);
    }
    __builtin_memset(v, 0, sizeof(v));
    if (m->partial)
        e->ops->vec_read(e, in->reg, v);
    r = e->ops->read(e, la, v + m->offset, size, EMUL_READ);
    if (r == EMUL_OK)
        e->ops->vec_write(e, in->reg, v);
    return r;
}
