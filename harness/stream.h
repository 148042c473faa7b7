// Splits what a guest sends on its console into the TAP document and everything else.
//
// The TAP begins with the line "TAP version 13" and ends when the plan is satisfied and the last
// point's YAML block is closed. Carriage returns that the terminal driver adds are dropped.
#pragma once
#include "util.h"

struct stream {
    struct buf line;
    bool in_tap, in_yaml, done;
    unsigned long plan, points;
    unsigned long not_ok;
    char last_point[96];                                      // description of the last point seen
    char last_console[160];                                   // last line outside the TAP
    int (*tap)(void *self, const char *line, size_t len);     // a line with its line feed
    int (*console)(void *self, const char *line, size_t len); // likewise
    void (*point)(void *self, const struct stream *stream);   // a new point was seen; may be NULL
    void *self;
};

// Takes bytes as they arrive. 0, or the first error of a callback.
int stream_take(struct stream *stream, const char *data, size_t len);

// Hands on a last line that has no line feed.
int stream_end(struct stream *stream);
void stream_free(struct stream *stream);

// True when every point of the plan was seen and closed.
bool stream_complete(const struct stream *stream);
