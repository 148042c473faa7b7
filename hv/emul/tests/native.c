#define _GNU_SOURCE
#include "native.h"

#include <asm/ldt.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

void native_enter(struct native_state *s);
extern char native_exit[];

#define EXIT_STUB (NATIVE_CODE + 0xf00)
#define LDT_CODE 0
#define LDT_DATA 1
#define LDT_CODE16 2
#define LDT_DATA16 3
#define SELECTOR(n) ((u16)((n) << 3 | 7))

static volatile sig_atomic_t trap;
static u64 trap_rip;
static u16 host_cs, host_ss;

static void on_signal(int sig, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    u64 csgsfs;

    (void)sig;
    (void)info;
    memcpy(&csgsfs, &regs[REG_CSGSFS], 8);
    if ((csgsfs & 0xffff) == SELECTOR(LDT_CODE16))
        regs[REG_RIP] += (greg_t)NATIVE_CODE;
    if (regs[REG_RIP] < (greg_t)NATIVE_CODE || regs[REG_RIP] >= (greg_t)(NATIVE_CODE + 0x1000)) {
        signal(sig, SIG_DFL); /* not in code under test */
        return;
    }
    trap = (int)regs[REG_TRAPNO];
    trap_rip = (u64)regs[REG_RIP];
    csgsfs = (csgsfs & 0x0000ffffffff0000ull) | host_cs | (u64)host_ss << 48;
    memcpy(&regs[REG_CSGSFS], &csgsfs, 8);
    regs[REG_RIP] = (greg_t)(uintptr_t)native_exit;
    regs[REG_EFL] &= ~0x10100;
}

void native_catch(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    for (unsigned i = 0; i < array_size(signals); i++)
        sigaction(signals[i], &sa, NULL);
}

static const char *no_code16;

static int ldt_set(unsigned n, u64 base, u32 limit, bool pages, unsigned contents, bool wide)
{
    struct user_desc d = {
        .entry_number = n,
        .base_addr = (unsigned)base,
        .limit = limit,
        .seg_32bit = wide,
        .contents = contents,
        .limit_in_pages = pages,
        .useable = 1,
    };
    return (int)syscall(SYS_modify_ldt, 1, &d, sizeof(d));
}

static void map(u64 where, u64 size, int prot)
{
    void *p =
        mmap((void *)where, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (p != (void *)where) {
        fprintf(stderr, "cannot map %#llx: %s\n", (unsigned long long)where, strerror(errno));
        exit(1);
    }
}

const char *native_init(void)
{
    static char stack[65536];
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};
    void *target = native_exit;
    u8 *stub = (u8 *)EXIT_STUB;

    map(NATIVE_CODE, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC);
    map(NATIVE_DATA, NATIVE_DATA_SIZE, PROT_READ | PROT_WRITE);
    memcpy(stub, "\xff\x25\0\0\0\0", 6); /* jmp *0(%rip) */
    memcpy(stub + 6, &target, 8);
    sigaltstack(&ss, NULL);
    __asm__("mov %%cs, %0" : "=r"(host_cs));
    __asm__("mov %%ss, %0" : "=r"(host_ss));
    if (ldt_set(LDT_CODE, 0, 0xfffff, true, 2, true) ||
        ldt_set(LDT_DATA, NATIVE_DATA, 0xffff, false, 0, true))
        return "modify_ldt is not available";
    if (ldt_set(LDT_CODE16, NATIVE_CODE, 0xfff, false, 2, false) ||
        ldt_set(LDT_DATA16, NATIVE_DATA, 0xffff, false, 0, false))
        no_code16 = "the kernel gives no 16-bit segments";
    return NULL;
}

const char *native_no_code16(void)
{
    return no_code16;
}

u16 native_data(unsigned bits)
{
    return bits == 16 ? SELECTOR(LDT_DATA16) : SELECTOR(LDT_DATA);
}

void native_run(struct native_state *s, const u8 *code, unsigned len, unsigned bits)
{
    u8 *p = (u8 *)NATIVE_CODE + 0x800;

    memcpy(p, code, len);
    if (bits != 64) {
        u32 stub = (u32)EXIT_STUB;
        if (bits == 16)
            p[len++] = 0x66;
        p[len] = 0xea; /* ljmp $cs, $stub */
        memcpy(p + len + 1, &stub, 4);
        memcpy(p + len + 5, &host_cs, 2);
    } else {
        s32 rel = (s32)(EXIT_STUB - (u64)(uintptr_t)(p + len + 5));
        p[len] = 0xe9;
        memcpy(p + len + 1, &rel, 4);
    }
    s->entry = (u64)(uintptr_t)p;
    s->far[0] = bits == 16 ? 0x800 : (u32)s->entry;
    s->far[1] = bits == 64 ? 0 : bits == 32 ? SELECTOR(LDT_CODE) : SELECTOR(LDT_CODE16);
    s->data_sel = native_data(bits);
    trap = -1;
    native_enter(s);
    s->trap = trap;
    s->trap_rip = trap_rip;
}
