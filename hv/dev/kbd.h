#pragma once

#include "dev/dev.h"

/* Presses and releases keys of the guest's keyboard: scan code set 2 bytes. False: it takes none now. */
bool kbd_keys(struct machine *m, const u8 *codes, unsigned count);
