/* void svm_enter(u64 *gpr, hpa_t guest_vmcb, hpa_t host_vmcb)
 *
 * One turn of the guest (APM vol. 2, 15.5). GIF is clear from CLGI to STGI, so that an interrupt of the
 * machine below is taken either by the guest's exit or after STGI, never in between; IF must be set at
 * VMRUN, or V_INTR_MASKING keeps physical interrupts from exiting (15.21.1). VMRUN swaps RAX, RSP,
 * RIP, RFLAGS, CRs and CS to SS; VMLOAD and VMSAVE the rest; the other registers are ours to move.
 */

.text
.globl svm_enter
svm_enter:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdi
    push %rdx
    mov %rsi, %rax

    mov 0x08(%rdi), %rcx
    mov 0x10(%rdi), %rdx
    mov 0x18(%rdi), %rbx
    mov 0x28(%rdi), %rbp
    mov 0x30(%rdi), %rsi
    mov 0x40(%rdi), %r8
    mov 0x48(%rdi), %r9
    mov 0x50(%rdi), %r10
    mov 0x58(%rdi), %r11
    mov 0x60(%rdi), %r12
    mov 0x68(%rdi), %r13
    mov 0x70(%rdi), %r14
    mov 0x78(%rdi), %r15
    mov 0x38(%rdi), %rdi

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
    mov %rdx, 0x10(%rax)
    mov %rbx, 0x18(%rax)
    mov %rbp, 0x28(%rax)
    mov %rsi, 0x30(%rax)
    mov %rdi, 0x38(%rax)
    mov %r8, 0x40(%rax)
    mov %r9, 0x48(%rax)
    mov %r10, 0x50(%rax)
    mov %r11, 0x58(%rax)
    mov %r12, 0x60(%rax)
    mov %r13, 0x68(%rax)
    mov %r14, 0x70(%rax)
    mov %r15, 0x78(%rax)

    /* The interrupt that ended the guest's turn is taken here. */
    sti
    nop
    cli

    add $16, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

.section .note.GNU-stack, "", @progbits
