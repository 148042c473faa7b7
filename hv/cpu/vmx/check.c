/* The guest state that VM entry takes without unrestricted guest (SDM vol. 3, 26.3.1; real mode: real.c):
 * what fails here is interpreted, and names the field when an entry fails. */

#include "cpu/vmx/vmx.h"

static bool usable(const struct seg *s)
{
    return s->attr & SEG_P;
}

/* Low limit bits clear: bytes; high ones set: pages (26.3.1.2). */
static bool granularity_fits(const struct seg *s)
{
    if ((s->limit & 0xfff) != 0xfff && s->attr & SEG_G)
        return false;
    return !(s->limit >> 20) || s->attr & SEG_G;
}

static const char *check_v86(const struct vcpu *v)
{
    for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
        const struct seg *s = &v->seg[i];
        if (s->base != (u64)s->sel << 4)
            return "virtual-8086 segment base";
        if (s->limit != 0xffff)
            return "virtual-8086 segment limit";
        if (s->attr != 0xf3)
            return "virtual-8086 segment access rights";
    }
    return NULL;
}

static const char *check_cs(const struct vcpu *v)
{
    const struct seg *cs = &v->seg[SEG_CS], *ss = &v->seg[SEG_SS];
    unsigned type = SEG_TYPE(cs->attr), dpl = SEG_DPL(cs->attr), ss_dpl = SEG_DPL(ss->attr);
    if (!usable(cs) || !(cs->attr & SEG_S) || (type & 9) != 9)
        return "CS access rights: type, S or P";
    if (type & 4 ? dpl > ss_dpl : dpl != ss_dpl)
        return "CS.DPL";
    if (vcpu_lma(v) && cs->attr & SEG_L && cs->attr & SEG_DB)
        return "CS.D with CS.L";
    if (cs->base >> 32)
        return "CS base";
    return granularity_fits(cs) ? NULL : "CS.G";
}

static const char *check_ss(const struct vcpu *v)
{
    const struct seg *cs = &v->seg[SEG_CS], *ss = &v->seg[SEG_SS];
    if ((ss->sel & 3) != (cs->sel & 3))
        return "SS.RPL, not that of CS";
    if (SEG_DPL(ss->attr) != (ss->sel & 3u))
        return "SS.DPL";
    if (!usable(ss))
        return NULL;
    if (!(ss->attr & SEG_S) || (SEG_TYPE(ss->attr) & ~4u) != 3)
        return "SS access rights: type or S";
    if (ss->base >> 32)
        return "SS base";
    return granularity_fits(ss) ? NULL : "SS.G";
}

static const char *check_data(const struct vcpu *v)
{
    static const u8 data[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};
    for (unsigned i = 0; i < array_size(data); i++) {
        const struct seg *s = &v->seg[data[i]];
        unsigned type = SEG_TYPE(s->attr);
        if (data[i] >= SEG_FS && !canonical48(s->base))
            return "FS or GS base";
        if (!usable(s))
            continue;
        if (!(s->attr & SEG_S) || !(type & 1) || (type & 10) == 8)
            return "data segment access rights: type or S";
        if (type < 12 && SEG_DPL(s->attr) < (s->sel & 3u))
            return "data segment DPL";
        if (data[i] < SEG_FS && s->base >> 32)
            return "data segment base";
        if (!granularity_fits(s))
            return "data segment G";
    }
    return NULL;
}

static const char *check_system(const struct vcpu *v)
{
    const struct seg *tr = &v->seg[SEG_TR], *ldtr = &v->seg[SEG_LDTR];
    unsigned type = SEG_TYPE(tr->attr);
    if (!usable(tr) || tr->attr & SEG_S || !(type == 11 || (type == 3 && !vcpu_lma(v))))
        return "TR access rights: not a busy TSS";
    if (tr->sel & 4 || !canonical48(tr->base) || !granularity_fits(tr))
        return "TR";
    if (usable(ldtr) && (ldtr->attr & SEG_S || SEG_TYPE(ldtr->attr) != 2 || ldtr->sel & 4 ||
                         !canonical48(ldtr->base) || !granularity_fits(ldtr)))
        return "LDTR";
    if (v->seg[SEG_GDTR].limit >> 16 || !canonical48(v->seg[SEG_GDTR].base))
        return "GDTR";
    if (v->seg[SEG_IDTR].limit >> 16 || !canonical48(v->seg[SEG_IDTR].base))
        return "IDTR";
    return NULL;
}

static const char *check_rip(const struct vcpu *v)
{
    bool code64 = vcpu_lma(v) && v->seg[SEG_CS].attr & SEG_L;
    if (code64 ? !canonical48(v->rip) : v->rip >> 32)
        return "RIP";
    if (!(v->rflags & RFLAGS_FIXED) || v->rflags & ~0x3f7fd7ull)
        return "RFLAGS: reserved bits";
    if (v->rflags & RFLAGS_VM && vcpu_lma(v))
        return "RFLAGS.VM";
    return NULL;
}

const char *vmx_check_guest(const struct vcpu *v)
{
    const char *field = NULL;
    if (!(v->cr0 & CR0_PE))
        return vmx_check_real(v);
    if (v->rflags & RFLAGS_VM) {
        field = check_v86(v);
    } else {
        static const char *(*const checks[])(const struct vcpu *) = {check_cs, check_ss,
                                                                     check_data};
        for (unsigned i = 0; i < array_size(checks) && !field; i++)
            field = checks[i](v);
    }
    if (!field)
        field = check_system(v);
    return field ? field : check_rip(v);
}
