/* The machine's I/O ports and memory-mapped ranges: who has claimed what, and the way there. */

#include "dev/machine_internal.h"

/* Elements of a string transfer done in one call, where the device has no transfer of its own. */
#define MAX_STRING 4096u

static u32 size_mask(unsigned size)
{
    return size >= 4 ? ~0u : (1u << (8 * size)) - 1;
}

/* ---- Ports. ---- */

/* Gives each port of the range to the youngest claim that covers it. */
static void ports_assign(struct machine *m, u32 first, u32 count)
{
    for (u32 port = first; port < first + count; port++) {
        u32 age = 0;
        m->port_map[port] = 0;
        for (unsigned i = 0; i < MACHINE_CLAIMS; i++) {
            const struct port_claim *c = &m->ports[i];
            if (c->ops && port - c->first < c->count && c->age > age) {
                age = c->age;
                m->port_map[port] = (u8)(i + 1);
            }
        }
    }
}

bool dev_claim_ports(struct dev *d, u16 first, u32 count, const struct port_ops *ops)
{
    struct machine *m = d->machine;
    if (!count || first + count > MACHINE_PORTS)
        return false;
    for (unsigned i = 0; i < MACHINE_CLAIMS; i++) {
        if (m->ports[i].ops)
            continue;
        m->ports[i] = (struct port_claim){
            .ops = ops, .dev = d, .first = first, .count = count, .age = ++m->claim_age};
        for (u32 port = first; port < first + count; port++)
            m->port_map[port] = (u8)(i + 1);
        return true;
    }
    return false;
}

void dev_unclaim_ports(struct dev *d, u16 first, u32 count)
{
    struct machine *m = d->machine;
    for (unsigned i = 0; i < MACHINE_CLAIMS; i++) {
        struct port_claim *c = &m->ports[i];
        if (c->ops && c->dev == d && c->first == first && c->count == count) {
            c->ops = NULL;
            ports_assign(m, first, count);
            return;
        }
    }
}

static const struct port_claim *port_claim(const struct machine *m, u16 port)
{
    unsigned i = m->port_map[port];
    return i ? &m->ports[i - 1] : NULL;
}

u32 machine_in(struct machine *m, u16 port, unsigned size)
{
    const struct port_claim *c = port_claim(m, port);
    if (likely(c && (c->ops->sizes & size)))
        return c->ops->read ? c->ops->read(c->dev->state, port, size) & size_mask(size)
                            : size_mask(size);
    if (size != 2 && size != 4)
        return size_mask(size);
    /* The ISA bus splits an access into the byte cycles that its devices answer. */
    u32 value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= machine_in(m, (u16)(port + i), 1) << (8 * i);
    return value;
}

void machine_out(struct machine *m, u16 port, unsigned size, u32 value)
{
    const struct port_claim *c = port_claim(m, port);
    if (likely(c && (c->ops->sizes & size))) {
        if (c->ops->write)
            c->ops->write(c->dev->state, port, size, value & size_mask(size));
        return;
    }
    if (size != 2 && size != 4)
        return;
    for (unsigned i = 0; i < size; i++)
        machine_out(m, (u16)(port + i), 1, value >> (8 * i));
}

u32 machine_in_string(struct machine *m, u16 port, unsigned size, void *buf, u32 count)
{
    const struct port_claim *c = port_claim(m, port);
    if (c && c->ops->read_string && (c->ops->sizes & size)) {
        u32 done = c->ops->read_string(c->dev->state, port, size, buf, count);
        return min(done, count);
    }
    u8 *to = buf;
    count = min(count, MAX_STRING);
    for (u32 i = 0; i < count; i++) {
        u32 value = machine_in(m, port, size);
        for (unsigned b = 0; b < size; b++)
            *to++ = (u8)(value >> (8 * b));
    }
    return count;
}

u32 machine_out_string(struct machine *m, u16 port, unsigned size, const void *buf, u32 count)
{
    const struct port_claim *c = port_claim(m, port);
    if (c && c->ops->write_string && (c->ops->sizes & size)) {
        u32 done = c->ops->write_string(c->dev->state, port, size, buf, count);
        return min(done, count);
    }
    const u8 *from = buf;
    count = min(count, MAX_STRING);
    for (u32 i = 0; i < count; i++) {
        u32 value = 0;
        for (unsigned b = 0; b < size; b++)
            value |= (u32)*from++ << (8 * b);
        machine_out(m, port, size, value);
    }
    return count;
}

/* ---- Memory-mapped ranges. ---- */

bool dev_claim_mmio(struct dev *d, gpa_t first, u64 size, const struct mmio_ops *ops)
{
    struct machine *m = d->machine;
    if (!size || first + size < first)
        return false;
    for (unsigned i = 0; i < MACHINE_MMIO; i++) {
        if (m->mmio[i].ops)
            continue;
        m->mmio[i] = (struct mmio_claim){
            .ops = ops, .dev = d, .first = first, .size = size, .age = ++m->claim_age};
        return true;
    }
    return false;
}

void dev_unclaim_mmio(struct dev *d, gpa_t first, u64 size)
{
    struct machine *m = d->machine;
    for (unsigned i = 0; i < MACHINE_MMIO; i++) {
        struct mmio_claim *c = &m->mmio[i];
        if (c->ops && c->dev == d && c->first == first && c->size == size) {
            c->ops = NULL;
            return;
        }
    }
}

/* The youngest claim that has all bytes of the access. The claims are few; devices whose memory is
 * touched often have it mapped instead. */
static const struct mmio_claim *mmio_claim(const struct machine *m, gpa_t gpa, unsigned size)
{
    const struct mmio_claim *best = NULL;
    for (unsigned i = 0; i < MACHINE_MMIO; i++) {
        const struct mmio_claim *c = &m->mmio[i];
        if (c->ops && gpa >= c->first && gpa - c->first < c->size &&
            c->size - (gpa - c->first) >= size && (!best || c->age > best->age))
            best = c;
    }
    return best;
}

u64 machine_mmio_read(struct machine *m, gpa_t gpa, unsigned size)
{
    const struct mmio_claim *c = mmio_claim(m, gpa, size);
    u64 mask = size >= 8 ? ~0ull : (1ull << (8 * size)) - 1;
    if (c)
        return c->ops->read(c->dev->state, gpa, size) & mask;
    if (size <= 1 || size > 8)
        return mask;
    /* An access over a range's edge: byte by byte; nobody there reads all ones. */
    u64 value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= machine_mmio_read(m, gpa + i, 1) << (8 * i);
    return value;
}

void machine_mmio_write(struct machine *m, gpa_t gpa, unsigned size, u64 value)
{
    const struct mmio_claim *c = mmio_claim(m, gpa, size);
    u64 mask = size >= 8 ? ~0ull : (1ull << (8 * size)) - 1;
    if (c) {
        if (c->ops->write)
            c->ops->write(c->dev->state, gpa, size, value & mask);
        return;
    }
    if (size <= 1 || size > 8)
        return;
    for (unsigned i = 0; i < size; i++)
        machine_mmio_write(m, gpa + i, 1, value >> (8 * i) & 0xff);
}
