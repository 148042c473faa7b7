/* Gates of 16 bits and protected-mode code of 16 bits, copied to B000h: both know no more than 16 bits of an
 * address. segments.c has what they are for. */

#define LOW 0xb000
#define AT(label) (LOW + label - low16_begin)
#define SEL_CODE 0x08
#define SEL_CODE16 0x38

.text
.globl low16_begin, low16_end, low16_int, low16_handler, low16_fault, low16_error_handler, low16_code, low16_result

low16_begin:
/* void low16_int(void): INT 32h, through a gate of 16 bits to low16_handler. */
low16_int:
    mov %esp, AT(low16_result)
    int $0x32
low16_int_next:
    mov %esp, AT(low16_result) + 4
    movl $AT(low16_int_next), AT(low16_result) + 8
    ret
low16_handler:
    push %eax
    lea 4(%esp), %eax
    mov %eax, AT(low16_result) + 12
    mov 4(%esp), %eax /* IP, CS */
    mov %eax, AT(low16_result) + 16
    pushf
    pop %eax
    mov %eax, AT(low16_result) + 20
    pop %eax
    iretw

/* void low16_fault(void): #GP(1230h), through such a gate to low16_error_handler, which skips the instruction. */
low16_fault:
    mov %esp, AT(low16_result)
    mov $0x1230, %ecx
    mov %ecx, %fs
    mov %esp, AT(low16_result) + 4
    ret
low16_error_handler:
    push %eax
    mov 4(%esp), %ax /* the error code's word */
    mov %eax, AT(low16_result) + 12
    lea 4(%esp), %eax
    mov %eax, AT(low16_result) + 16
    pop %eax
    addw $2, 2(%esp)
    add $2, %esp
    iretw

/* void low16_code(void): INT 31h, through a gate of 32 bits, PUSHF, POPF and IRET in code of 16 bits. */
low16_code:
    pushl %ebx
    ljmp $SEL_CODE16, $AT(1f)
.code16
1:  mov $0x11112222, %ebx
    int $0x31
    mov %ebx, AT(low16_result)
    mov %cs, AT(low16_result) + 4
    pushfw
    pushw %cs
    pushw $AT(2f)
    iretw
2:  pushl $0x33334444
    popl AT(low16_result) + 8
    callw 3f
    ljmpl $SEL_CODE, $AT(4f)
3:  movw $0x5555, AT(low16_result) + 12
    retw
.code32
4:  popl %ebx
    ret
.align 4
low16_result: .skip 32
low16_end:

.section .note.GNU-stack, "", @progbits
