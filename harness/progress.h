// The progress line of a run: on a terminal one line redrawn, elsewhere one line a test point.
#pragma once
#include <stdbool.h>

struct progress {
    const char *guest, *side;
    double started_s, drawn_s;
    bool quiet, terminal;
    unsigned long point, plan;
    char name[96];
};

void progress_begin(struct progress *progress, const char *guest, const char *side, bool quiet);
void progress_show(struct progress *progress, unsigned long point, unsigned long plan,
                   const char *name);
// Redraws the elapsed time, at most once a second.
void progress_tick(struct progress *progress);
void progress_end(struct progress *progress);
