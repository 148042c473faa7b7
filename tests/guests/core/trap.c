/* Descriptor tables and what happens on an exception. */

#include "guest.h"

enum { VECTORS = 64, STUB_BYTES = 16, TSS_IO_BASE = 102, TSS_BYTES = 104, STACK_BYTES = 8192 };

extern u8 vector_stubs[];
extern u64 gdt[GDT_ENTRIES];
void user_enter(void (*fn)(void), ulong flags, void *stack) __attribute__((noreturn));
void trap_entry(struct frame *f);

struct env trap_env;
volatile bool trap_catching;
volatile struct trap trap_last;
volatile unsigned irq_seen[16];

static trap_handler *handlers[VECTORS];
static u64 idt[VECTORS * (LONG_MODE ? 2 : 1)];
static u8 tss[TSS_BYTES + IO_BITMAP_PORTS / 8 + 1];
static u8 ring0_stack[STACK_BYTES] aligned_page, user_stack[STACK_BYTES] aligned_page;

void trap_entry(struct frame *f)
{
    int v = (int)f->vector;
    ulong cr2 = v == PF ? read_cr2() : 0;
    if (handlers[v] && handlers[v](f))
        return;
    if (v >= IRQ_BASE && v < IRQ_BASE + 16) {
        irq_seen[v - IRQ_BASE]++;
        pic_eoi((unsigned)v - IRQ_BASE);
        return;
    }
    trap_last.vector = v;
    trap_last.error = f->error;
    trap_last.cr2 = cr2;
    trap_last.ip = f->ip;
    trap_last.flags = f->flags;
    trap_last.cs = f->cs;
    if (!trap_catching)
        bail_out("exception %u, error %lx, at %lx, cr2 %lx", v, f->error, f->ip, cr2);
    trap_catching = false;
    env_resume(&trap_env);
}

void trap_handle(int vector, trap_handler *handler)
{
    handlers[vector] = handler;
}

void trap_gate(int vector, unsigned type, unsigned dpl, void (*stub)(void))
{
    u64 at = stub ? (ulong)stub : (ulong)(vector_stubs + vector * STUB_BYTES);
    u64 low = (at & 0xffff) | (u64)SEL_CODE << 16 | (u64)(type | dpl << 5) << 40 |
              (at >> 16 & 0xffff) << 48;
    if (!LONG_MODE) {
        idt[vector] = low;
        return;
    }
    idt[vector * 2] = low;
    idt[vector * 2 + 1] = at >> 32;
}

void gdt_set(unsigned selector, u64 descriptor)
{
    gdt[selector / 8] = descriptor;
}

u64 gdt_get(unsigned selector)
{
    return gdt[selector / 8];
}

static void tss_init(void)
{
    ulong at = (ulong)tss, stack = (ulong)(ring0_stack + STACK_BYTES);
    u16 io = TSS_BYTES;
    u32 ss0 = SEL_DATA;
    memset(tss + TSS_BYTES, 0xff, sizeof tss - TSS_BYTES);
    memcpy(tss + TSS_IO_BASE, &io, sizeof io);
    memcpy(tss + 4, &stack, sizeof stack);
    if (!LONG_MODE)
        memcpy(tss + 8, &ss0, sizeof ss0);
    gdt_set(SEL_TSS, (sizeof tss - 1) | (u64)(at & 0xffffff) << 16 | 0x89ull << 40 |
                         (u64)(at >> 24 & 0xff) << 56);
    gdt_set(SEL_TSS + 8, 0);
    __asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
}

void tss_io_allow(u16 port, bool allow)
{
    u8 bit = (u8)(1 << port % 8), *byte = &tss[TSS_BYTES + port / 8];
    *byte = allow ? *byte & (u8)~bit : *byte | bit;
}

void trap_init(void)
{
    struct {
        u16 limit;
        ulong base;
    } __attribute__((packed)) idtr = {sizeof idt - 1, (ulong)idt};
    for (int v = 0; v < VECTORS; v++)
        trap_gate(v, GATE_INTERRUPT,
                  v == BP || v == OF || v == VEC_USER_EXIT || v == VEC_SOFT ? 3 : 0, NULL);
    __asm__ volatile("lidt %0" : : "m"(idtr));
    tss_init();
}

int user_run(void (*fn)(void), ulong flags)
{
    int v = CATCH(user_enter(fn, flags | 2, user_stack + STACK_BYTES - 16));
    return v == VEC_USER_EXIT ? NO_TRAP : v;
}
