/* Lengths against the assembler's; operands of what exits without them; limits of code fetch. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "machine.h"

struct entry {
    const u8 *code;
    u8 length, bits, pad[6];
};
extern const struct entry emul_insns[], emul_insns_end[];

static enum mode mode_of(unsigned bits)
{
    return bits == 64 ? MODE_64 : bits == 32 ? MODE_32 : MODE_16;
}

static void check_lengths(unsigned fetch_limit)
{
    unsigned bad = 0;

    for (const struct entry *p = emul_insns; p < emul_insns_end; p++) {
        struct machine m;
        struct emul_insn insn = {0};
        enum emul_result r;

        machine_init(&m, mode_of(p->bits), 0, NULL, 0, 0);
        machine_code(&m, 0x1000, p->code, p->length);
        m.e.rip = 0x1000;
        m.fetch_limit = fetch_limit;
        r = emul_decode(&m.e, &insn);
        if (r == EMUL_OK && insn.length == p->length)
            continue;
        bad++;
        fprintf(stderr, "# %u-bit entry %u: result %d length %u, not %u:", p->bits,
                (unsigned)(p - emul_insns), r, insn.length, p->length);
        for (unsigned i = 0; i < p->length; i++)
            fprintf(stderr, " %02x", p->code[i]);
        fprintf(stderr, "\n");
    }
    assert_true(emul_insns_end - emul_insns > 800);
    assert_int_equal(bad, 0);
}

static void test_lengths(void **state)
{
    (void)state;
    check_lengths(0);
}

/* Code that comes a byte at a time. */
static void test_lengths_in_pieces(void **state)
{
    (void)state;
    check_lengths(1);
}

static struct emul_insn decode(enum mode mode, const char *code, unsigned len)
{
    struct machine m;
    struct emul_insn insn;

    machine_init(&m, mode, 0, NULL, 0, 0);
    for (unsigned i = 0; i < 16; i++)
        m.gpr[i] = 0x100 * (i + 1);
    machine_code(&m, 0x1000, code, len);
    m.e.rip = 0x1000;
    assert_int_equal(emul_decode(&m.e, &insn), EMUL_OK);
    assert_int_equal(insn.length, len);
    assert_int_equal(m.fetches, 1);
    return insn;
}

static void test_operands(void **state)
{
    struct emul_insn i;

    (void)state;
    i = decode(MODE_64, "\x44\x0f\x20\xc1", 4); /* mov %cr8, %rcx */
    assert_int_equal(i.opcode_map, 1);
    assert_int_equal(i.opcode, 0x20);
    assert_int_equal(i.reg, 8);
    assert_int_equal(i.rm, RCX);
    assert_false(i.has_mem);
    i = decode(MODE_32, "\x0f\x01\x7c\x88\x10", 5); /* invlpg 0x10(%eax,%ecx,4) */
    assert_true(i.has_mem);
    assert_int_equal(i.mem_ea, 0x100 + 4 * 0x200 + 0x10);
    assert_int_equal(i.mem_seg, SEG_DS);
    i = decode(MODE_16, "\x66\x2e\x8b\x42\x80", 5); /* mov %cs:-128(%bp,%si), %eax */
    assert_int_equal(i.operand_size, 4);
    assert_int_equal(i.address_size, 2);
    assert_int_equal(i.mem_seg, SEG_CS);
    assert_int_equal(i.mem_ea, 0x600 + 0x700 - 128);
    i = decode(MODE_32, "\xe4\x71", 2); /* in $0x71, %al */
    assert_int_equal(i.imm, 0x71);
    assert_int_equal(i.operand_size, 1);
    i = decode(MODE_64, "\xf3\x48\xab", 3);
    assert_true(i.rep);
    assert_int_equal(i.operand_size, 8);
    i = decode(MODE_64, "\x48\x8b\x05\x10\0\0\0", 7);
    assert_int_equal(i.mem_ea, 0x1017);
}

static void expect_gp(struct machine *m)
{
    struct emul_insn insn;
    assert_int_equal(emul_decode(&m->e, &insn), EMUL_FAULT);
    assert_int_equal(m->e.fault.vector, VEC_GP);
}

static void test_fetch_limits(void **state)
{
    static const char prefixes[16] =
        "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90";
    struct emul_insn insn;
    struct machine m;

    (void)state;
    machine_init(&m, MODE_32, 0, NULL, 0, 0);
    machine_code(&m, 0x1000, prefixes, 16); /* 16 bytes are too many */
    m.e.rip = 0x1000;
    expect_gp(&m);
    machine_code(&m, 0x1000, prefixes + 1, 15);
    assert_int_equal(emul_decode(&m.e, &insn), EMUL_OK);
    assert_int_equal(insn.length, 15);

    machine_code(&m, 0x1000, "\xb8\1\2\3\4", 5);
    m.seg[SEG_CS].limit = 0x1004;
    assert_int_equal(emul_decode(&m.e, &insn), EMUL_OK);
    m.seg[SEG_CS].limit = 0x1003; /* the last byte is outside */
    expect_gp(&m);

    machine_init(&m, MODE_64, 0, NULL, 0, 0);
    m.e.rip = 1ull << 47;
    expect_gp(&m);

    machine_init(&m, MODE_32, 0, NULL, 0, 0);
    machine_code(&m, 0x1000, "\xb8\1\2\3\4", 5);
    m.code_len = 4; /* the next page is not there */
    m.e.rip = 0x1000;
    assert_int_equal(emul_decode(&m.e, &insn), EMUL_FAULT);
    assert_int_equal(m.e.fault.vector, VEC_PF);
    assert_int_equal(m.e.fault.cr2, 0x1004);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_lengths_in_pieces),
        cmocka_unit_test(test_operands),
        cmocka_unit_test(test_fetch_limits),
    };
    return cmocka_run_group_tests_name("emul decode", tests, NULL, NULL);
}
