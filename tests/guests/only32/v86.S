/* Programs of virtual-8086 mode, copied to A000h; each ends with INT3. v86.c has what they are for. */

#define LOW 0xa000
#define AT(label) (LOW + label - v86_begin)

.macro program name
.globl \name
\name:
.endm

.text
.globl v86_enter, v86_begin, v86_end, v86_result
/* void v86_enter(u32 ip, u32 flags): CS = SS = DS = ES = 0, SP below LOW. */
v86_enter:
    mov 4(%esp), %eax
    mov 8(%esp), %ecx
    or $0x20002, %ecx
    push $0
    push $0
    push $0
    push $0
    push $0
    push $(LOW - 16)
    push %ecx
    push $0
    push %eax
    iret

v86_begin:
.code16
program v_nop
    nop
    int3
program v_cli
    cli
    int3
program v_sti
    sti
    int3
program v_pushf
    pushf
    popw AT(v86_result)
    int3
program v_popf
    pushw $0x3202
    popf
    int3
program v_int
    int $0x31
    int3
program v_iret
    pushw $0x3002
    pushw $0
    pushw $AT(1f)
    iret
1:  int3
program v_hlt
    hlt
    int3
program v_in
    in $0x61, %al
    int3
program v_cr0
    mov %cr0, %eax
    int3
program v_lgdt
    lgdt AT(v86_result)
    int3
program v_clts
    clts
    int3
program v_lar
    lar %ax, %ax
    int3
program v_sldt
    sldt %ax
    int3
program v_segments
    mov $0x1234, %ax
    mov %ax, %es
    mov %es, AT(v86_result)
    mov $(LOW >> 4), %ax
    mov %ax, %ds
    mov v86_result - v86_begin, %ax
    mov %ax, %cs:AT(v86_result) + 2
    lcall $(LOW >> 4), $(1f - v86_begin)
    int3
1:  mov %cs, %ax
    mov %ax, %cs:v86_result - v86_begin + 4
    lret
program v_limit
    mov $0xffff, %bx
    mov (%bx), %ax
    int3
program v_window
    mov $0x2000, %ax
    mov %ax, %es
    movb %al, %es:0
    int3

/* With CR4.VME: an INT through the vector table of the program, CLI and STI on VIF. */
program v_vme
    sti
    pushf
    popw AT(v86_result)
    int $0x2f
    pushf
    popw AT(v86_result) + 2
    cli
    pushf
    popw AT(v86_result) + 4
    int3
.globl v_vme_handler
v_vme_handler:
    pushf
    popw %cs:AT(v86_result) + 6
    incw %cs:AT(v86_result) + 8
    iret
.align 4
v86_result: .skip 32
v86_end:
.code32

.section .note.GNU-stack, "", @progbits
