#pragma once

#include "dev/dev.h"

/* Writes the `end` record, sends all logs and switches the machine below off with the end's code:
 * QEMU's isa-debug-exit (port F4h), Bochs' shutdown port (8900h), else HLT for ever. rip: of the guest
 * (or of the hypervisor for VM_PANIC). */
void machine_end_now(enum vm_end end, u64 rip) __attribute__((noreturn));
/* The console to send before the machine goes off. */
struct serial;
void machine_end_console(struct serial *console);
