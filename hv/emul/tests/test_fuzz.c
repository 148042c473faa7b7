/* Random bytes as code, random registers and modes: the emulator neither crashes nor loops, and
 * what faults changes nothing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"

#define MEM_LA 0x10000
#define MEM_SIZE 0x10000
#define ITERATIONS 600000

static u64 random_state = 42;

static u64 rnd(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static u8 mem[MEM_SIZE];

/* Opcodes that take more than one path are picked more often than random bytes would. */
static void random_code(u8 *code)
{
    static const u8 starts[][2] = {{0x0f, 0},    {0x0f, 0x01}, {0x0f, 0xc7}, {0xff, 0},
                                   {0x66, 0x0f}, {0xf3, 0xa5}, {0xcf, 0},    {0xcd, 0},
                                   {0x8e, 0},    {0xc8, 0}};
    unsigned n = 0;

    for (unsigned i = 0; i < 16; i++)
        code[i] = (u8)(rnd() >> 16);
    if (rnd() % 3)
        return;
    if (rnd() % 2)
        code[n++] = 0x40 | (rnd() & 15);
    memcpy(code + n, starts[rnd() % array_size(starts)], 1 + rnd() % 2);
}

static void random_machine(struct machine *m)
{
    u8 code[16];
    enum mode mode = rnd() % 5;

    machine_init(m, mode,
                 mode == MODE_V86    ? 3
                 : mode == MODE_REAL ? 0
                                     : rnd() % 4,
                 mem, MEM_LA, MEM_SIZE);
    random_code(code);
    machine_code(m, 0x1000, code, 16);
    m->code_len = rnd() % 4 ? 64 : 1 + rnd() % 16;
    m->fetch_limit = rnd() % 4 ? 0 : 1 + rnd() % 15;
    m->e.rip = 0x1000;
    m->e.rflags |= rnd() & 0x247fd5;
    m->e.cr4 |= rnd() & (CR4_UMIP | CR4_DE | CR4_LA57 | CR4_TSD);
    if (mode >= MODE_16)
        m->e.cr0 |= rnd() & (CR0_TS | CR0_EM | CR0_MP | CR0_AM);
    for (unsigned i = 0; i < 16; i++)
        m->gpr[i] = rnd() % 3 ? MEM_LA + rnd() % MEM_SIZE : rnd() >> rnd() % 64;
    for (unsigned i = SEG_GDTR; i <= SEG_TR; i++) {
        m->seg[i].base = MEM_LA + rnd() % MEM_SIZE;
        m->seg[i].limit = rnd() & 0xffff;
    }
    for (unsigned i = 0; i < SEG_GDTR; i++)
        if (i != SEG_CS && rnd() % 8 == 0)
            m->seg[i].attr = (u16)(rnd() & 0xfff);
}

static void test_random_code(void **state)
{
    unsigned results[4] = {0};

    (void)state;
    for (unsigned i = 0; i < MEM_SIZE; i++)
        mem[i] = (u8)rnd();
    for (unsigned i = 0; i < ITERATIONS; i++) {
        struct machine m, before;
        struct emul_insn insn = {0};
        enum emul_result r, decoded;

        random_machine(&m);
        before = m;
        decoded = emul_decode(&m.e, &insn);
        assert_memory_equal(m.gpr, before.gpr, sizeof(m.gpr));
        r = emul_step(&m.e, 1 + rnd() % 100);
        assert_in_range(r, EMUL_OK, EMUL_UNHANDLED);
        results[r]++;
        if (decoded == EMUL_OK)
            assert_in_range(insn.length, 1, 15);
        else if (decoded == EMUL_FAULT)
            assert_int_equal(r, EMUL_FAULT);
        if (r != EMUL_OK) {
            assert_int_equal(m.e.rip, before.e.rip);
            assert_int_equal(m.e.rflags, before.e.rflags);
            assert_int_equal(m.e.cpl, before.e.cpl);
            if (!insn.rep && !insn.repne)
                assert_memory_equal(m.gpr, before.gpr, sizeof(m.gpr));
            assert_memory_equal(m.seg, before.seg, sizeof(m.seg));
        }
        assert_true(m.reads + m.writes < 1000);
    }
    assert_true(results[EMUL_OK] > ITERATIONS / 10);
    assert_true(results[EMUL_FAULT] > ITERATIONS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_code)};
    return cmocka_run_group_tests_name("emul fuzz", tests, NULL, NULL);
}
