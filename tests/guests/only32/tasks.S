/* The second task of tasks.c. */

.text
.globl task_entry
/* On the stack for task_body(): flags, the registers of PUSHA, and an error code if there is one. */
task_entry:
    pusha
    pushf
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    push %esp
    call task_body
    add $8, %esp
    popa
    add task_drop, %esp
    cmpl $0, task_leaves_by_jump
    jne 1f
    iret
    jmp task_entry
1:  ljmp *task_back
    jmp task_entry

/* void task_call(void), void task_jump(void): to the second task, with known registers. */
.globl task_call, task_jump, task_called
task_call:
    pusha
    mov $0x11, %ebx
    mov $0x22, %ecx
    mov $0x33, %edx
    mov $0x44, %esi
    mov $0x55, %edi
    mov $0x66, %ebp
    lcall *task_there
task_called:
    call task_check
    popa
    ret

task_jump:
    pusha
    mov $0x11, %ebx
    mov $0x22, %ecx
    mov $0x33, %edx
    mov $0x44, %esi
    mov $0x55, %edi
    mov $0x66, %ebp
    ljmp *task_there
    call task_check
    popa
    ret

task_check:
    cmp $0x11, %ebx
    jne 1f
    cmp $0x22, %ecx
    jne 1f
    cmp $0x33, %edx
    jne 1f
    cmp $0x44, %esi
    jne 1f
    cmp $0x55, %edi
    jne 1f
    cmp $0x66, %ebp
    jne 1f
    incl task_kept
1:  ret

.section .note.GNU-stack, "", @progbits
