/* Far transfers of the 32-bit guest; selectors.c has what they are for. */

.text
.globl far_same, far_return, gate_user, gate_entry, conforming_user, far_down_user, iret_to

/* void far_same(u32 selector): a far call that notes CS. */
far_same:
    mov 4(%esp), %eax
    mov %eax, far_pointer + 4
    lcall *far_pointer
    ret
far_target:
    mov %cs, far_cs
    lret

/* void far_return(u32 selector): RETF to its own end. */
far_return:
    mov 4(%esp), %eax
    push %eax
    push $1f
    lret
1:  ret

/* Ring 3: two parameters through the call gate 68h. */
gate_user:
    push $0x1111
    push $0x2222
    mov %esp, far_before
    lcall $0x6b, $0
    mov %esp, far_after
    int $0x30
gate_entry: /* EIP, CS, 2222h, 1111h, ESP, SS */
    mov %cs, far_cs
    mov %ss, far_ss
    mov 8(%esp), %ax
    mov %ax, far_params
    mov 12(%esp), %ax
    mov %ax, far_params + 2
    mov 16(%esp), %eax
    mov %eax, far_sp
    lret $8

/* Ring 3: conforming code at selector 50h. */
conforming_user:
    lcall $0x50, $1f
1:  mov %cs, far_cs
    int $0x30

far_down_user:
    push $0x08
    push $far_target
    lret

/* void iret_to(ulong selector, ulong flags) */
iret_to:
    mov 4(%esp), %eax
    mov 8(%esp), %ecx
    push %ecx
    push %eax
    push $1f
    iret
1:  ret

.data
.globl far_cs, far_params, far_sp, far_ss, far_before, far_after
.align 4
far_pointer:
    .long far_target
    .long 0
far_cs: .long 0
far_ss: .long 0
far_params: .long 0
far_sp: .long 0
far_before: .long 0
far_after: .long 0

.section .note.GNU-stack, "", @progbits
