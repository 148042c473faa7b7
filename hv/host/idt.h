#pragma once

/* Segments, interrupts and exceptions of the hypervisor itself. */

#include "lib/types.h"

/* What the exception stubs push, lowest address first. */
struct trap_frame {
    u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    u64 vector, error, rip, cs, rflags, rsp, ss;
};

#define HOST_CS 0x08
#define HOST_TR 0x10
#define HOST_VEC_PIC 0x20
#define HOST_VEC_TIMER 0x40
#define HOST_VEC_SPURIOUS 0xff

/* Loads GDT, TSS (double fault, page fault and machine check on a stack of their own) and IDT. */
void host_idt_init(void);
/* The 8259s: vectors HOST_VEC_PIC on, all lines off but those in mask. */
void host_pic_init(u16 enabled);
