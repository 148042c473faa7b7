#pragma once

/* The handlers that the opcode tables name, by file. */

#include "emul/internal.h"

#define EXEC(name) enum emul_result exec_##name(struct emul *e, struct insn *in)

/* alu.c */
EXEC(alu);
EXEC(inc);
EXEC(dec);
EXEC(neg);
EXEC(not );
EXEC(shift);
EXEC(double_shift);

/* muldiv.c */
EXEC(mul);
EXEC(imul);
EXEC(imul2);
EXEC(div);
EXEC(idiv);

/* bits.c */
EXEC(bt);
EXEC(bsf);
EXEC(bsr);
EXEC(bswap);
EXEC(popcnt);

/* move.c */
EXEC(mov);
EXEC(movsx);
EXEC(movnti);
EXEC(movbe);
EXEC(lea);
EXEC(xchg);
EXEC(xadd);
EXEC(cmpxchg);
EXEC(cmpxchg8b);
EXEC(cmov);
EXEC(setcc);
EXEC(xlat);
EXEC(cwde);
EXEC(cdq);

/* bcd.c */
EXEC(daa);
EXEC(das);
EXEC(aaa);
EXEC(aas);
EXEC(aam);
EXEC(aad);
EXEC(salc);

/* flags.c */
EXEC(flag);
EXEC(cli);
EXEC(sti);
EXEC(lahf);
EXEC(sahf);
EXEC(pushf);
EXEC(popf);

/* stack.c */
EXEC(push);
EXEC(pop);
EXEC(pusha);
EXEC(popa);
EXEC(enter);
EXEC(leave);

/* string.c */
EXEC(movs);
EXEC(stos);
EXEC(lods);
EXEC(scas);
EXEC(cmps);

/* io.c */
EXEC(in);
EXEC(out);
EXEC(ins);
EXEC(outs);

/* control.c */
EXEC(nop);
EXEC(fence);
EXEC(jcc);
EXEC(jmp);
EXEC(jmp_rm);
EXEC(call);
EXEC(call_rm);
EXEC(ret);
EXEC(loop);
EXEC(jcxz);
EXEC(bound);

/* fpu.c */
EXEC(fpu);
EXEC(wait);

/* fastcall.c */
EXEC(sysenter);
EXEC(sysexit);
EXEC(syscall);
EXEC(sysret);

/* far.c */
EXEC(jmp_far);
EXEC(jmp_far_mem);
EXEC(call_far);
EXEC(call_far_mem);
EXEC(ret_far);
EXEC(iret);
EXEC(int);

/* segment.c */
EXEC(mov_sreg_read);
EXEC(mov_sreg_write);
EXEC(push_sreg);
EXEC(pop_sreg);
EXEC(load_far_pointer);
EXEC(lldt);
EXEC(ltr);
EXEC(str);
EXEC(lar);
EXEC(lsl);
EXEC(verr);
EXEC(arpl);

/* system.c */
EXEC(sgdt);
EXEC(lgdt);
EXEC(smsw);
EXEC(lmsw);
EXEC(clts);
EXEC(mov_cr_read);
EXEC(mov_cr_write);
EXEC(mov_dr_read);
EXEC(mov_dr_write);
EXEC(invlpg);
EXEC(hlt);
EXEC(cpuid);
EXEC(rdmsr);
EXEC(wrmsr);
EXEC(rdtsc);
EXEC(rdpmc);
EXEC(group7_reg);
EXEC(fsgsbase);

/* vec.c */
EXEC(vec_move);
