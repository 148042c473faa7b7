/* SYSCALL from ring 3 and SYSRET back; code of 32 bits in compatibility mode. */

.text
.globl syscall_user, syscall_entry, compat_user
.code64
syscall_user:
    mov $0x100, %eax
    syscall
    add $2, %eax
    mov %rax, syscall_seen
    int $0x30

syscall_entry:
    mov %r11, syscall_flags
    mov %cs, syscall_cs
    inc %eax
    sysretq

/* Ring 3 in 64 bits goes to 32-bit code and ends there: INC EAX in 32 bits is a REX prefix in 64. */
compat_user:
    xor %eax, %eax
    ljmp *compat_target
.code32
1:  inc %eax
    inc %eax
    mov %eax, compat_seen
    int $0x30

.data
.globl syscall_seen, syscall_flags, syscall_cs, compat_seen
.align 8
syscall_seen: .quad 0
syscall_flags: .quad 0
syscall_cs: .quad 0
compat_seen: .quad 0
compat_target:
    .long 1b
    .word 0x1b

.section .note.GNU-stack, "", @progbits
