#include "rounds.h"

#include <string.h>

int rounds_samples(int samples, int rounds, int round)
{
    return samples / rounds + (round < samples % rounds);
}

static double mean(double a, int n_a, double b, int n_b)
{
    return (a * n_a + b * n_b) / (n_a + n_b);
}

static void add_usage(struct result_usage *all, const struct result_usage *visit)
{
    all->minflt += visit->minflt;
    all->majflt += visit->majflt;
    all->nvcsw += visit->nvcsw;
    all->nivcsw += visit->nivcsw;
    all->utime_ms += visit->utime_ms;
    all->stime_ms += visit->stime_ms;
}

static void add_warning(struct result *all, const char *text)
{
    for (int i = 0; i < all->warnings; i++) {
        if (strcmp(all->warning[i], text) == 0)
            return;
    }
    result_warn(all, "%s", text);
}

void rounds_add(struct result *all, const struct result *visit)
{
    if (all->status == RESULT_NONE || visit->status != RESULT_OK) {
        *all = *visit;
        return;
    }
    all->sample_s = mean(all->sample_s, all->n, visit->sample_s, visit->n);
    all->setup_s = mean(all->setup_s, all->n, visit->setup_s, visit->n);
    all->ops_per_iter = mean(all->ops_per_iter, all->n, visit->ops_per_iter, visit->n);
    for (int i = 0; i < visit->n && all->n < RESULT_MAX_SAMPLES; i++)
        all->samples[all->n++] = visit->samples[i];
    add_usage(&all->usage, &visit->usage);
    all->steal_ms = all->steal_ms < 0 || visit->steal_ms < 0 ? -1 : all->steal_ms + visit->steal_ms;
    all->marked = all->marked || visit->marked;
    all->facts = visit->facts;
    memcpy(all->fact, visit->fact, sizeof all->fact);
    for (int i = 0; i < visit->warnings; i++)
        add_warning(all, visit->warning[i]);
}
