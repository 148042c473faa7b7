#include "derived.h"

#include <stdio.h>
#include <string.h>

enum { KEPT_MAX = 16 };

static struct kept {
    const char *name;
    int n;
    double samples[RESULT_MAX_SAMPLES];
} kept[KEPT_MAX];
static int kept_count;

void derived_keep(const struct bench *bench, const struct result *result)
{
    if (!(bench->flags & BENCH_SOURCE) || result->status != RESULT_OK || kept_count >= KEPT_MAX)
        return;
    struct kept *entry = &kept[kept_count++];
    entry->name = bench->name;
    entry->n = result->n;
    memcpy(entry->samples, result->samples, (size_t)result->n * sizeof *result->samples);
}

static const struct kept *find(const char *name, size_t length)
{
    for (int i = 0; i < kept_count; i++) {
        if (strlen(kept[i].name) == length && memcmp(kept[i].name, name, length) == 0)
            return &kept[i];
    }
    return NULL;
}

void derived_compute(const struct bench *bench, struct result *result)
{
    double sums[RESULT_MAX_SAMPLES] = {0};
    int sources = 0, n = RESULT_MAX_SAMPLES;
    memset(result, 0, sizeof *result);
    for (const char *name = bench->mean_of; *name;) {
        size_t length = strcspn(name, ",");
        const struct kept *source = find(name, length);
        if (!source) {
            result->status = RESULT_SKIP;
            snprintf(result->message, sizeof result->message, "needs %.*s of the same run",
                     (int)length, name);
            return;
        }
        n = source->n < n ? source->n : n;
        for (int i = 0; i < n; i++)
            sums[i] += source->samples[i];
        sources++;
        name += length + (name[length] == ',');
    }
    for (int i = 0; i < n; i++)
        result->samples[i] = sums[i] / sources;
    result->n = n;
    result->steal_ms = -1;
    result->status = RESULT_OK;
}
