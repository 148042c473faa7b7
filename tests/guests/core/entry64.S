/* Multiboot 1 entry of the 64-bit guest: identity map of the first 4 GiB by 2 MiB pages, then long mode. */

#define MB_MAGIC 0x1badb002
#define MB_FLAGS 2 /* memory map */

.section .multiboot, "a"
.align 4
    .long MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

.text
.code32
.globl guest_start
guest_start:
    cli
    cld
    mov $stack_top, %esp
    mov %eax, %edi
    mov %ebx, %esi
    movl $boot_pdpt + 7, boot_pml4
    mov $boot_pd + 7, %eax
    xor %ecx, %ecx
1:  mov %eax, boot_pdpt(, %ecx, 8)
    add $0x1000, %eax
    inc %ecx
    cmp $4, %ecx
    jne 1b
    mov $0x87, %eax
    xor %ecx, %ecx
2:  mov %eax, boot_pd(, %ecx, 8)
    add $0x200000, %eax
    inc %ecx
    cmp $2048, %ecx
    jne 2b
    mov %cr4, %eax
    or $0x20, %eax /* PAE */
    mov %eax, %cr4
    mov $boot_pml4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx /* EFER.LME */
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000001, %eax
    mov %eax, %cr0
    lgdt gdtr
    ljmp $0x08, $long_mode

.code64
long_mode:
    mov $0x10, %ecx
    mov %ecx, %ds
    mov %ecx, %es
    mov %ecx, %ss
    xor %ecx, %ecx
    mov %ecx, %fs
    mov %ecx, %gs
    mov $stack_top, %rsp
    mov %edi, %edi
    mov %esi, %esi
    call guest_main
    ud2

.data
.align 8
.globl gdt, gdtr
gdt:
    .quad 0
    .quad 0x00af9a000000ffff /* 08 code */
    .quad 0x00cf92000000ffff /* 10 data */
    .quad 0x00cffa000000ffff /* 18 user code, 32 bits */
    .quad 0x00cff2000000ffff /* 20 user data */
    .quad 0x00affa000000ffff /* 28 user code, 64 bits */
    .quad 0x00cff2000000ffff /* 30 user data again, for SYSEXIT */
    .quad 0x00009a000000ffff /* 38 code, 16 bits */
    .quad 0x000092000000ffff /* 40 data, 16 bits */
    .quad 0x00cf9a000000ffff /* 48 code, 32 bits */
    .fill 6, 8, 0
gdtr:
    .word . - gdt - 1
    .quad gdt

.bss
.align 4096
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
boot_pd: .skip 4 * 4096
.skip 4 * 4096
stack_top:

.section .note.GNU-stack, "", @progbits
