/* Two- and three-byte opcodes. Vector instructions other than moves have a length only. */

#include "emul/row.h"

#define RMW (F_RD | F_WR | F_LOCK)
#define NOP_M ROW(exec_nop, 0, 0, 0, 0, M)
#define VEC SKIP(0, 0)
#define VEC_I SKIP(IMM_8, 0)
#define VEC_MOVE ROW(exec_vec_move, 0, 0, 0, 0, M)

static const struct opcode group6[8] = {
    ROW(exec_str, RM, 0, 0, SEG_LDTR, M | F_WR | F_PROT),
    ROW(exec_str, RM, 0, 0, SEG_TR, M | F_WR | F_PROT),
    ROW(exec_lldt, 0, RM | SIZE_16, 0, 0, M | F_PROT | F_CPL0),
    ROW(exec_ltr, 0, RM | SIZE_16, 0, 0, M | F_PROT | F_CPL0),
    ROW(exec_verr, 0, RM | SIZE_16, 0, 0, M | F_PROT),
    ROW(exec_verr, 0, RM | SIZE_16, 0, 1, M | F_PROT),
    UD_M,
    UD_M,
};

/* With a register: one instruction each, by the whole ModRM. */
#define GROUP7_REG ROW(exec_group7_reg, 0, 0, 0, 0, M)
static const struct opcode group7[16] = {
    ROW(exec_sgdt, 0, 0, 0, SEG_GDTR, M),
    ROW(exec_sgdt, 0, 0, 0, SEG_IDTR, M),
    ROW(exec_lgdt, 0, 0, 0, SEG_GDTR, M | F_CPL0),
    ROW(exec_lgdt, 0, 0, 0, SEG_IDTR, M | F_CPL0),
    ROW(exec_smsw, RM, 0, 0, 0, M | F_WR),
    UD_M,
    ROW(exec_lmsw, 0, RM | SIZE_16, 0, 0, M | F_CPL0),
    ROW(exec_invlpg, 0, 0, 0, 0, M | F_CPL0),
    GROUP7_REG,
    GROUP7_REG,
    GROUP7_REG,
    GROUP7_REG,
    ROW(exec_smsw, RM, 0, 0, 0, M | F_WR),
    GROUP7_REG,
    ROW(exec_lmsw, 0, RM | SIZE_16, 0, 0, M | F_CPL0),
    GROUP7_REG,
};

static const struct opcode group8[8] = {
    UD_M,
    UD_M,
    UD_M,
    UD_M,
    ROW(exec_bt, RM, IMM, IMM_8, 0, M),
    ROW(exec_bt, RM, IMM, IMM_8, 1, M | F_LOCK | F_SELF),
    ROW(exec_bt, RM, IMM, IMM_8, 2, M | F_LOCK | F_SELF),
    ROW(exec_bt, RM, IMM, IMM_8, 3, M | F_LOCK | F_SELF),
};

/* The others: VMPTRLD, VMCLEAR, XSAVEC..., RDRAND, RDSEED. */
static const struct opcode group9[16] = {
    [0] = UD_M,        [1] = ROW(exec_cmpxchg8b, RM, 0, 0, 0, M | F_LOCK | F_SELF),
    [2] = UD_M,        [3 ... 7] = VEC,
    [8 ... 13] = UD_M, [14 ... 15] = VEC,
};

/* FXSAVE and kin have a length only; CLFLUSH and the fences do nothing here. */
static const struct opcode group15[16] = {
    [0 ... 5] = VEC,
    [6 ... 7] = NOP_M,
    [8 ... 11] = ROW(exec_fsgsbase, RM, 0, 0, 0, M),
    [12] = VEC,
    [13 ... 15] = ROW(exec_fence, 0, 0, 0, 0, M),
};

#define FOR8(base, row) [base...(base) + 7] = row
#define FOR16(base, row) [base...(base) + 15] = row

const struct opcode emul_map1[256] = {
    [0x00] = GROUP(group6, 0, 0),
    [0x01] = GROUP16(group7),
    [0x02] = ROW(exec_lar, REG, RM | SIZE_16, 0, 0, M | F_RD | F_SELF | F_PROT),
    [0x03] = ROW(exec_lsl, REG, RM | SIZE_16, 0, 0, M | F_RD | F_SELF | F_PROT),
    [0x04] = UD,
    [0x05] = ROW(exec_syscall, 0, 0, 0, 0, F_UNDO),
    [0x06] = ROW(exec_clts, 0, 0, 0, 0, F_CPL0),
    [0x07] = ROW(exec_sysret, 0, 0, 0, 0, F_UNDO),
    [0x08] = ROW(exec_nop, 0, 0, 0, 0, F_CPL0), /* INVD, WBINVD */
    [0x09] = ROW(exec_nop, 0, 0, 0, 0, F_CPL0),
    [0x0a] = UD,
    [0x0b] = UD,
    [0x0c] = UD,
    [0x0d] = NOP_M,            /* prefetches */
    [0x0e] = {.flags = F_D64}, /* FEMMS */
    [0x0f] = VEC_I,            /* 3DNow! */
    FOR8(0x10, VEC_MOVE),
    FOR8(0x18, NOP_M),
    [0x20] = ROW(exec_mov_cr_read, 0, 0, 0, 0, M | F_CR),
    [0x21] = ROW(exec_mov_dr_read, 0, 0, 0, 0, M | F_CR),
    [0x22] = ROW(exec_mov_cr_write, 0, 0, 0, 0, M | F_CR),
    [0x23] = ROW(exec_mov_dr_write, 0, 0, 0, 0, M | F_CR),
    [0x24 ... 0x27] = UD,
    [0x28 ... 0x29] = VEC_MOVE,
    [0x2a] = VEC,
    [0x2b] = VEC_MOVE,
    [0x2c ... 0x2f] = VEC,
    [0x30] = ROW(exec_wrmsr, 0, 0, 0, 0, F_CPL0),
    [0x31] = ROW(exec_rdtsc, 0, 0, 0, 0, 0),
    [0x32] = ROW(exec_rdmsr, 0, 0, 0, 0, F_CPL0),
    [0x33] = ROW(exec_rdpmc, 0, 0, 0, 0, 0),
    [0x34] = ROW(exec_sysenter, 0, 0, 0, 0, F_UNDO),
    [0x35] = ROW(exec_sysexit, 0, 0, 0, 0, F_UNDO | F_CPL0),
    [0x36] = UD,
    [0x37] = UD, /* GETSEC: no SMX */
    [0x39] = UD,
    [0x3b ... 0x3f] = UD,
    FOR16(0x40, ROW(exec_cmov, REG, RM, 0, 0, M | F_RD | F_WR)),
    [0x50 ... 0x6d] = VEC,
    [0x6e ... 0x6f] = VEC_MOVE,
    [0x70 ... 0x73] = VEC_I,
    [0x74 ... 0x76] = VEC,
    [0x77] = {.flags = F_D64}, /* EMMS */
    [0x78 ... 0x7d] = VEC,
    [0x7e ... 0x7f] = VEC_MOVE,
    FOR16(0x80, ROW(exec_jcc, 0, 0, IMM_Z, 0, F_D64)),
    FOR16(0x90, ROW(exec_setcc, RM, 0, 0, 0, M | B | F_WR)),
    [0xa0] = ROW(exec_push_sreg, 0, 0, 0, SEG_FS, F_D64),
    [0xa1] = ROW(exec_pop_sreg, 0, 0, 0, SEG_FS, F_D64),
    [0xa2] = ROW(exec_cpuid, 0, 0, 0, 0, 0),
    [0xa3] = ROW(exec_bt, RM, REG, 0, 0, M),
    [0xa4] = ROW(exec_double_shift, RM, REG, IMM_8, 0, M | F_RD | F_WR),
    [0xa5] = ROW(exec_double_shift, RM, REG, 0, 2, M | F_RD | F_WR),
    [0xa6 ... 0xa7] = UD,
    [0xa8] = ROW(exec_push_sreg, 0, 0, 0, SEG_GS, F_D64),
    [0xa9] = ROW(exec_pop_sreg, 0, 0, 0, SEG_GS, F_D64),
    [0xaa] = UD, /* RSM: no SMM */
    [0xab] = ROW(exec_bt, RM, REG, 0, 1, M | F_LOCK | F_SELF),
    [0xac] = ROW(exec_double_shift, RM, REG, IMM_8, 1, M | F_RD | F_WR),
    [0xad] = ROW(exec_double_shift, RM, REG, 0, 3, M | F_RD | F_WR),
    [0xae] = GROUP16(group15),
    [0xaf] = ROW(exec_imul2, REG, RM, 0, 0, M | F_RD | F_WR),
    [0xb0] = ROW(exec_cmpxchg, RM, REG, 0, 0, M | B | RMW | F_SELF),
    [0xb1] = ROW(exec_cmpxchg, RM, REG, 0, 0, M | RMW | F_SELF),
    [0xb2] = ROW(exec_load_far_pointer, REG, 0, 0, SEG_SS, M | F_WR | F_MEM),
    [0xb3] = ROW(exec_bt, RM, REG, 0, 2, M | F_LOCK | F_SELF),
    [0xb4] = ROW(exec_load_far_pointer, REG, 0, 0, SEG_FS, M | F_WR | F_MEM),
    [0xb5] = ROW(exec_load_far_pointer, REG, 0, 0, SEG_GS, M | F_WR | F_MEM),
    [0xb6] = ROW(exec_mov, REG, RM | SIZE_8, 0, 0, M | F_WR),
    [0xb7] = ROW(exec_mov, REG, RM | SIZE_16, 0, 0, M | F_WR),
    [0xb8] = ROW(exec_popcnt, REG, RM, 0, 0, M | F_WR),
    [0xb9] = UD_M,
    [0xba] = GROUP(group8, 0, 0),
    [0xbb] = ROW(exec_bt, RM, REG, 0, 3, M | F_LOCK | F_SELF),
    [0xbc] = ROW(exec_bsf, REG, RM, 0, 0, M | F_RD | F_SELF),
    [0xbd] = ROW(exec_bsr, REG, RM, 0, 0, M | F_RD | F_SELF),
    [0xbe] = ROW(exec_movsx, REG, RM | SIZE_8, 0, 0, M | F_WR),
    [0xbf] = ROW(exec_movsx, REG, RM | SIZE_16, 0, 0, M | F_WR),
    [0xc0] = ROW(exec_xadd, RM, REG, 0, 0, M | B | RMW | F_SELF),
    [0xc1] = ROW(exec_xadd, RM, REG, 0, 0, M | RMW | F_SELF),
    [0xc2] = VEC_I,
    [0xc3] = ROW(exec_movnti, RM, REG, 0, 0, M | F_WR | F_MEM),
    [0xc4 ... 0xc6] = VEC_I,
    [0xc7] = GROUP16(group9),
    FOR8(0xc8, ROW(exec_bswap, OPREG, 0, 0, 0, F_RD | F_WR)),
    [0xd0 ... 0xd5] = VEC,
    [0xd6] = VEC_MOVE,
    [0xd7 ... 0xe6] = VEC,
    [0xe7] = VEC_MOVE,
    [0xe8 ... 0xef] = VEC,
    [0xf0] = VEC_MOVE,
    [0xf1 ... 0xfe] = VEC,
    [0xff] = UD_M,
};

/* 0F 38 */
const struct opcode emul_map2[256] = {
    [0x00 ... 0xef] = VEC,
    [0xf0] = ROW(exec_movbe, REG, RM, 0, 0, M | F_WR),
    [0xf1] = ROW(exec_movbe, RM, REG, 0, 0, M | F_WR),
    [0xf2 ... 0xff] = VEC,
};

/* 0F 3A */
const struct opcode emul_map3[256] = {
    [0x00 ... 0xff] = VEC_I,
};
