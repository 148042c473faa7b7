#include "boot/options.h"
#include "lib/fmt.h"
#include "lib/string.h"

enum { WORD = 200, NUMBER_MAX = 1000000000 };

struct parser {
    struct options *o;
    const char *const *shadow_names;
    unsigned shadow_count;
    char *why;
    size_t why_size;
};

/* As much of the word as leaves room for what was expected. */
static bool bad(struct parser *p, const char *word, const char *expected)
{
    fmt_snprintf(p->why, p->why_size, "%.100s: %s expected", word, expected);
    return false;
}

/* Decimal digits; end is what follows them. False: there are none, or too many for 64 bits. */
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

static bool parse_mem(struct parser *p, const char *word, const char *v, unsigned unused)
{
    u64 n;
    const char *end;
    u64 unit = 0;
    (void)unused;
    if (parse_u64(v, &n, &end) && *end && !end[1])
        unit = *end == 'K' ? KiB : *end == 'M' ? MiB : *end == 'G' ? GiB : 0;
    if (!unit || n > 4 * GiB / unit || n * unit < MiB || n * unit > 3 * GiB || n * unit % MiB)
        return bad(p, word, "1M to 3G in whole MiB, as in mem=256M,");
    p->o->mem_bytes = n * unit;
    return true;
}

static bool parse_disk(struct parser *p, const char *word, const char *v, unsigned disk)
{
    u64 n;
    const char *end;
    if (!strcmp(v, "module")) {
        p->o->disk[disk].backing = DISK_MODULE;
    } else if (!strcmp(v, "none")) {
        p->o->disk[disk].backing = DISK_NONE;
    } else if (!strncmp(v, "host:", 5) && parse_u64(v + 5, &n, &end) && !*end && n < 4) {
        p->o->disk[disk].backing = DISK_HOST;
        p->o->disk[disk].host = (unsigned)n;
    } else {
        return bad(p, word, "module, none or host:0 to host:3");
    }
    return true;
}

static bool parse_cdrom(struct parser *p, const char *word, const char *v, unsigned unused)
{
    (void)unused;
    p->o->cdrom = !strcmp(v, "module") ? DISK_MODULE : DISK_NONE;
    return !strcmp(v, "module") || !strcmp(v, "none") || bad(p, word, "module or none");
}

static bool parse_boot(struct parser *p, const char *word, const char *v, unsigned unused)
{
    (void)unused;
    p->o->boot = !strcmp(v, "disk") ? BOOT_DISK : BOOT_CDROM;
    return !strcmp(v, "disk") || !strcmp(v, "cdrom") || bad(p, word, "disk or cdrom");
}

enum { PORT_CONSOLE, PORT_LOG };

static bool parse_port(struct parser *p, const char *word, const char *v, unsigned which)
{
    u16 *port = which == PORT_CONSOLE ? &p->o->console_port : &p->o->log_port;
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

enum { NUMBER_AUDIT, NUMBER_WATCHDOG };

/* The bound keeps seconds, counted in ticks of any TSC, within 64 bits. */
static bool parse_number(struct parser *p, const char *word, const char *v, unsigned which)
{
    u64 n;
    const char *end;
    if (!parse_u64(v, &n, &end) || *end || n > NUMBER_MAX)
        return bad(p, word, "a whole number up to 1000000000");
    *(which == NUMBER_AUDIT ? &p->o->audit_every : &p->o->watchdog_s) = n;
    return true;
}

static bool bad_shadow(struct parser *p, const char *name, bool on)
{
    char known[160] = "";
    size_t n = 0;
    for (unsigned i = 0; i < p->shadow_count && n < sizeof known; i++)
        n += (size_t)fmt_snprintf(known + n, sizeof known - n, "%s, ", p->shadow_names[i]);
    fmt_snprintf(p->why, p->why_size, "shadow=%s%s: %seach also with -, all or none expected",
                 on ? "" : "-", name, known);
    return false;
}

/* One name of shadow=, without its sign. */
static bool apply_shadow(struct parser *p, const char *name, bool on)
{
    if (on && (!strcmp(name, "all") || !strcmp(name, "none"))) {
        p->o->shadow = !strcmp(name, "all") ? (1u << p->shadow_count) - 1 : 0;
        return true;
    }
    for (unsigned i = 0; i < p->shadow_count; i++) {
        if (strcmp(name, p->shadow_names[i]))
            continue;
        p->o->shadow = on ? p->o->shadow | 1u << i : p->o->shadow & ~(1u << i);
        return true;
    }
    return bad_shadow(p, name, on);
}

static bool parse_shadow(struct parser *p, const char *word, const char *v, unsigned unused)
{
    (void)word;
    (void)unused;
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

static const struct {
    const char *name;
    bool (*parse)(struct parser *p, const char *word, const char *v, unsigned which);
    unsigned which;
} words[] = {
    {"mem", parse_mem, 0},
    {"disk0", parse_disk, 0},
    {"disk1", parse_disk, 1},
    {"disk2", parse_disk, 2},
    {"disk3", parse_disk, 3},
    {"cdrom", parse_cdrom, 0},
    {"boot", parse_boot, 0},
    {"console", parse_port, PORT_CONSOLE},
    {"log", parse_port, PORT_LOG},
    {"shadow", parse_shadow, 0},
    {"audit", parse_number, NUMBER_AUDIT},
    {"watchdog", parse_number, NUMBER_WATCHDOG},
};

static bool parse_word(struct parser *p, const char *word)
{
    const char *v = strchr(word, '=');
    if (!v)
        return bad(p, word, "name=value");
    size_t n = (size_t)(v - word);
    for (unsigned i = 0; i < array_size(words); i++)
        if (strlen(words[i].name) == n && !strncmp(word, words[i].name, n))
            return words[i].parse(p, word, v + 1, words[i].which);
    return bad(p, word,
               "mem=, disk0= to disk3=, cdrom=, boot=, console=, log=, shadow=, audit= or "
               "watchdog=");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Copies the next word, as much of it as fits, and moves past it. Returns its full length. */
static size_t next_word(const char **cmdline, char word[WORD])
{
    const char *at = *cmdline;
    size_t n = 0;
    while (is_blank(*at))
        at++;
    for (; *at && !is_blank(*at); at++, n++)
        if (n + 1 < WORD)
            word[n] = *at;
    word[min(n, (size_t)WORD - 1)] = '\0';
    *cmdline = at;
    return n;
}

bool options_parse(const char *cmdline, const char *const *shadow_names, unsigned shadow_count,
                   struct options *o, char *why, size_t why_size)
{
    struct parser p = {o, shadow_names, shadow_count, why, why_size};

    *o = (struct options){.mem_bytes = 256 * MiB,
                          .console_port = 0x3f8,
                          .log_port = 0x2f8,
                          .shadow = (1u << shadow_count) - 1};
    for (bool first = true; *cmdline; first = false) {
        char word[WORD];
        size_t n = next_word(&cmdline, word);
        /* QEMU puts the image's path first, GRUB does not. */
        if (!n || (first && (*word == '/' || !strchr(word, '='))))
            continue;
        if (n >= WORD)
            return bad(&p, word, "a word of less than 200 characters");
        if (!parse_word(&p, word))
            return false;
    }
    return true;
}
