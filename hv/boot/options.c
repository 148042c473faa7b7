#include "boot/options.h"
#include "lib/fmt.h"
#include "lib/string.h"

enum { WORD = 200 };

struct parser {
    struct options *o;
    const char *const *shadow_names;
    unsigned shadow_count;
    char *why;
    size_t why_size;
};

static bool bad(struct parser *p, const char *word, const char *expected)
{
    fmt_snprintf(p->why, p->why_size, "%s: %s expected", word, expected);
    return false;
}

static bool parse_u64(const char *s, u64 *value, const char **end)
{
    u64 v = 0;
    const char *at = s;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (v > (~0ull - 9) / 10)
            return false;
        v = v * 10 + (u64)(*at - '0');
    }
    *value = v;
    *end = at;
    return at != s;
}

static bool parse_mem(struct parser *p, const char *word, const char *v)
{
    u64 n;
    const char *end;
    u64 unit = 0;
    if (parse_u64(v, &n, &end) && *end && !end[1])
        unit = *end == 'K' ? KiB : *end == 'M' ? MiB : *end == 'G' ? GiB : 0;
    if (!unit || n > 4 * GiB / unit || n * unit < MiB || n * unit > 3 * GiB || n * unit % (4 * KiB))
        return bad(p, word, "1M to 3G, as in mem=256M,");
    p->o->mem_bytes = n * unit;
    return true;
}

static bool parse_disk(struct parser *p, const char *word, const char *v, unsigned i)
{
    u64 n;
    const char *end;
    if (!strcmp(v, "module")) {
        p->o->disk[i].backing = DISK_MODULE;
    } else if (!strcmp(v, "none")) {
        p->o->disk[i].backing = DISK_NONE;
    } else if (!strncmp(v, "host:", 5) && parse_u64(v + 5, &n, &end) && !*end && n < 4) {
        p->o->disk[i].backing = DISK_HOST;
        p->o->disk[i].host = (unsigned)n;
    } else {
        return bad(p, word, "module, none or host:0 to host:3");
    }
    return true;
}

static bool parse_port(struct parser *p, const char *word, const char *v, u16 *port)
{
    if (!strcmp(v, "com1"))
        *port = 0x3f8;
    else if (!strcmp(v, "com2"))
        *port = 0x2f8;
    else if (!strcmp(v, "none"))
        *port = 0;
    else
        return bad(p, word, "com1, com2 or none");
    return true;
}

static bool parse_number(struct parser *p, const char *word, const char *v, u64 *value)
{
    const char *end;
    if (!parse_u64(v, value, &end) || *end)
        return bad(p, word, "a whole number");
    return true;
}

/* One name of shadow=, without its sign. */
static bool apply_shadow(struct parser *p, const char *name, bool on)
{
    if (!strcmp(name, "all") || !strcmp(name, "none")) {
        p->o->shadow = !strcmp(name, "all") ? (1u << p->shadow_count) - 1 : 0;
        return true;
    }
    for (unsigned i = 0; i < p->shadow_count; i++) {
        if (strcmp(name, p->shadow_names[i]))
            continue;
        p->o->shadow = on ? p->o->shadow | 1u << i : p->o->shadow & ~(1u << i);
        return true;
    }
    char known[160];
    size_t n = 0;
    for (unsigned i = 0; i < p->shadow_count; i++)
        n += (size_t)fmt_snprintf(known + min(n, sizeof known), sizeof known - min(n, sizeof known), "%s, ", p->shadow_names[i]);
    fmt_snprintf(p->why, p->why_size, "shadow=%s: %sall or none expected", name, known);
    return false;
}

static bool parse_shadow(struct parser *p, const char *v)
{
    while (*v) {
        char name[32];
        size_t n = 0;
        bool on = *v != '-';
        if (!on)
            v++;
        for (; *v && *v != ','; v++)
            if (n + 1 < sizeof name)
                name[n++] = *v;
        name[n] = '\0';
        if (*v)
            v++;
        if (!apply_shadow(p, name, on))
            return false;
    }
    return true;
}

static bool parse_word(struct parser *p, const char *word)
{
    struct options *o = p->o;
    const char *v = strchr(word, '=');
    if (!v)
        return bad(p, word, "name=value");
    size_t n = (size_t)(v++ - word);
    if (n == 3 && !strncmp(word, "mem", n))
        return parse_mem(p, word, v);
    if (n == 5 && !strncmp(word, "disk", 4) && word[4] >= '0' && word[4] < '0' + OPTION_DISKS)
        return parse_disk(p, word, v, (unsigned)(word[4] - '0'));
    if (n == 5 && !strncmp(word, "cdrom", n)) {
        o->cdrom = !strcmp(v, "module") ? DISK_MODULE : DISK_NONE;
        return !strcmp(v, "module") || !strcmp(v, "none") || bad(p, word, "module or none");
    }
    if (n == 4 && !strncmp(word, "boot", n)) {
        o->boot = !strcmp(v, "disk") ? BOOT_DISK : BOOT_CDROM;
        return !strcmp(v, "disk") || !strcmp(v, "cdrom") || bad(p, word, "disk or cdrom");
    }
    if (n == 7 && !strncmp(word, "console", n))
        return parse_port(p, word, v, &o->console_port);
    if (n == 3 && !strncmp(word, "log", n))
        return parse_port(p, word, v, &o->log_port);
    if (n == 6 && !strncmp(word, "shadow", n))
        return parse_shadow(p, v);
    if (n == 5 && !strncmp(word, "audit", n))
        return parse_number(p, word, v, &o->audit_every);
    if (n == 8 && !strncmp(word, "watchdog", n))
        return parse_number(p, word, v, &o->watchdog_s);
    return bad(p, word, "mem=, disk0= to disk3=, cdrom=, boot=, console=, log=, shadow=, audit= or watchdog=");
}

bool options_parse(const char *cmdline, const char *const *shadow_names, unsigned shadow_count, struct options *o, char *why,
                   size_t why_size)
{
    struct parser p = {o, shadow_names, shadow_count, why, why_size};

    *o = (struct options){.mem_bytes = 256 * MiB, .console_port = 0x3f8, .log_port = 0x2f8, .shadow = (1u << shadow_count) - 1};
    for (bool first = true; *cmdline; first = false) {
        char word[WORD];
        size_t n = 0;
        while (*cmdline == ' ' || *cmdline == '\t')
            cmdline++;
        for (; *cmdline && *cmdline != ' ' && *cmdline != '\t'; cmdline++)
            if (n + 1 < sizeof word)
                word[n++] = *cmdline;
        word[n] = '\0';
        /* QEMU puts the image's path first, GRUB does not: a first word without = is that path. */
        if (!n || (first && !strchr(word, '=')))
            continue;
        if (!parse_word(&p, word))
            return false;
    }
    if (o->console_port && o->console_port == o->log_port) {
        fmt_snprintf(why, why_size, "console= and log=: two different ports expected");
        return false;
    }
    return true;
}
