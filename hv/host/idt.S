/* Exception and interrupt stubs. A stub for vector N is at trap_stubs + 16 * N. */

#define HOST_VEC_TIMER 0x40 /* idt.h */

.text
.balign 16
.globl trap_stubs
trap_stubs:
vector = 0
.rept 32
    .balign 16
    .if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21)
    .else
    pushq $0 /* no error code */
    .endif
    pushq $vector
    jmp trap_common
    vector = vector + 1
.endr

.balign 16
trap_common:
    push %rax
    push %rbx
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %rbp
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, %rdi
    cld
    call host_trap
1:  cli
    hlt
    jmp 1b

.section .bss
.globl host_nmi_noted
host_nmi_noted: .byte 0

.text
/* An NMI of the machine below: noted for host_nmi_take(). The interrupt that this CPU then sends itself
 * (ICR: fixed, self, SDM vol. 3, 10.6.1) ends the turn of a guest, or a HLT, that was about to begin. */
.globl nmi_stub
nmi_stub:
    push %rax
    movb $1, host_nmi_noted
    mov $0xfee00300, %eax
    movl $(0x44000 | HOST_VEC_TIMER), (%rax)
    pop %rax
    iretq

/* The APIC timer only has to end a HLT or a guest's turn. */
.globl timer_stub
timer_stub:
    push %rax
    mov $0xfee000b0, %eax
    movl $0, (%rax)
    pop %rax
.globl spurious_stub
spurious_stub:
    iretq

/* The 8259s' lines: acknowledged; whoever waits polls its device. */
.globl pic_stub_master, pic_stub_slave
pic_stub_slave:
    push %rax
    mov $0x20, %al
    out %al, $0xa0
    out %al, $0x20
    pop %rax
    iretq
pic_stub_master:
    push %rax
    mov $0x20, %al
    out %al, $0x20
    pop %rax
    iretq

.section .note.GNU-stack, "", @progbits
