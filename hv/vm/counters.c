#include "vm/counters.h"
#include "host/log.h"
#include "lib/string.h"
#include "mmu/mmu.h"

enum { MARK_BEGIN = 1, MARK_END = 2, MARK_NOTE = 3, TOP = 12, MMIO_PROBES = 8 };

static const char *const names[COUNT_IDS] = {
    [COUNT_INTR] = "intr",
    [COUNT_NMI] = "nmi",
    [COUNT_INTR_WINDOW] = "intr-window",
    [COUNT_NMI_WINDOW] = "nmi-window",
    [COUNT_IRET] = "iret",
    [COUNT_PF_FIXED] = "pf-fixed",
    [COUNT_PF_GUEST] = "pf-guest",
    [COUNT_PF_STORE] = "pf-store",
    [COUNT_PF_MMIO] = "pf-mmio",
    [COUNT_EXCEPTION] = "exception",
    [COUNT_IO] = "io",
    [COUNT_IO_STRING] = "io-string",
    [COUNT_CPUID] = "cpuid",
    [COUNT_HLT] = "hlt",
    [COUNT_INVLPG] = "invlpg",
    [COUNT_CR0] = "cr0",
    [COUNT_CR3] = "cr3",
    [COUNT_CR4] = "cr4",
    [COUNT_RDMSR] = "rdmsr",
    [COUNT_WRMSR] = "wrmsr",
    [COUNT_EMULATE] = "emulate",
    [COUNT_INTERPRET] = "interpret",
    [COUNT_OTHER] = "other",
};

static const char *const mmu_names[] = {
    "fills",        "prefetched",     "guest-faults",   "stores",       "stores-filled",
    "tables-built", "tables-dropped", "tables-evicted", "unsynced",     "resynced",
    "protects",     "splits",         "flushes",        "frames-moved", "cr3-listed",
};
_Static_assert(sizeof(struct mmu_counters) == array_size(mmu_names) * sizeof(u64),
               "a name for each");
_Static_assert(array_size(mmu_names) <= MMU_COUNTERS, "room");

void counters_mmio(struct counters *c, u64 gpa)
{
    /* Linear probing, few steps, as a font that is loaded fills the table; what finds no slot is counted
     * at gpa ~0, the last one. */
    for (unsigned i = 0; i < MMIO_PROBES; i++) {
        struct mmio_count *m = &c->mmio_cur[(gpa / 4 + i) % (MMIO_SLOTS - 1)];
        if (m->count && m->gpa != gpa)
            continue;
        m->gpa = gpa;
        m->count++;
        return;
    }
    c->mmio_cur[MMIO_SLOTS - 1].gpa = ~0ull;
    c->mmio_cur[MMIO_SLOTS - 1].count++;
}

static void print_exits(const struct counter *n, unsigned mark)
{
    for (unsigned i = 0; i < COUNT_IDS; i++)
        if (n[i].count)
            log_line("@hv exit mark=%u reason=%s count=%lu cycles=%lu min=%lu max=%lu", mark,
                     names[i], n[i].count, n[i].cycles, n[i].min, n[i].max);
}

/* Prints the TOP largest of count values. */
static void print_top(unsigned count, u64 (*value)(const void *, unsigned),
                      void (*print)(const void *, unsigned, unsigned), const void *of,
                      unsigned mark)
{
    u64 below = ~0ull;
    unsigned printed = 0;
    while (printed < TOP) {
        u64 next = 0;
        for (unsigned i = 0; i < count; i++)
            if (value(of, i) < below && value(of, i) > next)
                next = value(of, i);
        if (!next)
            return;
        for (unsigned i = 0; i < count && printed < TOP; i++) {
            if (value(of, i) != next)
                continue;
            print(of, i, mark);
            printed++;
        }
        below = next;
    }
}

struct port_list {
    const u32 *counts, *index; /* index NULL: all of them */
};

static u64 port_value(const void *of, unsigned i)
{
    const struct port_list *l = of;
    return l->counts[l->index ? l->index[i] : i];
}

static void port_print(const void *of, unsigned i, unsigned mark)
{
    const struct port_list *l = of;
    u32 at = l->index ? l->index[i] : i;
    log_line("@hv port mark=%u port=%x dir=%s count=%u", mark, at / 2, at & 1 ? "in" : "out",
             l->counts[at]);
}

static u64 mmio_value(const void *of, unsigned i)
{
    return ((const struct mmio_count *)of)[i].count;
}

static void mmio_print(const void *of, unsigned i, unsigned mark)
{
    const struct mmio_count *m = (const struct mmio_count *)of + i;
    log_line("@hv mmio mark=%u gpa=%lx count=%lu", mark, m->gpa, m->count);
}

static void print_events(struct counters *c, const u64 *mmu, unsigned mark)
{
    for (unsigned i = 0; i < array_size(mmu_names); i++) {
        u64 n = mmu[i] - (mark ? c->mmu_cur[i] : 0);
        if (n)
            log_line("@hv event mark=%u name=%s count=%lu", mark, mmu_names[i], n);
    }
}

static void print_current(struct counters *c, const u64 *mmu)
{
    struct port_list ports = {c->port_cur, c->touched};
    print_exits(c->cur, c->mark);
    print_top(c->touched_count, port_value, port_print, &ports, c->mark);
    print_top(MMIO_SLOTS, mmio_value, mmio_print, c->mmio_cur, c->mark);
    print_events(c, mmu, c->mark);
}

static void fold_counter(struct counter *to, const struct counter *from)
{
    if (!from->count)
        return;
    to->min = to->count ? min(to->min, from->min) : from->min;
    to->max = max(to->max, from->max);
    to->count += from->count;
    to->cycles += from->cycles;
}

static void fold_mmio(struct counters *c)
{
    for (unsigned i = 0; i < MMIO_SLOTS; i++) {
        struct mmio_count *from = &c->mmio_cur[i], *to = &c->mmio_total[MMIO_SLOTS - 1];
        for (unsigned j = 0; j < MMIO_SLOTS; j++)
            if (!c->mmio_total[j].count || c->mmio_total[j].gpa == from->gpa) {
                to = &c->mmio_total[j];
                break;
            }
        if (from->count) {
            to->gpa = from->gpa;
            to->count += from->count;
        }
    }
    memset(c->mmio_cur, 0, sizeof c->mmio_cur);
}

static void fold(struct counters *c, const u64 *mmu)
{
    for (unsigned i = 0; i < COUNT_IDS; i++)
        fold_counter(&c->total[i], &c->cur[i]);
    memset(c->cur, 0, sizeof c->cur);
    for (unsigned i = 0; i < c->touched_count; i++) {
        c->port_total[c->touched[i]] += c->port_cur[c->touched[i]];
        c->port_cur[c->touched[i]] = 0;
    }
    c->touched_count = 0;
    fold_mmio(c);
    memcpy(c->mmu_cur, mmu, sizeof mmu_names / sizeof *mmu_names * sizeof *mmu);
}

void counters_mark(struct counters *c, struct mmu *mmu, unsigned kind, unsigned id, u64 tsc)
{
    static const char *const at[] = {
        [MARK_BEGIN] = "begin", [MARK_END] = "end", [MARK_NOTE] = "note"};
    const u64 *events = (const u64 *)mmu_counters(mmu);
    if (kind < MARK_BEGIN || kind > MARK_NOTE)
        return;
    log_line("@hv mark id=%u at=%s tsc=%lu", id, at[kind], tsc);
    if (kind == MARK_NOTE)
        return;
    if (kind == MARK_END && c->mark == id && id)
        print_current(c, events);
    fold(c, events);
    c->mark = kind == MARK_BEGIN ? (u16)id : 0;
}

void counters_end(struct counters *c, struct mmu *mmu)
{
    const u64 *events = (const u64 *)mmu_counters(mmu);
    fold(c, events);
    struct port_list ports = {c->port_total, NULL};
    print_exits(c->total, 0);
    print_top(PORTS * 2, port_value, port_print, &ports, 0);
    print_top(MMIO_SLOTS, mmio_value, mmio_print, c->mmio_total, 0);
    print_events(c, events, 0);
}
