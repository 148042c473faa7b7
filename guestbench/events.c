/*
 * Events: single instructions and requests that a hypervisor must handle, for
 * counting exits rather than for comparing times. Not of the paper; run only
 * when asked for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/io.h>
#include <unistd.h>

#include "core/bench.h"

enum { PIC_MASK_PORT = 0x21, EVENTS = 100 };

static uint32_t signature[3], vendor[3];
static uint8_t mask;

static inline void cpuid_vendor(uint32_t out[3])
{
    uint32_t eax = 0;
    __asm__ volatile("cpuid"
                     : "+a"(eax), "=b"(out[0]), "=d"(out[1]), "=c"(out[2])
                     : "3"(0)
                     : "memory");
}

static void cpuid_setup(struct bench_run *run)
{
    (void)run;
    cpuid_vendor(vendor);
}

/* noipa: tests/loops.t looks at the code of each of these. */
__attribute__((noipa)) static void cpuid_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (size_t i = (size_t)n * EVENTS; i > 0; i--)
        cpuid_vendor(signature);
}

static void cpuid_verify(struct bench_run *run)
{
    if (memcmp(signature, vendor, sizeof vendor) != 0)
        bench_mismatch(run, vendor[0], signature[0]);
    memset(signature, 0, sizeof signature);
}

/* The interrupt mask of the first 8259: reading it has no side effect, nor has writing it back. */
static void pio_setup(struct bench_run *run)
{
    if (ioperm(PIC_MASK_PORT, 1, 1) != 0)
        bench_skip(run, "I/O ports are closed: %s", strerror(errno));
}

__attribute__((noipa)) static void pio_in_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (size_t i = (size_t)n * EVENTS; i > 0; i--)
        mask = inb(PIC_MASK_PORT);
}

__attribute__((noipa)) static void pio_out_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (size_t i = (size_t)n * EVENTS; i > 0; i--) {
        mask = inb(PIC_MASK_PORT);
        outb(mask, PIC_MASK_PORT);
    }
}

static void pio_verify(struct bench_run *run)
{
    uint8_t now = inb(PIC_MASK_PORT);
    if (now != mask)
        bench_mismatch(run, now, mask);
}

static void pio_teardown(struct bench_run *run)
{
    (void)run;
    ioperm(PIC_MASK_PORT, 1, 0);
}

/* The kernel's cheapest way in and out: what a test costs when nothing exits. */
__attribute__((noipa)) static void syscall_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (size_t i = (size_t)n * EVENTS; i > 0; i--)
        getppid();
}

static const struct bench events[] = {
    {.name = "exit.cpuid",
     .table = "events",
     .unit = "events/s",
     .what = "CPUID in user mode",
     .flags = BENCH_EXTRA,
     .ops = EVENTS,
     .setup = cpuid_setup,
     .iter = cpuid_iter,
     .verify = cpuid_verify},
    {.name = "exit.pio",
     .table = "events",
     .unit = "events/s",
     .what = "byte reads of port 21h, the 8259's mask",
     .needs = "I/O-ports",
     .flags = BENCH_EXTRA,
     .ops = EVENTS,
     .setup = pio_setup,
     .iter = pio_in_iter,
     .verify = pio_verify,
     .teardown = pio_teardown},
    {.name = "exit.pio_out",
     .table = "events",
     .unit = "pairs/s",
     .what = "byte reads of port 21h and writes of the same value",
     .needs = "I/O-ports",
     .flags = BENCH_EXTRA,
     .ops = EVENTS,
     .setup = pio_setup,
     .iter = pio_out_iter,
     .verify = pio_verify,
     .teardown = pio_teardown},
    {.name = "exit.none",
     .table = "events",
     .unit = "events/s",
     .what = "getppid, a system call that makes no exit",
     .flags = BENCH_EXTRA,
     .ops = EVENTS,
     .iter = syscall_iter},
};

BENCH_TABLE(events);
