#include "host/idt.h"
#include "host/cpu.h"
#include "host/io.h"
#include "host/log.h"
#include "host/machine_end.h"

extern u8 trap_stubs[], nmi_stub[], timer_stub[], spurious_stub[], pic_stub_master[],
    pic_stub_slave[];
extern u8 fault_stack_top[];
void host_trap(const struct trap_frame *f);

struct gate {
    u16 offset_low, selector;
    u8 ist, type;
    u16 offset_mid;
    u32 offset_high, reserved;
};

struct tss {
    u32 reserved0;
    u64 rsp[3], reserved1, ist[7], reserved2;
    u16 reserved3, iomap;
} __attribute__((packed));

struct pseudo_descriptor {
    u16 limit;
    u64 base;
} __attribute__((packed));

enum { GATE_INTERRUPT = 0x8e, IST_FAULT = 1 };

static struct gate idt[256];
static struct tss tss;
/* Null, 64-bit code, and the TSS's descriptor of two entries. */
static u64 gdt[4] = {0, 0x00af9b000000ffff};

static void set_gate(unsigned vector, const void *stub, u8 ist)
{
    u64 at = (u64)stub;
    idt[vector] =
        (struct gate){(u16)at, HOST_CS, ist, GATE_INTERRUPT, (u16)(at >> 16), (u32)(at >> 32), 0};
}

void host_idt_init(void)
{
    u64 base = (u64)&tss;
    struct pseudo_descriptor gdtr = {sizeof gdt - 1, (u64)gdt}, idtr = {sizeof idt - 1, (u64)idt};

    tss.ist[IST_FAULT - 1] = (u64)fault_stack_top;
    tss.iomap = sizeof tss;
    gdt[2] = (sizeof tss - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[3] = base >> 32;
    for (unsigned v = 0; v < 32; v++)
        set_gate(v, trap_stubs + 16 * v, v == VEC_DF || v == VEC_PF || v == VEC_MC ? IST_FAULT : 0);
    set_gate(VEC_NMI, nmi_stub, 0);
    for (unsigned i = 0; i < 16; i++)
        set_gate(HOST_VEC_PIC + i, i < 8 ? pic_stub_master : pic_stub_slave, 0);
    set_gate(HOST_VEC_TIMER, timer_stub, 0);
    set_gate(HOST_VEC_SPURIOUS, spurious_stub, 0);
    __asm__ volatile("lgdt %0; lidt %1; ltr %w2" : : "m"(gdtr), "m"(idtr), "r"(HOST_TR) : "memory");
}

void host_pic_init(u16 enabled)
{
    if (enabled & 0xff00)
        enabled |= 1 << 2; /* the slave's line */
    out8(0x20, 0x11);
    out8(0xa0, 0x11);
    out8(0x21, HOST_VEC_PIC);
    out8(0xa1, HOST_VEC_PIC + 8);
    out8(0x21, 4);
    out8(0xa1, 2);
    out8(0x21, 1);
    out8(0xa1, 1);
    out8(0x21, (u8)~enabled);
    out8(0xa1, (u8)(~enabled >> 8));
}

/* An exception in the hypervisor: a defect of ours. */
void host_trap(const struct trap_frame *f)
{
    log_line("hypervisor exception %lu error %lx at %lx cr2 %lx", f->vector, f->error, f->rip,
             read_cr2());
    log_line("rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    log_line("rsi %016lx rdi %016lx rbp %016lx rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
    log_line("r8  %016lx r9  %016lx r10 %016lx r11 %016lx", f->r8, f->r9, f->r10, f->r11);
    log_line("r12 %016lx r13 %016lx r14 %016lx r15 %016lx", f->r12, f->r13, f->r14, f->r15);
    machine_end_now(VM_PANIC, f->rip);
}
