#include "progress.h"
#include "util.h"

#include <stdio.h>
#include <unistd.h>

static void draw(struct progress *progress)
{
    if (progress->quiet)
        return;
    progress->drawn_s = now_s();
    unsigned long s = (unsigned long)(progress->drawn_s - progress->started_s);
    fprintf(stderr, "%s%s %s: %3lu of %lu  %-28s %02lu:%02lu:%02lu elapsed%s",
            progress->terminal ? "\r\033[K" : "", progress->guest, progress->side, progress->point,
            progress->plan, progress->name, s / 3600, s / 60 % 60, s % 60,
            progress->terminal ? "" : "\n");
    fflush(stderr);
}

void progress_begin(struct progress *progress, const char *guest, const char *side, bool quiet)
{
    *progress = (struct progress){.guest = guest, .side = side, .quiet = quiet};
    progress->started_s = now_s();
    progress->terminal = isatty(2);
    snprintf(progress->name, sizeof(progress->name), "booting");
    if (progress->terminal)
        draw(progress);
}

void progress_show(struct progress *progress, unsigned long point, unsigned long plan,
                   const char *name)
{
    progress->point = point;
    progress->plan = plan;
    snprintf(progress->name, sizeof(progress->name), "%s", name);
    draw(progress);
}

void progress_tick(struct progress *progress)
{
    if (progress->terminal && now_s() - progress->drawn_s >= 1)
        draw(progress);
}

void progress_end(struct progress *progress)
{
    if (progress->terminal && !progress->quiet)
        fputs("\r\033[K", stderr);
}
