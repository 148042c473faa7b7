#include "header.h"
#include "cpu_mask.h"

#include <stdlib.h>
#include <string.h>

// Shown always, in this order; other facts only where the sides differ.
static const char *const shown[] = {
    "date",        "guest",         "engine", "engine_version",   "time_unit",  "set",
    "samples",     "sample_s",      "seed",   "binary_sha256",    "abi",        "kernel",
    "page_tables", "cpu",           "cpus",   "hypervisor",       "memory_kib", "clocksource",
    "tsc_mhz",     "clock_read_ns", "dir_fs", "disk_write_cache", "cmdline",
};

// Facts that differ between any two runs and say nothing.
static const char *const ignored[] = {"side",   "boot_tsc", "available_mib", "command",
                                      "wall_s", "points",   "plan",          "words",
                                      "end",    "ticks",    "serial"};

// Facts that make two files incomparable where they differ.
static const char *const binding[] = {"schema",  "binary_sha256", "time_unit",
                                      "set",     "sample_s",      "seed",
                                      "shuffle", "file_kib",      "sync_file_kib"};

static bool listed(const char *const *list, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(list[i], key))
            return true;
    return false;
}
#define LISTED(list, key) listed(list, sizeof(list) / sizeof(*(list)), key)

static void add_line(struct comparison *out, const char *key, char *native, char *hvm)
{
    out->header = xrealloc(out->header, (out->headers + 1) * sizeof(*out->header));
    out->header[out->headers++] = (struct header_line){
        .key = xstrdup(key), .native = native, .hvm = hvm, .same = !strcmp(native, hvm)};
}

static bool has_word(const struct words *words, const char *word)
{
    for (size_t i = 0; i < words->n; i++)
        if (!strcmp(words->word[i], word))
            return true;
    return false;
}

// The words of `text` that `other` lacks; "-" where there are none.
static char *words_lacking(const char *text, const char *other)
{
    struct words a = {0}, b = {0}, only = {0};
    words_split(&a, text);
    words_split(&b, other);
    for (size_t i = 0; i < a.n; i++)
        if (!has_word(&b, a.word[i]))
            words_add(&only, a.word[i]);
    char *joined = only.n ? words_join(&only) : xstrdup("-");
    words_free(&a);
    words_free(&b);
    words_free(&only);
    return joined;
}

// Long lists of words, such as the CPU's flags, are shown by their difference alone.
static void add_fact(struct comparison *out, const char *key, const char *native, const char *hvm)
{
    enum { longest = 60 };
    const char *n = native ? native : "-", *h = hvm ? hvm : "-";
    if (strcmp(n, h) && strchr(n, ' ') && strchr(h, ' ') && strlen(n) > longest) {
        char *label = xasprintf("%s, words of one side", key);
        add_line(out, label, words_lacking(n, h), words_lacking(h, n));
        free(label);
        return;
    }
    add_line(out, key, xstrdup(n), xstrdup(h));
}

static const struct facts *env_of(const struct result *result)
{
    static const struct facts none;
    const struct tap_point *env = tap_find(&result->tap, "env");
    return env ? &env->facts : &none;
}

static bool in_header(const struct comparison *out, const char *key)
{
    for (size_t i = 0; i < out->headers; i++)
        if (!strcmp(out->header[i].key, key))
            return true;
    return false;
}

static void add_differing(const struct facts *facts, const struct result *native,
                          const struct result *hvm, struct comparison *out)
{
    for (size_t i = 0; i < facts->n; i++) {
        const char *key = facts->fact[i].key;
        const char *n = result_fact(native, key), *h = result_fact(hvm, key);
        if (LISTED(ignored, key) || LISTED(shown, key) || in_header(out, key))
            continue;
        if ((n || h) && (!n || !h || strcmp(n, h)))
            add_fact(out, key, n, h);
    }
}

static void find_mismatches(const struct result *native, const struct result *hvm,
                            struct comparison *out)
{
    for (size_t i = 0; i < sizeof(binding) / sizeof(*binding); i++) {
        const char *n = result_fact(native, binding[i]), *h = result_fact(hvm, binding[i]);
        if ((n || h) && (!n || !h || strcmp(n, h)))
            words_printf(&out->mismatches, "%s differs: native %s, hvm %s", binding[i],
                         n ? n : "(none)", h ? h : "(none)");
    }
}

// Bits that the native side hides as well: QEMU's flags can; Bochs' models and a real processor are as
// they are.
static uint32_t native_hides(const struct result *native, uint32_t leaf, uint32_t subleaf,
                             const char *reg)
{
    const char *engine = result_fact(native, "engine");
    bool fixed = engine && (!strcmp(engine, "bochs") || !strcmp(engine, "hw"));
    return fixed ? 0 : cpu_hidden_bits(leaf, subleaf, reg);
}

// Bits that the hypervisor hides by its records and the native side shows. It records only bits that the
// CPU below has, so the other direction cannot be told from them; it shows in the guest's cpu_flags.
static void add_cpuid(const struct result *native_side, const struct result *hvm,
                      struct comparison *out)
{
    for (size_t i = 0; i < hvm->records.n; i++) {
        const struct record *record = &hvm->records.record[i];
        const char *leaf = record_text(record, "leaf"), *sub = record_text(record, "subleaf");
        const char *reg = record_text(record, "reg"), *clear = record_text(record, "clear");
        if (strcmp(record->kind, "cpuid-mask") || !leaf || !reg || !clear)
            continue;
        uint32_t hidden = (uint32_t)strtoul(clear, NULL, 16);
        uint32_t native = native_hides(native_side, (uint32_t)strtoul(leaf, NULL, 16),
                                       (uint32_t)strtoul(sub ? sub : "0", NULL, 16), reg);
        if (!(hidden & ~native))
            continue;
        char *key = xasprintf("CPUID %s.%s %s", leaf, sub ? sub : "0", reg);
        add_line(out, key, xstrdup("shown"), xasprintf("%08x hidden", hidden & ~native));
        free(key);
    }
}

void header_fill(const struct result *native, const struct result *hvm, struct comparison *out)
{
    for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
        const char *n = result_fact(native, shown[i]), *h = result_fact(hvm, shown[i]);
        if (n || h)
            add_fact(out, shown[i], n, h);
    }
    add_differing(env_of(native), native, hvm, out);
    add_differing(env_of(hvm), native, hvm, out);
    add_cpuid(native, hvm, out);
    find_mismatches(native, hvm, out);
    const char *unit = result_fact(native, "time_unit");
    out->counted = unit && !strcmp(unit, "instructions");
}
