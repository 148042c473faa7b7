#include "cpu/virt.h"

void vcpu_reset_segments(struct seg *seg)
{
    for (unsigned i = SEG_ES; i <= SEG_GS; i++)
        seg[i] = (struct seg){0, SEG_P | SEG_S | 3, 0xffff, 0};
    seg[SEG_CS] = (struct seg){0xf000, SEG_P | SEG_S | 0xb, 0xffff, 0xffff0000};
    seg[SEG_GDTR] = seg[SEG_IDTR] = (struct seg){0, 0, 0xffff, 0};
    seg[SEG_LDTR] = (struct seg){0, SEG_P | 2, 0xffff, 0};
    seg[SEG_TR] = (struct seg){0, SEG_P | 3, 0xffff, 0};
}
