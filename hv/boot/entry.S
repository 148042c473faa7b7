/* Multiboot 1 entry: 32-bit protected mode, paging off; to 64-bit C code.
 *
 *   boot_pml4 -> boot_pdpt -> boot_pd[4]: identity map of the first 4 GiB by
 *   2 MiB pages, writable and executable, until host_paging_init() replaces it.
 */

#define MB_MAGIC 0x1badb002
#define MB_FLAGS 3 /* modules on page boundaries, memory map wanted */

.section .multiboot, "a"
.align 4
    .long MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

.text
.code32
.globl boot_start
boot_start:
    cli
    cld
    mov $boot_stack_top, %esp
    mov %eax, %ebp /* the loader's magic and information, kept over cpuid */
    mov %ebx, %esi

    mov $0x80000000, %eax
    cpuid
    cmp $0x80000001, %eax
    jb no_long_mode
    mov $0x80000001, %eax
    cpuid
    bt $29, %edx
    jnc no_long_mode

    /* The loader clears .bss, so the tables are zero. */
    movl $boot_pdpt + 3, boot_pml4
    mov $boot_pd + 3, %eax
    xor %ecx, %ecx
1:  mov %eax, boot_pdpt(, %ecx, 8)
    add $0x1000, %eax
    inc %ecx
    cmp $4, %ecx
    jne 1b
    mov $0x83, %eax
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
    lgdt boot_gdtr
    ljmp $8, $long_mode

no_long_mode:
    mov $no_long_mode_text, %esi
3:  lodsb
    test %al, %al
    jz 5f
    mov %al, %ah
    mov $0x2fd, %dx /* COM2's line status: wait for room, not for ever */
    mov $0x100000, %ecx
4:  in %dx, %al
    test $0x20, %al
    loopz 4b
    mov %ah, %al
    mov $0x2f8, %dx
    out %al, %dx
    jmp 3b
5:  mov $20, %al /* VM_CONFIG */
    mov $0xf4, %dx
    out %al, %dx
6:  hlt
    jmp 6b

.code64
long_mode:
    xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %eax, %fs
    mov %eax, %gs
    mov $boot_stack_top, %rsp
    mov %ebp, %edi
    /* %esi holds the information's address */
    mov %esi, %esi
    xor %ebp, %ebp
    call hv_main
    ud2

.section .rodata
no_long_mode_text:
    .asciz "@hv end end=config code=20\r\nPenumbra needs a 64-bit CPU (CPUID 80000001h EDX bit 29)\r\n"
.align 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* 64-bit code */
boot_gdtr:
    .word . - boot_gdt - 1
    .long boot_gdt

.bss
.align 4096
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
boot_pd:   .skip 4 * 4096
/* An unmapped page below each stack: host_paging_init() takes it out of the map. */
.globl boot_stack_guard, boot_stack_top
boot_stack_guard: .skip 4096
boot_stack: .skip 8 * 4096
boot_stack_top:
.globl fault_stack_guard, fault_stack_top
fault_stack_guard: .skip 4096
fault_stack: .skip 4096
fault_stack_top:

.section .note.GNU-stack, "", @progbits
