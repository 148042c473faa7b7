/* bool vmx_enter(u64 *gpr, bool launched, u64 *host_rsp)
 *
 * One turn of the guest (SDM vol. 3, chapters 26 and 27); true: the CPU refused the VMCS (VMfail). RSP, RIP
 * and RFLAGS are in the VMCS, the other registers are ours to move. *host_rsp is what HOST_RSP has, so
 * that it is written only when the stack is at another place. Interrupts are off all the time: one of
 * the machine below ends the guest's turn and stays pending.
 */

#define VMCS_HOST_RSP 0x6c14

#include "cpu/gprs.inc"

.text
.globl vmx_enter, vmx_exited
vmx_enter:
    push_callee_saved
    push %rdi
    cmp %rsp, (%rdx)
    je 1f
    mov %rsp, (%rdx)
    mov $VMCS_HOST_RSP, %eax
    vmwrite %rsp, %rax
1:  test %sil, %sil /* no instruction before the branch changes the flags */

    mov 0x00(%rdi), %rax
    load_gprs
    jnz 2f
    vmlaunch
    jmp 3f
2:  vmresume
3:  mov $1, %eax
    jmp 4f

    /* HOST_RIP; HOST_RSP is where gpr was pushed. */
vmx_exited:
    push %rax
    mov 8(%rsp), %rax
    mov %rcx, 0x08(%rax)
    pop %rcx
    mov %rcx, 0x00(%rax)
    store_gprs
    xor %eax, %eax

    take_interrupt

4:  add $8, %rsp
    pop_callee_saved
    ret

.section .note.GNU-stack, "", @progbits
