/* System instructions that user mode cannot compare, from the manual: fast system calls, XCR0, the
 * bases of FS and GS, debug registers, x87 control. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "machine.h"

#define LA 0x10000
static u8 mem[0x4000];

#define CODE(m, text) machine_code(&(m), (m).e.rip = 0x1000, text, sizeof(text) - 1)

static void start(struct machine *m, enum mode mode, unsigned cpl)
{
    memset(mem, 0, sizeof(mem));
    machine_init(m, mode, cpl, mem, LA, sizeof(mem));
    m->gpr[RSP] = LA + 0x3000;
    m->gpr[RBX] = LA + 0x100;
}

static void ok(struct machine *m)
{
    assert_int_equal(emul_step(&m->e, 1), EMUL_OK);
}

static void faults(struct machine *m, unsigned vector)
{
    struct machine before = *m;

    assert_int_equal(emul_step(&m->e, 1), EMUL_FAULT);
    assert_int_equal(m->e.fault.vector, vector);
    assert_memory_equal(m->gpr, before.gpr, sizeof(m->gpr));
    assert_memory_equal(m->seg, before.seg, sizeof(m->seg));
    assert_int_equal(m->e.rip, before.e.rip);
    assert_int_equal(m->e.rflags, before.e.rflags);
    assert_int_equal(m->e.cpl, before.e.cpl);
}

static void unhandled(struct machine *m)
{
    assert_int_equal(emul_step(&m->e, 1), EMUL_UNHANDLED);
}

static u64 call_msr(u32 index)
{
    switch (index) {
    case MSR_SYSENTER_CS: return 0x08;
    case MSR_SYSENTER_ESP: return 0x7000;
    case MSR_SYSENTER_EIP: return 0x8000;
    case MSR_STAR: return 0x0023001000000000;
    case MSR_LSTAR: return 0xffffffff81000000;
    case MSR_SFMASK: return RFLAGS_IF | RFLAGS_DF;
    }
    return 0;
}

static void test_sysenter(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 3);
    m.msr = call_msr;
    CODE(m, "\x0f\x34");
    ok(&m);
    assert_int_equal(m.e.rip, 0x8000);
    assert_int_equal(m.gpr[RSP], 0x7000);
    assert_int_equal(m.e.cpl, 0);
    assert_false(m.e.rflags & RFLAGS_IF);
    assert_int_equal(m.seg[SEG_CS].sel, 0x08);
    assert_int_equal(m.seg[SEG_CS].attr, 0xc9b);
    assert_int_equal(m.seg[SEG_SS].sel, 0x10);
    assert_int_equal(m.seg[SEG_SS].attr, 0xc93);
    CODE(m, "\x0f\x35");
    m.gpr[RCX] = 0x6000;
    m.gpr[RDX] = 0x9000;
    ok(&m);
    assert_int_equal(m.e.rip, 0x9000);
    assert_int_equal(m.gpr[RSP], 0x6000);
    assert_int_equal(m.e.cpl, 3);
    assert_int_equal(m.seg[SEG_CS].sel, 0x1b);
    assert_int_equal(m.seg[SEG_CS].attr, 0xcfb);
    assert_int_equal(m.seg[SEG_SS].sel, 0x23);
    CODE(m, "\x0f\x35");
    faults(&m, VEC_GP);
    m.msr = NULL; /* SYSENTER_CS is null */
    CODE(m, "\x0f\x34");
    faults(&m, VEC_GP);
    start(&m, MODE_REAL, 0);
    m.msr = call_msr;
    CODE(m, "\x0f\x34");
    faults(&m, VEC_GP);
    start(&m, MODE_64, 0);
    CODE(m, "\x0f\x34");
    unhandled(&m);
}

static void test_syscall(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_64, 3);
    m.msr = call_msr;
    CODE(m, "\x0f\x05");
    faults(&m, VEC_UD); /* EFER.SCE */
    m.e.efer |= EFER_SCE;
    m.e.rflags |= RFLAGS_DF | RFLAGS_CF | RFLAGS_RF;
    ok(&m);
    assert_int_equal(m.e.rip, 0xffffffff81000000);
    assert_int_equal(m.gpr[RCX], 0x1002);
    assert_int_equal(m.gpr[R11], RFLAGS_FIXED | RFLAGS_IF | RFLAGS_DF | RFLAGS_CF);
    assert_int_equal(m.e.rflags, RFLAGS_FIXED | RFLAGS_CF);
    assert_int_equal(m.e.cpl, 0);
    assert_int_equal(m.seg[SEG_CS].sel, 0x10);
    assert_int_equal(m.seg[SEG_CS].attr, 0xa9b);
    assert_int_equal(m.seg[SEG_SS].sel, 0x18);
    CODE(m, "\x48\x0f\x07");
    ok(&m);
    assert_int_equal(m.e.rip, 0x1002);
    assert_int_equal(m.e.rflags, RFLAGS_FIXED | RFLAGS_IF | RFLAGS_DF | RFLAGS_CF);
    assert_int_equal(m.seg[SEG_CS].sel, 0x33);
    assert_int_equal(m.seg[SEG_CS].attr, 0xafb);
    assert_int_equal(m.seg[SEG_SS].sel, 0x2b);
    assert_int_equal(m.e.cpl, 3);
    CODE(m, "\x48\x0f\x07");
    faults(&m, VEC_GP);
    start(&m, MODE_64, 0);
    m.msr = call_msr;
    m.e.efer |= EFER_SCE;
    m.gpr[RCX] = 1ull << 47;
    CODE(m, "\x48\x0f\x07"); /* not canonical */
    faults(&m, VEC_GP);
    CODE(m, "\x0f\x07"); /* to 32-bit code */
    ok(&m);
    assert_int_equal(m.seg[SEG_CS].sel, 0x23);
    assert_int_equal(m.seg[SEG_CS].attr, 0xcfb);
    assert_int_equal(m.e.rip, 0);
    start(&m, MODE_32, 3);
    m.e.efer |= EFER_SCE;
    CODE(m, "\x0f\x05");
    unhandled(&m);
}

static void test_xcr(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 0);
    CODE(m, "\x0f\x01\xd0"); /* xgetbv */
    faults(&m, VEC_UD);
    m.e.cr4 |= CR4_OSXSAVE;
    m.xcr0 = 0x100000007;
    ok(&m);
    assert_int_equal(m.gpr[RAX], 7);
    assert_int_equal(m.gpr[RDX], 1);
    CODE(m, "\x0f\x01\xd1"); /* xsetbv */
    m.gpr[RAX] = 3;
    m.gpr[RDX] = 0;
    ok(&m);
    assert_int_equal(m.xcr0, 3);
    m.gpr[RCX] = 1;
    CODE(m, "\x0f\x01\xd1");
    faults(&m, VEC_GP);
    CODE(m, "\x0f\x01\xd0");
    faults(&m, VEC_GP);
    start(&m, MODE_32, 3);
    m.e.cr4 |= CR4_OSXSAVE;
    CODE(m, "\x0f\x01\xd1");
    faults(&m, VEC_GP);
}

static void test_bases(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_64, 3);
    m.seg[SEG_FS].base = 0x123456789a;
    CODE(m, "\xf3\x48\x0f\xae\xc1"); /* rdfsbase %rcx */
    faults(&m, VEC_UD);
    m.e.cr4 |= CR4_FSGSBASE;
    ok(&m);
    assert_int_equal(m.gpr[RCX], 0x123456789a);
    CODE(m, "\xf3\x0f\xae\xc1");
    ok(&m);
    assert_int_equal(m.gpr[RCX], 0x3456789a);
    m.gpr[R9] = 0xffff800000000000;
    CODE(m, "\xf3\x49\x0f\xae\xd9"); /* wrgsbase %r9 */
    ok(&m);
    assert_int_equal(m.seg[SEG_GS].base, 0xffff800000000000);
    m.gpr[R9] = 0x0000800000000000;
    CODE(m, "\xf3\x49\x0f\xae\xd9");
    faults(&m, VEC_GP);
    CODE(m, "\xf3\x41\x0f\xae\xd9");
    ok(&m);
    assert_int_equal(m.seg[SEG_GS].base, 0);
    start(&m, MODE_32, 0);
    m.e.cr4 |= CR4_FSGSBASE;
    CODE(m, "\xf3\x0f\xae\xc1");
    faults(&m, VEC_UD);
}

static void test_debug_registers(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_64, 0);
    m.gpr[RCX] = 0x1234;
    CODE(m, "\x0f\x23\xc1"); /* mov %rcx, %dr0 */
    ok(&m);
    assert_int_equal(m.dr[0], 0x1234);
    m.gpr[RCX] = 0xffffffff;
    CODE(m, "\x0f\x23\xf1");
    ok(&m);
    assert_int_equal(m.dr[6], 0xffffefff);
    CODE(m, "\x0f\x23\xe1"); /* dr4 is dr6 */
    m.gpr[RCX] = 0;
    ok(&m);
    assert_int_equal(m.dr[6], 0xffff0ff0);
    m.gpr[RCX] = 1ull << 32;
    CODE(m, "\x0f\x23\xf9");
    faults(&m, VEC_GP);
    m.gpr[RCX] = 1 << 13;
    CODE(m, "\x0f\x23\xf9");
    ok(&m);
    assert_int_equal(m.dr[7], 0x2400);
    CODE(m, "\x0f\x21\xc2"); /* GD: the access traps, once */
    faults(&m, VEC_DB);
    assert_int_equal(m.dr[6], 0xffff0ff0 | 1 << 13);
    assert_int_equal(m.dr[7], 0x400);
    ok(&m);
    assert_int_equal(m.gpr[RDX], 0x1234);
    m.e.cr4 |= CR4_DE;
    CODE(m, "\x0f\x21\xe2");
    faults(&m, VEC_UD);
}

static void test_fpu(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_REAL, 0);
    m.seg[SEG_DS].base = LA;
    m.gpr[RBX] = 0x100;
    m.fpu_control = 0x27f;
    m.fpu_status = 0x3800;
    m.gpr[RAX] = ~0ull;
    CODE(m, "\xdf\xe0"); /* fnstsw %ax */
    ok(&m);
    assert_int_equal(m.gpr[RAX], 0xffffffffffff3800);
    CODE(m, "\xd9\x3f"); /* fnstcw (%bx) */
    ok(&m);
    assert_int_equal(mem[0x100] | mem[0x101] << 8, 0x27f);
    CODE(m, "\xdd\x3f"); /* fnstsw (%bx) */
    ok(&m);
    assert_int_equal(mem[0x100] | mem[0x101] << 8, 0x3800);
    CODE(m, "\xdb\xe3"); /* fninit */
    ok(&m);
    assert_int_equal(m.fpu_control, 0x37f);
    assert_int_equal(m.fpu_status, 0);
    mem[0x100] = 0x72;
    mem[0x101] = 0x03;
    CODE(m, "\xd9\x2f"); /* fldcw (%bx) */
    ok(&m);
    assert_int_equal(m.fpu_control, 0x372);
    m.fpu_status = 0x80; /* a pending error */
    m.e.cr0 |= CR0_NE;
    CODE(m, "\xd9\x2f");
    faults(&m, VEC_MF);
    CODE(m, "\x9b");
    faults(&m, VEC_MF);
    CODE(m, "\xdb\xe2"); /* fnclex */
    ok(&m);
    CODE(m, "\x9b");
    ok(&m);
    CODE(m, "\xd8\xc1"); /* fadd is not executed */
    unhandled(&m);
    CODE(m, "\xdd\x07"); /* fldl (%bx) */
    unhandled(&m);
    m.e.cr0 |= CR0_TS;
    CODE(m, "\xdf\xe0");
    faults(&m, VEC_NM);
    CODE(m, "\x9b"); /* only with MP */
    ok(&m);
    m.e.cr0 |= CR0_MP;
    CODE(m, "\x9b");
    faults(&m, VEC_NM);
}

static void test_hidden(void **state)
{
    static const char *const codes[] = {"\x0f\x01\xc1", "\x0f\x01\xc8", "\x0f\x01\xd8"};
    struct machine m;

    (void)state;
    for (unsigned i = 0; i < array_size(codes); i++) { /* VMCALL, MONITOR, VMRUN */
        start(&m, MODE_32, 0);
        machine_code(&m, m.e.rip = 0x1000, codes[i], 3);
        faults(&m, VEC_UD);
    }
    start(&m, MODE_64, 0);
    CODE(m, "\x0f\x33"); /* rdpmc */
    faults(&m, VEC_GP);
    CODE(m, "\x0f\x01\xcb"); /* stac */
    unhandled(&m);
    m.e.cr4 |= CR4_SMAP;
    ok(&m);
    assert_true(m.e.rflags & RFLAGS_AC);
    CODE(m, "\x0f\x01\xca"); /* clac */
    ok(&m);
    assert_false(m.e.rflags & RFLAGS_AC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sysenter),
        cmocka_unit_test(test_syscall),
        cmocka_unit_test(test_xcr),
        cmocka_unit_test(test_bases),
        cmocka_unit_test(test_debug_registers),
        cmocka_unit_test(test_fpu),
        cmocka_unit_test(test_hidden),
    };
    return cmocka_run_group_tests_name("emul system instructions", tests, NULL, NULL);
}
