/* bool vmx_enter(u64 *gpr, bool launched, u64 *host_rsp)
 *
 * One turn of the guest (SDM vol. 3, chapters 26 and 27); true: the CPU refused the VMCS (VMfail). RSP, RIP
 * and RFLAGS are in the VMCS, the other registers are ours to move. *host_rsp is what HOST_RSP has, so
 * that it is written only when the stack is at another place. Interrupts are off all the time: one of
 * the machine below ends the guest's turn and stays pending.
 */

#define VMCS_HOST_RSP 0x6c14

.text
.globl vmx_enter, vmx_exited
vmx_enter:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdi
    cmp %rsp, (%rdx)
    je 1f
    mov %rsp, (%rdx)
    mov $VMCS_HOST_RSP, %eax
    vmwrite %rsp, %rax
1:  test %sil, %sil /* no instruction before the branch changes the flags */

    mov 0x00(%rdi), %rax
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
    jnz 2f
    vmlaunch
    jmp 3f
2:  vmresume
3:  mov $1, %eax
    jmp 4f

    /* HOST_RIP; HOST_RSP is where gpr was pushed. */
vmx_exited:
    push %rax
    mov 8(%rsp), %rax
    mov %rcx, 0x08(%rax)
    pop %rcx
    mov %rcx, 0x00(%rax)
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
    xor %eax, %eax

    /* The interrupt that ended the guest's turn is taken here. */
    sti
    nop
    cli

4:  add $8, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

.section .note.GNU-stack, "", @progbits
