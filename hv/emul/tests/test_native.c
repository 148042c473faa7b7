/* Every form that runs in user mode, with random operands: the CPU of this machine against the
 * emulator. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forms.h"
#include "machine.h"
#include "native.h"

static u64 random_state = 0x9e3779b97f4a7c15ull;

static u64 rnd(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1dull >> 3;
}

/* Values where carries, signs and zeros happen. */
static u64 rnd_value(void)
{
    static const u64 edges[] = {0,
                                1,
                                0x7f,
                                0x80,
                                0xff,
                                0x7fff,
                                0x8000,
                                0xffff,
                                0x7fffffff,
                                0x80000000,
                                0xffffffff,
                                0x7fffffffffffffff,
                                0x8000000000000000,
                                ~0ull};
    switch (rnd() % 4) {
    case 0: return edges[rnd() % array_size(edges)];
    case 1: return rnd() % 256;
    default: return rnd() << 32 ^ rnd();
    }
}

struct trial {
    u8 code[24];
    unsigned len;
    unsigned bits; /* 64, 32 or 16 */
    bool code32, addr16;
    bool data16, addr_prefix;
    struct native_state in;
    u64 base; /* offset that pointers get */
};

static u64 pointer(const struct trial *t)
{
    return t->base + 0x4000 + rnd() % 0x8000;
}

static void put(struct trial *t, u64 v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        t->code[t->len++] = (u8)(v >> 8 * i);
}

/* A memory operand whose registers point into the data. */
static void memory_operand(struct trial *t, u8 reg, u8 rex)
{
    unsigned mod = rnd() % 3, rm = rnd() % 8;
    u64 disp = rnd() % 0x1000 - 0x800;

    if (t->addr16) {
        put(t, mod << 6 | reg << 3 | rm, 1);
        if (mod == 0 && rm == 6)
            put(t, pointer(t), 2);
        t->in.gpr[RBX] = t->in.gpr[RBP] = rnd() << 16 | (pointer(t) & 0xffff);
        t->in.gpr[RSI] = t->in.gpr[RDI] = rnd_value() & 0xffffffff;
        if (rm >= 4)
            t->in.gpr[RSI] = t->in.gpr[RDI] = pointer(t);
        else
            t->in.gpr[RSI] = t->in.gpr[RDI] = rnd() << 16 | rnd() % 0x1000;
    } else {
        unsigned base = rm | (rex & 1) << 3;
        put(t, mod << 6 | reg << 3 | rm, 1);
        if (rm == 4) {
            unsigned low = rnd() % 8, index = rnd() % 8, scale = rnd() % 4;
            put(t, scale << 6 | index << 3 | low, 1);
            base = low | (rex & 1) << 3;
            index |= (rex & 2) << 2;
            if (index != RSP)
                t->in.gpr[index] = (rnd() & 1)
                                       ? rnd() % 0x100
                                       : (t->code32 ? (u32)(0 - rnd() % 0x100) : 0 - rnd() % 0x100);
            if (low == 5 && mod == 0)
                put(t, pointer(t), 4);
            else if (base != index || base == RSP)
                t->in.gpr[base] = pointer(t);
        } else if (rm == 5 && mod == 0) {
            /* relative to the code in 64-bit mode */
            put(t, t->code32 ? pointer(t) : pointer(t) - (NATIVE_CODE + 0x800), 4);
        } else {
            t->in.gpr[base] = pointer(t);
        }
    }
    if (mod == 1)
        put(t, rnd(), 1);
    else if (mod == 2)
        put(t, disp, t->addr16 ? 2 : 4);
}

static void make_registers(struct trial *t)
{
    for (unsigned i = 0; i < 16; i++)
        t->in.gpr[i] = t->code32 ? (u32)rnd_value() : rnd_value();
    t->in.gpr[RSP] = t->base + 0x8000 + rnd() % 64;
    t->in.rflags = RFLAGS_FIXED | RFLAGS_IF | (rnd() & (ARITH | RFLAGS_DF));
}

static void make_special(struct trial *t, const struct form *f)
{
    u64 mask = t->addr16 ? 0xffff : ~0ull;
    if (f->options & REP) {
        t->in.gpr[RSI] = pointer(t) | (rnd() << 16 & ~mask);
        t->in.gpr[RDI] = pointer(t) | (rnd() << 16 & ~mask);
        t->in.gpr[RCX] = rnd() % 40;
    }
    if (f->bytes[0] == 0xd7)
        t->in.gpr[RBX] = pointer(t);
    if (f->options & FRAME)
        t->in.gpr[RBP] = pointer(t);
    if (t->code32)
        for (unsigned i = 0; i < 16; i++)
            t->in.gpr[i] = (u32)t->in.gpr[i];
}

static void put_imm(struct trial *t, const struct form *f, bool wide)
{
    switch (f->imm) {
    case I8: put(t, f->options & JUMP ? 2 : rnd_value(), 1); break;
    case IZ: put(t, f->options & JUMP ? 2 : rnd_value(), t->data16 && !wide ? 2 : 4); break;
    case IV: put(t, rnd_value(), wide ? 8 : t->data16 ? 2 : 4); break;
    case I16: put(t, rnd() % 64, 2); break;
    case IENTER:
        put(t, rnd() % 64, 2);
        put(t, rnd() % 6, 1);
        break;
    case IADDR: put(t, pointer(t), t->addr16 ? 2 : !t->code32 && !t->addr_prefix ? 8 : 4); break;
    }
}

static void make_prefixes(struct trial *t, const struct form *f, u8 *rex)
{
    *rex = 0;
    t->data16 = !(f->options & NO16) && rnd() % 4 == 0;
    t->addr_prefix = rnd() % 4 == 0;
    t->addr16 = t->code32 && t->addr_prefix;
    if (f->ext == NOMODRM && !(f->options & REP) && f->imm != IADDR)
        t->addr_prefix = t->addr16 = false;
    if (t->data16)
        put(t, 0x66, 1);
    if (t->addr_prefix)
        put(t, 0x67, 1);
    if ((f->options & REP) && rnd() % 2)
        put(t, rnd() & 1 ? 0xf3 : 0xf2, 1);
}

/* The same instruction in 16-bit code, where 66 and 67 mean the opposite. */
static void make_16(struct trial *t, const struct form *f)
{
    struct trial from = *t;
    unsigned i = 0;

    t->len = 0;
    if (!from.data16 && !(f->options & NP))
        put(t, 0x66, 1);
    if (!from.addr_prefix)
        put(t, 0x67, 1);
    for (; i < from.len && memchr("\xf0\x66\x67\xf2\xf3", from.code[i], 5); i++)
        if (from.code[i] != 0x66 && from.code[i] != 0x67)
            put(t, from.code[i], 1);
    for (; i < from.len; i++)
        put(t, from.code[i], 1);
    t->in.gpr[RSP] |= rnd() % 0x10000 << 16; /* the stack has 16 bits, too */
}

static u64 start_of(const struct trial *t)
{
    return t->bits == 16 ? 0x800 : NATIVE_CODE + 0x800;
}

static u8 shadow[NATIVE_DATA_SIZE]; /* the emulator's copy of the data */

/* The way behind the instruction, on the stack. */
static void put_return(const struct trial *t)
{
    u64 to = start_of(t) + t->len, at = (u32)t->in.gpr[RSP] - t->base;
    unsigned size = t->bits == 64 ? 8 : 4;

    if (t->bits == 16)
        at &= 0xffff;
    memcpy(shadow + at, &to, size);
    memcpy((u8 *)NATIVE_DATA + at, &to, size);
}

static void make_trial(struct trial *t, const struct form *f, unsigned bits)
{
    bool code32 = bits != 64;
    u8 rex, reg;
    bool memory, lock;

    memset(t, 0, sizeof(*t));
    t->bits = bits;
    t->code32 = code32;
    t->base = code32 ? 0 : NATIVE_DATA;
    memory = !(f->options & REG) && ((f->options & MEM) || rnd() % 2);
    lock = (f->options & LOCKABLE) && f->ext != NOMODRM && memory && rnd() % 4 == 0;
    if (lock)
        put(t, 0xf0, 1);
    make_prefixes(t, f, &rex);
    make_registers(t);
    if (!code32 && !(f->options & NOREX) && rnd() % 2) {
        rex = 0x40 | (rnd() & 15);
        if (f->options & NOW)
            rex &= ~8;
        put(t, rex, 1);
    }
    put(t, f->bytes[0] | f->bytes[1] << 8 | f->bytes[2] << 16, f->n);
    if (f->options & (LOW3 | COND))
        t->code[t->len - 1] |= rnd() & (f->options & COND ? 15 : 7);
    reg = f->ext >= 0 ? (u8)f->ext : rnd() % 8;
    if (f->ext == NOMODRM)
        make_special(t, f);
    else if (memory)
        memory_operand(t, reg, rex);
    else
        put(t, 0xc0 | reg << 3 | rnd() % 8, 1);
    if (f->options & BITS) {
        unsigned n = reg | (rex & 4) << 1;
        if (memory && n != RSP && !t->addr16 && t->in.gpr[n] - t->base >= NATIVE_DATA_SIZE)
            t->in.gpr[n] = rnd() % 0x8000 - 0x4000;
        if (code32)
            t->in.gpr[n] = (u32)t->in.gpr[n];
    }
    put_imm(t, f, rex & 8);
    if (f->options & JUMP)
        put(t, 0x5ab0, 2); /* mov $0x5a, %al */
    if (bits == 16)
        make_16(t, f);
    if (f->options & RETURN)
        put_return(t);
}

static void fill_memory(void)
{
    for (unsigned i = 0; i < NATIVE_DATA_SIZE; i += 8) {
        u64 v = rnd_value();
        memcpy((u8 *)NATIVE_DATA + i, &v, 8);
    }
    memcpy(shadow, (void *)NATIVE_DATA, NATIVE_DATA_SIZE);
}

static void describe(const struct trial *t, const struct form *f, const struct native_state *n,
                     const struct machine *m, enum emul_result r)
{
    fprintf(stderr, "# %s, %u-bit code:", f->name, t->bits);
    for (unsigned i = 0; i < t->len; i++)
        fprintf(stderr, " %02x", t->code[i]);
    fprintf(stderr, "\n# result %d vector %d error %x rip %llx+%lld; CPU trap %d\n", r,
            m->e.fault.vector, m->e.fault.error, (unsigned long long)start_of(t),
            (long long)(m->e.rip - start_of(t)), n->trap);
    for (unsigned i = 0; i < 16; i++)
        fprintf(stderr, "# r%u in %llx cpu %llx emul %llx\n", i, (unsigned long long)t->in.gpr[i],
                (unsigned long long)n->gpr[i], (unsigned long long)m->gpr[i]);
    fprintf(stderr, "# flags in %llx cpu %llx emul %llx\n", (unsigned long long)t->in.rflags,
            (unsigned long long)n->rflags, (unsigned long long)m->e.rflags);
}

/* The machine that agrees with what native_run() sets up. */
static void emulate_begin(struct machine *m, const struct trial *t)
{
    machine_init(m, t->code32 ? MODE_32 : MODE_64, 3, shadow, NATIVE_DATA, NATIVE_DATA_SIZE);
    memcpy(m->gpr, t->in.gpr, sizeof(m->gpr));
    m->e.rip = start_of(t);
    m->e.rflags = t->in.rflags;
    m->e.cr4 |= CR4_UMIP;
    m->seg[SEG_TR].limit = 0x50; /* no I/O bitmap */
    for (unsigned i = 0; t->code32 && i <= SEG_GS; i++) {
        if (i == SEG_CS)
            continue;
        m->seg[i].base = NATIVE_DATA;
        m->seg[i].limit = 0xffff;
    }
    __asm__("mov %%fs, %0" : "=r"(m->seg[SEG_FS].sel));
    m->seg[SEG_SS].sel = t->code32 ? native_data(t->bits) : 0x2b;
    m->seg[SEG_DS].sel = m->seg[SEG_ES].sel = t->code32 ? native_data(t->bits) : 0;
    if (t->bits == 16) {
        m->seg[SEG_CS].attr &= (u16)~SEG_DB;
        m->seg[SEG_SS].attr &= (u16)~SEG_DB;
        m->seg[SEG_CS].base = NATIVE_CODE;
        m->seg[SEG_CS].limit = 0xfff;
    }
}

/* Up to the end of the code: behind a jump that is not taken there is another instruction. */
static enum emul_result emulate(struct machine *m, const struct trial *t)
{
    u64 base = start_of(t), la = NATIVE_CODE + 0x800;
    enum emul_result r = EMUL_OK;

    emulate_begin(m, t);
    for (unsigned i = 0; i < 2 && r == EMUL_OK && m->e.rip - base < t->len; i++) {
        u64 done = m->e.rip - base;
        machine_code(m, la + done, t->code + done, t->len - (unsigned)done);
        r = emul_step(&m->e, 1000);
    }
    return r;
}

static bool agree(const struct trial *t, const struct form *f, const struct native_state *n,
                  const struct machine *m, enum emul_result r)
{
    u64 reg_mask = t->code32 ? 0xffffffff : ~0ull;
    u64 flags = (ARITH | RFLAGS_DF) & ~f->undefined;

    if ((r == EMUL_FAULT) != (n->trap >= 0) || (r != EMUL_OK && r != EMUL_FAULT))
        return false;
    if (r == EMUL_FAULT)
        return m->e.fault.vector == n->trap;
    for (unsigned i = 0; i < (t->code32 ? 8 : 16); i++)
        if ((m->gpr[i] ^ n->gpr[i]) & reg_mask)
            return false;
    if ((m->e.rflags ^ n->rflags) & flags)
        return false;
    return m->e.rip == start_of(t) + t->len;
}

static const char *no_code32;

static bool has_movbe(void)
{
    u32 a = 1, b, c = 0, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c >> 22 & 1;
}

static void run_form(const struct form *f, unsigned bits, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct machine m;
        struct native_state n;
        struct trial t;
        enum emul_result r;

        if (!strncmp(f->name, "movbe", 5) && !has_movbe())
            return;
        make_trial(&t, f, bits);
        n = t.in;
        r = emulate(&m, &t);
        native_run(&n, t.code, t.len, bits);
        if (!agree(&t, f, &n, &m, r) || memcmp(shadow, (void *)NATIVE_DATA, NATIVE_DATA_SIZE)) {
            describe(&t, f, &n, &m, r);
            if (memcmp(shadow, (void *)NATIVE_DATA, NATIVE_DATA_SIZE))
                fprintf(stderr, "# memory differs\n");
            if (!getenv("ALL"))
                fail_msg("%s differs from the CPU", f->name);
            memcpy(shadow, (void *)NATIVE_DATA, NATIVE_DATA_SIZE);
            return;
        }
    }
}

static void test_forms_64(void **state)
{
    (void)state;
    native_catch();
    for (unsigned i = 0; i < form_count; i++) {
        fill_memory();
        if (!(forms[i].options & NO64))
            run_form(&forms[i], 64, 1000);
    }
}

static void test_forms_32(void **state)
{
    (void)state;
    if (no_code32) {
        print_message("# SKIP 32-bit code: %s\n", no_code32);
        skip();
    }
    native_catch();
    for (unsigned i = 0; i < form_count; i++) {
        fill_memory();
        if (!(forms[i].options & ONLY64))
            run_form(&forms[i], 32, 1000);
    }
}

static void test_forms_16(void **state)
{
    (void)state;
    if (no_code32 || native_no_code16()) {
        print_message("# SKIP 16-bit code: %s\n", no_code32 ? no_code32 : native_no_code16());
        skip();
    }
    native_catch();
    for (unsigned i = 0; i < form_count; i++) {
        fill_memory();
        if (!(forms[i].options & ONLY64))
            run_form(&forms[i], 16, 1000);
    }
}

#define STREAM 12

/* Appends a form with registers only. */
static void add_register_form(u8 *code, unsigned *len, bool code32)
{
    for (;;) {
        const struct form *f = &forms[rnd() % form_count];
        bool wide = false, data16 = !(f->options & NO16) && rnd() % 4 == 0;

        if (f->ext == NOMODRM || f->undefined ||
            (f->options & (MEM | NOREX | (code32 ? ONLY64 : NO64))))
            continue;
        if (f->bytes[0] == 0x8f || (f->bytes[0] == 0xff && f->ext == 6))
            continue; /* a stack anywhere could be this program's memory */
        if (f->imm != NOIMM && f->imm != I8 && f->imm != IZ)
            continue;
        if (data16)
            code[(*len)++] = 0x66;
        if (!code32 && rnd() % 2) {
            u8 rex = 0x40 | (rnd() & 15);
            wide = rex & 8;
            code[(*len)++] = rex;
        }
        memcpy(code + *len, f->bytes, f->n);
        *len += f->n;
        code[(*len)++] = 0xc0 | (f->ext >= 0 ? (unsigned)f->ext : rnd() % 8) << 3 | rnd() % 8;
        for (unsigned n = f->imm == NOIMM ? 0 : f->imm == I8 ? 1 : data16 && !wide ? 2 : 4; n; n--)
            code[(*len)++] = (u8)rnd();
        return;
    }
}

/* Flags and registers carried from one instruction to the next. */
static void run_stream(bool code32)
{
    u8 code[256];
    unsigned len = 0;
    u64 mask = code32 ? 0xffffffff : ~0ull, base = NATIVE_CODE + 0x800;
    struct trial t = {.bits = code32 ? 32 : 64, .code32 = code32, .base = code32 ? 0 : NATIVE_DATA};
    struct native_state n;
    struct machine m;
    enum emul_result r;

    for (unsigned i = 0; i < STREAM; i++)
        add_register_form(code, &len, code32);
    make_registers(&t);
    n = t.in;
    emulate_begin(&m, &t);
    do {
        machine_code(&m, m.e.rip, code + (m.e.rip - base), len - (unsigned)(m.e.rip - base));
        r = emul_step(&m.e, 1);
    } while (r == EMUL_OK && m.e.rip < base + len);
    native_run(&n, code, len, t.bits);
    assert_int_equal(r == EMUL_FAULT ? m.e.fault.vector : -1, n.trap);
    if (n.trap >= 0)
        assert_int_equal(n.trap_rip, m.e.rip);
    for (unsigned i = 0; i < (code32 ? 8 : 16); i++)
        assert_int_equal(m.gpr[i] & mask, n.gpr[i] & mask);
    assert_int_equal(m.e.rflags & ARITH, n.rflags & ARITH);
}

static void test_streams(void **state)
{
    (void)state;
    native_catch();
    fill_memory();
    for (unsigned i = 0; i < 10000; i++) {
        run_stream(false);
        if (!no_code32)
            run_stream(true);
        memcpy(shadow, (void *)NATIVE_DATA, NATIVE_DATA_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_64),
        cmocka_unit_test(test_forms_32),
        cmocka_unit_test(test_forms_16),
        cmocka_unit_test(test_streams),
    };
    no_code32 = native_init();
    return cmocka_run_group_tests_name("emul against the CPU", tests, NULL, NULL);
}
