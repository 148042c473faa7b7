#pragma once

/* What far transfers and interrupts share. All change *e at once; callers undo on a fault. */

#include "emul/exec.h"

/* Continues at s:rip with the given CPL; #GP(0) if rip is outside. */
enum emul_result far_enter_code(struct emul *e, struct insn *in, struct seg *s, unsigned cpl,
                                u64 rip);
/* Continues at sel:rip in real or virtual-8086 mode. */
enum emul_result far_real(struct emul *e, struct insn *in, u16 sel, u64 rip);
/* Reads the stack of privilege cpl from a 16- or 32-bit TSS. */
enum emul_result far_tss_stack(struct emul *e, unsigned cpl, u16 *ss, u64 *sp);
/* Loads SS for privilege cpl; vector is that of a bad selector (#TS or #GP). */
enum emul_result far_load_stack(struct emul *e, u16 sel, unsigned cpl, unsigned vector);
/* A fault on the way of an external event has EXT in its error code (SDM vol. 3, 6.13). */
void far_external(struct emul *e, bool external);
/* Switches to another task; e->new_task tells whose fault it is. */
enum emul_result far_task_switch(struct emul *e, struct insn *in, const struct emul_task *task);
/* RETF and IRET in protected mode once CS:rIP (and flags) are popped. extra bytes are released on
 * both stacks; stack_always: SS:rSP is popped even at the same privilege (IRET in 64-bit mode). */
enum emul_result far_return(struct emul *e, struct insn *in, u16 sel, u64 rip, unsigned extra,
                            bool stack_always);
