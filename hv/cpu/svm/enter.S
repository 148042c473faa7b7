/* void svm_enter(u64 *gpr, hpa_t guest_vmcb, hpa_t host_vmcb)
 *
 * One turn of the guest (APM vol. 2, 15.5). GIF is clear from CLGI to STGI, so that an interrupt of the
 * machine below is taken either by the guest's exit or after STGI, never in between; IF must be set at
 * VMRUN, or V_INTR_MASKING keeps physical interrupts from exiting (15.21.1). VMRUN swaps RAX, RSP,
 * RIP, RFLAGS, CRs and CS to SS; VMLOAD and VMSAVE the rest; the other registers are ours to move.
 */

#include "cpu/gprs.inc"

.text
.globl svm_enter
svm_enter:
    push_callee_saved
    push %rdi
    push %rdx
    mov %rsi, %rax

    load_gprs

    clgi
    sti
    vmload %rax
    vmrun %rax
    vmsave %rax
    mov (%rsp), %rax
    vmload %rax
    cli
    stgi

    mov 8(%rsp), %rax
    mov %rcx, 0x08(%rax)
    store_gprs

    take_interrupt

    add $16, %rsp
    pop_callee_saved
    ret

.section .note.GNU-stack, "", @progbits
