#include "engine.h"

#include <stdlib.h>
#include <string.h>

const struct engine *const engine_table[] = {&engine_tcg};
const size_t engine_table_n = sizeof(engine_table) / sizeof(*engine_table);

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

static bool engine_works(const struct engine *engine, struct buf *missing)
{
    struct buf found = {0};
    int rc = engine->probe(&found, missing);
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

const struct engine *engine_choose(const char *name)
{
    bool any = !strcmp(name, "auto"), known = false;
    struct buf missing = {0};
    for (size_t i = 0; i < engine_table_n; i++) {
        const struct engine *engine = engine_table[i];
        if (!any && strcmp(name, engine->name))
            continue;
        known = true;
        if (engine_works(engine, &missing)) {
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
