/* TAP 13 with the keys of docs/guestbench.md. */

#include "bare.h"

static void put_decimal(u64 v)
{
    char digits[24], *at = digits + sizeof digits;
    *--at = '\0';
    do
        *--at = (char)('0' + v % 10);
    while (v /= 10);
    print("%s", at);
}

static void put_thousandths(u64 v)
{
    unsigned rest = (unsigned)(v % 1000);
    put_decimal(v / 1000);
    print(".%u%u%u\n", rest / 100, rest / 10 % 10, rest % 10);
}

static void key_integer(const char *key, u64 v)
{
    print("  %s: ", key);
    put_decimal(v);
    print("\n");
}

static void key_thousandths(const char *key, u64 v)
{
    print("  %s: ", key);
    put_thousandths(v);
}

static void key_text(const char *key, const char *text)
{
    char c[2] = "";
    print("  %s: \"", key);
    for (; *text; text++) {
        c[0] = *text < ' ' ? ' ' : *text;
        print("%s%s", c[0] == '"' || c[0] == '\\' ? "\\" : "", c);
    }
    print("\"\n");
}

static void list_thousandths(const char *key, const u64 *v, u32 n)
{
    print("  %s:\n", key);
    for (u32 i = 0; i < n; i++) {
        print("    - ");
        put_thousandths(v[i]);
    }
}

static void report_failure(const struct failure *f)
{
    key_text("error", "wrong result");
    key_text("message", f->what);
    print("  where: \"%s:%u\"\n", f->file, (unsigned)f->line);
    key_integer("expected", f->expected);
    key_integer("got", f->got);
}

static void report_figures(unsigned id, const struct measured *m)
{
    struct stats stats;
    u64 loop = m->empty_loop / current->ops;
    stats_compute(m->sample, m->n, &stats);
    key_text("unit", "cycles/op");
    print("  better: lower\n");
    key_thousandths("value", stats.median);
    print("  stat: median\n");
    key_integer("n", m->n);
    list_thousandths("samples", m->sample, m->n);
    list_thousandths("warmup_samples", &m->warmup, 1);
    key_thousandths("mad", stats.mad);
    key_thousandths("ci_lo", stats.low);
    key_thousandths("ci_hi", stats.high);
    print("  ci_level: 0.%u%u%u%u\n", stats.level / 1000 % 10, stats.level / 100 % 10,
          stats.level / 10 % 10, stats.level % 10);
    key_thousandths("empty_loop", loop);
    key_thousandths("net", stats.median > loop ? stats.median - loop : 0);
    key_integer("iters", m->iters);
    key_integer("ops_per_iter", current->ops);
    key_integer("ops", (u64)current->ops * m->iters * m->n);
    key_text("operation", current->what);
    key_integer("mark", id);
}

void report_point(unsigned id, const struct measured *m)
{
    const struct failure *f = run_failure();
    print("%sok %u - %s\n  ---\n", f ? "not " : "", id, m->name);
    if (f)
        report_failure(f);
    else
        report_figures(id, m);
    print("  ...\n");
}

void report_skip(unsigned id, const char *name, const char *why)
{
    print("ok %u - %s # SKIP %s\n", id, name, why);
}

static void key_cpuid_text(const char *key, u32 leaf, u32 leaves)
{
    struct cpuid r[3];
    char text[sizeof r + 1];
    const char *start = text;
    for (u32 i = 0; i < leaves; i++)
        r[i] = cpuid(leaf + i, 0);
    memcpy(text, r, leaves * sizeof *r);
    text[leaves * sizeof *r] = '\0';
    while (*start == ' ')
        start++;
    key_text(key, start);
}

/* Leaf 40000000h has its signature in EBX, ECX, EDX. */
static void key_hypervisor(void)
{
    char text[13] = "none";
    if (cpuid(1, 0).ecx >> 31) {
        struct cpuid r = cpuid(0x40000000, 0);
        memcpy(text, &r.ebx, 4);
        memcpy(text + 4, &r.ecx, 4);
        memcpy(text + 8, &r.edx, 4);
        text[12] = '\0';
    }
    key_text("hypervisor", *text ? text : "unnamed");
}

/* The TSC's cycles in 20000 ticks of the PIT, which has 1193182 a second. */
static u64 tsc_khz(void)
{
    enum { TICKS = 20000, MOST_READS = 10000000 };
    pit_one_shot(0xffff);
    u16 first = pit_read(), now = first;
    u64 start = clock_cycles(), end = start;
    for (u32 i = 0; i < MOST_READS && (u16)(first - now) < TICKS; i++) {
        now = pit_read();
        end = clock_cycles();
    }
    u16 ticks = (u16)(first - now);
    return ticks ? (end - start) * 1193182 / ticks / 1000 : 0;
}

void report_env(const struct settings *s, u64 empty_loop)
{
    print("ok 1 - env\n  ---\n");
    key_text("schema", "vmcmp/1");
    key_text("side", s->side);
    key_text("set", s->set);
    print("  seed: %s\n", s->seed);
    key_integer("samples", s->samples);
    key_integer("sample_cycles", s->sample_cycles);
    image_print_hash();
    key_text("abi", LONG_MODE ? "bare-amd64" : "bare-686");
    key_text("page_tables", LONG_MODE ? "4-level" : "2-level pae");
    key_cpuid_text("cpu", 0x80000002, cpuid(0x80000000, 0).eax >= 0x80000004 ? 3 : 0);
    key_hypervisor();
    key_thousandths("tsc_mhz", tsc_khz());
    key_thousandths("empty_loop", empty_loop);
    key_text("cmdline", s->cmdline);
    print("  ...\n");
}
