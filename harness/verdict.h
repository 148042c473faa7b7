// What a run's end means for the person, and the exit status of `penumbra run`.
#pragma once
#include "run.h"

// Says on standard error how the run ended. Returns the exit status.
int verdict_say(const struct run_result *result, enum side side, const char *tap_path);

// Says why the hypervisor refused: the last line of its log that is no record, or NULL. Returns the exit
// status.
int verdict_refusal(const char *line);
