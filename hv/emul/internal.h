#pragma once

/* What the emulator's files share. The way of an instruction: insn_decode() finds its row in the
 * opcode tables and resolves its operands, emul_step() loads them, calls the row's handler, which
 * works on values and on in->flags, and stores the destination. Registers change last, so that a
 * fault leaves them as they were. */

#include "emul/emul.h"

#define INSN_MAX 15 /* bytes (SDM vol. 2, 2.3.11) */

#define FLAGS_ARITH (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

struct insn;
typedef enum emul_result emul_exec(struct emul *e, struct insn *in);

/* Where an operand is. Or'ed with a size where that differs from the operation's. */
enum operand_place {
    NONE,
    RM,    /* ModRM.rm */
    REG,   /* ModRM.reg */
    OPREG, /* low 3 bits of the opcode */
    ACC,   /* rAX */
    IMM,   /* immediate */
    MOFFS, /* memory at an address in the code */
    CL,
    ONE,
    PLACE_MASK = 0xf,
    SIZE_8 = 0x10,
    SIZE_16 = 0x20,
    SIZE_32 = 0x30,
    SIZE_FULL = 0x40, /* 8 bytes in 64-bit mode, else 4 */
};

enum imm_kind {
    IMM_NONE,
    IMM_8,     /* sign-extended */
    IMM_Z,     /* of operation size, 4 bytes at most, sign-extended */
    IMM_V,     /* of operation size */
    IMM_16,    /* zero-extended */
    IMM_FAR,   /* offset of operand size, then selector into imm2 */
    IMM_ENTER, /* 16 bits, then 8 bits into imm2 */
    IMM_ADDR,  /* of address size, into ea */
};

enum opcode_flag {
    F_MODRM = 1 << 0,
    F_BYTE = 1 << 1,     /* operation size is 1 */
    F_RD = 1 << 2,       /* destination is read */
    F_WR = 1 << 3,       /* destination is written */
    F_SELF = 1 << 4,     /* the handler stores the destination itself */
    F_LOCK = 1 << 5,     /* LOCK is allowed with a memory destination */
    F_LOCKED = 1 << 6,   /* locked even without LOCK */
    F_NO64 = 1 << 7,     /* #UD in 64-bit mode */
    F_D64 = 1 << 8,      /* operand size is 64 bits in 64-bit mode, or 16 */
    F_CPL0 = 1 << 9,     /* #GP(0) at another CPL */
    F_PROT = 1 << 10,    /* #UD in real and virtual-8086 mode */
    F_MEM = 1 << 11,     /* #UD with a register as ModRM.rm */
    F_NOSRC = 1 << 12,   /* a source in memory is not loaded */
    F_UNDO = 1 << 13,    /* registers are put back on a fault */
    F_GROUP = 1 << 14,   /* group[ModRM.reg] */
    F_GROUP16 = 1 << 15, /* group[ModRM.reg], plus 8 if ModRM.mod is 3 */
    F_PREFIX = 1 << 16,
    F_UD = 1 << 17,        /* undefined: #UD */
    F_IMP_STACK = 1 << 18, /* ModRM.rm based on rSP counts after the pop */
    F_VARIANT = 1 << 20,   /* see opcode_variant() */
    F_CR = 1 << 19,        /* ModRM.mod is ignored; rm is a register of full size */
};

/* A row of the opcode tables. One without handler is decoded only. */
struct opcode {
    union {
        emul_exec *exec;
        const struct opcode *group;
    };
    u8 dst, src, imm; /* enum operand_place, enum imm_kind */
    u8 arg;           /* the handler's */
    u32 flags;
};

extern const struct opcode emul_map0[256], emul_map1[256], emul_map2[256], emul_map3[256];
extern const struct opcode emul_movsxd, emul_nop, emul_vex;

struct operand {
    void *reg; /* or NULL */
    u64 val;   /* zero-extended */
    u8 size;   /* bytes */
    bool mem;
};

struct insn {
    const struct opcode *op;
    enum emul_result result; /* of code fetch */
    u8 bytes[16];
    u8 pos, have; /* in bytes[] */
    bool mode64;
    u8 opsize, size, adsize; /* bytes; size is opsize or 1 */
    u8 seg;                  /* of the memory operand */
    u8 opcode;
    /* From here to rm all start as 0. */
    bool has_mem, rip_relative, lock;
    bool data16; /* prefix 66 */
    u8 rep;      /* F2, F3 or 0 */
    u8 rex;      /* or 0 */
    u8 map, modrm;
    bool keep_rf, no_trap;
    u8 reg, rm; /* with REX */
    u64 ea;
    u64 la;
    u64 imm, imm2;
    u64 next;  /* RIP to be */
    u64 flags; /* RFLAGS to be */
    unsigned iterations;
    struct operand dst, src;
};

/* Also of code bytes and a TSS's image, at any address. */
typedef u16 __attribute__((may_alias, aligned(1))) reg16;
typedef u32 __attribute__((may_alias, aligned(1))) reg32;
typedef u64 __attribute__((may_alias, aligned(1))) reg64;

/* decode.c: finds the mode and fetches the first code bytes; then decodes. */
enum emul_result insn_begin(struct emul *e, struct insn *in);
enum emul_result insn_decode(struct emul *e, struct insn *in);

/* fast.c: executes the most frequent form of store. False if it is another instruction. */
bool emul_store_fast(struct emul *e, struct insn *in, enum emul_result *result);

/* fault.c: fill e->fault and return EMUL_FAULT. Error codes are dropped in real mode. */
enum emul_result emul_raise(struct emul *e, unsigned vector);
enum emul_result emul_raise_error(struct emul *e, unsigned vector, u32 error);
enum emul_result emul_gp0(struct emul *e);
enum emul_result emul_ud(struct emul *e);

/* step.c: the registers that come back when an instruction with several effects faults. */
struct emul_undo {
    struct seg seg[SEG_COUNT];
    u64 gpr[16], rflags;
    u32 seg_changed;
    u8 cpl;
};
void emul_save(struct emul *e, struct emul_undo *undo);
void emul_restore(struct emul *e, const struct emul_undo *undo);

/* access.c */
void emul_seg_fill(struct emul *e, unsigned n);
enum emul_result emul_linear(struct emul *e, const struct insn *in, unsigned seg, u64 ea,
                             unsigned size, unsigned access, u64 *la);
enum emul_result emul_mem_read(struct emul *e, const struct insn *in, unsigned seg, u64 ea,
                               void *buf, unsigned size);
enum emul_result emul_mem_write(struct emul *e, const struct insn *in, unsigned seg, u64 ea,
                                const void *buf, unsigned size);
enum emul_result operand_load(struct emul *e, struct insn *in, struct operand *o, bool for_write);
enum emul_result operand_store(struct emul *e, struct insn *in, struct operand *o);

/* stack.c: values of size bytes at SS:rSP, which follows. */
unsigned emul_stack_size(struct emul *e, const struct insn *in);
enum emul_result emul_push(struct emul *e, const struct insn *in, u64 val, unsigned size);
enum emul_result emul_pop(struct emul *e, const struct insn *in, u64 *val, unsigned size);
void emul_sp_set(struct emul *e, const struct insn *in, u64 sp);

/* alu.c */
enum alu_op { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP, ALU_TEST };
u64 alu_binary(enum alu_op op, u64 a, u64 b, unsigned size, u64 *flags);

/* Sets RIP after a near or far transfer; #GP(0) if it is outside CS. */
enum emul_result emul_jump(struct emul *e, struct insn *in, u64 rip);

/* io.c: may the port be used at this CPL? */
enum emul_result emul_io_check(struct emul *e, const struct insn *in, u16 port, unsigned size);

/* flags.c */
u64 emul_flags_writable(const struct emul *e, unsigned size);

/* system.c: #GP(0) for user code under CR4.UMIP. */
enum emul_result emul_umip(struct emul *e);

/* segment.c: descriptors, and loads of segment registers other than CS. */
enum emul_result desc_address(struct emul *e, u16 sel, unsigned size, u64 *la);
enum emul_result desc_read(struct emul *e, u16 sel, u64 *desc);
enum emul_result desc_set_type(struct emul *e, u16 sel, struct seg *s, unsigned bits);
void desc_unpack(u64 desc, u16 sel, struct seg *s);
void seg_set(struct emul *e, unsigned n, const struct seg *s);
void seg_load_real(struct emul *e, unsigned n, u16 sel);
enum emul_result seg_load(struct emul *e, const struct insn *in, unsigned n, u16 sel);

static inline bool is_protected(const struct emul *e)
{
    return (e->cr0 & CR0_PE) && !(e->rflags & RFLAGS_VM);
}

static inline struct seg *seg_get(struct emul *e, unsigned n)
{
    if (unlikely(!(e->seg_valid >> n & 1)))
        emul_seg_fill(e, n);
    return &e->seg[n];
}

static inline bool is_canonical(const struct emul *e, u64 la)
{
    unsigned shift = e->cr4 & CR4_LA57 ? 7 : 16;
    return (u64)((s64)(la << shift) >> shift) == la;
}

static inline u64 size_mask(unsigned size)
{
    return ~0ull >> (64 - 8 * size);
}

static inline u64 sign_extend(u64 v, unsigned size)
{
    unsigned shift = 64 - 8 * size;
    return (u64)((s64)(v << shift) >> shift);
}

static inline u64 reg_read(const void *reg, unsigned size)
{
    switch (size) {
    case 1: return *(const u8 *)reg;
    case 2: return *(const reg16 *)reg;
    case 4: return *(const reg32 *)reg;
    default: return *(const reg64 *)reg;
    }
}

/* A write of 4 bytes clears the upper half (SDM vol. 1, 3.4.1.1). */
static inline void reg_write(void *reg, u64 val, unsigned size)
{
    switch (size) {
    case 1: *(u8 *)reg = (u8)val; break;
    case 2: *(reg16 *)reg = (u16)val; break;
    case 4: *(reg64 *)reg = (u32)val; break;
    default: *(reg64 *)reg = val;
    }
}

/* Register n as a byte: without REX, 4 to 7 are AH, CH, DH, BH. */
static inline void *reg_ptr(struct emul *e, const struct insn *in, unsigned n, unsigned size)
{
    if (size == 1 && n >= 4 && n < 8 && !in->rex)
        return (u8 *)&e->gpr[n - 4] + 1;
    return &e->gpr[n];
}

/* Condition cc of Jcc, SETcc, CMOVcc (SDM vol. 1, appendix B). */
static inline bool condition(u64 flags, unsigned cc)
{
    bool r;
    switch (cc >> 1) {
    case 0: r = flags & RFLAGS_OF; break;
    case 1: r = flags & RFLAGS_CF; break;
    case 2: r = flags & RFLAGS_ZF; break;
    case 3: r = flags & (RFLAGS_CF | RFLAGS_ZF); break;
    case 4: r = flags & RFLAGS_SF; break;
    case 5: r = flags & RFLAGS_PF; break;
    case 6: r = !(flags & RFLAGS_SF) != !(flags & RFLAGS_OF); break;
    default: r = (flags & RFLAGS_ZF) || !(flags & RFLAGS_SF) != !(flags & RFLAGS_OF);
    }
    return r != (cc & 1);
}
