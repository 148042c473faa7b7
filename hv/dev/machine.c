/* The machine core: creates the registered devices and gives them time, timers and interrupt lines.
 * Ports and memory ranges are in bus.c. */

#include "dev/machine_internal.h"
#include "lib/fmt.h"
#include "lib/string.h"

/* Bounds of the section that DEVICE() fills; the linker makes both symbols. */
extern const struct dev_type *const __start_dev_types[];
extern const struct dev_type *const __stop_dev_types[];

/* The frequencies of dev_ticks stay below this, so that its products fit 64 bits. */
#define MAX_TSC_HZ (1ull << 33)
/* Below the PCI hole that the firmware assigns from C0000000h. */
#define MAX_RAM (3 * GiB)
#define MIN_RAM (1 * MiB)
/* Timer callbacks in one go; the rest run at the next exit. */
#define MAX_FIRES 64

static bool config_check(const struct machine_config *c, char *text, size_t size)
{
    if (c->ram_bytes < MIN_RAM || c->ram_bytes > MAX_RAM || c->ram_bytes % MiB)
        fmt_snprintf(text, size, "guest RAM of %llu bytes: expected whole MiB from 1M to 3G",
                     (unsigned long long)c->ram_bytes);
    else if (c->tsc_hz < 1000000 || c->tsc_hz >= MAX_TSC_HZ)
        fmt_snprintf(text, size, "TSC frequency of %llu Hz: expected 1 MHz to 8 GHz",
                     (unsigned long long)c->tsc_hz);
    else if (!c->firmware)
        fmt_snprintf(text, size, "no firmware image");
    else if (c->firmware_bytes < 64 * KiB || c->firmware_bytes > 4 * MiB ||
             c->firmware_bytes % PAGE_SIZE)
        fmt_snprintf(text, size, "firmware of %u bytes: expected whole pages, 64 KiB to 4 MiB",
                     c->firmware_bytes);
    else
        return true;
    return false;
}

/* Where the next device's state begins: 64-byte lines keep devices apart. */
static size_t state_size(const struct dev_type *t)
{
    return align_up(t->state_bytes, (size_t)64);
}

/* Puts the registered types into init order, by insertion: there are few. */
static unsigned types_sort(const struct dev_type **sorted)
{
    unsigned n = 0;
    for (const struct dev_type *const *p = __start_dev_types;
         p < __stop_dev_types && n < MACHINE_DEVS; p++) {
        unsigned i = n++;
        for (; i > 0 && sorted[i - 1]->order > (*p)->order; i--)
            sorted[i] = sorted[i - 1];
        sorted[i] = *p;
    }
    return n;
}

struct machine *machine_create(const struct machine_config *config, const struct machine_ops *ops,
                               void *ctx, char *text, size_t text_size)
{
    if (text_size)
        text[0] = 0;
    if (!config_check(config, text, text_size))
        return NULL;

    const struct dev_type *sorted[MACHINE_DEVS] = {0};
    unsigned n = types_sort(sorted);
    size_t head = align_up(sizeof(struct machine), (size_t)64), size = head;
    for (unsigned i = 0; i < n; i++)
        size += state_size(sorted[i]);
    u8 *memory = ops->alloc(ctx, align_up((u64)size, PAGE_SIZE));
    if (!memory) {
        fmt_snprintf(text, text_size, "no memory for the devices (%zu bytes)", size);
        return NULL;
    }

    struct machine *m = (struct machine *)memory;
    m->config = *config;
    m->ops = ops;
    m->ctx = ctx;
    m->deadline = ~0ull;
    m->dev_count = n;
    u8 *state = memory + head;
    for (unsigned i = 0; i < n; i++) {
        m->devs[i] = (struct dev){.type = sorted[i], .machine = m, .state = state};
        state += state_size(sorted[i]);
    }
    for (unsigned i = 0; i < n; i++) {
        if (sorted[i]->init && !sorted[i]->init(&m->devs[i], &m->config)) {
            if (text_size && !text[0])
                fmt_snprintf(text, text_size, "device %s cannot be set up", sorted[i]->name);
            return NULL;
        }
    }
    for (unsigned i = 0; i < n; i++)
        if (sorted[i]->reset)
            sorted[i]->reset(&m->devs[i]);
    return m;
}

struct dev *dev_find(struct machine *m, const char *name)
{
    for (unsigned i = 0; i < m->dev_count; i++)
        if (!strcmp(m->devs[i].type->name, name))
            return &m->devs[i];
    return NULL;
}

const struct machine_ops *dev_ops(const struct dev *d, void **ctx)
{
    *ctx = d->machine->ctx;
    return d->machine->ops;
}

const struct machine_config *dev_config(const struct dev *d)
{
    return &d->machine->config;
}

void machine_poll(struct machine *m)
{
    for (unsigned i = 0; i < m->dev_count; i++)
        if (m->devs[i].type->poll)
            m->devs[i].type->poll(&m->devs[i]);
}

void machine_screen(struct machine *m, char *text, size_t size)
{
    if (size)
        text[0] = 0;
    for (unsigned i = 0; i < m->dev_count; i++) {
        if (m->devs[i].type->screen) {
            m->devs[i].type->screen(&m->devs[i], text, size);
            return;
        }
    }
}

/* ---- Time. ---- */

u64 dev_tsc(const struct dev *d)
{
    return d->machine->tsc;
}

u64 dev_ticks(const struct dev *d, u64 hz)
{
    const struct machine *m = d->machine;
    return m->second * hz + (m->tsc - m->second_tsc) * hz / m->config.tsc_hz;
}

u64 dev_tsc_of_ticks(const struct dev *d, u64 ticks, u64 hz)
{
    u64 tsc_hz = d->machine->config.tsc_hz, whole, tsc;
    u64 part = (ticks % hz * tsc_hz + hz - 1) / hz;
    if (__builtin_mul_overflow(ticks / hz, tsc_hz, &whole) ||
        __builtin_add_overflow(whole, part, &tsc))
        return ~0ull;
    return tsc;
}

static void deadline_update(struct machine *m)
{
    u64 least = ~0ull;
    for (unsigned i = 0; i < m->timer_count; i++)
        least = min(least, m->timers[i]->due);
    m->deadline = least;
}

static void timers_run(struct machine *m)
{
    for (unsigned fires = 0; m->deadline <= m->tsc && fires < MAX_FIRES; fires++) {
        struct dev_timer *t = m->timers[0];
        for (unsigned i = 1; i < m->timer_count; i++)
            if (m->timers[i]->due < t->due)
                t = m->timers[i];
        t->due = ~0ull;
        deadline_update(m);
        t->fire(t->dev->state);
    }
}

void machine_set_time(struct machine *m, u64 guest_tsc)
{
    if (guest_tsc < m->tsc) /* device time never runs back */
        return;
    m->tsc = guest_tsc;
    if (guest_tsc - m->second_tsc >= m->config.tsc_hz) {
        m->second = guest_tsc / m->config.tsc_hz;
        m->second_tsc = m->second * m->config.tsc_hz;
    }
    if (unlikely(m->deadline <= guest_tsc))
        timers_run(m);
}

u64 machine_next_deadline(const struct machine *m)
{
    return m->deadline;
}

void dev_timer_init(struct dev *d, struct dev_timer *t, void (*fire)(void *state))
{
    struct machine *m = d->machine;
    *t = (struct dev_timer){.due = ~0ull, .fire = fire, .dev = d};
    if (m->timer_count < MACHINE_TIMERS)
        m->timers[m->timer_count++] = t;
}

void dev_timer_set(struct dev_timer *t, u64 due_tsc)
{
    struct machine *m = t->dev->machine;
    u64 old = t->due;
    t->due = due_tsc;
    if (due_tsc <= m->deadline)
        m->deadline = due_tsc;
    else if (old == m->deadline)
        deadline_update(m);
}

/* ---- Interrupt lines. ---- */

void dev_irq_chip(struct dev *d, const struct irq_chip *chip)
{
    d->machine->chip = chip;
    d->machine->chip_state = d->state;
}

void dev_intr(struct dev *d, bool level)
{
    u8 *pins = &d->machine->pins;
    *pins = level ? *pins | CPU_INTR : *pins & (u8)~CPU_INTR;
}

void dev_irq(struct dev *d, unsigned irq, bool level)
{
    struct machine *m = d->machine;
    if (irq >= array_size(m->irq_drivers))
        return;
    u32 old = m->irq_drivers[irq], bit = 1u << (d - m->devs);
    u32 now = level ? old | bit : old & ~bit;
    m->irq_drivers[irq] = now;
    if (!old != !now && m->chip)
        m->chip->set_irq(m->chip_state, irq, now != 0);
}

u8 machine_pins(const struct machine *m)
{
    return m->pins;
}

bool machine_intr(const struct machine *m)
{
    return m->pins & CPU_INTR;
}

u8 machine_intr_ack(struct machine *m)
{
    return m->chip ? m->chip->ack(m->chip_state) : 0xff;
}
