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
    pusha
    push %ds
    push %es
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    cld
    push %esp
    call trap_entry
    add $4, %esp
    pop %es
    pop %ds
    popa
    add $8, %esp
    iret

/* int env_save(struct env *): 0, and 1 when env_resume() comes back to it. */
.globl env_save
env_save:
    mov 4(%esp), %eax
    mov %ebx, (%eax)
    mov %esi, 4(%eax)
    mov %edi, 8(%eax)
    mov %ebp, 12(%eax)
    lea 4(%esp), %ecx
    mov %ecx, 16(%eax)
    mov (%esp), %ecx
    mov %ecx, 20(%eax)
    pushf
    pop %ecx
    mov %ecx, 24(%eax)
    xor %eax, %eax
    ret

.globl env_resume
env_resume:
    mov 4(%esp), %edx
    mov (%edx), %ebx
    mov 4(%edx), %esi
    mov 8(%edx), %edi
    mov 12(%edx), %ebp
    mov 16(%edx), %esp
    push 24(%edx)
    popf
    mov $1, %eax
    jmp *20(%edx)

/* void user_enter(void (*fn)(void), ulong flags, void *stack) */
.globl user_enter
user_enter:
    mov 4(%esp), %eax
    mov 8(%esp), %ecx
    mov 12(%esp), %edx
    mov $0x23, %ebx
    mov %ebx, %ds
    mov %ebx, %es
    movl $user_exit, -4(%edx)
    sub $4, %edx
    push %ebx
    push %edx
    push %ecx
    push $0x1b
    push %eax
    iret

.globl user_exit
user_exit:
    int $0x30

.section .note.GNU-stack, "", @progbits
