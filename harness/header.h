// The part of a comparison that says what was compared: facts of both sides, and why two files must
// not be compared.
#pragma once
#include "compare.h"

// Fills header and mismatches of `out`.
void header_fill(const struct result *native, const struct result *hvm, struct comparison *out);
