/* Far transfers of the 64-bit guest; selectors.c has what they are for. */

.text
.globl far_same, far_return, gate_user, gate_entry, conforming_user, far_down_user, iret_to

/* void far_same(u32 selector): a far call that notes CS. */
far_same:
    mov %edi, far_pointer + 4
    lcall *far_pointer
    ret
far_target:
    mov %cs, far_cs
    lretl

/* void far_return(u32 selector): RETF to its own end. */
far_return:
    push %rdi
    push $1f
    lretq
1:  ret

/* Ring 3: the call gate 68h. */
gate_user:
    mov %rsp, far_before
    lcall *gate_pointer
    mov %rsp, far_after
    int $0x30
gate_entry: /* RIP, CS, RSP, SS */
    mov %cs, far_cs
    mov %ss, far_ss
    mov 16(%rsp), %rax
    mov %rax, far_sp
    lretq

/* Ring 3: conforming code at selector 50h. */
conforming_user:
    lcall *conforming_pointer
conforming_target:
    mov %cs, far_cs
    int $0x30

far_down_user:
    push $0x08
    push $far_target
    lretq

/* void iret_to(ulong selector, ulong flags) */
iret_to:
    mov %rsp, %rax
    push $0x10
    push %rax
    push %rsi
    push %rdi
    push $1f
    iretq
1:  ret

.data
.globl far_cs, far_params, far_sp, far_ss, far_before, far_after
.align 8
far_pointer:
    .long far_target
    .long 0
gate_pointer:
    .long 0
    .long 0x6b
conforming_pointer:
    .long conforming_target
    .long 0x50
.align 8
far_sp: .quad 0
far_before: .quad 0
far_after: .quad 0
far_cs: .long 0
far_ss: .long 0
far_params: .long 0

.section .note.GNU-stack, "", @progbits
