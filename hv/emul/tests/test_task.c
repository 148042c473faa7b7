/* Hardware task switches from the manual: SDM vol. 3, chapter 7. Two tasks a and b of 32 or 16 bits. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "machine.h"

#define LA 0x10000u
#define GDT 0x100
#define IDT 0x400
#define TSS_A 0xc00
#define TSS_B 0xd00
#define STACK_A (LA + 0x2000)
#define STACK_B (LA + 0x3000)
#define CODE_LA 0x1000

enum {
    KCODE = 0x08,
    KDATA = 0x10,
    UCODE = 0x18 | 3,
    UDATA = 0x20 | 3,
    TASK_A = 0x28,
    TASK_B = 0x30,
    GATE = 0x38,
    LDT = 0x40,
    GATE_USER = 0x48 | 3,
    ABSENT = 0x50,
    ABSENT_CODE = 0x58,
    CONFORM_USER = 0x60,
    GDT_LIMIT = 0x67,
    VECTOR = 13,
};

static u8 mem[0x4000];

#define CODE(m, text) machine_code(&(m), (m).e.rip = CODE_LA, text, sizeof(text) - 1)
#define JMP_B "\xea\0\0\0\0\x30\0"
#define CALL_B "\x9a\0\0\0\0\x30\0"
#define JMP_GATE "\xea\0\0\0\0\x38\0"
#define IRET "\xcf"

static void desc(u16 sel, u32 base, u32 limit, u16 attr)
{
    machine_descriptor(mem + GDT + (sel & ~7), base, limit, attr);
}

static void task_gate(unsigned offset, u16 sel, u8 attr)
{
    u64 d = (u64)sel << 16 | (u64)attr << 40;
    memcpy(mem + offset, &d, 8);
}

static u8 access_byte(u16 sel)
{
    return mem[GDT + (sel & ~7) + 5];
}

static void put(unsigned at, u32 v, unsigned n)
{
    memcpy(mem + at, &v, n);
}

static u32 get(unsigned at, unsigned n)
{
    u32 v = 0;
    memcpy(&v, mem + at, n);
    return v;
}

/* Offsets in a TSS of the words from IP on. */
static unsigned word_at(bool wide, unsigned i)
{
    return wide ? 0x20 + 4 * i : 0x0e + 2 * i;
}

static void set_word(bool wide, unsigned tss, unsigned i, u32 v)
{
    put(tss + word_at(wide, i), v, wide ? 4 : 2);
}

static u32 get_word(bool wide, unsigned tss, unsigned i)
{
    return get(tss + word_at(wide, i), wide ? 4 : 2);
}

/* IP, flags, eight registers, ES, CS, SS, DS, (FS, GS,) LDT. */
static void make_tss_b(bool wide)
{
    static const u32 words[] = {0x2345, 0x0a07, 0x11, 0x22, 0x33,  0x44,  STACK_B & 0xffff,
                                0x66,   0x77,   0x88, 0,    KCODE, KDATA, KDATA};
    for (unsigned i = 0; i < array_size(words); i++)
        set_word(wide, TSS_B, i, words[i]);
    if (wide) {
        put(TSS_B + 0x38, STACK_B, 4);
        put(TSS_B + 0x1c, 0x55000, 4); /* CR3 */
        put(TSS_B + 0x58, KDATA, 4);   /* FS; GS null */
        put(TSS_B + 0x60, LDT, 4);
    } else {
        put(TSS_B + 0x2a, LDT, 2);
    }
}

static void start(struct machine *m, bool wide_a, bool wide_b, unsigned cpl)
{
    memset(mem, 0, sizeof(mem));
    machine_init(m, MODE_32, cpl, mem, LA, sizeof(mem));
    desc(KCODE, 0, 0xfffff, 0xc9a);
    desc(KDATA, 0, 0xfffff, 0xc92);
    desc(UCODE, 0, 0xfffff, 0xcfa);
    desc(UDATA, 0, 0xfffff, 0xcf2);
    desc(TASK_A, LA + TSS_A, wide_a ? 0x67 : 0x2b, wide_a ? 0x08b : 0x083);
    desc(TASK_B, LA + TSS_B, wide_b ? 0x67 : 0x2b, wide_b ? 0x089 : 0x081);
    task_gate(GDT + GATE, TASK_B, 0x85);
    task_gate(GDT + (GATE_USER & ~7), TASK_B, 0xe5);
    task_gate(IDT + 8 * VECTOR, TASK_B, 0x85);
    desc(LDT, LA + 0xf00, 0xff, 0x082);
    desc(ABSENT, 0, 0xfffff, 0xc12);
    desc(ABSENT_CODE, 0, 0xfffff, 0xc1a);
    desc(CONFORM_USER, 0, 0xfffff, 0xcfe);
    make_tss_b(wide_b);
    m->seg[SEG_GDTR] = (struct seg){.base = LA + GDT, .limit = GDT_LIMIT};
    m->seg[SEG_IDTR] = (struct seg){.base = LA + IDT, .limit = 0x3ff};
    m->seg[SEG_TR] = (struct seg){.sel = TASK_A,
                                  .base = LA + TSS_A,
                                  .limit = wide_a ? 0x67 : 0x2b,
                                  .attr = wide_a ? 0x8b : 0x83};
    m->seg[SEG_LDTR] = (struct seg){0};
    m->seg[SEG_CS].sel = cpl ? UCODE : KCODE;
    for (unsigned i = 0; i <= SEG_GS; i++)
        if (i != SEG_CS)
            m->seg[i].sel = cpl ? UDATA : KDATA;
    for (unsigned i = 0; i < 8; i++)
        m->gpr[i] = 0xabcd0000 | (i + 1);
    m->gpr[RSP] = STACK_A;
    m->dr[7] = 0x755;
    m->e.rip = CODE_LA;
}

static void ok(struct machine *m)
{
    assert_int_equal(emul_step(&m->e, 1), EMUL_OK);
}

/* In the old task, with nothing changed. */
static void faults(struct machine *m, unsigned vector, u32 error)
{
    struct machine before = *m;
    u8 mem_before[sizeof(mem)];

    memcpy(mem_before, mem, sizeof(mem));
    assert_int_equal(emul_step(&m->e, 1), EMUL_FAULT);
    assert_int_equal(m->e.fault.vector, vector);
    assert_int_equal(m->e.fault.error, error);
    assert_false(m->e.new_task);
    assert_memory_equal(m->gpr, before.gpr, sizeof(m->gpr));
    assert_memory_equal(m->seg, before.seg, sizeof(m->seg));
    assert_memory_equal(mem, mem_before, sizeof(mem));
    assert_int_equal(m->e.rip, before.e.rip);
    assert_int_equal(m->e.rflags, before.e.rflags);
    assert_int_equal(m->e.cr0, before.e.cr0);
}

/* In the new task. */
static void faults_inside(struct machine *m, unsigned vector, u32 error)
{
    assert_int_equal(emul_step(&m->e, 1), EMUL_FAULT);
    assert_int_equal(m->e.fault.vector, vector);
    assert_int_equal(m->e.fault.error, error);
    assert_true(m->e.new_task);
    assert_int_equal(m->seg[SEG_TR].sel, TASK_B);
    assert_int_equal(m->e.rip, 0x2345);
    assert_int_equal(access_byte(TASK_B) & 2, 2);
}

static void check_saved(bool wide, u32 next, u32 flags)
{
    u32 mask = wide ? 0xffffffff : 0xffff;
    assert_int_equal(get_word(wide, TSS_A, 0), next);
    assert_int_equal(get_word(wide, TSS_A, 1), flags);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(get_word(wide, TSS_A, 2 + i),
                         (i == RSP ? STACK_A : 0xabcd0000 | (i + 1)) & mask);
    assert_int_equal(get_word(wide, TSS_A, 11) & 0xffff, KCODE);
    assert_int_equal(get_word(wide, TSS_A, 12) & 0xffff, KDATA);
}

static void check_in_b(const struct machine *m, bool wide, bool nested)
{
    assert_int_equal(m->e.rip, 0x2345);
    assert_int_equal(m->e.rflags, 0x0a07 | (nested ? RFLAGS_NT : 0));
    assert_int_equal(m->gpr[RAX] & 0xffff, 0x11);
    assert_int_equal(m->gpr[RDI] & 0xffff, 0x88);
    assert_int_equal(m->gpr[RSP] & 0xffff, STACK_B & 0xffff);
    if (wide)
        assert_int_equal(m->gpr[RAX], 0x11);
    assert_int_equal(m->seg[SEG_TR].sel, TASK_B);
    assert_int_equal(m->seg[SEG_TR].base, LA + TSS_B);
    assert_int_equal(m->seg[SEG_TR].attr, wide ? 0x8b : 0x83);
    assert_int_equal(access_byte(TASK_B), wide ? 0x8b : 0x83);
    assert_int_equal(m->seg[SEG_LDTR].sel, LDT);
    assert_int_equal(m->seg[SEG_LDTR].base, LA + 0xf00);
    assert_int_equal(m->seg[SEG_CS].attr, 0xc9b);
    assert_int_equal(m->seg[SEG_SS].sel, KDATA);
    assert_int_equal(m->seg[SEG_ES].attr, 0);
    assert_int_equal(m->seg[SEG_FS].sel, wide ? KDATA : 0);
    assert_int_equal(m->seg[SEG_GS].attr, 0);
    assert_true(m->e.cr0 & CR0_TS);
    assert_int_equal(m->dr[7], 0x600 & 0x755); /* no local breakpoints */
    assert_int_equal(m->e.cpl, 0);
    assert_false(m->e.trap || m->e.task_trap);
}

static void test_jump(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        bool a = i & 1, b = i & 2;
        struct machine m;
        start(&m, a, b, 0);
        m.e.rflags |= RFLAGS_TF | RFLAGS_RF;
        CODE(m, JMP_B);
        ok(&m);
        check_saved(a, CODE_LA + 7, 0x302);
        check_in_b(&m, b, false);
        assert_int_equal(access_byte(TASK_A), a ? 0x89 : 0x81);
        assert_int_equal(get(TSS_B, 2), 0); /* no link */
        assert_int_equal(m.cr[3], 0);       /* paging is off */
    }
}

static void test_call_and_return(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        bool a = i & 1, b = i & 2;
        struct machine m, before;
        start(&m, a, b, 0);
        CODE(m, CALL_B);
        before = m;
        ok(&m);
        check_saved(a, CODE_LA + 7, 0x202);
        check_in_b(&m, b, true);
        assert_int_equal(access_byte(TASK_A), a ? 0x8b : 0x83); /* still busy */
        assert_int_equal(get(TSS_B, 2), TASK_A);
        m.gpr[RAX] = 0x1234567;
        machine_code(&m, 0x2345, IRET, 1);
        ok(&m);
        assert_int_equal(m.e.rip, CODE_LA + 7);
        assert_int_equal(m.e.rflags, 0x202);
        assert_int_equal(m.seg[SEG_TR].sel, TASK_A);
        assert_int_equal(access_byte(TASK_A), a ? 0x8b : 0x83);
        assert_int_equal(access_byte(TASK_B), b ? 0x89 : 0x81);
        assert_int_equal(get_word(b, TSS_B, 1), 0x0a07); /* NT is not saved */
        assert_int_equal(get_word(b, TSS_B, 2), 0x1234567 & (b ? ~0u : 0xffff));
        for (unsigned n = 0; n < 8; n++)
            assert_int_equal(m.gpr[n] & 0xffff, before.gpr[n] & 0xffff);
    }
}

static void test_gates(void **state)
{
    struct machine m;

    (void)state;
    start(&m, true, true, 0);
    CODE(m, JMP_GATE);
    ok(&m);
    check_in_b(&m, true, false);
    start(&m, true, true, 3);
    CODE(m, "\x9a\0\0\0\0\x4b\0"); /* the user's gate */
    ok(&m);
    check_in_b(&m, true, true);
    start(&m, true, true, 3);
    CODE(m, JMP_GATE);
    faults(&m, VEC_GP, GATE);
    CODE(m, JMP_B); /* the descriptor itself */
    faults(&m, VEC_GP, TASK_B);
    start(&m, true, true, 0);
    task_gate(GDT + GATE, TASK_B, 0x05);
    CODE(m, JMP_GATE);
    faults(&m, VEC_NP, GATE);
    task_gate(GDT + GATE, TASK_B | 4, 0x85);
    faults(&m, VEC_GP, TASK_B | 4);
    task_gate(GDT + GATE, 0x68, 0x85); /* beyond the table */
    faults(&m, VEC_GP, 0x68);
    task_gate(GDT + GATE, 0, 0x85);
    faults(&m, VEC_GP, 0);
}

/* Through the IDT: an error code in the new task, NT, and the way back. */
static void test_events(void **state)
{
    struct machine m;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        bool b = i;
        start(&m, true, b, 3);
        if (!b)
            desc(KDATA, LA, 0xffff, 0x092); /* a stack of 16 bits */
        m.e.rflags |= RFLAGS_RF;            /* of a fault */
        assert_int_equal(emul_deliver(&m.e, VECTOR, false, true, 0x12345678), EMUL_OK);
        assert_int_equal(m.gpr[RSP] & 0xffff, (STACK_B - (b ? 4 : 2)) & 0xffff);
        if (b)
            assert_int_equal(get(STACK_B - LA - 4, 4), 0x12345678);
        assert_int_equal(get_word(true, TSS_A, 0), CODE_LA);
        assert_int_equal(get_word(true, TSS_A, 1), 0x10202);
        assert_int_equal(get(TSS_B, 2), TASK_A);
        assert_true(m.e.rflags & RFLAGS_NT);
        if (!b)
            continue;
        machine_code(&m, 0x2345, IRET, 1);
        m.gpr[RSP] += 4;
        ok(&m);
        assert_int_equal(m.e.cpl, 3);
        assert_int_equal(m.seg[SEG_CS].sel, UCODE);
        assert_int_equal(m.seg[SEG_SS].sel, UDATA);
        assert_int_equal(m.e.rip, CODE_LA);
        assert_int_equal(m.e.rflags, 0x10202);
    }
    start(&m, true, true, 3);
    CODE(m, "\xcd\x0d");
    faults(&m, VEC_GP, VECTOR * 8 + 2);
    task_gate(IDT + 8 * VECTOR, TASK_B, 0xe5);
    ok(&m);
    assert_int_equal(get_word(true, TSS_A, 0), CODE_LA + 2);
    assert_int_equal(m.gpr[RSP], STACK_B);
    /* EXT where no instruction asked for it. */
    start(&m, true, true, 0);
    desc(TASK_B, LA + TSS_B, 0x66, 0x089);
    assert_int_equal(emul_deliver(&m.e, VECTOR, false, false, 0), EMUL_FAULT);
    assert_int_equal(m.e.fault.vector, VEC_TS);
    assert_int_equal(m.e.fault.error, TASK_B | 1);
    assert_false(m.e.new_task);
    CODE(m, "\xcd\x0d");
    faults(&m, VEC_TS, TASK_B);
}

static void test_old_task_faults(void **state)
{
    struct machine m;

    (void)state;
    start(&m, true, true, 0);
    CODE(m, JMP_B);
    desc(TASK_B, LA + TSS_B, 0x67, 0x08b); /* busy */
    faults(&m, VEC_GP, TASK_B);
    desc(TASK_B, LA + TSS_B, 0x67, 0x009);
    faults(&m, VEC_NP, TASK_B);
    desc(TASK_B, LA + TSS_B, 0x66, 0x089);
    faults(&m, VEC_TS, TASK_B);
    desc(TASK_B, LA + TSS_B, 0x2a, 0x081);
    faults(&m, VEC_TS, TASK_B);
    desc(TASK_B, LA + sizeof(mem) - 0x40, 0x67, 0x089); /* half of it is not there */
    faults(&m, VEC_PF, 0);
    desc(TASK_B, LA + TSS_B, 0x67, 0x089);
    m.seg[SEG_TR].base = LA + sizeof(mem) - 0x40;
    faults(&m, VEC_PF, PFEC_W);
    m.seg[SEG_TR].base = LA + TSS_A;
    m.seg[SEG_TR].limit = 0x5e;
    faults(&m, VEC_TS, TASK_A);

    start(&m, true, true, 0); /* IRET: everything is #TS */
    CODE(m, IRET);
    m.e.rflags |= RFLAGS_NT;
    put(TSS_A, TASK_B, 2);
    faults(&m, VEC_TS, TASK_B); /* not busy */
    put(TSS_A, KDATA, 2);
    faults(&m, VEC_TS, KDATA);
    put(TSS_A, 0, 2);
    faults(&m, VEC_TS, 0);
    put(TSS_A, TASK_B | 4, 2);
    faults(&m, VEC_TS, TASK_B | 4);
    desc(TASK_B, LA + TSS_B, 0x67, 0x00b);
    put(TSS_A, TASK_B, 2);
    faults(&m, VEC_NP, TASK_B);
}

/* One wrong word of the new TSS. */
static void test_new_task_faults(void **state)
{
    static const struct {
        u8 word; /* in the TSS from IP on */
        u32 value;
        u8 vector;
        u32 error;
    } cases[] = {
        {16, ABSENT, VEC_TS, ABSENT}, /* LDT: no LDT */
        {16, LDT | 4, VEC_TS, LDT | 4},
        {16, 0x68, VEC_TS, 0x68},
        {11, 0, VEC_TS, 0}, /* CS */
        {11, KDATA, VEC_TS, KDATA},
        {11, UCODE & ~3u, VEC_TS, UCODE & ~3u},
        {11, ABSENT_CODE, VEC_NP, ABSENT_CODE},
        {11, CONFORM_USER, VEC_TS, CONFORM_USER},
        {11, 0x68, VEC_TS, 0x68},
        {12, 0, VEC_TS, 0}, /* SS */
        {12, UDATA, VEC_TS, UDATA & ~3u},
        {12, KCODE, VEC_TS, KCODE},
        {12, ABSENT, VEC_SS, ABSENT},
        {13, KDATA | 3, VEC_TS, KDATA}, /* DS */
        {13, ABSENT, VEC_NP, ABSENT},
        {13, TASK_A, VEC_TS, TASK_A},
        {15, 0x68, VEC_TS, 0x68}, /* GS */
    };
    struct machine m;

    (void)state;
    for (unsigned i = 0; i < array_size(cases); i++) {
        start(&m, true, true, 0);
        put(TSS_B + word_at(true, cases[i].word), cases[i].value, 4);
        CODE(m, CALL_B);
        faults_inside(&m, cases[i].vector, cases[i].error);
        assert_int_equal(get(TSS_B, 2), TASK_A);
        assert_true(m.e.rflags & RFLAGS_NT);
    }
    start(&m, true, true, 0);
    desc(KCODE, 0, 0x2344, 0x49a); /* IP is behind it */
    CODE(m, JMP_B);
    faults_inside(&m, VEC_GP, 0);
    start(&m, true, true, 0);
    put(TSS_B + 0x38, LA - 0x100, 4); /* no stack for the error code */
    m.e.rip = CODE_LA;
    assert_int_equal(emul_deliver(&m.e, VECTOR, false, true, 5), EMUL_FAULT);
    assert_int_equal(m.e.fault.vector, VEC_PF);
    assert_true(m.e.new_task);
}

static void test_paging_and_trap(void **state)
{
    struct machine m;

    (void)state;
    start(&m, true, true, 0);
    m.e.cr0 |= CR0_PG;
    put(TSS_B + 0x64, 1, 2);
    CODE(m, JMP_B);
    ok(&m);
    assert_int_equal(m.cr[3], 0x55000);
    assert_true(m.e.task_trap);
    start(&m, true, false, 0); /* a 16-bit TSS has no CR3 */
    m.e.cr0 |= CR0_PG;
    m.cr[3] = 0x1000;
    CODE(m, JMP_B);
    ok(&m);
    assert_int_equal(m.cr[3], 0x1000);
    assert_false(m.e.task_trap);
}

static void test_v86_task(void **state)
{
    struct machine m;

    (void)state;
    start(&m, true, true, 0);
    put(TSS_B + 0x24, 0x20202, 4);
    put(TSS_B + 0x4c, 0x1234, 4);
    CODE(m, CALL_B);
    ok(&m);
    assert_int_equal(m.e.rflags, 0x20202 | RFLAGS_NT);
    assert_int_equal(m.e.cpl, 3);
    assert_int_equal(m.seg[SEG_CS].base, 0x12340);
    assert_int_equal(m.seg[SEG_SS].base, KDATA << 4);
    assert_int_equal(m.seg[SEG_GS].attr, 0xf3);
    /* Out of it by an event. */
    desc(TASK_A, LA + TSS_A, 0x67, 0x089);
    put(TSS_A + 0x24, 0x202, 4);
    task_gate(IDT + 8 * VECTOR, TASK_A, 0x85);
    assert_int_equal(emul_deliver(&m.e, VECTOR, false, false, 0), EMUL_OK);
    assert_int_equal(get(TSS_B + 0x24, 4), 0x20202 | RFLAGS_NT);
    assert_int_equal(get(TSS_B + 0x4c, 2), 0x1234);
    assert_int_equal(m.e.cpl, 0);
    assert_int_equal(m.seg[SEG_CS].sel, KCODE);
}

/* The door for exits, where the CPU has made the checks on privilege. */
static void test_exit(void **state)
{
    struct emul_task task = {.sel = TASK_B, .source = EMUL_TASK_CALL, .next = CODE_LA + 7};
    struct machine m;

    (void)state;
    start(&m, true, true, 3);
    assert_int_equal(emul_task_switch(&m.e, &task), EMUL_OK);
    check_in_b(&m, true, true);
    assert_int_equal(get_word(true, TSS_A, 0), CODE_LA + 7);
    start(&m, true, true, 0);
    put(TSS_B + word_at(true, 12), 0, 4);
    task = (struct emul_task){.sel = TASK_B, .source = EMUL_TASK_EVENT, .external = true};
    assert_int_equal(emul_task_switch(&m.e, &task), EMUL_FAULT);
    assert_int_equal(m.e.fault.vector, VEC_TS);
    assert_int_equal(m.e.fault.error, 1);
    assert_true(m.e.new_task);
}

static void test_long_mode(void **state)
{
    struct machine m;

    (void)state;
    start(&m, true, true, 0);
    m.e.efer = EFER_LMA | EFER_LME;
    CODE(m, JMP_B);
    faults(&m, VEC_GP, TASK_B);
    CODE(m, JMP_GATE);
    faults(&m, VEC_GP, GATE);
    m.e.rflags |= RFLAGS_NT;
    CODE(m, IRET);
    faults(&m, VEC_GP, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jump),
        cmocka_unit_test(test_call_and_return),
        cmocka_unit_test(test_gates),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_old_task_faults),
        cmocka_unit_test(test_new_task_faults),
        cmocka_unit_test(test_paging_and_trap),
        cmocka_unit_test(test_v86_task),
        cmocka_unit_test(test_exit),
        cmocka_unit_test(test_long_mode),
    };
    return cmocka_run_group_tests_name("emul task switches", tests, NULL, NULL);
}
