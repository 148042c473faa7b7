#pragma once

/* Runs code on the CPU of this machine with given registers, in 64-bit mode or in 32- and 16-bit code
 * (through LDT segments), and catches what it raises. */

#include "lib/types.h"

#define NATIVE_CODE 0x20000000ull /* one page, below 4 GiB for 32-bit code */
#define NATIVE_DATA 0x20010000ull
#define NATIVE_DATA_SIZE 0x10000ull

struct native_state {
    u64 gpr[16];
    u64 rflags;
    u64 entry;  /* linear address of the code */
    u32 far[2]; /* where 32-bit code starts: offset, selector */
    u16 data_sel;
    int trap; /* out: exception vector, or -1 */
    u64 trap_rip;
};

/* Maps code and data and sets the LDT up. Returns what is missing for 32-bit code, or NULL. */
const char *native_init(void);
/* Takes the fault signals; to be called in every test. */
void native_catch(void);
/* Copies code to the code page, with the way back behind it, and runs it. */
void native_run(struct native_state *s, const u8 *code, unsigned len, unsigned bits);
/* What is missing for 16-bit code, or NULL; after native_init(). */
const char *native_no_code16(void);
/* The selector of the data and stack segments of 32- and 16-bit code. */
u16 native_data(unsigned bits);
