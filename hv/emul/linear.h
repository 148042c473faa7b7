#pragma once

/* Segmentation: from an effective address to a linear one (SDM vol. 3, 5.3 to 5.5). */

#include "emul/internal.h"

/* #SS(0) or #GP(0). */
enum emul_result emul_seg_violation(struct emul *e, unsigned seg);

/* Type and presence of a segment in protected mode. */
static inline bool seg_allows(const struct seg *s, unsigned access)
{
    if (!(s->attr & SEG_P))
        return false;
    if (s->attr & 8) /* code: never written, read if readable */
        return !(access & EMUL_WRITE) && (s->attr & 2);
    return !(access & EMUL_WRITE) || (s->attr & 2);
}

static inline bool seg_contains(const struct seg *s, u64 ea, u64 last)
{
    if (unlikely((s->attr & (SEG_S | 0xc)) == (SEG_S | 4))) /* expand-down data */
        return ea > s->limit && last <= (s->attr & SEG_DB ? 0xffffffffu : 0xffffu);
    return last <= s->limit;
}

/* emul_linear() for callers that want it inline. */
static inline enum emul_result linear_address(struct emul *e, bool mode64, unsigned seg, u64 ea,
                                              unsigned size, unsigned access, u64 *la)
{
    u64 last = ea + size - 1;

    if (mode64) {
        u64 base = seg >= SEG_FS ? seg_get(e, seg)->base : 0;
        *la = base + ea;
        if (unlikely(!is_canonical(e, *la) || !is_canonical(e, base + last)))
            return emul_seg_violation(e, seg);
    } else {
        const struct seg *s = seg_get(e, seg);
        if (unlikely(!seg_contains(s, ea, last)))
            return emul_seg_violation(e, seg);
        if (unlikely(is_protected(e) && !seg_allows(s, access)))
            return emul_seg_violation(e, seg);
        *la = (u32)(s->base + ea);
    }
    /* Alignment checks of user code (SDM vol. 3, 6.15, #AC); vector accesses have their own. */
    if (unlikely((e->rflags & RFLAGS_AC) && e->cpl == 3 && (e->cr0 & CR0_AM)) && size <= 8 &&
        (*la & (size - 1)) && !(access & EMUL_IMPLICIT))
        return emul_raise_error(e, VEC_AC, 0);
    return EMUL_OK;
}
