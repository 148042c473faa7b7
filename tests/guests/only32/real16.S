/* Programs of real mode, each a far procedure of the 16-bit code from real_begin to real_end, which runs as a copy
 * at 9000h. real_call() goes there and back; results are left in real_result. */

#define LOW 0x9000
#define AT(label) (LOW + label - real_begin)
#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_CODE16 0x38
#define SEL_DATA16 0x40

.macro program name
.globl \name
\name:
.endm

.text
.globl real_begin, real_end, real_call, real_target, real_result, real_vector, real_vector_end
real_begin:
/* void real_call(void): the program at real_target, in real mode with CS = DS = ES = 0, SS:SP below LOW. */
real_call:
    pusha
    mov %esp, AT(kept_esp)
    sidt AT(kept_idt)
    ljmp $SEL_CODE16, $AT(1f)
.code16
1:  mov $SEL_DATA16, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %fs
    mov %ax, %ss
    mov $(LOW - 16), %esp
    lidt AT(ivt)
    mov %cr0, %eax
    and $0xfe, %al
    mov %eax, %cr0
    ljmp $0, $AT(2f)
2:  xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov %ax, %fs
    call *AT(real_target)
    cli
    cld
    xor %ax, %ax
    mov %ax, %ds
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $SEL_CODE, $AT(3f)
.code32
3:  mov $SEL_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov AT(kept_esp), %esp
    lidt AT(kept_idt)
    popa
    ret
.code16

/* The handler of every vector that a program uses: notes IP, CS and FLAGS as pushed, and FLAGS now; goes on at
 * real_resume where that is not 0. */
real_vector:
    push %bp
    mov %sp, %bp
    push %ax
    mov 2(%bp), %ax
    mov %ax, %cs:AT(real_result)
    mov 4(%bp), %ax
    mov %ax, %cs:AT(real_result) + 2
    mov 6(%bp), %ax
    mov %ax, %cs:AT(real_result) + 4
    pushf
    pop %ax
    mov %ax, %cs:AT(real_result) + 6
    incw %cs:AT(real_result) + 8
    mov %cs:AT(resume), %ax
    test %ax, %ax
    jz 1f
    mov %ax, 2(%bp)
1:  pop %ax
    pop %bp
    iret

program r_int
    movw $0, AT(resume)
    sti
    int $0x60
r_int_next:
    pushf
    popw AT(real_result) + 10
    cli
    mov $r_int_next - real_begin + LOW, %ax
    mov %ax, AT(real_result) + 12
    ret

program r_flags
    pushf
    pop %bx
    mov $0x7002, %ax
    push %ax
    popf
    pushf
    popw AT(real_result)
    mov $0x0002, %ax
    push %ax
    popf
    pushf
    popw AT(real_result) + 2
    pushfl
    pop %eax
    mov %eax, AT(real_result) + 4
    push %bx
    popf
    ret

/* A divide error's IP is the DIV. */
program r_divide
    movw $AT(1f), AT(resume)
    xor %bx, %bx
r_divide_at:
    div %bx
1:  movw $AT(r_divide_at), AT(real_result) + 12
    ret

/* What real mode has not: LAR, SLDT, LTR. */
program r_undefined
    movw $AT(1f), AT(resume)
    lar %ax, %ax
1:  movw $AT(2f), AT(resume)
    sldt %ax
2:  movw $AT(3f), AT(resume)
    ltr %ax
3:  movw $AT(4f), AT(resume)
    verr %ax
4:  ret

/* A word at FFFFh, an address above 64 KiB: beyond the limit. */
program r_limit
    movw $AT(1f), AT(resume)
    mov $0xffff, %bx
r_limit_at:
    mov (%bx), %ax
1:  movw $AT(r_limit_at), AT(real_result) + 12
    movw $AT(2f), AT(resume)
    mov $0x10000, %ebx
    mov (%ebx), %al
2:  movw $AT(3f), AT(resume)
    mov $0xfffe, %bx
    movl (%bx), %eax
3:  ret

/* Big real mode: FS gets a limit of 4 GiB in protected mode, keeps it in real mode, and loses nothing by MOV. */
program r_big
    push %ds
    cli
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    jmp 1f
1:  mov $SEL_DATA, %bx
    mov %bx, %fs
    and $0xfe, %al
    mov %eax, %cr0
    ljmp $0, $AT(2f)
2:  mov $0x200000, %esi
    movl %fs:(%esi), %eax
    mov %eax, AT(real_result)
    xor %bx, %bx
    mov %bx, %fs
    movl %fs:4(%esi), %eax
    mov %eax, AT(real_result) + 4
    movl $0x600df00d, %fs:8(%esi)
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    jmp 3f
3:  mov $SEL_DATA16, %bx
    mov %bx, %fs
    and $0xfe, %al
    mov %eax, %cr0
    ljmp $0, $AT(4f)
4:  xor %bx, %bx
    mov %bx, %fs
    pop %ds
    ret

/* Segment arithmetic: FFFFh:0010h is 1 MiB with A20 on, 0 with it off. */
program r_wrap
    mov $0xffff, %ax
    mov %ax, %es
    mov %es:0x510, %ax
    mov %ax, AT(real_result)
    in $0x92, %al
    mov %al, %cl
    and $0xfd, %al
    out %al, $0x92
    mov %es:0x510, %ax
    mov %ax, AT(real_result) + 2
    mov %cl, %al
    or $2, %al
    out %al, $0x92
    mov %es:0x510, %ax
    mov %ax, AT(real_result) + 4
    mov %cl, %al
    out %al, $0x92
    ret

/* SP wraps from 0 to FFFEh; SI and DI wrap in string instructions. */
program r_stack_wrap
    mov %sp, %bx
    mov %ss, %cx
    mov $0x2000, %ax
    mov %ax, %ss
    xor %sp, %sp
    pushw $0x4321
    mov %sp, %cs:AT(real_result)
    popw %cs:AT(real_result) + 2
    mov %sp, %cs:AT(real_result) + 4
    mov %cx, %ss
    mov %bx, %sp
    mov $0x2000, %ax
    mov %ax, %es
    mov $0xfffe, %di
    mov $4, %cx
    mov $0x5a, %al
    rep stosb
    mov %di, AT(real_result) + 6
    mov %es:0, %ax
    mov %ax, AT(real_result) + 8
    ret

/* Far calls and returns, ENTER and LEAVE, LES, XLAT, a string with 32-bit addresses. */
program r_mixed
    lcall $0, $AT(1f)
    mov %ax, AT(real_result)
    jmp 2f
1:  enter $16, $0
    movw $0x1234, -2(%bp)
    mov -2(%bp), %ax
    leave
    lret
2:  les AT(pointer), %bx
    mov %es, AT(real_result) + 2
    mov %bx, AT(real_result) + 4
    mov $AT(pointer), %bx
    mov $2, %al
    xlat
    mov %al, AT(real_result) + 6
    xor %ax, %ax
    mov %ax, %es
    mov $AT(pointer), %esi
    mov $AT(real_result) + 8, %edi
    mov $4, %ecx
    addr32 rep movsb
    mov $LOW, %eax
    ljmpl $0, $AT(3f)
3:  ret
.align 4
pointer:
    .word 0x5678, 0x9abc

/* HLT ends at the PIT's interrupt, by the vector of the BIOS. */
program r_hlt
    movw $0, AT(resume)
    mov $0x30, %al
    out %al, $0x43
    mov $100, %al
    out %al, $0x40
    mov $2, %al
    out %al, $0x40
    mov $0xfe, %al
    out %al, $0x21
    sti
    hlt
    cli
    mov $0xff, %al
    out %al, $0x21
    mov $0x20, %al
    out %al, $0x20
    ret

/* STI's shadow: a pending interrupt comes behind the instruction after it. */
program r_shadow
    movw $0, AT(resume)
    mov $0x30, %al
    out %al, $0x43
    mov $20, %al
    out %al, $0x40
    mov $0, %al
    out %al, $0x40
    mov $0xfe, %al
    out %al, $0x21
    mov $0x0a, %al
    out %al, $0x20
1:  in $0x20, %al
    test $1, %al
    jz 1b
    sti
    cli
    movw AT(real_result) + 8, %bx
    sti
    nop
r_shadow_at:
    cli
    mov %bx, AT(real_result) + 14
    movw $AT(r_shadow_at), AT(real_result) + 12
    mov $0xff, %al
    out %al, $0x21
    mov $0x20, %al
    out %al, $0x20
    ret

/* Single steps by vector 1: nine instructions, from behind the first POPF to the second. */
program r_step
    movw $0, AT(resume)
    pushf
    pop %ax
    or $0x100, %ax
    push %ax
    popf
    nop
    nop
    mov $0x12, %al
    in $0x21, %al
    pushf
    pop %ax
    and $0xfeff, %ax
    push %ax
    popf
    nop
    ret

/* INTO and BOUND. */
program r_into
    movw $0, AT(resume)
    mov $0x7f, %al
    inc %al
    into
r_into_next:
    movw $AT(r_into_next), AT(real_result) + 12
    ret
program r_bound
    movw $AT(1f), AT(resume)
    mov $5, %ax
r_bound_at:
    bound %ax, AT(bounds)
1:  movw $AT(r_bound_at), AT(real_result) + 12
    ret
bounds:
    .word 1, 4

/* LMSW and SMSW, MOV CR0 keeps real mode; SGDT. */
program r_smsw
    smsw %ax
    mov %ax, AT(real_result)
    sgdt AT(real_result) + 2
    ret

.align 4
ivt:
    .word 0x3ff
    .long 0
kept_idt: .skip 6
.align 4
kept_esp: .long 0
real_target: .word 0
resume: .word 0
real_result: .skip 32
real_end:
.code32

.section .note.GNU-stack, "", @progbits
