#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Best first, for "auto".
const struct engine *const engine_table[] = {&engine_kvm, &engine_tcg, &engine_bochs, &engine_hw};
const size_t engine_table_n = sizeof(engine_table) / sizeof(*engine_table);

const char firmware_bios[] = "/usr/share/seabios/bios-256k.bin";
const char firmware_vga[] = "/usr/share/seabios/vgabios-stdvga.bin";

static const struct {
    int code;
    const char *name;
} ends[] = {{16, "poweroff"}, {17, "reboot"},   {18, "triple-fault"}, {19, "hang"},
            {20, "config"},   {21, "vm-error"}, {22, "panic"}};

int end_code(const char *name)
{
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        if (!strcmp(name, ends[i].name))
            return ends[i].code;
    return -1;
}

const char *end_name(int code)
{
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        if (code == ends[i].code)
            return ends[i].name;
    return NULL;
}

int job_link(const struct job *job, const char *from, const char *name)
{
    char *full = realpath(from, NULL);
    char *to = xasprintf("%s/%s", job->dir, name);
    int rc = full && !symlink(full, to) ? 0 : -1;
    if (rc)
        say("%s: %s", from, strerror(errno));
    free(full);
    free(to);
    return rc;
}

const char *side_name(enum side side)
{
    return side == side_native ? "native" : "hvm";
}

bool side_parse(const char *text, enum side *side)
{
    for (enum side s = side_native; s <= side_hvm; s++) {
        if (!strcmp(text, side_name(s))) {
            *side = s;
            return true;
        }
    }
    return false;
}

static bool engine_works(const struct engine *engine, enum side side, struct buf *missing)
{
    struct buf found = {0};
    int rc = engine->probe(side, &found, missing);
    buf_free(&found);
    return rc == 0;
}

static void say_unknown(const char *name)
{
    struct words known = {0};
    for (size_t i = 0; i < engine_table_n; i++)
        words_add(&known, engine_table[i]->name);
    char *list = words_join(&known);
    say("unknown engine '%s'; engines: auto %s", name, list);
    free(list);
    words_free(&known);
}

const struct engine *engine_choose(const char *name, enum side side)
{
    bool any = !strcmp(name, "auto"), known = false;
    struct buf missing = {0};
    for (size_t i = 0; i < engine_table_n; i++) {
        const struct engine *engine = engine_table[i];
        if (any ? !engine->is_auto : strcmp(name, engine->name))
            continue;
        known = true;
        if (any)
            buf_printf(&missing, "%s%s: ", missing.len ? "; " : "", engine->name);
        if (engine_works(engine, any ? side_hvm : side, &missing)) {
            buf_free(&missing);
            return engine;
        }
    }
    if (!known)
        say_unknown(name);
    else if (any)
        say("no engine works here: %s", missing.data);
    else
        say("engine %s does not work here: %s", name, missing.data);
    buf_free(&missing);
    return NULL;
}
