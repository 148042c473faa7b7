// QEMU's human monitor, used to ask a machine that does not answer where its CPU is.
#pragma once

// Sends "info registers" and returns the answer, without echo and prompt, or NULL when none came
// within two seconds. The caller frees it.
char *monitor_registers(int fd);
