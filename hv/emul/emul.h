#pragma once

/* The instruction emulator: fetches, decodes and executes one instruction of a
 * guest, in any mode, on a register file that the caller owns. It reaches the
 * guest only through struct emul_ops. */

#include "lib/x86.h"

/* What an access is for; passed on to the page walk of the caller. EMUL_WRITE with read() is a
 * read that a write of the same bytes follows: the walk must check for write as well. */
enum emul_access {
    EMUL_READ = 0,
    EMUL_WRITE = 1 << 0,
    EMUL_FETCH = 1 << 1,
    EMUL_LOCKED = 1 << 2,   /* part of a locked read-modify-write */
    EMUL_IMPLICIT = 1 << 3, /* a supervisor access whatever the CPL: descriptor tables, TSS */
};

enum emul_result {
    EMUL_OK,    /* executed; registers, RIP and flags are up to date */
    EMUL_FAULT, /* raised e->fault; registers are as before the instruction (or iteration), or with
                     * e->new_task those of the task that it switched to */
    EMUL_UNHANDLED, /* not an instruction this emulator executes; nothing changed */
    EMUL_STOP,      /* an op asked to end the VM */
};

struct emul_fault {
    u8 vector;
    bool has_error;
    u32 error;
    u64 cr2; /* of a page fault */
};

struct emul;

/* What fpu() does with the FPU's control or status word. */
enum emul_fpu {
    EMUL_FPU_INIT,
    EMUL_FPU_CLEAR,
    EMUL_FPU_STATUS,
    EMUL_FPU_CONTROL,
    EMUL_FPU_LOAD_CONTROL,
};

/* Each returns EMUL_OK, or EMUL_FAULT with e->fault filled, or EMUL_STOP.
 * la is a linear address; segmentation and canonical checks are done. */
struct emul_ops {
    void (*seg_load)(struct emul *e,
                     unsigned n); /* fills e->seg[n]; may be NULL if all are valid */
    /* Reads up to len bytes of code at la into buf; *got is how many (at least 1), less than
     * len only at a page end. */
    enum emul_result (*fetch)(struct emul *e, u64 la, void *buf, unsigned len, unsigned *got);
    enum emul_result (*read)(struct emul *e, u64 la, void *buf, unsigned len, unsigned access);
    enum emul_result (*write)(struct emul *e, u64 la, const void *buf, unsigned len,
                              unsigned access);
    enum emul_result (*in)(struct emul *e, u16 port, unsigned size, u32 *value);
    enum emul_result (*out)(struct emul *e, u16 port, unsigned size, u32 value);
    enum emul_result (*cr_read)(struct emul *e, unsigned n, u64 *value);
    enum emul_result (*cr_write)(struct emul *e, unsigned n, u64 value);
    enum emul_result (*dr_read)(struct emul *e, unsigned n, u64 *value);
    enum emul_result (*dr_write)(struct emul *e, unsigned n, u64 value);
    enum emul_result (*msr_read)(struct emul *e, u32 index, u64 *value);
    enum emul_result (*msr_write)(struct emul *e, u32 index, u64 value);
    enum emul_result (*xcr_read)(struct emul *e, u32 index, u64 *value);
    enum emul_result (*xcr_write)(struct emul *e, u32 index, u64 value);
    enum emul_result (*cpuid)(struct emul *e); /* on gpr[RAX..RDX] */
    enum emul_result (*invlpg)(struct emul *e, u64 la);
    enum emul_result (*hlt)(struct emul *e);
    /* Vector register n (XMM), 16 bytes; NULL makes vector moves EMUL_UNHANDLED. */
    void (*vec_read)(struct emul *e, unsigned n, void *buf);
    void (*vec_write)(struct emul *e, unsigned n, const void *buf);
    /* NULL makes x87 instructions EMUL_UNHANDLED. */
    void (*fpu)(struct emul *e, enum emul_fpu what, u16 *word);
};

/* One vcpu's register file as the emulator sees and changes it. */
struct emul {
    const struct emul_ops *ops;
    void *ctx;       /* the caller's */
    u64 *gpr;        /* 16, the caller's own array, changed in place */
    struct seg *seg; /* SEG_COUNT, the caller's own array, changed in place */
    u32 seg_valid; /* bit n: seg[n] is loaded; else ops->seg_load(e, n) is called before its use */
    u32 seg_changed; /* out: bit n: seg[n] was written */
    u64 rip;
    u64 rflags;
    u64 cr0, cr4, efer; /* the guest's view; changed only through cr_write and msr_write */
    u8 cpl;             /* in and out */
    bool int_shadow;    /* out: MOV SS, POP SS or STI was executed */
    bool trap;          /* out: TF was set: #DB with DR6.BS is due after this instruction */
    bool new_task;      /* out: another task's registers were loaded */
    bool iret;          /* out: it was an IRET, whether or not it faulted */
    bool task_trap;     /* out: that task's TSS has T set: #DB with DR6.BT is due */
    struct emul_fault fault;
};

/* Decoded form of what a privileged-instruction exit needs when the CPU gives no
 * length and operands (SVM without NRIP save and decode assists). */
struct emul_insn {
    u8 length;
    u8 opcode_map; /* 0: one byte, 1: 0F xx, 2: 0F 38 xx, 3: 0F 3A xx */
    u8 opcode;
    bool has_modrm;
    u8 modrm;                      /* as in the code */
    u8 reg;                        /* ModRM.reg with REX.R */
    u8 rm;                         /* ModRM.rm with REX.B: a register if mod is 3 */
    u8 operand_size, address_size; /* bytes */
    bool lock, rep, repne;
    bool has_mem;
    u8 mem_seg; /* enum seg_name after overrides */
    u64 mem_ea; /* effective address, not yet linear */
    u64 imm;    /* sign-extended */
};

/* Decodes the instruction at CS:RIP of *e without executing it. */
enum emul_result emul_decode(struct emul *e, struct emul_insn *insn);

/* Executes one instruction at CS:RIP. A string instruction with REP does at most `max_iterations`
 * (at least 1), leaving RIP on the instruction where it is not done. */
enum emul_result emul_step(struct emul *e, unsigned max_iterations);
/* Executes the instruction at CS:RIP if it is a plain MOV of size bytes to la (linear). False, with nothing done:
 * it is not, or faults. */
bool emul_store_at(struct emul *e, u64 la, unsigned size);

/* Delivers an interrupt or exception at CS:RIP of *e through the IVT or IDT, for an engine that
 * cannot inject in the guest's mode. soft: INT n, INT3, INTO; RIP is then already behind it. An
 * error code is pushed in protected mode only. EMUL_FAULT: e->fault is what the delivery raised. */
enum emul_result emul_deliver(struct emul *e, u8 vector, bool soft, bool has_error, u32 error);

/* What switches tasks (numbers of SDM vol. 3, table 27-2); EVENT is through a task gate of the IDT. */
enum emul_task_source { EMUL_TASK_CALL, EMUL_TASK_IRET, EMUL_TASK_JMP, EMUL_TASK_EVENT };

struct emul_task {
    u16 sel; /* of the new TSS */
    enum emul_task_source source;
    bool external; /* an event that is no INT n, INT3 or INTO */
    bool has_error;
    u32 error; /* of the event */
    u64 next;  /* where the old task will go on */
};

/* Switches tasks (SDM vol. 3, chapter 7), for a CPU that makes an exit of it. The privilege checks
 * and those of the gate are done; all others are made here. */
enum emul_result emul_task_switch(struct emul *e, const struct emul_task *task);
