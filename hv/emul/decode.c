/* Prefixes, opcode, ModRM, SIB, displacement and immediates (SDM vol. 2, chapter 2). */

#include "emul/internal.h"

/* Gets the code bytes that follow those in in->bytes. */
static inline bool fetch(struct emul *e, struct insn *in, const struct seg *cs)
{
    u64 la = e->rip + in->have;
    unsigned len = INSN_MAX - in->have, got = 0;

    if (in->mode64) {
        if (unlikely(!is_canonical(e, la)))
            len = 0;
    } else {
        u64 left = (u64)cs->limit + 1 - (u32)la;
        if (unlikely(left < len || left > 1ull << 32))
            len = left > 1ull << 32 ? 0 : (unsigned)left;
        la = (u32)(cs->base + la);
    }
    if (unlikely(!len))
        in->result = emul_gp0(e);
    else
        in->result = e->ops->fetch(e, la, in->bytes + in->have, len, &got);
    if (unlikely(in->result != EMUL_OK))
        return false;
    in->have += (u8)min(got, len);
    return got;
}

static __attribute__((noinline)) bool fetch_more(struct emul *e, struct insn *in)
{
    return fetch(e, in, seg_get(e, SEG_CS));
}

/* The next n (1, 2, 4, 8) code bytes; 0 where there are none, with in->result set. */
static __attribute__((noinline)) u64 next_slow(struct emul *e, struct insn *in, unsigned n)
{
    u64 v = 0;
    for (unsigned i = 0; i < n; i++) {
        if (in->pos == in->have && (in->result != EMUL_OK || !fetch_more(e, in)))
            return 0;
        v |= (u64)in->bytes[in->pos++] << 8 * i;
    }
    return v;
}

static inline u64 next_bytes(struct emul *e, struct insn *in, unsigned n)
{
    const u8 *p = in->bytes + in->pos;
    if (unlikely(in->pos + n > in->have))
        return next_slow(e, in, n);
    in->pos += (u8)n;
    return reg_read(p, n);
}

static inline u8 next_u8(struct emul *e, struct insn *in)
{
    if (likely(in->pos < in->have))
        return in->bytes[in->pos++];
    return (u8)next_slow(e, in, 1);
}

/* Sign-extended. */
static inline u64 next_signed(struct emul *e, struct insn *in, unsigned n)
{
    if (n == 1)
        return (u64)(s64)(s8)next_u8(e, in);
    if (n == 2)
        return (u64)(s64)(s16)next_bytes(e, in, 2);
    return (u64)(s64)(s32)next_bytes(e, in, 4);
}

static void decode_ea16(struct emul *e, struct insn *in)
{
    static const u8 base[8] = {RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX};
    static const u8 index[8] = {RSI, RDI, RSI, RDI, 0, 0, 0, 0};
    unsigned mod = in->modrm >> 6, rm = in->modrm & 7;
    u64 ea = 0;

    if (mod == 0 && rm == 6) {
        ea = next_bytes(e, in, 2);
    } else {
        ea = e->gpr[base[rm]];
        if (rm < 4)
            ea += e->gpr[index[rm]];
        if (in->seg == SEG_COUNT && base[rm] == RBP)
            in->seg = SEG_SS;
        if (mod)
            ea += next_signed(e, in, mod == 1 ? 1 : 2);
    }
    in->ea = (u16)ea;
}

/* Returns base + index and sets *base to the base register, or to RAX where there is none. */
static u64 decode_sib(struct emul *e, struct insn *in, unsigned *base)
{
    u8 sib = next_u8(e, in);
    unsigned index = (sib >> 3 & 7) | (in->rex & 2) << 2;
    u64 ea = 0;

    if ((sib & 7) == 5 && in->modrm < 0x40) {
        ea = next_signed(e, in, 4);
        *base = RAX;
    } else {
        *base = (sib & 7) | (in->rex & 1) << 3;
        ea = e->gpr[*base];
        if (*base == RSP && (in->op->flags & F_IMP_STACK))
            ea += in->opsize;
    }
    if (index != RSP)
        ea += e->gpr[index] << (sib >> 6);
    return ea;
}

static void decode_ea(struct emul *e, struct insn *in)
{
    unsigned mod = in->modrm >> 6, rm = in->modrm & 7, base = in->rm;
    u64 ea;

    if (rm == 4) {
        ea = decode_sib(e, in, &base);
    } else if (rm == 5 && mod == 0) {
        ea = next_signed(e, in, 4);
        in->rip_relative = in->mode64;
        base = RAX;
    } else {
        ea = e->gpr[base];
    }
    if ((base == RSP || base == RBP) && in->seg == SEG_COUNT)
        in->seg = SEG_SS;
    if (mod == 1)
        ea += next_signed(e, in, 1);
    else if (mod == 2)
        ea += next_signed(e, in, 4);
    in->ea = ea;
}

/* Finds the row: the group's where ModRM chooses. */
static void decode_modrm(struct emul *e, struct insn *in)
{
    in->modrm = next_u8(e, in);
    in->reg = (in->modrm >> 3 & 7) | (in->rex & 4) << 1;
    in->rm = (in->modrm & 7) | (in->rex & 1) << 3;
    if (in->op->flags & (F_GROUP | F_GROUP16)) {
        bool second = (in->op->flags & F_GROUP16) && in->modrm >= 0xc0;
        in->op = &in->op->group[(in->modrm >> 3 & 7) + (second ? 8 : 0)];
    }
}

static void decode_imm(struct emul *e, struct insn *in)
{
    switch (in->op->imm) {
    case IMM_8: in->imm = next_signed(e, in, 1); break;
    case IMM_Z: in->imm = next_signed(e, in, in->size == 8 ? 4 : in->size); break;
    case IMM_V: in->imm = next_bytes(e, in, in->size); break;
    case IMM_16: in->imm = next_bytes(e, in, 2); break;
    case IMM_FAR:
        in->imm = next_bytes(e, in, in->opsize);
        in->imm2 = next_bytes(e, in, 2);
        break;
    case IMM_ENTER:
        in->imm = next_bytes(e, in, 2);
        in->imm2 = next_u8(e, in);
        break;
    case IMM_ADDR:
        in->ea = next_bytes(e, in, in->adsize);
        in->has_mem = true;
        break;
    }
}

static inline void operand_reg(struct emul *e, struct insn *in, struct operand *o, unsigned n)
{
    o->reg = reg_ptr(e, in, n, o->size);
    o->val = reg_read(o->reg, o->size);
}

static inline void operand_resolve(struct emul *e, struct insn *in, struct operand *o, u8 spec)
{
    static const u8 sizes[] = {0, 1, 2, 4};
    o->mem = false;
    o->reg = NULL;
    o->size = in->size;
    if (spec & ~PLACE_MASK)
        o->size = spec >> 4 < 4 ? sizes[spec >> 4] : in->mode64 ? 8 : 4;
    switch (spec & PLACE_MASK) {
    case RM:
        if (in->has_mem)
            o->mem = true;
        else
            operand_reg(e, in, o, in->rm);
        break;
    case REG: operand_reg(e, in, o, in->reg); break;
    case OPREG: operand_reg(e, in, o, (in->opcode & 7) | (in->rex & 1) << 3); break;
    case ACC: operand_reg(e, in, o, RAX); break;
    case IMM: o->val = in->imm & size_mask(o->size); break;
    case MOFFS: o->mem = true; break;
    case CL: o->val = (u8)e->gpr[RCX]; break;
    case ONE: o->val = 1; break;
    }
}

static void decode_prefix(struct insn *in, u8 b)
{
    switch (b) {
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
        if (!in->mode64) /* ignored there (SDM vol. 2, 2.2.1) */
            in->seg = b >> 3 & 3;
        break;
    case 0x64: in->seg = SEG_FS; break;
    case 0x65: in->seg = SEG_GS; break;
    case 0x66: in->data16 = true; break;
    case 0x67: in->adsize = in->mode64 ? 4 : in->adsize == 2 ? 4 : 2; break;
    case 0xf0: in->lock = true; break;
    default: in->rep = b;
    }
}

enum emul_result insn_begin(struct emul *e, struct insn *in)
{
    const struct seg *cs = seg_get(e, SEG_CS);
    unsigned db = cs->attr & SEG_DB ? 4 : 2;

    in->mode64 = (e->efer & EFER_LMA) && (cs->attr & SEG_L);
    in->adsize = (u8)(in->mode64 ? 8 : db);
    in->opsize = (u8)(in->mode64 ? 4 : db);
    in->result = EMUL_OK;
    in->pos = in->have = 0;
    in->bytes[1] = 0;
    fetch(e, in, cs);
    return in->result;
}

static void decode_init(struct emul *e, struct insn *in)
{
    in->has_mem = in->rip_relative = in->lock = in->data16 = false;
    in->keep_rf = in->no_trap = false;
    in->rep = in->rex = in->modrm = in->map = 0;
    in->reg = in->rm = 0;
    in->seg = SEG_COUNT;
    in->ea = in->imm = in->imm2 = 0;
    in->flags = e->rflags;
}

/* Opcodes that mean something else in 64-bit mode, or by what follows. */
static void opcode_variant(struct emul *e, struct insn *in)
{
    switch (in->opcode) {
    case 0x63:
        if (in->mode64)
            in->op = &emul_movsxd;
        break;
    case 0x90: /* XCHG R8, rAX with REX.B */
        if (!(in->rex & 1))
            in->op = &emul_nop;
        break;
    default: /* LES and LDS have no register form (SDM vol. 2, 2.3.5) */
        if (in->pos == in->have && in->result == EMUL_OK)
            fetch_more(e, in);
        if (in->pos < in->have && (in->mode64 || in->bytes[in->pos] >= 0xc0))
            in->op = &emul_vex;
    }
}

/* Prefixes and opcode. A 67 prefix that is repeated counts once. */
static void decode_opcode(struct emul *e, struct insn *in)
{
    u8 adsize = in->adsize, b;

    for (;;) {
        b = next_u8(e, in);
        if (in->mode64 && (b & 0xf0) == 0x40) {
            in->rex = b;
            continue;
        }
        if (likely(!(emul_map0[b].flags & F_PREFIX)))
            break;
        in->rex = 0; /* counts only right before the opcode */
        if (b == 0x67)
            in->adsize = adsize;
        decode_prefix(in, b);
    }
    in->op = &emul_map0[b];
    if (b == 0x0f) {
        b = next_u8(e, in);
        in->map = b == 0x38 ? 2 : b == 0x3a ? 3 : 1;
        if (in->map != 1)
            b = next_u8(e, in);
        in->op = in->map == 1 ? &emul_map1[b] : in->map == 2 ? &emul_map2[b] : &emul_map3[b];
    }
    in->opcode = b;
    if (unlikely(in->op->flags & F_VARIANT))
        opcode_variant(e, in);
}

static inline void decode_sizes(struct insn *in)
{
    if (in->rex & 8)
        in->opsize = 8;
    else if (in->data16)
        in->opsize = in->mode64 ? 2 : in->opsize ^ 6;
    else if (in->mode64 && (in->op->flags & F_D64))
        in->opsize = 8;
    in->size = in->op->flags & F_BYTE ? 1 : in->opsize;
}

enum emul_result insn_decode(struct emul *e, struct insn *in)
{
    decode_init(e, in);
    decode_opcode(e, in);
    if (in->op->flags & F_MODRM)
        decode_modrm(e, in);
    decode_sizes(in);
    if ((in->op->flags & F_MODRM) && in->modrm < 0xc0 && !(in->op->flags & F_CR)) {
        in->has_mem = true;
        if (likely(in->adsize != 2))
            decode_ea(e, in);
        else
            decode_ea16(e, in);
    }
    if (in->op->imm)
        decode_imm(e, in);
    if (unlikely(in->result != EMUL_OK))
        return in->result;
    in->next = e->rip + in->pos;
    if (!in->mode64)
        in->next = (u32)in->next;
    if (in->seg == SEG_COUNT)
        in->seg = SEG_DS;
    if (in->rip_relative)
        in->ea += in->next;
    if (in->adsize == 4)
        in->ea = (u32)in->ea;
    operand_resolve(e, in, &in->dst, in->op->dst);
    if (in->op->src)
        operand_resolve(e, in, &in->src, in->op->src);
    return EMUL_OK;
}

enum emul_result emul_decode(struct emul *e, struct emul_insn *insn)
{
    struct insn in;
    enum emul_result r = insn_begin(e, &in);

    if (r == EMUL_OK)
        r = insn_decode(e, &in);
    if (r != EMUL_OK)
        return r;
    if (!in.op->exec && !in.op->flags)
        return EMUL_UNHANDLED;
    *insn = (struct emul_insn){
        .length = in.pos,
        .opcode_map = in.map,
        .opcode = in.opcode,
        .has_modrm = in.op->flags & F_MODRM,
        .modrm = in.modrm,
        .reg = in.reg,
        .rm = in.rm,
        .operand_size = in.size,
        .address_size = in.adsize,
        .lock = in.lock,
        .rep = in.rep == 0xf3,
        .repne = in.rep == 0xf2,
        .has_mem = in.has_mem,
        .mem_seg = in.seg,
        .mem_ea = in.ea,
        .imm = in.imm,
    };
    return EMUL_OK;
}
