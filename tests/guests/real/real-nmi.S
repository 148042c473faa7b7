/* A boot sector for a machine that makes NMIs (tests/nmi.sh): in real mode they come through the vector table, at 0 and where
 * LIDT puts it. TAP on COM1, then a reset by the 8042. */

.set TABLE, 0x9000
.set CMOS_NMI_OPEN, 0x0d

.code16
.globl _start
_start:
    ljmp $0, $1f
1:  cli
    cld
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7c00, %sp
    mov $handler, %ax
    mov %ax, 2 * 4
    movw $0, 2 * 4 + 2
    mov %ax, TABLE + 2 * 4
    movw $0, TABLE + 2 * 4 + 2
    mov $CMOS_NMI_OPEN, %al
    out %al, $0x70

    call measure
    mov $comes, %si
    call ok
    call overlap
    mov $waits, %si
    call verdict
    lidt other
    call overlap
    mov $waits_other, %si
    call verdict

    mov $plan, %si
    call print
    mov $0xfe, %al
    out %al, $0x64
1:  hlt
    jmp 1b

other: .word 0x3ff
    .long TABLE

/* Waits for AX NMIs since the last call. */
wait_for:
    movw $0, seen
1:  cmp %ax, seen
    jb 1b
    ret

/* 3.5 times what lies between two. */
measure:
    mov $2, %ax
    call wait_for
    mov last, %ebx
    mov $1, %ax
    call wait_for
    mov last, %eax
    sub %ebx, %eax
    imul $7, %eax
    shr %eax
    mov %eax, long
    ret

/* One whose handler takes that long; what came meanwhile is one more. */
overlap:
    mov $1, %ax
    call wait_for
    movw $0, nested
    movw $1, linger
    call wait_for
    ret

/* AX still 1: the second came before this. */
verdict:
    cmpw $2, seen
    jne 1f
    cmpw $0, nested
    je ok
1:  mov $not_ok, %di
    jmp 2f
ok: mov $is_ok, %di
2:  xchg %si, %di
    call print
    mov %di, %si
    jmp print

print:
    lodsb
    test %al, %al
    jz 2f
    xchg %ax, %cx
    mov $0x3fd, %dx
1:  in (%dx), %al
    test $0x20, %al
    jz 1b
    xchg %ax, %cx
    mov $0x3f8, %dx
    out %al, (%dx)
    jmp print
2:  ret

handler:
    push %eax
    push %edx
    push %ebx
    incw seen
    incw depth
    cmpw $1, depth
    je 1f
    incw nested
1:  rdtsc
    mov %eax, last
    cmpw $0, linger
    je 3f
    movw $0, linger
    mov %eax, %ebx
2:  rdtsc
    sub %ebx, %eax
    cmp long, %eax
    jb 2b
3:  decw depth
    pop %ebx
    pop %edx
    pop %eax
    iret

not_ok: .ascii "not "
is_ok: .asciz "ok"
comes: .asciz " 1 - NMI in real mode: it comes through the vector table\n"
waits: .asciz " 2 - NMI in real mode: the next one waits for the IRET\n"
waits_other: .asciz " 3 - NMI in real mode: the same with the vector table elsewhere\n"
plan: .asciz "1..3\n"

seen: .word 0
depth: .word 0
nested: .word 0
linger: .word 0
last: .long 0
long: .long 0

.org 510
.word 0xaa55
