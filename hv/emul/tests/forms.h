#pragma once

/* The instruction forms that user mode has: what is compared with the CPU. */

#include "lib/x86.h"

#define CF RFLAGS_CF
#define PF RFLAGS_PF
#define AF RFLAGS_AF
#define ZF RFLAGS_ZF
#define SF RFLAGS_SF
#define OF RFLAGS_OF
#define ARITH (CF | PF | AF | ZF | SF | OF)

enum { NOIMM, I8, IZ, IV, I16, IENTER, IADDR };
enum {
    LOCKABLE = 1, /* LOCK with a memory operand */
    NO64 = 2,
    ONLY64 = 4,
    MEM = 8, /* memory operand only */
    REP = 16,
    BITS = 32,   /* the register operand is a bit offset */
    NO16 = 128,  /* no 66 prefix */
    NOW = 256,   /* no REX.W */
    FRAME = 512, /* rBP points to memory */
    LOW3 = 1024, /* the low 3 bits of the opcode are a register */
    COND = 2048, /* the low 4 bits of the opcode are a condition */
    JUMP = 4096, /* a displacement of 2, behind which a MOV may be skipped */
    NOREX = 16384,
    ONLY_FAULT = 131072, /* user mode may not: what is compared is the exception */
    NP = 65536,          /* 66 makes it another instruction */
    REG = 32768,         /* register operand only */
    RETURN = 8192,       /* the return address is on the stack */
};
#define NOEXT (-1)
#define NOMODRM (-2)

struct form {
    const char *name;
    u8 bytes[3], n; /* opcode, with a mandatory prefix */
    int ext;        /* /0 to /7, NOEXT: any register, NOMODRM */
    int imm;
    u64 undefined; /* flags */
    unsigned options;
};

extern const struct form forms[];
extern const unsigned form_count;
