// Instructions executed between a test's marks, as the engine counted them
// (harness/plugin/insns.c).
#pragma once
#include "tap.h"

// Joins the counts at the marks, in the order they happened, to the points of a complete TAP: two
// notes at most, then begin and end of each marked point. Appends "@engine insns mark=N count=C"
// lines, and "@engine sample mark=N count=C" for each sample, where the counts at their begins and
// ends are as many as the point has samples. 0, or -1 with the reason where the counts do not fit
// the points, as after a benchmark that died between its marks.
int insns_join(const struct tap_file *tap, const char *counts, struct buf *out, struct buf *why);
