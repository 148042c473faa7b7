/* Every opcode of one and two bytes: is it compared with the CPU, tested from the manual, refused, or
 * undefined? One that is executed and tested nowhere fails. The list is printed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "forms.h"
#include "machine.h"

#define LA 0x10000
#define IVT (LA + 0x1000)
#define STACK 0x3000

static u8 mem[0x4000];

#define CODE(m, text) machine_code(&(m), (m).e.rip = 0x1000, text, sizeof(text) - 1)

/* Real mode with all data in mem. */
static void start_real(struct machine *m)
{
    memset(mem, 0, sizeof(mem));
    machine_init(m, MODE_REAL, 0, mem, LA, sizeof(mem));
    for (unsigned i = 0; i <= SEG_GS; i++) {
        m->seg[i].base = i == SEG_CS ? 0 : LA;
        m->seg[i].sel = i == SEG_CS ? 0 : LA >> 4;
    }
    m->seg[SEG_IDTR] = (struct seg){.base = IVT, .limit = 0x3ff};
    m->gpr[RSP] = STACK;
    m->gpr[RBX] = 0x100;
}

static void ok(struct machine *m)
{
    assert_int_equal(emul_step(&m->e, 1), EMUL_OK);
}

static u16 word(unsigned at)
{
    u16 v;
    memcpy(&v, mem + at, 2);
    return v;
}

static void put_word(unsigned at, u16 v)
{
    memcpy(mem + at, &v, 2);
}

static void test_segments_on_the_stack(void **state)
{
    static const struct {
        const char *push, *pop;
        u8 len, seg;
    } cases[] = {
        {"\x06", "\x07", 1, SEG_ES},         {"\x16", "\x17", 1, SEG_SS},
        {"\x1e", "\x1f", 1, SEG_DS},         {"\x0f\xa0", "\x0f\xa1", 2, SEG_FS},
        {"\x0f\xa8", "\x0f\xa9", 2, SEG_GS}, {"\x0e", NULL, 1, SEG_CS},
    };

    (void)state;
    for (unsigned i = 0; i < array_size(cases); i++) {
        struct machine m;
        start_real(&m);
        m.seg[cases[i].seg].sel = 0x4321;
        machine_code(&m, m.e.rip = 0x1000, cases[i].push, cases[i].len);
        ok(&m);
        assert_int_equal(m.gpr[RSP], STACK - 2);
        assert_int_equal(word(STACK - 2), 0x4321);
        if (!cases[i].pop)
            continue;
        put_word(STACK - 2, 0x1357);
        machine_code(&m, m.e.rip = 0x1000, cases[i].pop, cases[i].len);
        ok(&m);
        assert_int_equal(m.gpr[RSP], STACK);
        assert_int_equal(m.seg[cases[i].seg].sel, 0x1357);
        assert_int_equal(m.seg[cases[i].seg].base, 0x13570);
        assert_int_equal(m.e.int_shadow, cases[i].seg == SEG_SS);
    }
}

static void test_far_pointers(void **state)
{
    static const struct {
        const char *code;
        u8 len, seg;
    } cases[] = {
        {"\xc4\x0f", 2, SEG_ES},     {"\xc5\x0f", 2, SEG_DS},     {"\x0f\xb2\x0f", 3, SEG_SS},
        {"\x0f\xb4\x0f", 3, SEG_FS}, {"\x0f\xb5\x0f", 3, SEG_GS},
    };
    struct machine m;

    (void)state;
    for (unsigned i = 0; i < array_size(cases); i++) {
        start_real(&m);
        put_word(0x100, 0xabcd);
        put_word(0x102, 0x2468);
        machine_code(&m, m.e.rip = 0x1000, cases[i].code, cases[i].len);
        ok(&m);
        assert_int_equal(m.gpr[RCX], 0xabcd);
        assert_int_equal(m.seg[cases[i].seg].sel, 0x2468);
        assert_int_equal(m.seg[cases[i].seg].base, 0x24680);
    }
    start_real(&m);
    put_word(0x100, 0x2000);
    put_word(0x102, 0x0030);
    m.seg[SEG_CS].sel = 0x77;
    CODE(m, "\xff\x1f"); /* lcall *(%bx) */
    ok(&m);
    assert_int_equal(m.e.rip, 0x2000);
    assert_int_equal(m.seg[SEG_CS].base, 0x300);
    assert_int_equal(word(STACK - 2), 0x77);
    assert_int_equal(word(STACK - 4), 0x1002);
    machine_code(&m, 0x2300, "\xff\x2f", 2); /* ljmp *(%bx), to where it is */
    ok(&m);
    assert_int_equal(m.gpr[RSP], STACK - 4);
    assert_int_equal(m.e.rip, 0x2000);
}

/* INT3, INTO, INT1; near transfers through a register. */
static void test_transfers(void **state)
{
    struct machine m;

    (void)state;
    start_real(&m);
    put_word(0x1000 + 4 * 3, 0x3300);
    put_word(0x1000 + 4 * 4, 0x4400);
    put_word(0x1000 + 4 * 1, 0x1100);
    CODE(m, "\xcc");
    ok(&m);
    assert_int_equal(m.e.rip, 0x3300);
    assert_int_equal(word(STACK - 6), 0x1001);
    CODE(m, "\xf1");
    ok(&m);
    assert_int_equal(m.e.rip, 0x1100);
    CODE(m, "\xce");
    ok(&m);
    assert_int_equal(m.e.rip, 0x1001);
    m.e.rflags |= RFLAGS_OF;
    CODE(m, "\xce");
    ok(&m);
    assert_int_equal(m.e.rip, 0x4400);
    start_real(&m);
    CODE(m, "\xff\xd3"); /* call *%bx */
    ok(&m);
    assert_int_equal(m.e.rip, 0x100);
    assert_int_equal(word(STACK - 2), 0x1002);
    CODE(m, "\xff\xe3"); /* jmp *%bx */
    ok(&m);
    assert_int_equal(m.e.rip, 0x100);
}

static void test_reads_of_system_state(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m, MODE_32, 0, mem, LA, sizeof(mem));
    m.gpr[RBX] = LA + 0x100;
    m.seg[SEG_LDTR].sel = 0x1234;
    m.seg[SEG_TR].sel = 0x5678;
    m.seg[SEG_GDTR] = (struct seg){.base = 0x12345678, .limit = 0xabc};
    m.seg[SEG_IDTR] = (struct seg){.base = 0x87654321, .limit = 0xdef};
    m.msr_value = 0x1122334455667788;
    CODE(m, "\x0f\x00\xc1"); /* sldt %ecx */
    ok(&m);
    assert_int_equal(m.gpr[RCX], 0x1234);
    CODE(m, "\x0f\x00\x0b"); /* str (%ebx) */
    ok(&m);
    assert_int_equal(word(0x100), 0x5678);
    CODE(m, "\x0f\x01\x03"); /* sgdt */
    ok(&m);
    assert_memory_equal(mem + 0x100, "\xbc\x0a\x78\x56\x34\x12", 6);
    CODE(m, "\x0f\x01\x0b"); /* sidt */
    ok(&m);
    assert_memory_equal(mem + 0x100, "\xef\x0d\x21\x43\x65\x87", 6);
    CODE(m, "\x0f\x01\xe1"); /* smsw %ecx */
    ok(&m);
    assert_int_equal(m.gpr[RCX], CR0_PE);
    CODE(m, "\x0f\x31"); /* rdtsc */
    ok(&m);
    assert_int_equal(m.gpr[RAX], 0x55667788);
    assert_int_equal(m.gpr[RDX], 0x11223344);
    CODE(m, "\x0f\xa2");
    ok(&m);
    assert_int_equal(m.gpr[RBX], 0x12345678);
    CODE(m, "\x0f\x06"); /* clts */
    m.e.cr0 |= CR0_TS;
    ok(&m);
    assert_false(m.e.cr0 & CR0_TS);
}

static void test_writes_of_system_state(void **state)
{
    static const char *const nops[] = {"\x0f\x08", "\x0f\x09"};
    struct machine m;

    (void)state;
    memset(mem, 0, sizeof(mem));
    machine_init(&m, MODE_32, 0, mem, LA, sizeof(mem));
    m.gpr[RBX] = LA + 0x100;
    memcpy(mem + 0x100, "\xff\x07\x78\x56\x34\x12", 6);
    CODE(m, "\x0f\x01\x1b"); /* lidt */
    ok(&m);
    assert_int_equal(m.seg[SEG_IDTR].limit, 0x7ff);
    assert_int_equal(m.seg[SEG_IDTR].base, 0x12345678);
    memcpy(mem + 0x208, "\x7f\0\0\x03\x01\x82\0\0", 8);
    m.seg[SEG_GDTR] = (struct seg){.base = LA + 0x200, .limit = 0xf};
    m.gpr[RAX] = 8;
    CODE(m, "\x0f\x00\xd0"); /* lldt %ax */
    ok(&m);
    assert_int_equal(m.seg[SEG_LDTR].sel, 8);
    assert_int_equal(m.seg[SEG_LDTR].base, LA + 0x300);
    assert_int_equal(m.seg[SEG_LDTR].limit, 0x7f);
    m.gpr[RAX] = 0x11223344;
    m.gpr[RDX] = 0x55667788;
    m.gpr[RCX] = 0x277;
    CODE(m, "\x0f\x30"); /* wrmsr */
    ok(&m);
    assert_int_equal(m.msr_index, 0x277);
    assert_int_equal(m.msr_value, 0x5566778811223344);
    m.gpr[RAX] = m.gpr[RDX] = 0;
    CODE(m, "\x0f\x32"); /* rdmsr */
    ok(&m);
    assert_int_equal(m.gpr[RAX], 0x11223344);
    assert_int_equal(m.gpr[RDX], 0x55667788);
    for (unsigned i = 0; i < array_size(nops); i++) {
        machine_code(&m, m.e.rip = 0x1000, nops[i], 2);
        ok(&m);
        assert_int_equal(m.e.rip, 0x1002);
    }
    CODE(m, "\xfa"); /* cli */
    ok(&m);
    assert_false(m.e.rflags & RFLAGS_IF);
    m.cr[3] = 0x1000;
    CODE(m, "\x0f\x20\xd9"); /* mov %cr3, %ecx */
    ok(&m);
    assert_int_equal(m.gpr[RCX], 0x1000);
}

/* ---- The list ---- */

/* What is tested from the manual, here and in test_access, test_far, test_task and test_system; /r by
 * bits of mask. */
static const struct {
    u8 map, first, last, mask;
} manual[] = {
    {0, 0x06, 0x07, 0xff}, {0, 0x0e, 0x0e, 0xff}, {0, 0x16, 0x17, 0xff}, {0, 0x1e, 0x1f, 0xff},
    {0, 0x6c, 0x6f, 0xff}, {0, 0x8c, 0x8c, 0xff}, {0, 0x8e, 0x8e, 0xff}, {0, 0x9a, 0x9b, 0xff},
    {0, 0x9d, 0x9d, 0xff}, {0, 0xc4, 0xc5, 0xff}, {0, 0xca, 0xcf, 0xff}, {0, 0xd8, 0xdf, 0xff},
    {0, 0xe4, 0xe7, 0xff}, {0, 0xea, 0xea, 0xff}, {0, 0xec, 0xef, 0xff}, {0, 0xf4, 0xf4, 0xff},
    {0, 0xfa, 0xfb, 0xff}, {1, 0x06, 0x06, 0xff}, {1, 0x08, 0x09, 0xff}, {0, 0xf1, 0xf1, 0xff},
    {0, 0xff, 0xff, 0x3c}, {1, 0x00, 0x00, 0x3f}, {1, 0x01, 0x01, 0xff}, {1, 0x02, 0x03, 0xff},
    {1, 0x05, 0x05, 0xff}, {1, 0x07, 0x07, 0xff}, {1, 0x10, 0x17, 0xff}, {1, 0x20, 0x23, 0xff},
    {1, 0x28, 0x29, 0xff}, {1, 0x2b, 0x2b, 0xff}, {1, 0x30, 0x35, 0xff}, {1, 0x6e, 0x6f, 0xff},
    {1, 0x7e, 0x7f, 0xff}, {1, 0xa0, 0xa2, 0xff}, {1, 0xa8, 0xa9, 0xff}, {1, 0xae, 0xae, 0xff},
    {1, 0xb2, 0xb2, 0xff}, {1, 0xb4, 0xb5, 0xff}, {1, 0xd6, 0xd6, 0xff}, {1, 0xe7, 0xe7, 0xff},
    {1, 0xf0, 0xf0, 0xff},
};

/* NOPs of the hint space that have no operation to compare: SDM vol. 2, table A-3. */
static bool is_hint(unsigned map, unsigned opcode)
{
    return map == 1 && (opcode == 0x0d || (opcode >= 0x18 && opcode <= 0x1f));
}

enum kind { PREFIX, UNDEFINED, REFUSED, NATIVE, MANUAL, UNTESTED, CLASSES };
static const char *const kind_names[] = {"prefixes",
                                         "undefined",
                                         "refused",
                                         "compared with the CPU",
                                         "tested from the manual",
                                         "executed, but not tested"};

static bool in_forms(unsigned map, unsigned opcode, unsigned reg)
{
    for (unsigned i = 0; i < form_count; i++) {
        const struct form *f = &forms[i];
        unsigned vary = f->options & COND ? 15 : f->options & LOW3 ? 7 : 0;
        unsigned skip = f->bytes[0] == 0xf3;
        bool two = f->bytes[skip] == 0x0f;
        if (f->options & ONLY_FAULT || two != (map == 1) ||
            (f->bytes[skip + two] | vary) != (opcode | vary) || f->n != skip + two + 1)
            continue;
        if (f->ext < 0 || f->ext == (int)reg)
            return true;
    }
    return false;
}

static bool in_manual(unsigned map, unsigned opcode, unsigned reg)
{
    for (unsigned i = 0; i < array_size(manual); i++)
        if (manual[i].map == map && opcode >= manual[i].first && opcode <= manual[i].last &&
            (manual[i].mask >> reg & 1))
            return true;
    return false;
}

/* What the emulator does with it in some mode, with some prefix, with a register or memory. */
static void probe(unsigned map, unsigned opcode, unsigned reg, bool *executed, bool *refused)
{
    static const u8 prefixes[] = {0, 0x66, 0xf2, 0xf3};

    for (unsigned i = 0; i < 3 * 4 * 2; i++) {
        u8 code[16] = {0}, prefix = prefixes[i / 3 % 4];
        unsigned n = 0;
        struct machine m;
        enum emul_result r;

        if (prefix)
            code[n++] = prefix;
        if (map)
            code[n++] = 0x0f;
        code[n++] = (u8)opcode;
        code[n] = (u8)((i / 12 ? 0xc0 : 0) | reg << 3);
        machine_init(&m, MODE_16 + i % 3, 0, mem, LA, sizeof(mem));
        machine_code(&m, m.e.rip = 0x1000, code, sizeof(code));
        m.e.efer |= EFER_SCE;
        r = emul_step(&m.e, 1);
        if (r == EMUL_UNHANDLED)
            *refused = true;
        else if (r == EMUL_OK || m.e.fault.vector != VEC_UD)
            *executed = true;
    }
}

static bool is_prefix(unsigned map, unsigned opcode)
{
    if (map) /* to the three-byte opcodes */
        return opcode == 0x38 || opcode == 0x3a;
    return opcode && strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3\x0f", (int)opcode);
}

static enum kind classify(unsigned map, unsigned opcode, unsigned reg)
{
    bool executed = false, refused = false;

    if (is_prefix(map, opcode))
        return PREFIX;
    probe(map, opcode, reg, &executed, &refused);
    if (!executed)
        return refused ? REFUSED : UNDEFINED;
    if (in_forms(map, opcode, reg))
        return NATIVE;
    return in_manual(map, opcode, reg) || is_hint(map, opcode) ? MANUAL : UNTESTED;
}

static unsigned print_kind(enum kind c)
{
    char line[800];
    unsigned len = 0, count = 0;

    for (unsigned i = 0; i < 512; i++) {
        unsigned mask = 0;
        for (unsigned reg = 0; reg < 8; reg++)
            if (classify(i >> 8, i & 255, reg) == c)
                mask |= 1u << reg;
        if (!mask)
            continue;
        count++;
        if (len + 24 > sizeof(line)) {
            print_message("# %s:%s\n", kind_names[c], line);
            len = 0;
        }
        len += (unsigned)snprintf(line + len, sizeof(line) - len, " %s%02x", i >> 8 ? "0f" : "",
                                  i & 255);
        for (unsigned reg = 0; mask != 0xff && reg < 8; reg++)
            if (mask >> reg & 1)
                len += (unsigned)snprintf(line + len, sizeof(line) - len, "/%u", reg);
    }
    if (len)
        print_message("# %s:%s\n", kind_names[c], line);
    return count;
}

static void test_list(void **state)
{
    (void)state;
    for (enum kind c = UNDEFINED; c < UNTESTED; c++)
        assert_true(print_kind(c) > 10);
    assert_int_equal(print_kind(UNTESTED), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments_on_the_stack),
        cmocka_unit_test(test_far_pointers),
        cmocka_unit_test(test_transfers),
        cmocka_unit_test(test_reads_of_system_state),
        cmocka_unit_test(test_writes_of_system_state),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests_name("emul opcodes", tests, NULL, NULL);
}
