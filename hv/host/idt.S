/* Exception and interrupt stubs. A stub for vector N is at trap_stubs + 16 * N. */

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

/* NMIs of the machine below are nothing to us. */
.globl nmi_stub
nmi_stub:
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
