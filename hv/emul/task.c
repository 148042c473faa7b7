/* Hardware task switches (SDM vol. 3, 7.3). What is checked before step 12 faults in the old task,
 * with nothing changed; from then on the registers are the new task's, and so are the faults. */

#include "emul/far.h"

#define TSS_CR3 0x1c
#define TSS_TRAP 0x64
#define DR7_LOCAL 0x155ull /* L0 to L3 and LE, which every switch clears (17.2.4) */

/* The part that is saved and loaded: IP, flags, eight registers, the selectors; behind it the LDT's
 * selector, which is only loaded (figures 7-2 and 7-10). */
enum { IP, FLAGS, GPRS, SELECTORS = GPRS + 8, LDT_MAX = SELECTORS + 6 };

struct format {
    u8 word;      /* bytes of each */
    u8 start;     /* of IP in the TSS */
    u8 selectors; /* ES, CS, SS, DS, FS, GS: so many */
    u8 limit;     /* at least */
};

static const struct format *format_of(const struct seg *tss)
{
    static const struct format formats[] = {{2, 0x0e, 4, 0x2b}, {4, 0x20, 6, 0x67}};
    return &formats[tss->attr >> 3 & 1];
}

static u32 tss_get(const struct format *f, const u8 *area, unsigned i)
{
    return (u32)reg_read(area + i * f->word, i < SELECTORS ? f->word : 2);
}

/* Table 7-1, first part. */
static enum emul_result find_tss(struct emul *e, const struct emul_task *t, struct seg *tss)
{
    bool iret = t->source == EMUL_TASK_IRET;
    u32 error = t->sel & 0xfffc;
    unsigned bad = iret ? VEC_TS : VEC_GP;
    u64 desc = 0;
    enum emul_result r;

    if (!error || (t->sel & 4) || (t->sel | 7u) > seg_get(e, SEG_GDTR)->limit)
        return emul_raise_error(e, bad, error);
    r = desc_read(e, t->sel, &desc);
    if (r != EMUL_OK)
        return r;
    desc_unpack(desc, t->sel, tss);
    if ((tss->attr & 0x15) != 1 || !(tss->attr & 2) == iret)
        return emul_raise_error(e, bad, error);
    if (!(tss->attr & SEG_P))
        return emul_raise_error(e, VEC_NP, error);
    if (tss->limit < format_of(tss)->limit)
        return emul_raise_error(e, VEC_TS, error);
    return EMUL_OK;
}

static enum emul_result write_busy(struct emul *e, const struct seg *tss, bool busy)
{
    u8 byte = (u8)(busy ? tss->attr | 2 : tss->attr & ~2);
    u64 la = 0;
    enum emul_result r = desc_address(e, tss->sel, 8, &la);
    if (r != EMUL_OK)
        return r;
    return e->ops->write(e, la + 5, &byte, 1, EMUL_WRITE | EMUL_IMPLICIT | EMUL_LOCKED);
}

/* The old task's registers go into its TSS, which has been read for that. */
static enum emul_result save(struct emul *e, const struct emul_task *t, const struct seg *tr,
                             u8 *area)
{
    const struct format *f = format_of(tr);
    unsigned n = SELECTORS + f->selectors;
    u32 v[LDT_MAX] = {(u32)t->next, (u32)e->rflags};
    enum emul_result r = EMUL_OK;

    if (!t->external)
        v[FLAGS] &= (u32)~RFLAGS_RF;
    if (t->source == EMUL_TASK_IRET)
        v[FLAGS] &= (u32)~RFLAGS_NT;
    for (unsigned i = 0; i < 8; i++)
        v[GPRS + i] = (u32)e->gpr[i];
    for (unsigned i = 0; i < f->selectors; i++)
        v[SELECTORS + i] = seg_get(e, i)->sel;
    for (unsigned i = 0; i < n && r == EMUL_OK; i++) {
        __builtin_memcpy(area + i * f->word, &v[i], i < SELECTORS ? f->word : 2);
        r = e->ops->write(e, tr->base + f->start + i * f->word, area + i * f->word, f->word,
                          EMUL_WRITE | EMUL_IMPLICIT);
    }
    return r;
}

/* Registers and selectors; the descriptors are not there yet. A 16-bit TSS leaves the upper halves
 * of the registers undefined. */
static void load_registers(struct emul *e, struct insn *in, const struct emul_task *t,
                           const struct format *f, const u8 *area)
{
    u64 flags = tss_get(f, area, FLAGS) & (f->word == 4 ? 0x3f7fd5 : 0x7fd5);

    in->next = e->rip = tss_get(f, area, IP);
    if (t->source == EMUL_TASK_CALL || t->source == EMUL_TASK_EVENT)
        flags |= RFLAGS_NT;
    in->flags = e->rflags = flags | RFLAGS_FIXED;
    for (unsigned i = 0; i < 8; i++)
        e->gpr[i] = tss_get(f, area, GPRS + i) | (f->word == 2 ? 0xffff0000u : 0);
    for (unsigned i = 0; i <= SEG_GS; i++) {
        u16 sel = i < f->selectors ? (u16)tss_get(f, area, SELECTORS + i) : 0;
        seg_set(e, i, &(struct seg){.sel = sel});
    }
    e->cpl = e->rflags & RFLAGS_VM ? 3 : seg_get(e, SEG_CS)->sel & 3;
    e->seg[SEG_SS].attr = (u16)(e->cpl << 5);
}

/* Any doubt about a selector is #TS. */
static enum emul_result as_ts(struct emul *e, enum emul_result r)
{
    if (r == EMUL_FAULT && e->fault.vector == VEC_GP)
        e->fault.vector = VEC_TS;
    return r;
}

static enum emul_result load_ldt(struct emul *e, u16 sel)
{
    struct seg s = {.sel = sel};
    u64 desc = 0;
    enum emul_result r;

    seg_set(e, SEG_LDTR, &s);
    if (!(sel & 0xfffc))
        return EMUL_OK;
    if (sel & 4)
        return emul_raise_error(e, VEC_TS, sel & 0xfffc);
    r = as_ts(e, desc_read(e, sel, &desc));
    if (r != EMUL_OK)
        return r;
    desc_unpack(desc, sel, &s);
    if ((s.attr & 0x1f) != 2 || !(s.attr & SEG_P))
        return emul_raise_error(e, VEC_TS, sel & 0xfffc);
    seg_set(e, SEG_LDTR, &s);
    return EMUL_OK;
}

static enum emul_result load_code(struct emul *e, u16 sel)
{
    struct seg s = {0};
    u64 desc = 0;
    unsigned dpl;
    enum emul_result r;

    if (!(sel & 0xfffc))
        return emul_raise_error(e, VEC_TS, 0);
    r = as_ts(e, desc_read(e, sel, &desc));
    if (r != EMUL_OK)
        return r;
    desc_unpack(desc, sel, &s);
    dpl = SEG_DPL(s.attr);
    if ((s.attr & (SEG_S | 8)) != (SEG_S | 8) || (s.attr & 4 ? dpl > e->cpl : dpl != e->cpl))
        return emul_raise_error(e, VEC_TS, sel & 0xfffc);
    if (!(s.attr & SEG_P))
        return emul_raise_error(e, VEC_NP, sel & 0xfffc);
    r = desc_set_type(e, sel, &s, 1);
    if (r == EMUL_OK)
        seg_set(e, SEG_CS, &s);
    return r;
}

/* Table 7-1, second part. */
static enum emul_result load_segments(struct emul *e, struct insn *in)
{
    static const u8 data[4] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};
    enum emul_result r;

    if (e->rflags & RFLAGS_VM) {
        for (unsigned i = 0; i <= SEG_GS; i++)
            seg_load_real(e, i, e->seg[i].sel);
        return EMUL_OK;
    }
    r = load_code(e, e->seg[SEG_CS].sel);
    if (r == EMUL_OK)
        r = far_load_stack(e, e->seg[SEG_SS].sel, e->cpl, VEC_TS);
    for (unsigned i = 0; i < 4 && r == EMUL_OK; i++)
        r = as_ts(e, seg_load(e, in, data[i], e->seg[data[i]].sel));
    return r;
}

/* Step 12 and what follows, in the new task. */
static enum emul_result enter(struct emul *e, struct insn *in, const struct emul_task *t,
                              const struct format *f, const u8 *area, u32 cr3)
{
    u64 dr7 = 0;
    enum emul_result r;

    load_registers(e, in, t, f, area);
    in->keep_rf = in->no_trap = true;
    e->new_task = true;
    r = e->ops->cr_write(e, 0, e->cr0 | CR0_TS);
    if (r == EMUL_OK)
        r = e->ops->dr_read(e, 7, &dr7);
    if (r == EMUL_OK && (dr7 & DR7_LOCAL))
        r = e->ops->dr_write(e, 7, dr7 & ~DR7_LOCAL);
    if (r == EMUL_OK && f->word == 4 && (e->cr0 & CR0_PG))
        r = e->ops->cr_write(e, 3, cr3);
    if (r == EMUL_OK)
        r = load_ldt(e, (u16)tss_get(f, area, SELECTORS + f->selectors));
    if (r == EMUL_OK)
        r = load_segments(e, in);
    if (r == EMUL_OK && t->has_error)
        r = emul_push(e, in, t->error, f->word);
    if (r == EMUL_OK && e->rip > seg_get(e, SEG_CS)->limit)
        r = emul_gp0(e);
    return r;
}

/* What can still fault in the old task: both TSSs are there, and writable where they are written. */
struct pages {
    u8 old[4 * LDT_MAX], new[4 * (LDT_MAX + 1)];
    u32 cr3;
    u16 link, trap;
};

static enum emul_result read_tss(struct emul *e, const struct seg *tr, const struct seg *tss,
                                 bool nested, struct pages *p)
{
    const struct format *old = format_of(tr), *f = format_of(tss);
    unsigned save_bytes = old->word * (SELECTORS + old->selectors);
    unsigned link_access = EMUL_READ | EMUL_IMPLICIT | (nested ? EMUL_WRITE : 0);
    unsigned access = EMUL_READ | EMUL_IMPLICIT;
    enum emul_result r;

    if (old->start + save_bytes - 1 > tr->limit)
        return emul_raise_error(e, VEC_TS, tr->sel & 0xfffc);
    r = e->ops->read(e, tr->base + old->start, p->old, save_bytes, access | EMUL_WRITE);
    if (r == EMUL_OK)
        r = e->ops->read(e, tss->base, &p->link, 2, link_access);
    if (r == EMUL_OK)
        r = e->ops->read(e, tss->base + f->start, p->new, f->word * (SELECTORS + f->selectors + 1u),
                         access);
    if (f->word == 2 || r != EMUL_OK)
        return r;
    r = e->ops->read(e, tss->base + TSS_CR3, &p->cr3, 4, access);
    return r == EMUL_OK ? e->ops->read(e, tss->base + TSS_TRAP, &p->trap, 2, access) : r;
}

enum emul_result far_task_switch(struct emul *e, struct insn *in, const struct emul_task *t)
{
    bool nested = t->source == EMUL_TASK_CALL || t->source == EMUL_TASK_EVENT;
    bool iret = t->source == EMUL_TASK_IRET;
    struct seg tr = *seg_get(e, SEG_TR), tss = {0};
    struct pages p = {.cr3 = 0};
    enum emul_result r;

    if (!e->ops->cr_write || !e->ops->dr_read || !e->ops->dr_write)
        return EMUL_UNHANDLED;
    r = find_tss(e, t, &tss);
    if (r == EMUL_OK)
        r = read_tss(e, &tr, &tss, nested, &p);
    if (r == EMUL_OK && !nested)
        r = write_busy(e, &tr, false);
    if (r == EMUL_OK)
        r = save(e, t, &tr, p.old);
    if (r == EMUL_OK && nested)
        r = e->ops->write(e, tss.base, &tr.sel, 2, EMUL_WRITE | EMUL_IMPLICIT);
    if (r == EMUL_OK && !iret)
        r = write_busy(e, &tss, true);
    if (r != EMUL_OK)
        return r;
    tss.attr |= 2;
    seg_set(e, SEG_TR, &tss);
    r = enter(e, in, t, format_of(&tss), p.new, p.cr3);
    e->task_trap = r == EMUL_OK && (p.trap & 1);
    return r;
}

enum emul_result emul_task_switch(struct emul *e, const struct emul_task *task)
{
    struct insn in = {.flags = e->rflags};
    enum emul_result r;

    e->trap = e->int_shadow = e->new_task = e->task_trap = false;
    e->iret = task->source == EMUL_TASK_IRET;
    r = far_task_switch(e, &in, task);
    if (r == EMUL_FAULT)
        far_external(e, task->external);
    return r;
}
