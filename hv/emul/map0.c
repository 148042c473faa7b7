/* One-byte opcodes. */

#include "emul/row.h"

#define RMW (F_RD | F_WR | F_LOCK)

#define ALU6(base, op, store)                                                                      \
    [base] = ROW(exec_alu, RM, REG, 0, op, M | B | F_RD | (store)),                                \
    [(base) + 1] = ROW(exec_alu, RM, REG, 0, op, M | F_RD | (store)),                              \
    [(base) + 2] = ROW(exec_alu, REG, RM, 0, op, M | B | F_RD | ((store)&F_WR)),                   \
    [(base) + 3] = ROW(exec_alu, REG, RM, 0, op, M | F_RD | ((store)&F_WR)),                       \
    [(base) + 4] = ROW(exec_alu, ACC, IMM, IMM_8, op, B | F_RD | ((store)&F_WR)),                  \
    [(base) + 5] = ROW(exec_alu, ACC, IMM, IMM_Z, op, F_RD | ((store)&F_WR))

#define FOR8(base, row) [base...(base) + 7] = row
#define FOR16(base, row) [base...(base) + 15] = row

#define GROUP1(name, imm_, flags_)                                                                 \
    static const struct opcode name[8] = {                                                         \
        ROW(exec_alu, RM, IMM, imm_, ALU_ADD, M | RMW | (flags_)),                                 \
        ROW(exec_alu, RM, IMM, imm_, ALU_OR, M | RMW | (flags_)),                                  \
        ROW(exec_alu, RM, IMM, imm_, ALU_ADC, M | RMW | (flags_)),                                 \
        ROW(exec_alu, RM, IMM, imm_, ALU_SBB, M | RMW | (flags_)),                                 \
        ROW(exec_alu, RM, IMM, imm_, ALU_AND, M | RMW | (flags_)),                                 \
        ROW(exec_alu, RM, IMM, imm_, ALU_SUB, M | RMW | (flags_)),                                 \
        ROW(exec_alu, RM, IMM, imm_, ALU_XOR, M | RMW | (flags_)),                                 \
        ROW(exec_alu, RM, IMM, imm_, ALU_CMP, M | F_RD | (flags_)),                                \
    }

GROUP1(group1_80, IMM_8, F_BYTE);
GROUP1(group1_82, IMM_8, F_BYTE | F_NO64);
GROUP1(group1_81, IMM_Z, 0);
GROUP1(group1_83, IMM_8, 0);

#define GROUP2(name, src_, imm_, flags_)                                                           \
    static const struct opcode name[8] = {                                                         \
        ROW(exec_shift, RM, src_, imm_, 0, M | F_RD | F_WR | (flags_)),                            \
        ROW(exec_shift, RM, src_, imm_, 1, M | F_RD | F_WR | (flags_)),                            \
        ROW(exec_shift, RM, src_, imm_, 2, M | F_RD | F_WR | (flags_)),                            \
        ROW(exec_shift, RM, src_, imm_, 3, M | F_RD | F_WR | (flags_)),                            \
        ROW(exec_shift, RM, src_, imm_, 4, M | F_RD | F_WR | (flags_)),                            \
        ROW(exec_shift, RM, src_, imm_, 5, M | F_RD | F_WR | (flags_)),                            \
        ROW(exec_shift, RM, src_, imm_, 6, M | F_RD | F_WR | (flags_)),                            \
        ROW(exec_shift, RM, src_, imm_, 7, M | F_RD | F_WR | (flags_)),                            \
    }

GROUP2(group2_c0, IMM, IMM_8, F_BYTE);
GROUP2(group2_c1, IMM, IMM_8, 0);
GROUP2(group2_d0, ONE, 0, F_BYTE);
GROUP2(group2_d1, ONE, 0, 0);
GROUP2(group2_d2, CL, 0, F_BYTE);
GROUP2(group2_d3, CL, 0, 0);

#define GROUP3(name, imm_, flags_)                                                                 \
    static const struct opcode name[8] = {                                                         \
        ROW(exec_alu, RM, IMM, imm_, ALU_TEST, M | F_RD | (flags_)),                               \
        ROW(exec_alu, RM, IMM, imm_, ALU_TEST, M | F_RD | (flags_)),                               \
        ROW(exec_not, RM, 0, 0, 0, M | RMW | (flags_)),                                            \
        ROW(exec_neg, RM, 0, 0, 0, M | RMW | (flags_)),                                            \
        ROW(exec_mul, RM, 0, 0, 0, M | F_RD | (flags_)),                                           \
        ROW(exec_imul, RM, 0, 0, 0, M | F_RD | (flags_)),                                          \
        ROW(exec_div, RM, 0, 0, 0, M | F_RD | (flags_)),                                           \
        ROW(exec_idiv, RM, 0, 0, 0, M | F_RD | (flags_)),                                          \
    }

GROUP3(group3_f6, IMM_8, F_BYTE);
GROUP3(group3_f7, IMM_Z, 0);

static const struct opcode group4[8] = {
    ROW(exec_inc, RM, 0, 0, 0, M | B | RMW),
    ROW(exec_dec, RM, 0, 0, 0, M | B | RMW),
    UD_M,
    UD_M,
    UD_M,
    UD_M,
    UD_M,
    UD_M,
};

static const struct opcode group5[8] = {
    ROW(exec_inc, RM, 0, 0, 0, M | RMW),
    ROW(exec_dec, RM, 0, 0, 0, M | RMW),
    ROW(exec_call_rm, 0, RM, 0, 0, M | F_D64),
    ROW(exec_call_far_mem, 0, 0, 0, 0, M | F_MEM | F_UNDO),
    ROW(exec_jmp_rm, 0, RM, 0, 0, M | F_D64),
    ROW(exec_jmp_far_mem, 0, 0, 0, 0, M | F_MEM | F_UNDO),
    ROW(exec_push, 0, RM, 0, 0, M | F_D64),
    UD_M,
};

static const struct opcode group1a[8] = {
    ROW(exec_pop, RM, 0, 0, 0, M | F_WR | F_D64 | F_UNDO | F_IMP_STACK),
    UD_M,
    UD_M,
    UD_M,
    UD_M,
    UD_M,
    UD_M,
    UD_M,
};

#define GROUP11(name, imm_, flags_)                                                                \
    static const struct opcode name[8] = {                                                         \
        ROW(exec_mov, RM, IMM, imm_, 0, M | F_WR | (flags_)),                                      \
        UD_M,                                                                                      \
        UD_M,                                                                                      \
        UD_M,                                                                                      \
        UD_M,                                                                                      \
        UD_M,                                                                                      \
        UD_M,                                                                                      \
        UD_M,                                                                                      \
    }

GROUP11(group11_c6, IMM_8, F_BYTE);
GROUP11(group11_c7, IMM_Z, 0);

#define PREFIX                                                                                     \
    {                                                                                              \
        .flags = F_PREFIX                                                                          \
    }
#define FPU ROW(exec_fpu, 0, 0, 0, 0, M)
#define PUSH_SREG(n) ROW(exec_push_sreg, 0, 0, 0, n, F_NO64)
#define POP_SREG(n) ROW(exec_pop_sreg, 0, 0, 0, n, F_NO64)

const struct opcode emul_map0[256] = {
    ALU6(0x00, ALU_ADD, F_WR | F_LOCK),
    ALU6(0x08, ALU_OR, F_WR | F_LOCK),
    ALU6(0x10, ALU_ADC, F_WR | F_LOCK),
    ALU6(0x18, ALU_SBB, F_WR | F_LOCK),
    ALU6(0x20, ALU_AND, F_WR | F_LOCK),
    ALU6(0x28, ALU_SUB, F_WR | F_LOCK),
    ALU6(0x30, ALU_XOR, F_WR | F_LOCK),
    ALU6(0x38, ALU_CMP, 0),
    [0x06] = PUSH_SREG(SEG_ES),
    [0x07] = POP_SREG(SEG_ES),
    [0x0e] = PUSH_SREG(SEG_CS),
    [0x16] = PUSH_SREG(SEG_SS),
    [0x17] = POP_SREG(SEG_SS),
    [0x1e] = PUSH_SREG(SEG_DS),
    [0x1f] = POP_SREG(SEG_DS),
    [0x26] = PREFIX,
    [0x27] = ROW(exec_daa, 0, 0, 0, 0, F_NO64),
    [0x2e] = PREFIX,
    [0x2f] = ROW(exec_das, 0, 0, 0, 0, F_NO64),
    [0x36] = PREFIX,
    [0x37] = ROW(exec_aaa, 0, 0, 0, 0, F_NO64),
    [0x3e] = PREFIX,
    [0x3f] = ROW(exec_aas, 0, 0, 0, 0, F_NO64),
    FOR8(0x40, ROW(exec_inc, OPREG, 0, 0, 0, F_RD | F_WR)), /* REX in 64-bit mode */
    FOR8(0x48, ROW(exec_dec, OPREG, 0, 0, 0, F_RD | F_WR)),
    FOR8(0x50, ROW(exec_push, 0, OPREG, 0, 0, F_D64)),
    FOR8(0x58, ROW(exec_pop, OPREG, 0, 0, 0, F_WR | F_D64)),
    [0x60] = ROW(exec_pusha, 0, 0, 0, 0, F_NO64 | F_UNDO),
    [0x61] = ROW(exec_popa, 0, 0, 0, 0, F_NO64 | F_UNDO),
    [0x62] = ROW(exec_bound, REG, 0, 0, 0, M | F_NO64 | F_MEM),
    [0x63] = ROW(exec_arpl, RM | SIZE_16, REG | SIZE_16, 0, 0,
                 M | F_RD | F_WR | F_PROT | F_VARIANT), /* MOVSXD in 64-bit mode */
    [0x64] = PREFIX,
    [0x65] = PREFIX,
    [0x66] = PREFIX,
    [0x67] = PREFIX,
    [0x68] = ROW(exec_push, 0, IMM, IMM_Z, 0, F_D64),
    [0x69] = ROW(exec_imul2, REG, RM, IMM_Z, 1, M | F_WR),
    [0x6a] = ROW(exec_push, 0, IMM, IMM_8, 0, F_D64),
    [0x6b] = ROW(exec_imul2, REG, RM, IMM_8, 1, M | F_WR),
    [0x6c] = ROW(exec_ins, 0, 0, 0, 0, B),
    [0x6d] = ROW(exec_ins, 0, 0, 0, 0, 0),
    [0x6e] = ROW(exec_outs, 0, 0, 0, 0, B),
    [0x6f] = ROW(exec_outs, 0, 0, 0, 0, 0),
    FOR16(0x70, ROW(exec_jcc, 0, 0, IMM_8, 0, F_D64)),
    [0x80] = GROUP(group1_80, 0, 0),
    [0x81] = GROUP(group1_81, 0, 0),
    [0x82] = GROUP(group1_82, 0, 0),
    [0x83] = GROUP(group1_83, 0, 0),
    [0x84] = ROW(exec_alu, RM, REG, 0, ALU_TEST, M | B | F_RD),
    [0x85] = ROW(exec_alu, RM, REG, 0, ALU_TEST, M | F_RD),
    [0x86] = ROW(exec_xchg, RM, REG, 0, 0, M | B | RMW | F_SELF | F_LOCKED),
    [0x87] = ROW(exec_xchg, RM, REG, 0, 0, M | RMW | F_SELF | F_LOCKED),
    [0x88] = ROW(exec_mov, RM, REG, 0, 0, M | B | F_WR),
    [0x89] = ROW(exec_mov, RM, REG, 0, 0, M | F_WR),
    [0x8a] = ROW(exec_mov, REG, RM, 0, 0, M | B | F_WR),
    [0x8b] = ROW(exec_mov, REG, RM, 0, 0, M | F_WR),
    [0x8c] = ROW(exec_mov_sreg_read, RM, 0, 0, 0, M | F_WR),
    [0x8d] = ROW(exec_lea, REG, 0, 0, 0, M | F_WR | F_MEM),
    [0x8e] = ROW(exec_mov_sreg_write, 0, RM | SIZE_16, 0, 0, M),
    [0x8f] = GROUP(group1a, 0, 0),
    [0x90] = ROW(exec_xchg, OPREG, ACC, 0, 0, F_RD | F_WR | F_SELF | F_VARIANT), /* NOP */
    [0x91 ... 0x97] = ROW(exec_xchg, OPREG, ACC, 0, 0, F_RD | F_WR | F_SELF),
    [0x98] = ROW(exec_cwde, 0, 0, 0, 0, 0),
    [0x99] = ROW(exec_cdq, 0, 0, 0, 0, 0),
    [0x9a] = ROW(exec_call_far, 0, 0, IMM_FAR, 0, F_NO64 | F_UNDO),
    [0x9b] = ROW(exec_wait, 0, 0, 0, 0, 0),
    [0x9c] = ROW(exec_pushf, 0, 0, 0, 0, F_D64),
    [0x9d] = ROW(exec_popf, 0, 0, 0, 0, F_D64),
    [0x9e] = ROW(exec_sahf, 0, 0, 0, 0, 0),
    [0x9f] = ROW(exec_lahf, 0, 0, 0, 0, 0),
    [0xa0] = ROW(exec_mov, ACC, MOFFS, IMM_ADDR, 0, B | F_WR),
    [0xa1] = ROW(exec_mov, ACC, MOFFS, IMM_ADDR, 0, F_WR),
    [0xa2] = ROW(exec_mov, MOFFS, ACC, IMM_ADDR, 0, B | F_WR),
    [0xa3] = ROW(exec_mov, MOFFS, ACC, IMM_ADDR, 0, F_WR),
    [0xa4] = ROW(exec_movs, 0, 0, 0, 0, B),
    [0xa5] = ROW(exec_movs, 0, 0, 0, 0, 0),
    [0xa6] = ROW(exec_cmps, 0, 0, 0, 0, B),
    [0xa7] = ROW(exec_cmps, 0, 0, 0, 0, 0),
    [0xa8] = ROW(exec_alu, ACC, IMM, IMM_8, ALU_TEST, B | F_RD),
    [0xa9] = ROW(exec_alu, ACC, IMM, IMM_Z, ALU_TEST, F_RD),
    [0xaa] = ROW(exec_stos, 0, 0, 0, 0, B),
    [0xab] = ROW(exec_stos, 0, 0, 0, 0, 0),
    [0xac] = ROW(exec_lods, 0, 0, 0, 0, B),
    [0xad] = ROW(exec_lods, 0, 0, 0, 0, 0),
    [0xae] = ROW(exec_scas, 0, 0, 0, 0, B),
    [0xaf] = ROW(exec_scas, 0, 0, 0, 0, 0),
    FOR8(0xb0, ROW(exec_mov, OPREG, IMM, IMM_8, 0, B | F_WR)),
    FOR8(0xb8, ROW(exec_mov, OPREG, IMM, IMM_V, 0, F_WR)),
    [0xc0] = GROUP(group2_c0, 0, 0),
    [0xc1] = GROUP(group2_c1, 0, 0),
    [0xc2] = ROW(exec_ret, 0, 0, IMM_16, 0, F_D64),
    [0xc3] = ROW(exec_ret, 0, 0, 0, 0, F_D64),
    /* With a register, or in 64-bit mode, VEX. */
    [0xc4] = ROW(exec_load_far_pointer, REG, 0, 0, SEG_ES, M | F_WR | F_NO64 | F_MEM | F_VARIANT),
    [0xc5] = ROW(exec_load_far_pointer, REG, 0, 0, SEG_DS, M | F_WR | F_NO64 | F_MEM | F_VARIANT),
    [0xc6] = GROUP(group11_c6, 0, 0),
    [0xc7] = GROUP(group11_c7, 0, 0),
    [0xc8] = ROW(exec_enter, 0, 0, IMM_ENTER, 0, F_D64 | F_UNDO),
    [0xc9] = ROW(exec_leave, 0, 0, 0, 0, F_D64 | F_UNDO),
    [0xca] = ROW(exec_ret_far, 0, 0, IMM_16, 0, F_UNDO),
    [0xcb] = ROW(exec_ret_far, 0, 0, 0, 0, F_UNDO),
    [0xcc] = ROW(exec_int, 0, 0, 0, 0, F_UNDO),
    [0xcd] = ROW(exec_int, 0, 0, IMM_8, 0, F_UNDO),
    [0xce] = ROW(exec_int, 0, 0, 0, 0, F_NO64 | F_UNDO),
    [0xcf] = ROW(exec_iret, 0, 0, 0, 0, F_UNDO),
    [0xd0] = GROUP(group2_d0, 0, 0),
    [0xd1] = GROUP(group2_d1, 0, 0),
    [0xd2] = GROUP(group2_d2, 0, 0),
    [0xd3] = GROUP(group2_d3, 0, 0),
    [0xd4] = ROW(exec_aam, 0, 0, IMM_8, 0, F_NO64),
    [0xd5] = ROW(exec_aad, 0, 0, IMM_8, 0, F_NO64),
    [0xd6] = ROW(exec_salc, 0, 0, 0, 0, F_NO64),
    [0xd7] = ROW(exec_xlat, 0, 0, 0, 0, 0),
    FOR8(0xd8, FPU),
    [0xe0 ... 0xe2] = ROW(exec_loop, 0, 0, IMM_8, 0, F_D64),
    [0xe3] = ROW(exec_jcxz, 0, 0, IMM_8, 0, F_D64),
    [0xe4] = ROW(exec_in, 0, 0, IMM_8, 0, B),
    [0xe5] = ROW(exec_in, 0, 0, IMM_8, 0, 0),
    [0xe6] = ROW(exec_out, 0, 0, IMM_8, 0, B),
    [0xe7] = ROW(exec_out, 0, 0, IMM_8, 0, 0),
    [0xe8] = ROW(exec_call, 0, 0, IMM_Z, 0, F_D64),
    [0xe9] = ROW(exec_jmp, 0, 0, IMM_Z, 0, F_D64),
    [0xea] = ROW(exec_jmp_far, 0, 0, IMM_FAR, 0, F_NO64 | F_UNDO),
    [0xeb] = ROW(exec_jmp, 0, 0, IMM_8, 0, F_D64),
    [0xec] = ROW(exec_in, 0, 0, 0, 1, B),
    [0xed] = ROW(exec_in, 0, 0, 0, 1, 0),
    [0xee] = ROW(exec_out, 0, 0, 0, 1, B),
    [0xef] = ROW(exec_out, 0, 0, 0, 1, 0),
    [0xf0] = PREFIX,
    [0xf1] = ROW(exec_int, 0, 0, 0, 0, F_UNDO),
    [0xf2] = PREFIX,
    [0xf3] = PREFIX,
    [0xf4] = ROW(exec_hlt, 0, 0, 0, 0, F_CPL0),
    [0xf5] = ROW(exec_flag, 0, 0, 0, 0, 0),
    [0xf6] = GROUP(group3_f6, 0, 0),
    [0xf7] = GROUP(group3_f7, 0, 0),
    [0xf8] = ROW(exec_flag, 0, 0, 0, 0, 0),
    [0xf9] = ROW(exec_flag, 0, 0, 0, 0, 0),
    [0xfa] = ROW(exec_cli, 0, 0, 0, 0, 0),
    [0xfb] = ROW(exec_sti, 0, 0, 0, 0, 0),
    [0xfc] = ROW(exec_flag, 0, 0, 0, 0, 0),
    [0xfd] = ROW(exec_flag, 0, 0, 0, 0, 0),
    [0xfe] = GROUP(group4, 0, 0),
    [0xff] = GROUP(group5, 0, 0),
};

/* Rows that decoding chooses instead of those above. */
const struct opcode emul_movsxd = ROW(exec_movsx, REG, RM | SIZE_32, 0, 0, M | F_WR);
const struct opcode emul_nop = ROW(exec_nop, 0, 0, 0, 0, 0);
const struct opcode emul_vex = {.exec = NULL}; /* not executed */
