/* Accesses: intents, faults that change nothing, segmentation, strings, vectors, I/O, privilege. */

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
    for (unsigned i = 0; i < 16; i++)
        m->gpr[i] = LA + 0x100 * i;
    m->gpr[RSP] = LA + 0x3000;
}

static void ok(struct machine *m)
{
    assert_int_equal(emul_step(&m->e, 100), EMUL_OK);
}

static void faults(struct machine *m, unsigned vector, u32 error)
{
    struct machine before = *m;

    assert_int_equal(emul_step(&m->e, 100), EMUL_FAULT);
    assert_int_equal(m->e.fault.vector, vector);
    if (vector >= VEC_TS && vector <= VEC_PF)
        assert_int_equal(m->e.fault.error, error);
    assert_memory_equal(m->gpr, before.gpr, sizeof(m->gpr));
    assert_memory_equal(m->seg, before.seg, sizeof(m->seg));
    assert_int_equal(m->e.rip, before.e.rip);
    assert_int_equal(m->e.rflags, before.e.rflags);
}

static void test_intents(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 0);
    CODE(m, "\xf0\x0f\xb1\x0a"); /* lock cmpxchg %ecx, (%edx) */
    m.gpr[RAX] = 0;
    ok(&m);
    assert_int_equal(m.read_access, EMUL_WRITE | EMUL_LOCKED);
    assert_int_equal(m.write_access, EMUL_WRITE | EMUL_LOCKED);
    CODE(m, "\x87\x0a"); /* xchg locks by itself */
    ok(&m);
    assert_int_equal(m.read_access, EMUL_WRITE | EMUL_LOCKED);
    CODE(m, "\x01\x0a");
    ok(&m);
    assert_int_equal(m.read_access, EMUL_WRITE);
    assert_int_equal(m.write_access, EMUL_WRITE);
    CODE(m, "\x39\x0a"); /* cmp does not write */
    ok(&m);
    assert_int_equal(m.read_access, EMUL_READ);
    m.reads = 0;
    m.fetches = 0;
    CODE(m, "\x89\x0a"); /* mov does not read */
    ok(&m);
    assert_int_equal(m.reads, 0);
    assert_int_equal(m.fetches, 1);
}

/* Every form with effects besides the store, on memory that cannot be written. */
static void test_write_faults(void **state)
{
    static const char *const codes[] = {
        "\x89\x02",     "\x01\x02",     "\x0f\xc1\x02", "\x0f\xb1\x02", "\x87\x02",
        "\x0f\xc7\x0a", "\x0f\xab\x02", "\xd1\x12",     "\xff\x02",     "\xf7\x1a",
        "\x8f\x02",     "\x50\x90",     "\x60\x90",     "\xff\x12",     "\xe8\x01\x01\x01\x01",
        "\xa5\x90",     "\xab\x90",     "\x0f\x90\x02", "\x9c\x90",     "\xc8\x10\x01\x01",
        "\x0f\x11\x02", "\x0e\x90",     "\x0f\xc3\x02",
    };

    (void)state;
    for (unsigned i = 0; i < array_size(codes); i++) {
        struct machine m;
        start(&m, MODE_32, 0);
        m.gpr[RDX] = LA + 0x800;
        m.read_only = true;
        machine_code(&m, m.e.rip = 0x1000, codes[i], (unsigned)strlen(codes[i]));
        faults(&m, VEC_PF, PFEC_W);
    }
}

static void test_segments(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 0);
    m.seg[SEG_DS].limit = LA + 0x203;
    CODE(m, "\x8b\x0a"); /* mov (%edx), %ecx: the last bytes inside */
    ok(&m);
    m.seg[SEG_DS].limit--;
    CODE(m, "\x8b\x0a");
    faults(&m, VEC_GP, 0);
    m.seg[SEG_DS].limit = ~0u;
    m.seg[SEG_DS].attr &= (u16)~2; /* read-only */
    CODE(m, "\x89\x0a");
    faults(&m, VEC_GP, 0);
    CODE(m, "\x01\x0a"); /* before anything is read */
    m.reads = 0;
    faults(&m, VEC_GP, 0);
    assert_int_equal(m.reads, 0);
    CODE(m, "\x8b\x0a");
    ok(&m);
    CODE(m, "\x2e\x89\x0a"); /* code is not written */
    faults(&m, VEC_GP, 0);
    m.seg[SEG_CS].attr &= (u16)~2; /* execute only */
    CODE(m, "\x2e\x8b\x0a");
    faults(&m, VEC_GP, 0);
    m.seg[SEG_ES].attr = 0; /* null */
    CODE(m, "\x26\x8b\x0a");
    faults(&m, VEC_GP, 0);
    m.seg[SEG_SS].limit = LA;
    CODE(m, "\x50");
    faults(&m, VEC_SS, 0);

    start(&m, MODE_32, 0);
    m.seg[SEG_DS].attr |= 4; /* expand-down: above the limit */
    m.seg[SEG_DS].limit = LA + 0x1ff;
    CODE(m, "\x8b\x0a");
    ok(&m);
    m.seg[SEG_DS].limit = LA + 0x200;
    CODE(m, "\x8b\x0a");
    faults(&m, VEC_GP, 0);

    start(&m, MODE_64, 0);
    m.gpr[RDX] = 0x7ffffffffffd;
    CODE(m, "\x8b\x0a"); /* its end is not canonical */
    faults(&m, VEC_GP, 0);
    m.gpr[RBP] = 1ull << 63;
    CODE(m, "\x8b\x4d\x00");
    faults(&m, VEC_SS, 0);
    m.seg[SEG_DS].base = 0x1234000; /* counts for nothing; that of FS does */
    m.gpr[RDX] = LA;
    CODE(m, "\x8b\x0a");
    ok(&m);
    m.seg[SEG_FS].base = 0x10;
    mem[0x10] = 0x77;
    CODE(m, "\x64\x8b\x0a");
    ok(&m);
    assert_int_equal(m.gpr[RCX], 0x77);
}

/* A second store is executed only where and as it is expected. */
static void test_store_at(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 0);
    CODE(m, "\x89\x4b\x04\x89\x13\x40"); /* mov %ecx, 4(%ebx); mov %edx, (%ebx); inc %eax */
    ok(&m);
    u32 rip = (u32)m.e.rip;
    u64 la = m.gpr[RBX];
    assert_false(emul_store_at(&m.e, la + 4, 4));
    assert_false(emul_store_at(&m.e, la, 8));
    assert_int_equal(m.e.rip, rip);
    assert_int_equal(*(u32 *)(void *)(mem + la - LA), 0);
    m.e.rflags |= RFLAGS_TF; /* a trap behind each */
    assert_false(emul_store_at(&m.e, la, 4));
    m.e.rflags &= ~RFLAGS_TF;
    assert_true(emul_store_at(&m.e, la, 4));
    assert_int_equal(m.e.rip, rip + 2);
    assert_int_equal(*(u32 *)(void *)(mem + la - LA), (u32)m.gpr[RDX]);
    assert_int_equal(*(u32 *)(void *)(mem + la - LA + 4), (u32)m.gpr[RCX]);
    assert_false(emul_store_at(&m.e, la, 4)); /* no store */
    assert_int_equal(m.e.rip, rip + 2);
}

static void test_alignment(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 3);
    m.e.cr0 |= CR0_AM;
    m.e.rflags |= RFLAGS_AC;
    m.gpr[RDX] = LA + 2;
    CODE(m, "\x8b\x0a");
    faults(&m, VEC_AC, 0);
    m.e.cpl = 0;
    ok(&m);
}

static void test_strings(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 0);
    m.gpr[RCX] = 250;
    m.gpr[RDI] = LA;
    CODE(m, "\xf3\xaa"); /* rep stosb: 100 at a time */
    ok(&m);
    assert_int_equal(m.e.rip, 0x1000);
    assert_int_equal(m.gpr[RCX], 150);
    ok(&m);
    ok(&m);
    assert_int_equal(m.e.rip, 0x1002);
    assert_int_equal(m.gpr[RCX], 0);

    m.gpr[RCX] = 8; /* the fifth faults */
    m.gpr[RDI] = LA + sizeof(mem) - 16;
    CODE(m, "\xf3\xab");
    assert_int_equal(emul_step(&m.e, 100), EMUL_FAULT);
    assert_int_equal(m.e.fault.cr2, LA + sizeof(mem));
    assert_int_equal(m.gpr[RCX], 4);
    assert_int_equal(m.gpr[RDI], LA + sizeof(mem));
    assert_int_equal(m.e.rip, 0x1000);

    m.e.rflags |= RFLAGS_TF; /* a trap after each iteration */
    m.gpr[RCX] = 3;
    m.gpr[RDI] = LA;
    ok(&m);
    assert_true(m.e.trap);
    assert_int_equal(m.gpr[RCX], 2);
}

static void test_vectors(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_64, 0);
    memset(m.xmm[9], 0x5a, 16);
    CODE(m, "\x66\x44\x0f\x7f\x0a"); /* movdqa %xmm9, (%rdx) */
    ok(&m);
    assert_memory_equal(mem + 0x200, m.xmm[9], 16);
    m.gpr[RDX]++;
    CODE(m, "\x66\x44\x0f\x7f\x0a");
    faults(&m, VEC_GP, 0);
}

static void test_vector_checks(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 0);
    m.gpr[RDX] = LA + 1;
    CODE(m, "\x0f\x29\x02"); /* movaps */
    faults(&m, VEC_GP, 0);
    CODE(m, "\x0f\x11\x02"); /* movups */
    ok(&m);
    m.gpr[RDX] = LA + 0x10;
    CODE(m, "\x66\x0f\xe7\x02"); /* movntdq */
    ok(&m);
    memset(mem + 0x10, 0x33, 16);
    memset(m.xmm[0], 0xff, 16);
    CODE(m, "\xf3\x0f\x7e\x02"); /* movq clears the upper half */
    ok(&m);
    assert_memory_equal(m.xmm[0], "\x33\x33\x33\x33\x33\x33\x33\x33\0\0\0\0\0\0\0\0", 16);
    CODE(m, "\x0f\x58\x02"); /* addps is not executed */
    assert_int_equal(emul_step(&m.e, 1), EMUL_UNHANDLED);
    m.e.cr0 |= CR0_TS;
    CODE(m, "\x0f\x11\x02");
    faults(&m, VEC_NM, 0);
    m.e.cr0 |= CR0_EM;
    faults(&m, VEC_UD, 0);
}

static void test_io(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 0);
    m.io_value = 0xa5;
    CODE(m, "\xe4\x71");
    ok(&m);
    assert_int_equal(m.io_port, 0x71);
    assert_int_equal(m.gpr[RAX], LA + 0xa5);
    m.gpr[RDX] = 0x1f0;
    m.gpr[RCX] = 3;
    m.gpr[RDI] = LA;
    m.io_value = 0xbeef;
    m.io_count = 0;
    CODE(m, "\x66\xf3\x6d"); /* rep insw */
    ok(&m);
    assert_int_equal(m.io_count, 3);
    assert_int_equal(m.io_size, 2);
    assert_memory_equal(mem, "\xef\xbe\xef\xbe\xef\xbe\0", 7);
    m.read_only = true; /* nothing is taken from the device for memory that is not there */
    m.gpr[RCX] = 1;
    m.gpr[RDI] = 0x90000000;
    m.seg[SEG_ES].limit = 0xffff;
    m.io_count = 0;
    CODE(m, "\x66\xf3\x6d");
    faults(&m, VEC_GP, 0);
    assert_int_equal(m.io_count, 0);
}

/* CPL 3 with IOPL 0: the TSS decides, bit by bit. */
static void test_io_bitmap(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 3);
    m.seg[SEG_TR].base = LA;
    m.seg[SEG_TR].limit = 0x1ff;
    mem[0x66] = 0x68;
    mem[0x68 + 0x70 / 8] = 0x02; /* port 71h is closed */
    CODE(m, "\xe4\x70");
    ok(&m);
    CODE(m, "\xe4\x71");
    faults(&m, VEC_GP, 0);
    CODE(m, "\x66\xe5\x70"); /* two bytes, one closed */
    faults(&m, VEC_GP, 0);
    m.gpr[RDX] = 0xfff0; /* beyond the limit */
    CODE(m, "\xee");
    faults(&m, VEC_GP, 0);
    m.e.rflags |= RFLAGS_IOPL;
    ok(&m);
}

static void test_privilege(void **state)
{
    static const char *const codes[] = {
        "\xf4\x90", "\x0f\x06", "\x0f\x20\xc0", "\x0f\x22\xd8", "\x0f\x23\xf8",
        "\x0f\x32", "\x0f\x30", "\x0f\x01\x10", "\x0f\x01\x38", "\x0f\x01\xf0",
        "\x0f\x09", "\xfa\x90", "\x0f\x01\x20", "\x0f\x31",
    };

    (void)state;
    for (unsigned i = 0; i < array_size(codes); i++) {
        struct machine m;
        start(&m, MODE_32, 3);
        m.e.cr4 |= CR4_UMIP | CR4_TSD;
        machine_code(&m, m.e.rip = 0x1000, codes[i], (unsigned)strlen(codes[i]));
        faults(&m, VEC_GP, 0);
        m.e.cpl = 0;
        ok(&m);
    }
}

static void test_system(void **state)
{
    struct machine m;

    (void)state;
    start(&m, MODE_32, 0);
    m.gpr[RBX] = 0x123000;
    CODE(m, "\x0f\x22\xdb"); /* mov %ebx, %cr3 */
    ok(&m);
    assert_int_equal(m.cr[3], 0x123000);
    CODE(m, "\x0f\x22\xcb"); /* no CR1 */
    faults(&m, VEC_UD, 0);
    m.gpr[RAX] = 0xfff0;
    m.e.cr0 |= CR0_TS;
    CODE(m, "\x0f\x01\xf0"); /* lmsw cannot clear PE */
    ok(&m);
    assert_int_equal(m.e.cr0, CR0_PE);
    memcpy(mem, "\xff\x07\x78\x56\x34\x12", 6);
    m.gpr[RAX] = LA;
    CODE(m, "\x0f\x01\x10"); /* lgdt */
    ok(&m);
    assert_int_equal(m.seg[SEG_GDTR].limit, 0x7ff);
    assert_int_equal(m.seg[SEG_GDTR].base, 0x12345678);
    assert_int_equal(m.e.seg_changed, 1u << SEG_GDTR);
    CODE(m, "\x66\x0f\x01\x18"); /* 24 bits with a 16-bit operand size */
    ok(&m);
    assert_int_equal(m.seg[SEG_IDTR].base, 0x345678);
    CODE(m, "\x0f\x01\x40\x08");
    ok(&m);
    assert_memory_equal(mem + 8, mem, 6);
    m.seg[SEG_DS].base = 0x100;
    CODE(m, "\x0f\x01\x38");
    ok(&m);
    assert_int_equal(m.invlpg, LA + 0x100);
    CODE(m, "\xfb"); /* sti: a shadow, once */
    m.e.rflags &= ~RFLAGS_IF;
    ok(&m);
    assert_true(m.e.int_shadow);
    CODE(m, "\xfb");
    ok(&m);
    assert_false(m.e.int_shadow);
    CODE(m, "\xf4");
    ok(&m);
    assert_true(m.halted);
    m.e.rflags |= RFLAGS_TF;
    CODE(m, "\x90");
    ok(&m);
    assert_true(m.e.trap);
    m.e.rflags = (m.e.rflags & ~RFLAGS_TF) | RFLAGS_RF; /* a store that faulted before */
    CODE(m, "\x89\x08\x90\x90\x90\x90\x90\x90\x90");
    m.writes = 0;
    ok(&m);
    assert_int_equal(m.writes, 1);
    assert_false(m.e.rflags & RFLAGS_RF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intents),   cmocka_unit_test(test_write_faults),
        cmocka_unit_test(test_segments),  cmocka_unit_test(test_store_at),
        cmocka_unit_test(test_alignment), cmocka_unit_test(test_strings),
        cmocka_unit_test(test_vectors),   cmocka_unit_test(test_vector_checks),
        cmocka_unit_test(test_io),        cmocka_unit_test(test_io_bitmap),
        cmocka_unit_test(test_privilege), cmocka_unit_test(test_system),
    };
    return cmocka_run_group_tests_name("emul accesses", tests, NULL, NULL);
}
