/* A boot disk that tests real mode: TAP on COM1, then a reset by the 8042. 16-bit code at 7C00h; the first sector
 * loads the rest. */

.set SECTORS, 7
.set TICKS, 0x46c /* the BIOS's, of IRQ 0 */

.code16
.globl _start
_start:
    ljmp $0, $1f
1:  xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7c00, %sp
    cld
    mov $0x0200 + SECTORS, %ax
    mov $0x0002, %cx
    mov $0, %dh /* DL: the drive, as the BIOS gave it */
    mov $0x7e00, %bx
    int $0x13
    jnc main
    mov $load_failed, %si
    call print
    jmp reset

load_failed: .asciz "Bail out! INT 13h cannot read the disk\n"

reset:
    mov $0xfe, %al
    out %al, $0x64
1:  hlt
    jmp 1b

putc:
    push %dx
    push %ax
    mov $0x3fd, %dx
1:  in (%dx), %al
    test $0x20, %al
    jz 1b
    pop %ax
    mov $0x3f8, %dx
    out %al, (%dx)
    pop %dx
    ret

print:
    lodsb
    test %al, %al
    jz 1f
    call putc
    jmp print
1:  ret

/* AX in decimal. */
print_number:
    push %bx
    push %cx
    push %dx
    xor %cx, %cx
    mov $10, %bx
1:  xor %dx, %dx
    div %bx
    push %dx
    inc %cx
    test %ax, %ax
    jnz 1b
2:  pop %ax
    add $'0', %al
    call putc
    loop 2b
    pop %dx
    pop %cx
    pop %bx
    ret

.org 510
.word 0xaa55

/* Exceptions: the vector and the address they return to are noted, and the test goes on at `resume`. */
.macro handler vector
handler_\vector:
    movw $\vector, %cs:vector
    jmp caught
.endm
handler 0
handler 1
handler 3
handler 4
handler 6
handler 12
handler 13
caught:
    pop %cs:from
    mov %cs:kept_sp, %sp
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    sti
    jmp *%cs:resume

stepped: /* vector 1 while steps are counted: ends when TF is cleared in its frame */
    incw %cs:steps
    push %bp
    mov %sp, %bp
    cmpw $3, %cs:steps
    jb 1f
    andw $~0x100, 6(%bp)
1:  pop %bp
    iret

software: /* vector 60h: the flags as it finds them, and AX */
    pushf
    popw %cs:flags
    mov $0x1234, %ax
    iret

elsewhere: /* vector 60h of the other table */
    mov $0x5678, %ax
    iret

.macro set_vector n, to
    movw $\to, \n * 4
    movw $0, \n * 4 + 2
.endm

/* Runs code that raises vector \v at label \at; a jump to `fail` otherwise. */
.macro expect v, code:vararg
    movw $9f, resume
    movw $8f, expected
    mov %sp, kept_sp
    movw $-1, vector
8:  \code
    jmp fail
9:  cmpw $\v, vector
    jne fail
    mov expected, %ax
    cmp from, %ax
    jne fail
.endm

.macro check cc
    j\cc 7f
    jmp fail
7:
.endm

/* Interrupts on and the BIOS's table in use, as each test begins. */
test_int_iret:
    mov $0, %ax
    stc
    int $0x60
    check c /* IRET has given the flags back */
    cmp $0x1234, %ax
    check e
    testw $0x200, flags /* IF was off in the handler */
    check z
    pushf
    pop %ax
    test $0x200, %ax
    check nz
    jmp pass

test_cli_sti:
    cli
    pushf
    pop %ax
    test $0x200, %ax
    check z
    sti
    pushf
    pop %ax
    test $0x200, %ax
    check nz
    pushfl
    pop %eax
    test $0x20000, %eax /* no VM flag */
    check z
    jmp pass

test_popf:
    push $0x0202
    popf
    pushf
    pop %ax
    and $0x0fff, %ax
    cmp $0x0202, %ax
    check e
    jmp pass

test_hlt:
    mov TICKS, %ax
1:  sti
    hlt
    cmp TICKS, %ax
    je 1b
    jmp pass

test_divide:
    xor %cx, %cx
    mov $1, %ax
    cwd
    expect 0, div %cx
    jmp pass

test_int3:
    movw $9f, resume
    mov %sp, kept_sp
    movw $-1, vector
    int3
8:  jmp fail
9:  cmpw $3, vector
    check e
    cmpw $8b, from
    check e
    jmp pass

test_into:
    mov $0x7f, %al
    add $1, %al
    movw $9f, resume
    mov %sp, kept_sp
    movw $-1, vector
    into
8:  jmp fail
9:  cmpw $4, vector
    check e
    cmpw $8b, from
    check e
    mov $1, %al
    add $1, %al
    into /* OF clear: nothing */
    jmp pass

test_undefined:
    expect 6, ud2
    expect 6, str %ax
    expect 6, sldt %ax
    expect 6, lar %ax, %bx
    jmp pass

test_limit:
    mov $0xffff, %bx
    expect 13, mov (%bx), %ax
    mov $0x10000, %ebx
    expect 13, addr32 mov (%ebx), %al
    mov $1, %bp
    expect 12, mov 0xfffe(%bp), %ax
    jmp pass

test_other_table:
    mov $0, %si
    mov $0x2000, %di
    mov $0x200, %cx
    rep movsw
    movw $elsewhere, 0x2000 + 0x60 * 4
    cli
    lidt other_idt
    int $0x60
    sidt scratch
    lidt real_idt
    sti
    cmp $0x5678, %ax
    check e
    cmpw $0x2000, scratch + 2
    check e
    int $0x60
    cmp $0x1234, %ax
    check e
    jmp pass

test_step:
    movw $stepped, 1 * 4
    movw $0, steps
    pushf
    pop %ax
    or $0x100, %ax
    push %ax
    popf
    nop
    nop
    nop
    nop
    set_vector 1, handler_1
    cmpw $3, steps
    check e
    pushf
    pop %ax
    test $0x100, %ax
    check z
    jmp pass

test_protected_and_back:
    cli
    lgdt gdt_pointer
    mov $0xcafef00d, %ebp
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $8, $1f
.code32
1:  mov $0x10, %ax
    mov %ax, %ds
    mov $0x200000, %ebx
    movl $0x600dbeef, (%ebx)
    mov (%ebx), %edx
    ljmp $0x18, $2f
.code16
2:  mov $0x20, %ax
    mov %ax, %ds
    mov %cr0, %eax
    and $~1, %al
    mov %eax, %cr0
    ljmp $0, $3f
3:  xor %ax, %ax
    mov %ax, %ds
    sti
    cmp $0x600dbeef, %edx
    check e
    cmp $0xcafef00d, %ebp
    check e
    smsw %ax
    test $1, %al
    check z
    int $0x60
    cmp $0x1234, %ax
    check e
    jmp pass

test_limit_again: /* of 64 KiB, which came back with the selector 20h */
    mov $0x10000, %ebx
    expect 13, addr32 mov (%ebx), %al
    jmp pass

/* FS with a limit of 4 GiB from protected mode; real mode keeps it over a new selector. */
test_big_segments:
    cli
    lgdt gdt_pointer
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    mov $0x10, %bx
    mov %bx, %fs
    and $~1, %al
    mov %eax, %cr0
    xor %bx, %bx
    mov %bx, %fs
    sti
    mov $0x300000, %ebx
    movl $0x12345678, %fs:(%ebx)
    incl %fs:(%ebx)
    mov $0x10, %ax
    mov %ax, %fs
    cmpl $0x12345679, %fs:-0x100(%ebx)
    check e
    int $0x60 /* still real mode with its table */
    cmp $0x1234, %ax
    check e
    push %fs
    pop %ax
    cmp $0x10, %ax
    check e
    jmp pass

test_sysenter:
    mov $0x174, %ecx
    mov $8, %eax
    xor %edx, %edx
    wrmsr
    xor %eax, %eax
    rdmsr
    cmp $8, %eax
    check e
    expect 13, sysenter
    mov $0x174, %ecx
    rdmsr
    cmp $8, %eax
    check e
    jmp pass

test_syscall:
    mov $0xc0000080, %ecx
    rdmsr
    or $1, %al /* EFER.SCE */
    wrmsr
    expect 6, syscall
    mov $0xc0000080, %ecx
    rdmsr
    test $1, %al
    check nz
    and $~1, %al
    wrmsr
    jmp pass

test_time_stamp:
    mov %cr4, %eax
    or $4, %al /* TSD has no effect at privilege 0 */
    mov %eax, %cr4
    rdtsc
    mov %eax, %ebx
    rdtsc
    sub %ebx, %eax
    check a
    mov %cr4, %eax
    test $4, %al
    check nz
    and $~4, %al
    mov %eax, %cr4
    jmp pass

test_debug_registers:
    mov $0x12345, %eax
    mov %eax, %dr1
    xor %eax, %eax
    mov %dr1, %eax
    cmp $0x12345, %eax
    check e
    xor %eax, %eax
    mov %eax, %dr1
    jmp pass

test_text_screen:
    mov $0xb800, %ax
    mov %ax, %es
    movw $0x0741, %es:0
    cmpw $0x0741, %es:0
    check e
    xor %ax, %ax
    mov %ax, %es
    jmp pass

test_tables:
    lgdt gdt_pointer
    sgdt scratch
    cmpw $gdt, scratch + 2
    check e
    cmpw $gdt_end - gdt - 1, scratch
    check e
    jmp pass

test_ports:
    mov $0x5a, %al
    mov $0x3ff, %dx /* the UART's scratch register */
    out %al, (%dx)
    xor %al, %al
    in (%dx), %al
    cmp $0x5a, %al
    check e
    jmp pass

.macro row test, name
    .word \test, 9f
    .pushsection .rodata
9:  .asciz "\name"
    .popsection
.endm

pass:
    mov $ok_text, %si
    jmp 1f
fail:
    mov $not_ok_text, %si
1:  xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7c00, %sp
    call print
    mov number, %ax
    call print_number
    mov $dash, %si
    call print
    mov current, %bx
    mov 2(%bx), %si
    call print
    mov $10, %al
    call putc
    addw $4, current
    jmp next

main:
    mov $0x3fb, %dx
    mov $3, %al /* 8 bits, as the firmware may not have set it */
    out %al, (%dx)
    set_vector 0, handler_0
    set_vector 1, handler_1
    set_vector 3, handler_3
    set_vector 4, handler_4
    set_vector 6, handler_6
    set_vector 12, handler_12
    set_vector 13, handler_13
    set_vector 0x60, software
    sti
next:
    incw number
    mov current, %bx
    cmp $rows_end, %bx
    je 1f
    jmp *(%bx)
1:  mov $plan, %si
    call print
    mov $(rows_end - rows) / 4, %ax
    call print_number
    mov $10, %al
    call putc
2:  mov $0x3fd, %dx /* all sent */
    in (%dx), %al
    test $0x40, %al
    jz 2b
    jmp reset

.balign 4
rows:
    row test_int_iret, "INT n and IRET"
    row test_cli_sti, "CLI, STI and PUSHF"
    row test_popf, "POPF"
    row test_hlt, "HLT ends with the timer's interrupt"
    row test_divide, "DE through the vector table"
    row test_int3, "INT3"
    row test_into, "INTO"
    row test_undefined, "UD of instructions of protected mode"
    row test_limit, "GP and SS beyond 64 KiB"
    row test_other_table, "LIDT: a vector table elsewhere"
    row test_step, "single steps"
    row test_protected_and_back, "to protected mode and back"
    row test_limit_again, "GP beyond 64 KiB after it"
    row test_big_segments, "a segment of 4 GiB"
    row test_sysenter, "SYSENTER raises GP, its MSR is kept"
    row test_syscall, "SYSCALL is undefined"
    row test_time_stamp, "RDTSC with CR4.TSD"
    row test_debug_registers, "MOV DR"
    row test_text_screen, "the text screen"
    row test_tables, "LGDT and SGDT"
    row test_ports, "IN and OUT"
rows_end:
current: .word rows
number: .word 0
vector: .word 0
from: .word 0
resume: .word 0
expected: .word 0
kept_sp: .word 0
steps: .word 0
flags: .word 0
scratch: .skip 8
plan: .asciz "1.."
ok_text: .asciz "ok "
not_ok_text: .asciz "not ok "
dash: .asciz " - "

.balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff /* 08: 32-bit code */
    .quad 0x00cf93000000ffff /* 10: 4 GiB of data */
    .quad 0x00009b000000ffff /* 18: 16-bit code */
    .quad 0x000093000000ffff /* 20: 64 KiB of data */
gdt_end:
gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt
other_idt:
    .word 0x3ff
    .long 0x2000
real_idt:
    .word 0x3ff
    .long 0
.section .rodata
.section .note.GNU-stack, "", @progbits
