/* SYSENTER from ring 3 to sysenter_entry, and SYSEXIT back. */

.text
.globl sysenter_user, sysenter_entry, syscall_user, syscall_entry

/* Ring 3: EAX counts the entries. */
sysenter_user:
    mov $0x100, %eax
    mov %esp, %ecx
    mov $1f, %edx
    sysenter
1:  add $2, %eax
    mov %eax, sysenter_seen
    int $0x30

sysenter_entry:
    mov %esp, sysenter_esp
    mov %cs, sysenter_cs
    mov %ss, sysenter_ss
    inc %eax
    sysexit

.data
.globl sysenter_seen, sysenter_esp, sysenter_cs, sysenter_ss
sysenter_seen: .long 0
sysenter_esp: .long 0
sysenter_cs: .long 0
sysenter_ss: .long 0

.section .note.GNU-stack, "", @progbits
