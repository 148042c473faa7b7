#include "host/memory.h"
#include "lib/string.h"

/* Takes the place of a piece that is used up, if there is one. */
static void add(struct host_memory *m, hpa_t from, hpa_t to)
{
    unsigned i = 0;

    from = align_up(max(from, MiB), PAGE_SIZE);
    to = align_down(min(to, HOST_MEM_MAX), PAGE_SIZE);
    if (from >= to)
        return;
    while (i < m->count && m->free[i].bytes)
        i++;
    if (i == array_size(m->free))
        return;
    m->free[i] = (struct boot_region){from, to - from};
    if (i == m->count)
        m->count++;
}

/* Takes [from, to) out of what is free. */
static void reserve(struct host_memory *m, hpa_t from, hpa_t to)
{
    for (unsigned i = 0, n = m->count; i < n; i++) {
        hpa_t start = m->free[i].hpa, end = start + m->free[i].bytes;
        if (to <= start || from >= end)
            continue;
        m->free[i].bytes = 0;
        add(m, start, align_down(max(from, start), PAGE_SIZE));
        add(m, min(to, end), end);
    }
}

void host_memory_init(struct host_memory *m, const struct boot_info *boot, hpa_t image_start,
                      hpa_t image_end)
{
    m->count = 0;
    for (unsigned i = 0; i < boot->regions; i++)
        add(m, boot->region[i].hpa, boot->region[i].hpa + boot->region[i].bytes);
    reserve(m, image_start, image_end);
    for (unsigned i = 0; i < boot->modules; i++)
        reserve(m, boot->module[i].hpa, boot->module[i].hpa + boot->module[i].bytes);
}

void host_memory_init_raised(struct host_memory *m, struct boot_info *boot, hpa_t image_start,
                             hpa_t image_end)
{
    host_memory_init(m, boot, image_start, image_end);
    for (unsigned i = 0; i < boot->modules; i++) {
        struct boot_module *module = &boot->module[i];
        void *p = host_alloc(m, module->bytes, PAGE_SIZE);
        if (!p || (hpa_t)p < module->hpa)
            break;
        memcpy(p, (const void *)module->hpa, module->bytes);
        module->hpa = (hpa_t)p;
    }
    host_memory_init(m, boot, image_start, image_end);
}

void *host_alloc(struct host_memory *m, u64 bytes, u64 align)
{
    struct boot_region *best = NULL;

    bytes = align_up(bytes, PAGE_SIZE);
    for (unsigned i = 0; i < m->count; i++) {
        struct boot_region *r = &m->free[i];
        if (r->bytes < bytes || align_down(r->hpa + r->bytes - bytes, align) < r->hpa)
            continue;
        if (!best || r->hpa > best->hpa)
            best = r;
    }
    if (!best || !bytes)
        return NULL;
    hpa_t end = best->hpa + best->bytes, at = align_down(end - bytes, align);
    best->bytes = at - best->hpa;
    add(m, at + bytes, end);
    return memset((void *)at, 0, bytes);
}

void *host_alloc_low(struct host_memory *m, u64 bytes, u64 align)
{
    struct boot_region *best = NULL;

    bytes = align_up(bytes, PAGE_SIZE);
    for (unsigned i = 0; i < m->count; i++) {
        struct boot_region *r = &m->free[i];
        if (align_up(r->hpa, align) + bytes <= r->hpa + r->bytes && (!best || r->hpa < best->hpa))
            best = r;
    }
    if (!best || !bytes)
        return NULL;
    hpa_t end = best->hpa + best->bytes, at = align_up(best->hpa, align);
    best->bytes = at - best->hpa;
    add(m, at + bytes, end);
    return memset((void *)at, 0, bytes);
}

u64 host_memory_largest(const struct host_memory *m)
{
    u64 largest = 0;
    for (unsigned i = 0; i < m->count; i++)
        largest = max(largest, m->free[i].bytes);
    return largest;
}
