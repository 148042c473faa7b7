/* The one report of a VM that ended badly. */

#include "host/log.h"
#include "lib/fmt.h"
#include "vm/vm.h"

static void report_registers(struct vcpu *v)
{
    static const char *const seg[SEG_COUNT] = {"es", "cs",   "ss",   "ds",   "fs",
                                               "gs", "gdtr", "ldtr", "idtr", "tr"};
    const u64 *g = v->gpr;
    vcpu_need(v, ~0u);
    log_line("rip %016lx rflags %016lx cpl %u", v->rip, v->rflags, v->virt->cpl(v));
    log_line("rax %016lx rbx %016lx rcx %016lx rdx %016lx", g[RAX], g[RBX], g[RCX], g[RDX]);
    log_line("rsi %016lx rdi %016lx rbp %016lx rsp %016lx", g[RSI], g[RDI], g[RBP], g[RSP]);
    log_line("r8  %016lx r9  %016lx r10 %016lx r11 %016lx", g[R8], g[R9], g[R10], g[R11]);
    log_line("r12 %016lx r13 %016lx r14 %016lx r15 %016lx", g[R12], g[R13], g[R14], g[R15]);
    log_line("cr0 %lx cr3 %lx cr4 %lx efer %lx", v->cr0, v->cr3, v->cr4, v->efer);
    for (unsigned i = 0; i < SEG_COUNT; i++)
        log_line("%-4s %04x base %016lx limit %08x attr %03x", seg[i], v->seg[i].sel,
                 v->seg[i].base, v->seg[i].limit, v->seg[i].attr);
}

static void report_code(struct vm *vm)
{
    char text[3 * 16 + 1];
    unsigned available, n = 0;
    const u8 *c = vm_code(vm, &available);
    if (!c) {
        log_line("code: rip is not mapped");
        return;
    }
    for (unsigned i = 0; i < 16 && i < available; i++)
        n += (unsigned)fmt_snprintf(text + n, sizeof text - n, "%02x ", c[i]);
    log_line("code: %s", text);
}

static void report_ring(const struct vm *vm)
{
    u64 n = min(vm->exits, (u64)EXIT_RING);
    log_line("the last %lu of %lu exits, oldest first:", n, vm->exits);
    for (u64 i = vm->exits - n; i < vm->exits; i++) {
        const struct exit_trace *t = &vm->ring[i % EXIT_RING];
        log_line("  code %lx rip %016lx info %lx %lx", t->code, t->rip, t->info1, t->info2);
    }
}

void vm_report(struct vm *vm)
{
    static char screen[8 * KiB];
    log_line("report: %s", vm->end_why);
    report_registers(vm->vcpu);
    report_code(vm);
    report_ring(vm);
    machine_screen(vm->machine, screen, sizeof screen);
    log_line("screen:");
    log_text("| ", screen);
}
