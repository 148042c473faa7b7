#include "guests.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

char *guest_dir(void)
{
    return xasprintf("%s/images/guests", top_dir());
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void guest_names(const char *dir, struct words *out)
{
    DIR *d = opendir(dir);
    if (!d)
        return;
    for (struct dirent *entry; (entry = readdir(d));) {
        size_t len = strlen(entry->d_name);
        if (len > 4 && !strcmp(entry->d_name + len - 4, ".yml"))
            words_printf(out, "%.*s", (int)(len - 4), entry->d_name);
    }
    closedir(d);
    if (out->n)
        qsort(out->word, out->n, sizeof(*out->word), by_text);
}

static void say_unknown(const char *dir, const char *name)
{
    struct words known = {0};
    guest_names(dir, &known);
    char *list = words_join(&known);
    if (known.n)
        say("unknown guest '%s'; known guests: %s", name, list);
    else
        say("unknown guest '%s'; %s describes none", name, dir);
    free(list);
    words_free(&known);
}

static char *optional(const struct facts *facts, const char *key)
{
    const char *text = facts_text(facts, key);
    return xstrdup(text ? text : "");
}

static char *image_path(const char *image)
{
    return image[0] == '/' ? xstrdup(image) : xasprintf("%s/build/images/%s", top_dir(), image);
}

static struct guest *guest_build(const char *path, const char *name, const struct facts *facts)
{
    static const char *const needed[] = {"arch", "cmdline", "memory", "image"};
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
        if (facts_text(facts, needed[i]))
            continue;
        say("%s: key '%s' is missing", path, needed[i]);
        return NULL;
    }
    struct guest *guest = xcalloc(1, sizeof(*guest));
    guest->name = xstrdup(name);
    guest->description = optional(facts, "description");
    guest->arch = optional(facts, "arch");
    guest->cmdline = optional(facts, "cmdline");
    guest->hv = optional(facts, "hv");
    guest->expect = optional(facts, "expect");
    guest->image = image_path(facts_text(facts, "image"));
    const char *problem = NULL;
    if (strcmp(guest->arch, "i386") && strcmp(guest->arch, "amd64"))
        problem = "arch is neither i386 nor amd64";
    else if (!parse_size(facts_text(facts, "memory"), &guest->memory_bytes))
        problem = "memory is not a size such as 256M";
    if (!problem)
        return guest;
    say("%s: %s", path, problem);
    guest_free(guest);
    return NULL;
}

struct guest *guest_load(const char *dir, const char *name)
{
    if (strchr(name, '/') || !*name) {
        say_unknown(dir, name);
        return NULL;
    }
    char *path = xasprintf("%s/%s.yml", dir, name);
    size_t len;
    char *text = file_read(path, 65536, &len);
    struct guest *guest = NULL;
    struct facts facts = {0};
    struct facts_error error;
    if (!text && errno == ENOENT)
        say_unknown(dir, name);
    else if (!text)
        say("%s: %s", path, strerror(errno));
    else if (facts_parse(text, len, &facts, &error))
        say("%s:%zu: %s", path, error.line, error.what);
    else
        guest = guest_build(path, name, &facts);
    facts_free(&facts);
    free(text);
    free(path);
    return guest;
}

struct guest *guest_for_image(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct guest *guest = xcalloc(1, sizeof(*guest));
    guest->name = xstrdup(slash ? slash + 1 : path);
    guest->description = xstrdup("an image file");
    guest->arch = xstrdup("amd64");
    guest->cmdline = xstrdup("");
    guest->hv = xstrdup("");
    guest->expect = xstrdup("");
    guest->image = xstrdup(path);
    guest->memory_bytes = 256ull << 20;
    return guest;
}

void guest_free(struct guest *guest)
{
    if (!guest)
        return;
    free(guest->name);
    free(guest->description);
    free(guest->arch);
    free(guest->cmdline);
    free(guest->image);
    free(guest->hv);
    free(guest->expect);
    free(guest);
}
