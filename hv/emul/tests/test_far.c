/* Segment loads, far transfers, interrupts and their returns, in every mode. */

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
#define TSS 0xc00
#define KSTACK (LA + 0x2000)
#define USTACK (LA + 0x3000)
static u8 mem[0x4000];

/* Selectors. */
enum {
    KCODE = 0x08,
    KDATA = 0x10,
    UCODE = 0x18 | 3,
    UDATA = 0x20 | 3,
    CODE64 = 0x28,
    GATE = 0x30,
    ABSENT = 0x38,
    TSS_SEL = 0x40,
    CONFORM = 0x50,
    CODE16 = 0x58,
    GATE_USER = 0x60 | 3,
    ROM = 0x68,
    TSS_HIGH = 0x48,
};

#define CODE(m, text) machine_code(&(m), (m).e.rip = 0x1000, text, sizeof(text) - 1)

static void desc(u16 sel, u32 base, u32 limit, u16 attr)
{
    machine_descriptor(mem + GDT + (sel & ~7), base, limit, attr);
}

static void gate(unsigned offset, u16 sel, u32 to, unsigned type, unsigned dpl, unsigned params)
{
    u64 d = (to & 0xffff) | (u64)sel << 16 | (u64)params << 32 |
            (u64)(0x80 | dpl << 5 | type) << 40 | (u64)(to >> 16) << 48;
    memcpy(mem + offset, &d, 8);
}

static u32 word(u32 la)
{
    u32 v;
    memcpy(&v, &mem[la - LA], 4);
    return v;
}

static u64 quad(u32 la)
{
    u64 v;
    memcpy(&v, &mem[la - LA], 8);
    return v;
}

static void start(struct machine *m, enum mode mode, unsigned cpl)
{
    u32 esp0 = KSTACK;
    u16 ss0 = KDATA;

    memset(mem, 0, sizeof(mem));
    machine_init(m, mode, cpl, mem, LA, sizeof(mem));
    desc(KCODE, 0, 0xfffff, 0xc9a);
    desc(KDATA, 0, 0xfffff, 0xc92);
    desc(UCODE, 0, 0xfffff, 0xcfa);
    desc(UDATA, 0, 0xfffff, 0xcf2);
    desc(CODE64, 0, 0xfffff, 0xa9a);
    desc(ABSENT, 0, 0xfffff, 0xc12);
    desc(TSS_SEL, LA + TSS, 0x67, 0x089);
    desc(CONFORM, 0, 0xfffff, 0xc9e);
    desc(CODE16, 0, 0xffff, 0x09a);
    desc(ROM, 0, 0xfffff, 0xc90);
    gate(GDT + GATE, KCODE, 0x2000, 12, 0, 0);
    gate(GDT + (GATE_USER & ~7), KCODE, 0x2000, 12, 3, 2);
    m->seg[SEG_GDTR] = (struct seg){.base = LA + GDT, .limit = 0x6f};
    m->seg[SEG_IDTR] = (struct seg){.base = LA + IDT, .limit = 0x3ff};
    m->seg[SEG_TR] = (struct seg){.sel = TSS_SEL, .base = LA + TSS, .limit = 0x67, .attr = 0x8b};
    memcpy(mem + TSS + 4, &esp0, 4);
    memcpy(mem + TSS + 8, &ss0, 2);
    if (mode == MODE_32 || mode == MODE_64) {
        m->seg[SEG_CS].sel = mode == MODE_64 ? CODE64 : cpl ? UCODE : KCODE;
        m->seg[SEG_SS].sel = cpl ? UDATA : KDATA;
        m->seg[SEG_DS].sel = m->seg[SEG_ES].sel = cpl ? UDATA : KDATA;
        m->gpr[RSP] = cpl ? USTACK : KSTACK;
    } else {
        m->gpr[RSP] = 0x3000;
        m->seg[SEG_SS].base = LA;
        m->seg[SEG_SS].sel = LA >> 4;
    }
}

static void ok(struct machine *m)
{
    assert_int_equal(emul_step(&m->e, 1), EMUL_OK);
}

static void faults(struct machine *m, unsigned vector, u32 error)
{
    struct machine before = *m;

    assert_int_equal(emul_step(&m->e, 1), EMUL_FAULT);
    assert_int_equal(m->e.fault.vector, vector);
    assert_int_equal(m->e.fault.error, error);
    assert_memory_equal(m->gpr, before.gpr, sizeof(m->gpr));
    assert_memory_equal(m->seg, before.seg, sizeof(m->seg));
    assert_int_equal(m->e.cpl, before.e.cpl);
    assert_int_equal(m->e.rflags, before.e.rflags);
}

static void load_ds(struct machine *m, u16 sel)
{
    CODE(*m, "\x8e\xd8");
    m->gpr[RAX] = sel;
}

static void test_data_segments(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 0);
    load_ds(&m, KDATA);
    ok(&m);
    assert_int_equal(m.seg[SEG_DS].attr, 0xc93); /* accessed, in memory as well */
    assert_int_equal(m.seg[SEG_DS].limit, 0xffffffff);
    assert_int_equal(mem[GDT + KDATA + 5], 0x93);
    assert_int_equal(m.e.seg_changed, 1u << SEG_DS);
    load_ds(&m, ABSENT);
    faults(&m, VEC_NP, ABSENT);
    load_ds(&m, 0x70); /* beyond the table */
    faults(&m, VEC_GP, 0x70);
    load_ds(&m, GATE);
    faults(&m, VEC_GP, GATE);
    load_ds(&m, 4 | 8); /* no LDT */
    faults(&m, VEC_GP, 12);
    load_ds(&m, 3); /* null */
    ok(&m);
    assert_int_equal(m.seg[SEG_DS].attr, 0);
    CODE(m, "\x8b\x00");
    m.gpr[RAX] = LA;
    faults(&m, VEC_GP, 0);
    CODE(m, "\x8e\xd0"); /* mov %eax, %ss */
    m.gpr[RAX] = 0;
    faults(&m, VEC_GP, 0);
    m.gpr[RAX] = UDATA;
    faults(&m, VEC_GP, UDATA & ~3u);
    m.gpr[RAX] = ROM;
    faults(&m, VEC_GP, ROM);
    m.gpr[RAX] = KDATA;
    m.e.rflags |= RFLAGS_TF;
    ok(&m);
    assert_true(m.e.int_shadow);
    assert_false(m.e.trap);
    CODE(m, "\x8e\xc8"); /* mov %eax, %cs */
    faults(&m, VEC_UD, 0);

    start(&m, MODE_32, 3);
    load_ds(&m, KDATA);
    faults(&m, VEC_GP, KDATA);
    load_ds(&m, CONFORM);
    ok(&m);
}

static void test_system_segments(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 0);
    CODE(m, "\x0f\x00\xd8"); /* ltr %ax */
    m.gpr[RAX] = TSS_SEL;
    ok(&m);
    assert_int_equal(m.seg[SEG_TR].attr, 0x8b);
    assert_int_equal(mem[GDT + TSS_SEL + 5], 0x8b);
    CODE(m, "\x0f\x00\xd8");
    faults(&m, VEC_GP, TSS_SEL); /* busy now */
    CODE(m, "\x0f\x00\xd0");     /* lldt */
    faults(&m, VEC_GP, TSS_SEL);
    CODE(m, "\x0f\x02\xc8"); /* lar %ax, %ecx */
    m.gpr[RAX] = UCODE;
    ok(&m);
    assert_int_equal(m.gpr[RCX], 0xcffa00);
    assert_true(m.e.rflags & RFLAGS_ZF);
    CODE(m, "\x0f\x03\xc8"); /* lsl */
    ok(&m);
    assert_int_equal(m.gpr[RCX], 0xffffffff);
    CODE(m, "\x0f\x03\xc8");
    m.gpr[RAX] = GATE; /* no limit */
    ok(&m);
    assert_false(m.e.rflags & RFLAGS_ZF);
    CODE(m, "\x0f\x00\xe8"); /* verw */
    m.gpr[RAX] = KDATA;
    ok(&m);
    assert_true(m.e.rflags & RFLAGS_ZF);
    CODE(m, "\x0f\x00\xe8");
    m.gpr[RAX] = ROM;
    ok(&m);
    assert_false(m.e.rflags & RFLAGS_ZF);
}

static void test_far_jump(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 0);
    CODE(m, "\xea\x34\x12\x00\x00\x08\x00");
    ok(&m);
    assert_int_equal(m.e.rip, 0x1234);
    assert_int_equal(m.seg[SEG_CS].sel, KCODE);
    CODE(m, "\xea\x00\x00\x02\x00\x58\x00"); /* beyond a 64 KiB limit */
    faults(&m, VEC_GP, 0);
    CODE(m, "\xea\x00\x00\x00\x00\x1b\x00"); /* another privilege */
    faults(&m, VEC_GP, UCODE & ~3u);
    CODE(m, "\xea\x00\x00\x00\x00\x10\x00");
    faults(&m, VEC_GP, KDATA);
    CODE(m, "\xea\x00\x00\x00\x00\x30\x00"); /* a gate of the same privilege */
    ok(&m);
    assert_int_equal(m.e.rip, 0x2000);
}

/* Out of real mode as boot code does it: PE, then a far jump. */
static void test_real_to_protected(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_REAL, 0);
    CODE(m, "\x0f\x22\xc0");
    m.gpr[RAX] = CR0_PE;
    ok(&m);
    CODE(m, "\x66\xea\x00\x20\x00\x00\x08\x00");
    ok(&m);
    assert_int_equal(m.e.rip, 0x2000);
    assert_int_equal(m.seg[SEG_CS].attr, 0xc9b);
    assert_int_equal(m.seg[SEG_SS].sel, LA >> 4); /* as it was */
    machine_code(&m, 0x2000, "\x8e\xd8", 2);
    m.gpr[RAX] = KDATA;
    ok(&m);
    m.e.cr0 = 0; /* back: big real mode */
    machine_code(&m, m.e.rip = 0x1000, "\x8e\xd8", 2);
    m.gpr[RAX] = 0x1000;
    ok(&m);
    assert_int_equal(m.seg[SEG_DS].base, 0x10000);
    assert_int_equal(m.seg[SEG_DS].limit, 0xffffffff);
}

static void test_call_gate(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 3);
    memcpy(&mem[USTACK - LA - 8], "\x11\0\0\0\x22\0\0\0", 8);
    m.gpr[RSP] = USTACK - 8;
    CODE(m, "\x9a\0\0\0\0\x63\0");
    ok(&m);
    assert_int_equal(m.e.cpl, 0);
    assert_int_equal(m.e.rip, 0x2000);
    assert_int_equal(m.seg[SEG_CS].sel, KCODE);
    assert_int_equal(m.seg[SEG_SS].sel, KDATA);
    assert_int_equal(m.gpr[RSP], KSTACK - 24);
    assert_int_equal(word(KSTACK - 4), UDATA);
    assert_int_equal(word(KSTACK - 8), USTACK - 8);
    assert_int_equal(word(KSTACK - 12), 0x22);
    assert_int_equal(word(KSTACK - 16), 0x11);
    assert_int_equal(word(KSTACK - 20), UCODE);
    assert_int_equal(word(KSTACK - 24), 0x1007);
    m.seg[SEG_FS] = m.seg[SEG_SS];
    machine_code(&m, 0x2000, "\xca\x08\x00", 3); /* lret $8 */
    ok(&m);
    assert_int_equal(m.e.cpl, 3);
    assert_int_equal(m.e.rip, 0x1007);
    assert_int_equal(m.gpr[RSP], USTACK);
    assert_int_equal(m.seg[SEG_SS].sel, UDATA);
    assert_int_equal(m.seg[SEG_FS].attr, 0); /* the kernel's segment is gone */
    CODE(m, "\x9a\0\0\0\0\x30\0");
    faults(&m, VEC_GP, GATE);
    m.seg[SEG_TR].limit = 7;
    CODE(m, "\x9a\0\0\0\0\x63\0");
    faults(&m, VEC_TS, TSS_SEL);
}

static void test_interrupt_real(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_REAL, 0);
    memcpy(mem + IDT + 4 * 0x10, "\x00\x20\x00\xc0", 4);
    m.e.rflags |= RFLAGS_CF | RFLAGS_TF;
    m.seg[SEG_CS].sel = 0x123;
    CODE(m, "\xcd\x10");
    ok(&m);
    assert_int_equal(m.e.rip, 0x2000);
    assert_int_equal(m.seg[SEG_CS].base, 0xc0000);
    assert_int_equal(m.gpr[RSP], 0x2ffa);
    assert_int_equal(word(LA + 0x2ffa), 0x1002 | 0x123 << 16);
    assert_int_equal(m.e.rflags & (RFLAGS_IF | RFLAGS_TF), 0);
    assert_false(m.e.trap);
    machine_code(&m, 0xc2000, "\xcf", 1);
    ok(&m);
    assert_int_equal(m.e.rip, 0x1002);
    assert_int_equal(m.seg[SEG_CS].sel, 0x123);
    assert_int_equal(m.gpr[RSP], 0x3000);
    assert_true(m.e.rflags & RFLAGS_IF && m.e.rflags & RFLAGS_CF);
    assert_int_equal(emul_deliver(&m.e, 0x10, false, true, 5), EMUL_OK); /* no error code */
    assert_int_equal(m.gpr[RSP], 0x2ffa);
    m.seg[SEG_IDTR].limit = 0x42;
    m.e.rip = 0x1000;
    assert_int_equal(emul_deliver(&m.e, 0x10, false, false, 0), EMUL_FAULT);
    assert_int_equal(m.e.fault.vector, VEC_GP);
    assert_false(m.e.fault.has_error);
}

/* The caller unblocks NMIs by it. */
static void test_iret_is_told(void **state)
{
    struct machine m;
    (void)state;
    start(&m, MODE_32, 0);
    m.seg[SEG_IDTR].limit = 0x7ff;
    gate(IDT + 8 * 0x80, KCODE, 0x2000, 15, 3, 0);
    CODE(m, "\xcd\x80");
    ok(&m);
    assert_false(m.e.iret);
    machine_code(&m, 0x2000, "\xcf", 1);
    ok(&m);
    assert_true(m.e.iret);
    CODE(m, "\x90");
    ok(&m);
    assert_false(m.e.iret);
    m.seg[SEG_SS].limit = 0; /* nothing to pop */
    CODE(m, "\xcf");
    faults(&m, VEC_SS, 0);
    assert_true(m.e.iret);
    m.seg[SEG_SS].limit = ~0u;
    assert_int_equal(emul_deliver(&m.e, 0x80, false, false, 0), EMUL_OK);
    assert_false(m.e.iret);
}

static void test_interrupt_protected(void **state)
{
    struct machine m;
    u64 flags;

    (void)state;
    start(&m, MODE_32, 3);
    gate(IDT + 8 * 0x80, KCODE, 0x2000, 15, 3, 0);
    m.seg[SEG_IDTR].limit = 0x7ff;
    gate(IDT + 8 * 14, KCODE, 0x3000, 14, 0, 0);
    flags = m.e.rflags;
    CODE(m, "\xcd\x80");
    ok(&m);
    assert_int_equal(m.e.cpl, 0);
    assert_int_equal(m.gpr[RSP], KSTACK - 20);
    assert_int_equal(word(KSTACK - 4), UDATA);
    assert_int_equal(word(KSTACK - 8), USTACK);
    assert_int_equal(word(KSTACK - 12), flags);
    assert_int_equal(word(KSTACK - 16), UCODE);
    assert_int_equal(word(KSTACK - 20), 0x1002);
    assert_true(m.e.rflags & RFLAGS_IF); /* a trap gate */
    machine_code(&m, 0x2000, "\xcf", 1);
    ok(&m);
    assert_int_equal(m.e.cpl, 3);
    assert_int_equal(m.gpr[RSP], USTACK);
    assert_int_equal(m.e.rflags, flags);
    CODE(m, "\xcd\x0e"); /* not for CPL 3 */
    faults(&m, VEC_GP, 14 * 8 + 2);
    m.e.rip = 0x1000;
    assert_int_equal(emul_deliver(&m.e, 14, false, true, 7), EMUL_OK);
    assert_int_equal(word(KSTACK - 24), 7);
    assert_false(m.e.rflags & RFLAGS_IF);
    assert_int_equal(m.e.rip, 0x3000);
    assert_int_equal(emul_deliver(&m.e, 14, false, false, 0), EMUL_OK); /* same privilege */
    assert_int_equal(m.gpr[RSP], KSTACK - 36);
    assert_int_equal(emul_deliver(&m.e, 15, false, false, 0), EMUL_FAULT);
    assert_int_equal(m.e.fault.error, 15 * 8 + 3);
}

/* CPL 3 may not change IOPL or IF by IRET or POPF. */
static void test_flag_rights(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 3);
    m.gpr[RSP] = USTACK - 4;
    memcpy(&mem[USTACK - LA - 4], "\xff\xff\xff\xff", 4);
    CODE(m, "\x9d");
    ok(&m);
    assert_int_equal(m.e.rflags, 0x244fd7);
    m.gpr[RSP] = USTACK - 4;
    memcpy(&mem[USTACK - LA - 4], "\0\0\0\0", 4);
    CODE(m, "\x9d");
    ok(&m);
    assert_int_equal(m.e.rflags, RFLAGS_FIXED | RFLAGS_IF);
}

static void test_v86(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_V86, 3);
    gate(IDT + 8 * 13, KCODE, 0x2000, 14, 0, 0);
    CODE(m, "\xcd\x21"); /* IOPL 0 */
    faults(&m, VEC_GP, 0);
    CODE(m, "\x9c");
    faults(&m, VEC_GP, 0);
    CODE(m, "\xfa");
    faults(&m, VEC_GP, 0);
    CODE(m, "\xcf");
    faults(&m, VEC_GP, 0);
    CODE(m, "\x0f\x00\xc0"); /* sldt */
    faults(&m, VEC_UD, 0);
    m.seg[SEG_DS].sel = 0x1234;
    m.e.rip = 0x1000;
    assert_int_equal(emul_deliver(&m.e, 13, false, true, 0), EMUL_OK);
    assert_int_equal(m.e.cpl, 0);
    assert_false(m.e.rflags & RFLAGS_VM);
    assert_int_equal(m.gpr[RSP], KSTACK - 40);
    assert_int_equal(word(KSTACK - 12), 0x1234);
    assert_int_equal(word(KSTACK - 20), LA >> 4);
    assert_int_equal(word(KSTACK - 24), 0x3000);
    assert_true(word(KSTACK - 28) & RFLAGS_VM);
    assert_int_equal(m.seg[SEG_DS].attr, 0);
    m.gpr[RSP] += 4;
    machine_code(&m, 0x2000, "\xcf", 1);
    ok(&m);
    assert_true(m.e.rflags & RFLAGS_VM);
    assert_int_equal(m.e.cpl, 3);
    assert_int_equal(m.seg[SEG_DS].base, 0x12340);
    assert_int_equal(m.seg[SEG_DS].attr, 0xf3);
    assert_int_equal(m.gpr[RSP], 0x3000);
    assert_int_equal(m.e.rip, 0x1000);
}

static void test_interrupt_long(void **state)
{
    struct machine m;
    u64 rsp0 = KSTACK + 8, ist1 = KSTACK - 0x100, high = 0;

    (void)state;
    start(&m, MODE_64, 3);
    gate(IDT + 16 * 14, CODE64, 0x2000, 14, 0, 0);
    gate(IDT + 16 * 2, CODE64, 0x3000, 14, 0, 1);
    memcpy(mem + IDT + 16 * 14 + 8, &high, 8);
    memcpy(mem + TSS + 4, &rsp0, 8);
    memcpy(mem + TSS + 36, &ist1, 8);
    m.seg[SEG_CS].sel = UCODE;
    m.e.rip = 0x1000;
    assert_int_equal(emul_deliver(&m.e, 14, false, true, 6), EMUL_OK);
    assert_int_equal(m.e.cpl, 0);
    assert_int_equal(m.e.rip, 0x2000);
    assert_int_equal(m.gpr[RSP], KSTACK - 48); /* aligned to 16 first */
    assert_int_equal(quad(KSTACK - 8), UDATA);
    assert_int_equal(quad(KSTACK - 16), USTACK);
    assert_int_equal(quad(KSTACK - 32), UCODE);
    assert_int_equal(quad(KSTACK - 48), 6);
    assert_int_equal(m.seg[SEG_SS].sel, 0);
    assert_int_equal(emul_deliver(&m.e, 2, false, false, 0), EMUL_OK); /* IST */
    assert_int_equal(m.gpr[RSP], ist1 - 40);
    machine_code(&m, 0x3000, "\x48\xcf", 2);
    ok(&m);
    assert_int_equal(m.e.rip, 0x2000);
    assert_int_equal(m.gpr[RSP], KSTACK - 48);
    m.gpr[RSP] += 8;
    machine_code(&m, 0x2000, "\x48\xcf", 2);
    ok(&m); /* to 32-bit user code */
    assert_int_equal(m.e.cpl, 3);
    assert_int_equal(m.seg[SEG_CS].attr & SEG_L, 0);
    assert_int_equal(m.gpr[RSP], USTACK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_segments),  cmocka_unit_test(test_system_segments),
        cmocka_unit_test(test_far_jump),       cmocka_unit_test(test_real_to_protected),
        cmocka_unit_test(test_call_gate),      cmocka_unit_test(test_interrupt_real),
        cmocka_unit_test(test_iret_is_told),   cmocka_unit_test(test_interrupt_protected),
        cmocka_unit_test(test_flag_rights),    cmocka_unit_test(test_v86),
        cmocka_unit_test(test_interrupt_long),
    };
    return cmocka_run_group_tests_name("emul far transfers", tests, NULL, NULL);
}
