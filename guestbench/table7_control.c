/* Table 7: jmp_test and signal_test (AIM9): control that leaves the order of calls. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

#include "core/bench.h"

enum { JUMPS = 1000, FRAMES = 10, SIGNALS = 1000 };

static jmp_buf landing;
static char *stack_top, *stack_bottom;
static uint64_t frames_left;
static volatile uint64_t handled;

__attribute__((noipa)) void jmp_descend(int depth);

__attribute__((noipa)) static void jump(void)
{
    stack_bottom = __builtin_frame_address(0);
    longjmp(landing, FRAMES);
}

/* The asm after the call keeps it one: as a tail call it would need no frame. */
void jmp_descend(int depth)
{
    if (depth == 1)
        jump();
    else
        jmp_descend(depth - 1);
    __asm__ volatile("" : : : "memory");
}

__attribute__((noipa)) static void jump_once(void)
{
    int frames = setjmp(landing);
    if (frames == 0)
        jmp_descend(FRAMES);
    frames_left += (unsigned)frames;
}

static void jmp_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    stack_top = __builtin_frame_address(0);
    for (; n > 0; n--) {
        for (int i = 0; i < JUMPS; i++)
            jump_once();
    }
}

/* Each jump landed, and left frames behind: at least a return address and a word each. */
static void jmp_verify(struct bench_run *run)
{
    uint64_t expected = run->done * JUMPS * FRAMES;
    long least = FRAMES * 2 * (long)sizeof(void *);
    if (frames_left != expected)
        bench_mismatch(run, (double)expected, (double)frames_left);
    if (stack_top - stack_bottom < least)
        bench_mismatch(run, (double)least, (double)(stack_top - stack_bottom));
    frames_left = 0;
}

/* As System V's handlers had to. */
static void handle(int signal_number)
{
    signal(signal_number, handle);
    handled++;
}

static void signal_setup(struct bench_run *run)
{
    if (signal(SIGUSR2, handle) == SIG_ERR)
        bench_fail(run, errno, "signal failed");
    handled = 0;
}

static void signal_iter(struct bench_run *run, uint64_t n)
{
    for (uint64_t i = n * SIGNALS; i > 0; i--) {
        if (kill(getpid(), SIGUSR2) != 0)
            bench_fail(run, errno, "kill failed");
    }
}

static void signal_verify(struct bench_run *run)
{
    if (handled != run->done * SIGNALS)
        bench_mismatch(run, (double)(run->done * SIGNALS), (double)handled);
    handled = 0;
}

static const struct bench control[] = {
    {.name = "aim9.jmp_test",
     .table = "7",
     .unit = "gotos/s",
     .what = "longjmps out of ten frames",
     .ops = JUMPS,
     .iter = jmp_iter,
     .verify = jmp_verify},
    {.name = "aim9.signal_test",
     .table = "7",
     .unit = "signals/s",
     .what = "signals to oneself, the handler installed again by each",
     .ops = SIGNALS,
     .setup = signal_setup,
     .iter = signal_iter,
     .verify = signal_verify},
};

BENCH_TABLE(control);
