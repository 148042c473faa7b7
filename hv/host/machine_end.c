#include "host/machine_end.h"
#include "host/cpu.h"
#include "host/io.h"
#include "host/log.h"

static struct serial *console_port;

static const char *const end_names[] = {
    [VM_POWEROFF - VM_POWEROFF] = "poweroff",
    [VM_REBOOT - VM_POWEROFF] = "reboot",
    [VM_TRIPLE_FAULT - VM_POWEROFF] = "triple-fault",
    [VM_HANG - VM_POWEROFF] = "hang",
    [VM_CONFIG - VM_POWEROFF] = "config",
    [VM_ERROR - VM_POWEROFF] = "vm-error",
    [VM_PANIC - VM_POWEROFF] = "panic",
};

void machine_end_console(struct serial *console)
{
    console_port = console;
}

void machine_end_now(enum vm_end end, u64 rip)
{
    cpu_cli();
    log_line("@hv end end=%s code=%d tsc=%lu rip=%lx", end_names[end - VM_POWEROFF], end, rdtsc(),
             rip);
    if (console_port)
        serial_drain(console_port);
    log_drain();
    out8(0xf4, (u8)end);
    for (const char *s = "Shutdown"; *s; s++)
        out8(0x8900, (u8)*s);
    for (;;)
        __asm__ volatile("hlt");
}
