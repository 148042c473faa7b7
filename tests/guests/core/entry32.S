/* Multiboot 1 entry of the 32-bit guest. */

#define MB_MAGIC 0x1badb002
#define MB_FLAGS 2 /* memory map */

.section .multiboot, "a"
.align 4
    .long MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

.text
.globl guest_start
guest_start:
    cli
    cld
    mov $stack_top, %esp
    lgdt gdtr
    ljmp $0x08, $1f
1:  mov $0x10, %ecx
    mov %ecx, %ds
    mov %ecx, %es
    mov %ecx, %ss
    xor %ecx, %ecx
    mov %ecx, %fs
    mov %ecx, %gs
    push %ebx
    push %eax
    call guest_main
    ud2

.data
.align 8
.globl gdt, gdtr
gdt:
    .quad 0
    .quad 0x00cf9a000000ffff /* 08 code */
    .quad 0x00cf92000000ffff /* 10 data */
    .quad 0x00cffa000000ffff /* 18 user code, 32 bits */
    .quad 0x00cff2000000ffff /* 20 user data */
    .quad 0x00affa000000ffff /* 28 user code, 64 bits */
    .quad 0x00cff2000000ffff /* 30 user data again, for SYSEXIT */
    .quad 0x00009a000000ffff /* 38 code, 16 bits */
    .quad 0x000092000000ffff /* 40 data, 16 bits */
    .quad 0x00af9a000000ffff /* 48 code, 64 bits */
    .fill 6, 8, 0
gdtr:
    .word . - gdt - 1
    .long gdt

.bss
.align 4096
.skip 4 * 4096
stack_top:

.section .note.GNU-stack, "", @progbits
