#include "bare.h"

static const struct {
    const char *name;
    u32 samples;
    u64 sample_cycles;
} sets[] = {{"quick", 7, 200000}, {"standard", 7, 20000000}, {"paper", 11, 100000000}};

static u32 number(const char *name, const char *text, u32 least, u32 most)
{
    u64 v = 0;
    const char *c = text;
    for (; *c >= '0' && *c <= '9' && v <= most; c++)
        v = v * 10 + (u64)(*c - '0');
    if (c == text || *c || v < least || v > most)
        bail_out("guestbench.%s=%s: a number from %u to %u expected", name, text, least, most);
    return (u32)v;
}

static void take_set(struct settings *s)
{
    for (unsigned i = 0; i < array_size(sets); i++) {
        if (strcmp(s->set, sets[i].name))
            continue;
        s->sample_cycles = sets[i].sample_cycles;
        if (!s->samples)
            s->samples = sets[i].samples;
        return;
    }
    bail_out("guestbench.set=%s: quick, standard or paper expected", s->set);
}

static void copy(const char *name, const char *value, char *to, size_t size)
{
    if (strlen(value) >= size)
        bail_out("guestbench.%s: longer than %u characters", name, (unsigned)size - 1);
    memcpy(to, value, strlen(value) + 1);
}

/* Nothing here is drawn; it is part of the report, as a number. */
static void take_seed(struct settings *s, const char *value)
{
    for (const char *c = value; c == value || *c; c++)
        if (*c < '0' || *c > '9')
            bail_out("guestbench.seed=%s: a whole number expected", value);
    copy("seed", value, s->seed, sizeof s->seed);
}

/* One word after its "guestbench.". */
static void take(struct settings *s, const char *word)
{
    char name[16], value[256];
    size_t n = 0;
    while (word[n] && word[n] != '=' && n + 1 < sizeof name) {
        name[n] = word[n];
        n++;
    }
    name[n] = '\0';
    if (word[n] != '=' || strlen(word + n + 1) >= sizeof value)
        bail_out("guestbench.%s: name=value expected, 255 characters at most", word);
    memcpy(value, word + n + 1, strlen(word + n + 1) + 1);
    if (!strcmp(name, "side"))
        copy(name, value, s->side, sizeof s->side);
    else if (!strcmp(name, "set"))
        copy(name, value, s->set, sizeof s->set);
    else if (!strcmp(name, "only"))
        copy(name, value, s->only, sizeof s->only);
    else if (!strcmp(name, "seed"))
        take_seed(s, value);
    else if (!strcmp(name, "samples"))
        s->samples = number(name, value, 1, SAMPLES_MAX);
    else
        bail_out("guestbench.%s: unknown here; known are side, set, only, seed and samples", name);
}

void settings_read(struct settings *s, const char *cmdline)
{
    static const char prefix[] = "guestbench.";
    *s = (struct settings){.side = "unknown", .set = "quick", .seed = "1", .cmdline = cmdline};
    for (const char *at = cmdline; *at;) {
        char word[320];
        size_t n = 0;
        for (; *at && *at != ' '; at++)
            if (n + 1 < sizeof word)
                word[n++] = *at;
        word[n] = '\0';
        if (n >= sizeof prefix && !memcmp(word, prefix, sizeof prefix - 1))
            take(s, word + sizeof prefix - 1);
        while (*at == ' ')
            at++;
    }
    take_set(s);
}

/* * is any text, ? any character; the pattern ends at a comma. Backtracks to the last * only. */
static bool glob(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;
    for (;;) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
        } else if (*text && (*pattern == '?' || *pattern == *text)) {
            pattern++;
            text++;
        } else if (!*text && (!*pattern || *pattern == ',')) {
            return true;
        } else if (star && *resume) {
            pattern = star;
            text = ++resume;
        } else {
            return false;
        }
    }
}

bool glob_list_matches(const char *list, const char *name)
{
    const char *bare = name;
    while (*bare && *bare != '.')
        bare++;
    bare += *bare == '.';
    if (!*list)
        return true;
    for (const char *at = list; at;) {
        if (glob(at, name) || glob(at, bare))
            return true;
        while (*at && *at != ',')
            at++;
        at = *at ? at + 1 : NULL;
    }
    return false;
}
