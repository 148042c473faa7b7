/* From 32-bit protected mode to real mode and back. The code between low_begin and low_end runs as a copy
 * at LOW: real mode needs it below 1 MiB, and with A20 off only even megabytes are what they seem. */

#define LOW 0x8000
#define AT(label) (LOW + label - low_begin)
#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_CODE16 0x38
#define SEL_DATA16 0x40

.text
.globl low_begin, low_end, low_bios, low_a20, low_int_number, low_regs

low_begin:
/* void low_bios(void): INT low_int_number with low_regs. */
low_bios:
    pusha
    mov %esp, AT(saved_esp)
    sidt AT(saved_idt)
    ljmp $SEL_CODE16, $AT(1f)
.code16
1:  mov $SEL_DATA16, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $(LOW - 16), %esp
    lidt AT(real_idt)
    mov %cr0, %eax
    and $0xfe, %al
    mov %eax, %cr0
    ljmp $0, $AT(2f)
2:  xor %ax, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov AT(low_int_number), %al
    mov %al, AT(3f) + 1
    mov AT(low_regs) + 24, %ax
    mov %ax, %es
    mov AT(low_regs), %eax
    mov AT(low_regs) + 4, %ebx
    mov AT(low_regs) + 8, %ecx
    mov AT(low_regs) + 12, %edx
    mov AT(low_regs) + 16, %esi
    mov AT(low_regs) + 20, %edi
    sti
3:  int $0
    cli
    mov %eax, %cs:AT(low_regs)
    mov %ebx, %cs:AT(low_regs) + 4
    mov %ecx, %cs:AT(low_regs) + 8
    mov %edx, %cs:AT(low_regs) + 12
    mov %esi, %cs:AT(low_regs) + 16
    mov %edi, %cs:AT(low_regs) + 20
    pushfl
    popl %cs:AT(low_regs) + 28
    mov %es, %ax
    mov %ax, %cs:AT(low_regs) + 24
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $SEL_CODE, $AT(4f)
.code32
4:  mov $SEL_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov AT(saved_esp), %esp
    lidt AT(saved_idt)
    popa
    ret

/* u32 low_a20(void): what 1 MiB + 500h reads with A20 off and, in bits 31:16, with A20 on, where 500h holds
 * 1234h and 1 MiB + 500h holds 5678h. */
low_a20:
    push %ebx
    mov 0x500, %ecx
    mov 0x100500, %edx
    push %edx
    push %ecx
    movl $0x5678, 0x100500
    movl $0x1234, 0x500
    in $0x92, %al
    mov %al, %bl
    and $0xfd, %al
    out %al, $0x92
    mov 0x100500, %ecx
    or $2, %al
    out %al, $0x92
    mov 0x100500, %eax
    shl $16, %eax
    mov %cx, %ax
    mov %eax, %edx
    mov %bl, %al
    out %al, $0x92
    mov %edx, %eax
    pop %ecx
    pop %edx
    mov %ecx, 0x500
    mov %edx, 0x100500
    pop %ebx
    ret

.align 4
low_regs: .skip 32
saved_esp: .long 0
real_idt:
    .word 0x3ff
    .long 0
saved_idt: .skip 6
low_int_number: .byte 0
low_end:

/* u32 long_mode_trip(void *pml4): enters long mode by the tables, computes with 64-bit registers, comes
 * back, and returns bits 63:32 of the result. */
.globl long_mode_trip
long_mode_trip:
    push %ebx
    mov %cr4, %eax
    push %eax
    or $0x20, %eax
    mov %eax, %cr4
    mov 12(%esp), %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    rdmsr /* EFER.LMA is set: compatibility mode */
    mov %eax, %ebx
    ljmp $0x48, $1f
.code64
1:  mov $0x1122334400000000, %rdx
    mov $0x00000000aabbccdd, %rax
    add %rax, %rdx
    shr $32, %rdx
    ljmp *far_back(%rip)
.code32
2:  mov %cr0, %eax
    and $0x7fffffff, %eax
    mov %eax, %cr0
    push %edx
    mov $0xc0000080, %ecx
    rdmsr
    and $0xfffffeff, %eax
    wrmsr
    pop %edx
    pop %eax
    mov %eax, %cr4
    mov %edx, %eax
    test $0x400, %ebx
    jnz 3f
    xor %eax, %eax
3:  pop %ebx
    ret

.data
far_back:
    .long 2b
    .word SEL_CODE

.section .note.GNU-stack, "", @progbits
