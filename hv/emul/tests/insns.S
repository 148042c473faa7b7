/* Instructions with the length that the assembler gives them: emul_insns[] of
 * { const u8 *code; u8 length; u8 bits; u8 pad[6] }. */

    .macro i text:vararg
    .text
1:  \text
2:  .section .data.rel.insns, "aw"
    .quad 1b
    .byte 2b - 1b, BITS, 0, 0, 0, 0, 0, 0
    .endm

    .macro alu op
    i \op %al, (%ebx)
    i \op (%ecx), %dh
    i \op $5, %al
    i \op $0x1234567, %eax
    i \op $5, %ecx
    i \op\()l $0x12345, 0x10(%ebp)
    i \op $0x1234, %bx
    i \op\()l $5, 0x12345678(%ecx,%edx,8)
    i \op $5, %ax
    .endm

    .macro common
    alu add
    alu or
    alu adc
    alu sbb
    alu and
    alu sub
    alu xor
    alu cmp
    i mov %eax, (%edx)
    i mov (%esp), %eax
    i mov %ax, 4(%esp)
    i movl $0x12345678, (%eax)
    i movw $0x1234, (%eax)
    i movb $0x12, (%eax,%ebx)
    i mov $0x12345678, %esi
    i mov $0x1234, %si
    i mov $0x12, %bl
    i movl $1, %fs:(%eax)
    i movl $1, %gs:0x100
    i lock cmpxchg %ecx, (%edx)
    i lock cmpxchg8b (%edx)
    i lock xadd %eax, (%edx)
    i lock btsl $3, (%edx)
    i lock btr %eax, (%edx)
    i xchg %eax, (%edx)
    i xchg %eax, %ecx
    i nop
    i nopl (%eax)
    i nopw 0x0(%eax,%eax,1)
    i pause
    i lea 0x10(%eax,%ecx,4), %edx
    i shl $3, %eax
    i shl %eax
    i sarl %cl, (%eax)
    i shld $3, %eax, %ecx
    i shrd %cl, %eax, (%ecx)
    i test $1, %al
    i test $0x12345678, %eax
    i testb $1, (%eax)
    i testl $0x12345678, 8(%eax)
    i testw $0x1234, 8(%eax)
    i not %eax
    i mull (%eax)
    i imul $3, %eax, %ecx
    i imul $0x12345, (%eax), %ecx
    i imul (%eax), %ecx
    i rep movsb
    i rep movsl
    i rep stosw
    i repne scasb
    i repe cmpsl
    i lodsb
    i insb
    i rep outsl
    i in $0x60, %al
    i in %dx, %eax
    i out %al, $0x80
    i out %ax, %dx
    i enter $16, $2
    i leave
    i ret
    i ret $8
    i lretl
    i lretl $8
    i int3
    i int $0x80
    i iretl
    i cli
    i sti
    i hlt
    i cpuid
    i rdtsc
    i rdtscp
    i rdmsr
    i wrmsr
    i clts
    i invd
    i wbinvd
    i invlpg (%eax)
    i invlpg 0x1000(%eax,%ecx,2)
    i lgdt (%eax)
    i lidt 4(%eax)
    i sgdt (%eax)
    i sidt (%eax)
    i lmsw %ax
    i smsw %eax
    i lldt %ax
    i ltr (%eax)
    i str %eax
    i sldt (%eax)
    i verr %ax
    i lar %ax, %eax
    i lsl (%eax), %eax
    i vmmcall
    i vmcall
    i vmrun
    i monitor
    i mwait
    i xgetbv
    i xsetbv
    i syscall
    i sysenter
    i rdpmc
    i ud2
    i movzbl (%eax), %ecx
    i movzwl %ax, %ecx
    i movsbw (%eax), %cx
    i bt %eax, (%ecx)
    i bsf %eax, %ecx
    i popcnt %eax, %ecx
    i bswap %ecx
    i cmove (%eax), %ecx
    i setne (%eax)
    i movnti %eax, (%ecx)
    i movbe (%eax), %ecx
    i mfence
    i clflush (%eax)
    i prefetcht0 (%eax)
    i fxsave (%eax)
    i ldmxcsr (%eax)
    i movaps %xmm0, (%eax)
    i movups (%eax), %xmm1
    i movdqa %xmm7, 0x1234(%eax)
    i movdqu (%eax), %xmm3
    i movntdq %xmm0, (%eax)
    i movq %xmm0, (%eax)
    i movd %xmm0, (%eax)
    i movss (%eax), %xmm0
    i pshufd $1, %xmm0, %xmm1
    i pshufb %xmm0, %xmm1
    i palignr $4, %xmm0, %xmm1
    i cmpps $1, (%eax), %xmm1
    i paddd (%eax), %xmm1
    i psrldq $4, %xmm1
    i crc32l (%eax), %ecx
    i flds (%eax)
    i fninit
    i fnstsw %ax
    i fnstcw (%eax)
    i fildll 0x10(%eax)
    i fwait
    i emms
    i xlat
    i cbtw
    i cltd
    i lahf
    i pushf
    i popf
    i jmp . + 10
    i jmp . + 0x1000
    i jne . + 10
    i jne . + 0x1000
    i call . + 0x1000
    i loop .
    i loopne .
    i push $5
    i push $0x1234
    i push %fs
    i pop %gs
    i ljmp *(%eax)
    i lcall *4(%eax)
    i lss (%eax), %ecx
    i lfs (%eax), %ecx
    i mov %ds, %ax
    i mov %ax, %es
    i mov %ss, (%eax)
    .endm

    .macro legacy
    i push %eax
    i pop %ecx
    i pusha
    i popa
    i push %ds
    i pop %es
    i inc %eax
    i decw (%eax)
    i daa
    i das
    i aaa
    i aas
    i aam
    i aad $7
    i bound %eax, (%ecx)
    i arpl %ax, (%ecx)
    i les (%eax), %ecx
    i lds (%eax), %ecx
    i into
    i mov %cr0, %eax
    i mov %eax, %cr3
    i mov %eax, %dr7
    i ljmp $0x8, $0x1234
    i lcall $0x8, $0x1234
    i mov 0x1234, %al
    i mov %eax, 0x1234
    i mov (%bx,%si), %eax
    i mov 0x12(%bp), %ax
    i mov %al, 0x1234(%di)
    i mov %cs:(%eax), %ecx
    i movl $1, %ss:(%eax)
    i jcxz .
    i jecxz .
    i call *(%eax)
    i jmp *%eax
    .endm

    .globl emul_insns, emul_insns_end
    .section .data.rel.insns, "aw"
    .balign 8
emul_insns:
    .text

    .set BITS, 64
    .code64
    common
    i mov %rdx, (%rax)
    i mov %r9, (%r13)
    i mov %r9, (%r12)
    i mov %al, 0x10(%rip)
    i movl $0x1234, 0x10(%rip)
    i movabs $0x123456789abcdef, %rax
    i movabs %al, 0x123456789abcdef
    i movabs 0x123456789abcdef, %rax
    i mov $-1, %rax
    i movq $0x1234, 8(%r8,%r9,2)
    i lock cmpxchg16b (%rsi)
    i lock btrq $63, (%rdi)
    i movslq %eax, %rcx
    i xchg %r8, %rax
    i mov %cr8, %rax
    i mov %rax, %cr3
    i mov %cr0, %r15
    i mov %rax, %dr7
    i push %r12
    i pop %rax
    i push (%r12)
    i swapgs
    i wrfsbase %rax
    i rdgsbase %rcx
    i iretq
    i lretq
    i sysretq
    i cqto
    i cltq
    i movdqa %xmm9, (%r10)
    i movsq
    i jrcxz .
    i jecxz .
    i test %spl, %sil
    i imul $0x12345678, %r8, %r9
    i call *0x10(%rip)
    i jmp *%r11

    .set BITS, 32
    .code32
    common
    legacy

    .set BITS, 16
    .code16
    common
    legacy
    i mov (%bx), %al
    i mov 0x1234, %bx
    i ljmpl $0x8, $0x12345678
    i retl

    .section .data.rel.insns
emul_insns_end:
    .section .note.GNU-stack, "", @progbits
