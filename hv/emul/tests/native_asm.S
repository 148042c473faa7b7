/* native_enter(state) and its way back. state: gpr at 0, rflags at 128, entry 136, far 144,
 * data selector 152. */

    .text
    .globl native_enter, native_exit
native_enter:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, host_rsp(%rip)
    mov %rdi, state(%rip)
    mov %ss, host_ss(%rip)
    cmpl $0, 148(%rdi)
    je 1f
    mov 152(%rdi), %ax
    mov %ax, %ds
    mov %ax, %es
    push 128(%rdi)
    popfq
    mov 152(%rdi), %ss
    call load
    mov 32(%rdi), %rsp
    mov 56(%rdi), %rdi
    ljmp *far(%rip)
1:  push 128(%rdi)
    popfq
    call load
    mov 32(%rdi), %rsp
    mov 56(%rdi), %rdi
    jmp *entry(%rip)

/* All but rsp and rdi; flags stay. */
load:
    mov 136(%rdi), %rax
    mov %rax, entry(%rip)
    mov 144(%rdi), %rax
    mov %rax, far(%rip)
    mov 0(%rdi), %rax
    mov 8(%rdi), %rcx
    mov 16(%rdi), %rdx
    mov 24(%rdi), %rbx
    mov 40(%rdi), %rbp
    mov 48(%rdi), %rsi
    mov 64(%rdi), %r8
    mov 72(%rdi), %r9
    mov 80(%rdi), %r10
    mov 88(%rdi), %r11
    mov 96(%rdi), %r12
    mov 104(%rdi), %r13
    mov 112(%rdi), %r14
    mov 120(%rdi), %r15
    ret

native_exit:
    mov %rdi, saved_rdi(%rip)
    mov state(%rip), %rdi
    mov %rsp, 32(%rdi)
    mov host_ss(%rip), %ss
    mov host_rsp(%rip), %rsp
    pushfq
    pop 128(%rdi)
    cld
    mov %rax, 0(%rdi)
    mov %rcx, 8(%rdi)
    mov %rdx, 16(%rdi)
    mov %rbx, 24(%rdi)
    mov %rbp, 40(%rdi)
    mov %rsi, 48(%rdi)
    mov saved_rdi(%rip), %rax
    mov %rax, 56(%rdi)
    mov %r8, 64(%rdi)
    mov %r9, 72(%rdi)
    mov %r10, 80(%rdi)
    mov %r11, 88(%rdi)
    mov %r12, 96(%rdi)
    mov %r13, 104(%rdi)
    mov %r14, 112(%rdi)
    mov %r15, 120(%rdi)
    xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .bss
host_rsp: .quad 0
host_ss: .quad 0
state: .quad 0
entry: .quad 0
far: .quad 0
saved_rdi: .quad 0
    .section .note.GNU-stack, "", @progbits
