/* Entry of exceptions and interrupts: struct frame on the stack, then trap_entry(). */

.text
.globl vector_stubs
.balign 16
vector_stubs: /* 16 bytes each */
vector = 0
.rept 64
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17)
    push $0
    .endif
    push $vector
    jmp common
    vector = vector + 1
.endr

common:
    push %rax
    push %rcx
    push %rdx
    push %rbx
    push %rsp
    push %rbp
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, %rdi
    mov %rsp, %rbx
    and $-16, %rsp
    cld
    call trap_entry
    mov %rbx, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rbp
    add $8, %rsp
    pop %rbx
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq

/* int env_save(struct env *): 0, and 1 when env_resume() comes back to it. */
.globl env_save
env_save:
    mov %rbx, (%rdi)
    mov %rbp, 8(%rdi)
    mov %r12, 16(%rdi)
    mov %r13, 24(%rdi)
    mov %r14, 32(%rdi)
    mov %r15, 40(%rdi)
    lea 8(%rsp), %rax
    mov %rax, 48(%rdi)
    mov (%rsp), %rax
    mov %rax, 56(%rdi)
    pushf
    pop 64(%rdi)
    xor %eax, %eax
    ret

.globl env_resume
env_resume:
    mov (%rdi), %rbx
    mov 8(%rdi), %rbp
    mov 16(%rdi), %r12
    mov 24(%rdi), %r13
    mov 32(%rdi), %r14
    mov 40(%rdi), %r15
    mov 48(%rdi), %rsp
    push 64(%rdi)
    popf
    mov $1, %eax
    jmp *56(%rdi)

/* void user_enter(void (*fn)(void), ulong flags, void *stack). IRET to ring 3 would make DS and ES null with
 * ring 0's segments in them (SDM vol. 2A, IRET), and 32-bit code needs them. */
.globl user_enter
user_enter:
    mov $0x23, %eax
    mov %eax, %ds
    mov %eax, %es
    movq $user_exit, -8(%rdx)
    sub $8, %rdx
    push $0x23
    push %rdx
    push %rsi
    push $0x2b
    push %rdi
    iretq

.globl user_exit
user_exit:
    int $0x30

.section .note.GNU-stack, "", @progbits
