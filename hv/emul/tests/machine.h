#pragma once

/* A guest for tests: a register file and a window of linear memory. */

#include "emul/emul.h"

struct machine {
    struct emul e;
    u64 gpr[16];
    struct seg seg[SEG_COUNT];
    u8 code[64];
    unsigned code_len;
    u64 code_la;
    unsigned fetch_limit; /* bytes that one fetch gives at most; 0: all */
    u8 *mem;
    u64 mem_la, mem_size;
    bool read_only; /* accesses for write fault */
    u8 xmm[16][16];
    u64 cr[9], dr[8], msr_value;
    u64 (*msr)(u32 index); /* what MSRs read, instead of msr_value */
    u32 msr_index;
    u64 xcr0;
    u16 fpu_control, fpu_status;
    u32 io_value;
    u16 io_port;
    unsigned io_size, io_count, fetches, reads, writes;
    unsigned read_access, write_access; /* of the last ones */
    u64 invlpg;
    bool halted;
};

enum mode { MODE_REAL, MODE_V86, MODE_16, MODE_32, MODE_64 };

/* Flat segments of the mode; CPL as given (3 in virtual-8086 mode). */
void machine_init(struct machine *m, enum mode mode, unsigned cpl, void *mem, u64 la, u64 size);
void machine_code(struct machine *m, u64 la, const void *code, unsigned len);
/* Puts a segment descriptor of 8 bytes at `at`; attr as in struct seg. */
void machine_descriptor(u8 *at, u32 base, u32 limit, u16 attr);
