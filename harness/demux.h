// One serial port that carries the guest's console and the hypervisor's records (log=com1): the records
// may begin in the middle of a line of the guest's, but each is whole.
#pragma once
#include "util.h"

struct demux {
    size_t matched; // characters of "@hv " seen
    bool in_record;
};

// Splits `len` bytes, appending what is the guest's to `console` and what is a record's to `log`.
void demux_take(struct demux *demux, const char *data, size_t len, struct buf *console,
                struct buf *log);
