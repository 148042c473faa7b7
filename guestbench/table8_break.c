/*
 * Table 8: page_test and brk_test (AIM9): moving the break, with and without
 * touching the new pages.
 *
 * The system call is made directly: musl refuses to move the break since its
 * malloc owns it, and this process never calls malloc after the first move.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/bench.h"

enum {
    PAGE = 4096,
    STEPS = 16,
    HEAP_BYTES = 1 << 20,
    WINDOW_BYTES = STEPS * PAGE,
    PAGE_ROUNDS = 100,
    BRK_ROUNDS = 100, /* AIM9: 1000; a shorter iteration suits short samples */
    STRIDE = 128,
    STRIDES = PAGE / STRIDE
};

static uintptr_t original;

static uintptr_t set_break(struct bench_run *run, uintptr_t to)
{
    uintptr_t now = (uintptr_t)syscall(SYS_brk, to);
    if (now != to)
        bench_fail(run, ENOMEM, "cannot move the break");
    return now;
}

static void break_setup(struct bench_run *run)
{
    original = (uintptr_t)syscall(SYS_brk, 0);
    if (original == 0)
        bench_fail(run, 0, "the kernel does not tell the break");
    original = set_break(run, (original + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
}

static void page_iter(struct bench_run *run, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uintptr_t top = set_break(run, original + HEAP_BYTES);
        for (int round = 0; round < PAGE_ROUNDS; round++) {
            top = set_break(run, top - WINDOW_BYTES);
            for (int step = 0; step < STEPS; step++) {
                volatile char *page = (volatile char *)top;
                top = set_break(run, top + PAGE);
                for (int at = 0; at < PAGE; at += STRIDE)
                    page[at] = 1;
            }
        }
        set_break(run, original);
    }
}

static void brk_iter(struct bench_run *run, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uintptr_t top = set_break(run, original + HEAP_BYTES);
        for (int round = 0; round < BRK_ROUNDS; round++) {
            top = set_break(run, top - WINDOW_BYTES);
            for (int step = 0; step < STEPS; step++)
                top = set_break(run, top + PAGE);
        }
        set_break(run, original);
    }
}

/* Every move was checked; what is left is that new pages come zeroed and hold what is written. */
static void break_verify(struct bench_run *run)
{
    set_break(run, original + PAGE);
    volatile char *page = (volatile char *)original;
    int sum = 0;
    for (int at = 0; at < PAGE; at += STRIDE) {
        sum += page[at] != 0;
        page[at] = 1;
    }
    for (int at = 0; at < PAGE; at += STRIDE)
        sum += page[at];
    set_break(run, original);
    if (sum != STRIDES)
        bench_mismatch(run, STRIDES, sum);
}

static const struct bench breaks[] = {
    {.name = "aim9.page_test",
     .table = "8",
     .unit = "ops/s",
     .what = "break moves and first touches of the new pages",
     .ops = PAGE_ROUNDS * (1 + STEPS),
     .setup = break_setup,
     .iter = page_iter,
     .verify = break_verify},
    {.name = "aim9.brk_test",
     .table = "8",
     .unit = "ops/s",
     .what = "break moves, nothing touched",
     .ops = BRK_ROUNDS * (1 + STEPS),
     .setup = break_setup,
     .iter = brk_iter,
     .verify = break_verify},
};

BENCH_TABLE(breaks);
