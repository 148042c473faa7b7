// What Bochs' texts say. Bochs ends with status 1 after every panic, be it a power-off or a crash, and
// with 0 when its debugger is told to quit, so the text of its log decides.
#pragma once
#include "engine.h"

// How the machine ended, from the last part of Bochs' log.
struct ending bochs_verdict(const struct remains *remains, const char *log);

// The simulated instructions (ticks) at the log's last line, or 0.
unsigned long long bochs_ticks(const char *log);

// The CPU models of `bochs-bin --help cpu`.
void bochs_models(const char *help, struct words *models);
