#include "demux.h"

static const char mark[] = "@hv ";
enum { mark_len = sizeof(mark) - 1 };

// Outside a record; a beginning of the mark that came to nothing was the guest's.
static void take_console(struct demux *demux, char c, struct buf *console, struct buf *log)
{
    if (c != mark[demux->matched] && demux->matched) {
        buf_add(console, mark, demux->matched);
        demux->matched = 0;
    }
    if (c != mark[demux->matched]) {
        buf_add(console, &c, 1);
    } else if (++demux->matched == mark_len) {
        buf_add(log, mark, mark_len);
        *demux = (struct demux){.in_record = true};
    }
}

void demux_take(struct demux *demux, const char *data, size_t len, struct buf *console,
                struct buf *log)
{
    for (size_t i = 0; i < len; i++) {
        if (demux->in_record) {
            buf_add(log, &data[i], 1);
            demux->in_record = data[i] != '\n';
        } else {
            take_console(demux, data[i], console, log);
        }
    }
}
