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

#include "machine.h"
#include "native.h"

#define CF RFLAGS_CF
#define PF RFLAGS_PF
#define AF RFLAGS_AF
#define ZF RFLAGS_ZF
#define SF RFLAGS_SF
#define OF RFLAGS_OF
#define ARITH (CF | PF | AF | ZF | SF | OF)

enum { NOIMM, I8, IZ, IV, I16, IENTER, IADDR };
enum {
    LOCKABLE = 1, /* LOCK with a memory operand */
    NO64 = 2,
    ONLY64 = 4,
    MEM = 8, /* memory operand only */
    REP = 16,
    BITS = 32,   /* the register operand is a bit offset */
    SHORT = 64,  /* a jump: the displacement is kept at 0 */
    NO16 = 128,  /* no 66 prefix */
    NOW = 256,   /* no REX.W */
    FRAME = 512, /* rBP points to memory */
};
#define NOEXT (-1)
#define NOMODRM (-2)

struct form {
    const char *name;
    u8 bytes[3], n;
    int ext; /* /0 to /7, NOEXT: any register, NOMODRM */
    int imm;
    u64 undefined; /* flags */
    unsigned options;
};

#define O1(b) {b}, 1
#define O2(a, b) {a, b}, 2
#define O3(a, b, c) {a, b, c}, 3

#define ALU(name, base, lock, undef)                                                               \
    {name " Eb,Gb", O1(base), NOEXT, NOIMM, undef, lock},                                          \
        {name " Ev,Gv", O1(base + 1), NOEXT, NOIMM, undef, lock},                                  \
        {name " Gb,Eb", O1(base + 2), NOEXT, NOIMM, undef, 0},                                     \
        {name " Gv,Ev", O1(base + 3), NOEXT, NOIMM, undef, 0},                                     \
        {name " AL,Ib", O1(base + 4), NOMODRM, I8, undef, 0},                                      \
        {name " eAX,Iz", O1(base + 5), NOMODRM, IZ, undef, 0},                                     \
        {name " Eb,Ib", O1(0x80), base / 8, I8, undef, lock},                                      \
        {name " Ev,Iz", O1(0x81), base / 8, IZ, undef, lock},                                      \
    {                                                                                              \
        name " Ev,Ib", O1(0x83), base / 8, I8, undef, lock                                         \
    }

#define SHIFT(name, ext, undef)                                                                    \
    {name " Eb,Ib", O1(0xc0), ext, I8, undef, 0}, {name " Ev,Ib", O1(0xc1), ext, I8, undef, 0},    \
        {name " Eb,1", O1(0xd0), ext, NOIMM, undef, 0},                                            \
        {name " Ev,1", O1(0xd1), ext, NOIMM, undef, 0},                                            \
        {name " Eb,CL", O1(0xd2), ext, NOIMM, undef, 0},                                           \
    {                                                                                              \
        name " Ev,CL", O1(0xd3), ext, NOIMM, undef, 0                                              \
    }

static const struct form forms[] = {
    ALU("add", 0x00, LOCKABLE, 0),
    ALU("or", 0x08, LOCKABLE, 0),
    ALU("adc", 0x10, LOCKABLE, 0),
    ALU("sbb", 0x18, LOCKABLE, 0),
    ALU("and", 0x20, LOCKABLE, 0),
    ALU("sub", 0x28, LOCKABLE, 0),
    ALU("xor", 0x30, LOCKABLE, 0),
    ALU("cmp", 0x38, 0, 0),
    {"add 82", O1(0x82), 0, I8, 0, NO64},
    SHIFT("rol", 0, 0),
    SHIFT("ror", 1, 0),
    SHIFT("rcl", 2, 0),
    SHIFT("rcr", 3, 0),
    SHIFT("shl", 4, 0),
    SHIFT("shr", 5, 0),
    SHIFT("sal", 6, 0),
    SHIFT("sar", 7, 0),
    {"shld Ib", O2(0x0f, 0xa4), NOEXT, I8, 0, 0},
    {"shld CL", O2(0x0f, 0xa5), NOEXT, NOIMM, 0, 0},
    {"shrd Ib", O2(0x0f, 0xac), NOEXT, I8, 0, 0},
    {"shrd CL", O2(0x0f, 0xad), NOEXT, NOIMM, 0, 0},
    {"test Eb,Gb", O1(0x84), NOEXT, NOIMM, AF, 0},
    {"test Ev,Gv", O1(0x85), NOEXT, NOIMM, AF, 0},
    {"test AL,Ib", O1(0xa8), NOMODRM, I8, AF, 0},
    {"test eAX,Iz", O1(0xa9), NOMODRM, IZ, AF, 0},
    {"test Eb,Ib", O1(0xf6), 0, I8, AF, 0},
    {"test Ev,Iz", O1(0xf7), 0, IZ, AF, 0},
    {"test Ev,Iz /1", O1(0xf7), 1, IZ, AF, 0},
    {"not Eb", O1(0xf6), 2, NOIMM, 0, LOCKABLE},
    {"not Ev", O1(0xf7), 2, NOIMM, 0, LOCKABLE},
    {"neg Eb", O1(0xf6), 3, NOIMM, 0, LOCKABLE},
    {"neg Ev", O1(0xf7), 3, NOIMM, 0, LOCKABLE},
    {"mul Eb", O1(0xf6), 4, NOIMM, SF | ZF | AF | PF, 0},
    {"mul Ev", O1(0xf7), 4, NOIMM, SF | ZF | AF | PF, 0},
    {"imul Eb", O1(0xf6), 5, NOIMM, SF | ZF | AF | PF, 0},
    {"imul Ev", O1(0xf7), 5, NOIMM, SF | ZF | AF | PF, 0},
    {"div Eb", O1(0xf6), 6, NOIMM, ARITH, 0},
    {"div Ev", O1(0xf7), 6, NOIMM, ARITH, 0},
    {"idiv Eb", O1(0xf6), 7, NOIMM, ARITH, 0},
    {"idiv Ev", O1(0xf7), 7, NOIMM, ARITH, 0},
    {"imul Gv,Ev", O2(0x0f, 0xaf), NOEXT, NOIMM, SF | ZF | AF | PF, 0},
    {"imul Gv,Ev,Iz", O1(0x69), NOEXT, IZ, SF | ZF | AF | PF, 0},
    {"imul Gv,Ev,Ib", O1(0x6b), NOEXT, I8, SF | ZF | AF | PF, 0},
    {"inc Eb", O1(0xfe), 0, NOIMM, 0, LOCKABLE},
    {"dec Eb", O1(0xfe), 1, NOIMM, 0, LOCKABLE},
    {"inc Ev", O1(0xff), 0, NOIMM, 0, LOCKABLE},
    {"dec Ev", O1(0xff), 1, NOIMM, 0, LOCKABLE},
    {"inc eBX", O1(0x43), NOMODRM, NOIMM, 0, NO64},
    {"dec eSI", O1(0x4e), NOMODRM, NOIMM, 0, NO64},
    {"push Ev", O1(0xff), 6, NOIMM, 0, 0},
    {"push eSP", O1(0x54), NOMODRM, NOIMM, 0, 0},
    {"push eDI", O1(0x57), NOMODRM, NOIMM, 0, 0},
    {"push Iz", O1(0x68), NOMODRM, IZ, 0, 0},
    {"push Ib", O1(0x6a), NOMODRM, I8, 0, 0},
    {"pop eDX", O1(0x5a), NOMODRM, NOIMM, 0, 0},
    {"pop eSP", O1(0x5c), NOMODRM, NOIMM, 0, 0},
    {"pop Ev", O1(0x8f), 0, NOIMM, 0, 0},
    {"pusha", O1(0x60), NOMODRM, NOIMM, 0, NO64},
    {"popa", O1(0x61), NOMODRM, NOIMM, 0, NO64},
    {"pushf", O1(0x9c), NOMODRM, NOIMM, 0, 0},
    {"enter", O1(0xc8), NOMODRM, IENTER, 0, FRAME},
    {"leave", O1(0xc9), NOMODRM, NOIMM, 0, FRAME},
    {"xchg Eb,Gb", O1(0x86), NOEXT, NOIMM, 0, LOCKABLE},
    {"xchg Ev,Gv", O1(0x87), NOEXT, NOIMM, 0, LOCKABLE},
    {"nop", O1(0x90), NOMODRM, NOIMM, 0, 0},
    {"xchg eAX,eCX", O1(0x91), NOMODRM, NOIMM, 0, 0},
    {"mov Eb,Gb", O1(0x88), NOEXT, NOIMM, 0, 0},
    {"mov Ev,Gv", O1(0x89), NOEXT, NOIMM, 0, 0},
    {"mov Gb,Eb", O1(0x8a), NOEXT, NOIMM, 0, 0},
    {"mov Gv,Ev", O1(0x8b), NOEXT, NOIMM, 0, 0},
    {"mov Eb,Ib", O1(0xc6), 0, I8, 0, 0},
    {"mov Ev,Iz", O1(0xc7), 0, IZ, 0, 0},
    {"mov AL,Ob", O1(0xa0), NOMODRM, IADDR, 0, 0},
    {"mov eAX,Ov", O1(0xa1), NOMODRM, IADDR, 0, 0},
    {"mov Ob,AL", O1(0xa2), NOMODRM, IADDR, 0, 0},
    {"mov Ov,eAX", O1(0xa3), NOMODRM, IADDR, 0, 0},
    {"mov AH,Ib", O1(0xb4), NOMODRM, I8, 0, 0},
    {"mov DI,Iv", O1(0xbf), NOMODRM, IV, 0, 0},
    {"lea", O1(0x8d), NOEXT, NOIMM, 0, MEM},
    {"movsxd", O1(0x63), NOEXT, NOIMM, 0, ONLY64},
    {"movzx b", O2(0x0f, 0xb6), NOEXT, NOIMM, 0, 0},
    {"movzx w", O2(0x0f, 0xb7), NOEXT, NOIMM, 0, 0},
    {"movsx b", O2(0x0f, 0xbe), NOEXT, NOIMM, 0, 0},
    {"movsx w", O2(0x0f, 0xbf), NOEXT, NOIMM, 0, 0},
    {"movnti", O2(0x0f, 0xc3), NOEXT, NOIMM, 0, MEM | NO16},
    {"movbe load", O3(0x0f, 0x38, 0xf0), NOEXT, NOIMM, 0, MEM},
    {"movbe store", O3(0x0f, 0x38, 0xf1), NOEXT, NOIMM, 0, MEM},
    {"xadd Eb,Gb", O2(0x0f, 0xc0), NOEXT, NOIMM, 0, LOCKABLE},
    {"xadd Ev,Gv", O2(0x0f, 0xc1), NOEXT, NOIMM, 0, LOCKABLE},
    {"cmpxchg Eb,Gb", O2(0x0f, 0xb0), NOEXT, NOIMM, 0, LOCKABLE},
    {"cmpxchg Ev,Gv", O2(0x0f, 0xb1), NOEXT, NOIMM, 0, LOCKABLE},
    {"cmpxchg8b", O2(0x0f, 0xc7), 1, NOIMM, 0, LOCKABLE | MEM},
    {"bt Ev,Gv", O2(0x0f, 0xa3), NOEXT, NOIMM, OF | SF | AF | PF, BITS},
    {"bts Ev,Gv", O2(0x0f, 0xab), NOEXT, NOIMM, OF | SF | AF | PF, BITS | LOCKABLE},
    {"btr Ev,Gv", O2(0x0f, 0xb3), NOEXT, NOIMM, OF | SF | AF | PF, BITS | LOCKABLE},
    {"btc Ev,Gv", O2(0x0f, 0xbb), NOEXT, NOIMM, OF | SF | AF | PF, BITS | LOCKABLE},
    {"bt Ev,Ib", O2(0x0f, 0xba), 4, I8, OF | SF | AF | PF, 0},
    {"bts Ev,Ib", O2(0x0f, 0xba), 5, I8, OF | SF | AF | PF, LOCKABLE},
    {"btr Ev,Ib", O2(0x0f, 0xba), 6, I8, OF | SF | AF | PF, LOCKABLE},
    {"btc Ev,Ib", O2(0x0f, 0xba), 7, I8, OF | SF | AF | PF, LOCKABLE},
    {"bsf", O2(0x0f, 0xbc), NOEXT, NOIMM, CF | OF | SF | AF | PF, 0},
    {"bsr", O2(0x0f, 0xbd), NOEXT, NOIMM, CF | OF | SF | AF | PF, 0},
    {"bswap", O2(0x0f, 0xcb), NOMODRM, NOIMM, 0, NO16},
    {"cbw", O1(0x98), NOMODRM, NOIMM, 0, 0},
    {"cwd", O1(0x99), NOMODRM, NOIMM, 0, 0},
    {"xlat", O1(0xd7), NOMODRM, NOIMM, 0, 0},
    {"sahf", O1(0x9e), NOMODRM, NOIMM, 0, 0},
    {"lahf", O1(0x9f), NOMODRM, NOIMM, 0, 0},
    {"cmc", O1(0xf5), NOMODRM, NOIMM, 0, 0},
    {"clc", O1(0xf8), NOMODRM, NOIMM, 0, 0},
    {"stc", O1(0xf9), NOMODRM, NOIMM, 0, 0},
    {"cld", O1(0xfc), NOMODRM, NOIMM, 0, 0},
    {"std", O1(0xfd), NOMODRM, NOIMM, 0, 0},
    {"daa", O1(0x27), NOMODRM, NOIMM, OF, NO64},
    {"das", O1(0x2f), NOMODRM, NOIMM, OF, NO64},
    {"aaa", O1(0x37), NOMODRM, NOIMM, OF | SF | ZF | PF, NO64},
    {"aas", O1(0x3f), NOMODRM, NOIMM, OF | SF | ZF | PF, NO64},
    {"aam", O1(0xd4), NOMODRM, I8, OF | AF | CF, NO64},
    {"aad", O1(0xd5), NOMODRM, I8, OF | AF | CF, NO64},
    {"salc", O1(0xd6), NOMODRM, NOIMM, 0, NO64},
    {"bound", O1(0x62), NOEXT, NOIMM, 0, NO64 | MEM},
    {"movsb", O1(0xa4), NOMODRM, NOIMM, 0, REP},
    {"movsv", O1(0xa5), NOMODRM, NOIMM, 0, REP},
    {"cmpsb", O1(0xa6), NOMODRM, NOIMM, 0, REP},
    {"cmpsv", O1(0xa7), NOMODRM, NOIMM, 0, REP},
    {"stosb", O1(0xaa), NOMODRM, NOIMM, 0, REP},
    {"stosv", O1(0xab), NOMODRM, NOIMM, 0, REP},
    {"lodsb", O1(0xac), NOMODRM, NOIMM, 0, REP},
    {"lodsv", O1(0xad), NOMODRM, NOIMM, 0, REP},
    {"scasb", O1(0xae), NOMODRM, NOIMM, 0, REP},
    {"scasv", O1(0xaf), NOMODRM, NOIMM, 0, REP},
    {"loopne", O1(0xe0), NOMODRM, I8, 0, SHORT | NO16},
    {"loope", O1(0xe1), NOMODRM, I8, 0, SHORT | NO16},
    {"loop", O1(0xe2), NOMODRM, I8, 0, SHORT | NO16},
    {"cmpxchg rep-prefixed", O2(0x0f, 0xb1), NOEXT, NOIMM, 0, 0},
    {"nop Ev", O2(0x0f, 0x1f), 0, NOIMM, 0, 0},
    {"push fs", O2(0x0f, 0xa0), NOMODRM, NOIMM, 0, NOW | ONLY64}, /* Intel: 16 bits written */
    {"mov Ev,ss", O1(0x8c), 2, NOIMM, 0, 0},
    {"ud2", O2(0x0f, 0x0b), NOMODRM, NOIMM, 0, 0},
    {"hlt", O1(0xf4), NOMODRM, NOIMM, 0, 0},
    {"cli", O1(0xfa), NOMODRM, NOIMM, 0, 0},
    {"in AL,DX", O1(0xec), NOMODRM, NOIMM, 0, 0},
    {"mov CR3", O2(0x0f, 0x22), 3, NOIMM, 0, 0},
    {"wrmsr", O2(0x0f, 0x30), NOMODRM, NOIMM, 0, 0},
    {"lgdt", O2(0x0f, 0x01), 2, NOIMM, 0, MEM},
};

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
    u8 code[16];
    unsigned len;
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
    case I8: put(t, f->options & SHORT ? 0 : rnd_value(), 1); break;
    case IZ: put(t, rnd_value(), t->data16 && !wide ? 2 : 4); break;
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

static void make_trial(struct trial *t, const struct form *f, bool code32)
{
    u8 rex, reg;
    bool memory, lock;

    memset(t, 0, sizeof(*t));
    t->code32 = code32;
    t->base = code32 ? 0 : NATIVE_DATA;
    memory = (f->options & MEM) || rnd() % 2;
    lock = (f->options & LOCKABLE) && f->ext != NOMODRM && memory && rnd() % 4 == 0;
    if (lock)
        put(t, 0xf0, 1);
    make_prefixes(t, f, &rex);
    make_registers(t);
    if (!code32 && rnd() % 2) {
        rex = 0x40 | (rnd() & 15);
        if (f->options & NOW)
            rex &= ~8;
        put(t, rex, 1);
    }
    put(t, f->bytes[0] | f->bytes[1] << 8 | f->bytes[2] << 16, f->n);
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
}

static u8 shadow[NATIVE_DATA_SIZE]; /* the emulator's copy of the data */

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
    fprintf(stderr, "# %s, %u-bit code:", f->name, t->code32 ? 32u : 64u);
    for (unsigned i = 0; i < t->len; i++)
        fprintf(stderr, " %02x", t->code[i]);
    fprintf(stderr, "\n# result %d vector %d error %x rip %llx+%lld; CPU trap %d\n", r,
            m->e.fault.vector, m->e.fault.error, (unsigned long long)t->in.entry,
            (long long)(m->e.rip - (NATIVE_CODE + 0x800)), n->trap);
    for (unsigned i = 0; i < 16; i++)
        fprintf(stderr, "# r%u in %llx cpu %llx emul %llx\n", i, (unsigned long long)t->in.gpr[i],
                (unsigned long long)n->gpr[i], (unsigned long long)m->gpr[i]);
    fprintf(stderr, "# flags in %llx cpu %llx emul %llx\n", (unsigned long long)t->in.rflags,
            (unsigned long long)n->rflags, (unsigned long long)m->e.rflags);
}

/* The same instruction for 16-bit code: 66 and 67 mean the opposite there. */
static unsigned code_for_16(const struct trial *t, u8 *out)
{
    unsigned i = 0, n = 0;

    if (!t->data16)
        out[n++] = 0x66;
    if (!t->addr_prefix)
        out[n++] = 0x67;
    for (; i < t->len && memchr("\xf0\x66\x67\xf2\xf3", t->code[i], 5); i++)
        if (t->code[i] != 0x66 && t->code[i] != 0x67)
            out[n++] = t->code[i];
    memcpy(out + n, t->code + i, t->len - i);
    return n + t->len - i;
}

/* The machine that agrees with what native_run() sets up. */
static void emulate_begin(struct machine *m, const struct trial *t)
{
    machine_init(m, t->code32 ? MODE_32 : MODE_64, 3, shadow, NATIVE_DATA, NATIVE_DATA_SIZE);
    memcpy(m->gpr, t->in.gpr, sizeof(m->gpr));
    m->e.rip = NATIVE_CODE + 0x800;
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
    m->seg[SEG_SS].sel = t->code32 ? 0x0f : 0x2b;
    m->seg[SEG_DS].sel = m->seg[SEG_ES].sel = t->code32 ? 0x0f : 0;
}

static void emulate(struct machine *m, const struct trial *t, bool as16, enum emul_result *r)
{
    u8 code16[20];

    emulate_begin(m, t);
    if (as16) {
        machine_code(m, NATIVE_CODE + 0x800, code16, code_for_16(t, code16));
        m->seg[SEG_CS].attr &= (u16)~SEG_DB;
    } else {
        machine_code(m, NATIVE_CODE + 0x800, t->code, t->len);
    }
    *r = emul_step(&m->e, 1000);
}

static bool agree(const struct trial *t, const struct form *f, const struct native_state *n,
                  const struct machine *m, bool as16, enum emul_result r)
{
    u8 code16[20];
    unsigned len = as16 ? code_for_16(t, code16) : t->len;
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
    return m->e.rip == NATIVE_CODE + 0x800 + len;
}

static bool has_movbe(void)
{
    u32 a = 1, b, c = 0, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c >> 22 & 1;
}

static void run_form(const struct form *f, bool code32, bool as16, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct machine m;
        struct native_state n;
        struct trial t;
        enum emul_result r;

        if (!strncmp(f->name, "movbe", 5) && !has_movbe())
            return;
        make_trial(&t, f, code32);
        n = t.in;
        emulate(&m, &t, as16, &r);
        native_run(&n, t.code, t.len, code32);
        if (!agree(&t, f, &n, &m, as16, r) ||
            memcmp(shadow, (void *)NATIVE_DATA, NATIVE_DATA_SIZE)) {
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

static const char *no_code32;

static void test_forms_64(void **state)
{
    (void)state;
    native_catch();
    for (unsigned i = 0; i < array_size(forms); i++) {
        fill_memory();
        if (!(forms[i].options & NO64))
            run_form(&forms[i], false, false, 1000);
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
    for (unsigned i = 0; i < array_size(forms); i++) {
        fill_memory();
        if (!(forms[i].options & ONLY64))
            run_form(&forms[i], true, false, 1000);
    }
}

/* The kernel gives no 16-bit segments; the CPU runs the same operation with sizes toggled. */
static void test_forms_16(void **state)
{
    (void)state;
    if (no_code32) {
        print_message("# SKIP 16-bit code: %s\n", no_code32);
        skip();
    }
    native_catch();
    for (unsigned i = 0; i < array_size(forms); i++) {
        fill_memory();
        if (!(forms[i].options & ONLY64))
            run_form(&forms[i], true, true, 1000);
    }
}

#define STREAM 12

/* Appends a form with registers only. */
static void add_register_form(u8 *code, unsigned *len, bool code32)
{
    for (;;) {
        const struct form *f = &forms[rnd() % array_size(forms)];
        bool wide = false, data16 = !(f->options & NO16) && rnd() % 4 == 0;

        if (f->ext == NOMODRM || f->undefined || (f->options & (MEM | (code32 ? ONLY64 : NO64))))
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
    struct trial t = {.code32 = code32, .base = code32 ? 0 : NATIVE_DATA};
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
    native_run(&n, code, len, code32);
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
