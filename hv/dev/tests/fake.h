#pragma once

/* The outside of a machine for device tests: RAM, a time that the test sets, and a record of what the
 * devices asked for. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dev/dev.h"

#define FAKE_HZ 1000000000ull
#define FAKE_RAM (4 * MiB)
#define FAKE_ROM (256 * KiB)
#define FAKE_ALLOCS 16

struct fake {
    struct machine *m;
    u8 *ram, *rom;
    void *alloc[FAKE_ALLOCS];
    unsigned allocs;
    int kind[64]; /* of each 16-KiB block below 1 MiB, as map says, and the memory behind it */
    const u8 *mem[64];
    bool a20;
    int end, inits;
    const char *why;
    unsigned marks, mark_kind, mark_id;
    char out[4096], last_log[256];
    unsigned out_count, logs;
    u8 in[64];
    unsigned in_at, in_count;
    u64 now;
};

static bool fake_in_ram(u64 gpa, u64 len)
{
    return gpa <= FAKE_RAM && len <= FAKE_RAM - gpa;
}

static bool fake_read(void *ctx, gpa_t gpa, void *buf, u64 len)
{
    struct fake *f = ctx;
    if (fake_in_ram(gpa, len))
        memcpy(buf, f->ram + gpa, len);
    return fake_in_ram(gpa, len);
}

static bool fake_write(void *ctx, gpa_t gpa, const void *buf, u64 len)
{
    struct fake *f = ctx;
    if (fake_in_ram(gpa, len))
        memcpy(f->ram + gpa, buf, len);
    return fake_in_ram(gpa, len);
}

static void *fake_ptr(void *ctx, gpa_t gpa, u64 len)
{
    struct fake *f = ctx;
    return fake_in_ram(gpa, len) ? f->ram + gpa : NULL;
}

static void fake_will_write(void *ctx, gpa_t gpa, u64 len)
{
    (void)ctx, (void)gpa, (void)len;
}

static void fake_map(void *ctx, gpa_t gpa, u64 size, int kind, void *mem)
{
    struct fake *f = ctx;
    assert_true(size > 0 && gpa % PAGE_SIZE == 0 && size % PAGE_SIZE == 0);
    for (u64 at = gpa; at < gpa + size && at < MiB; at += 0x4000) {
        f->kind[at >> 14] = kind;
        f->mem[at >> 14] = mem ? (u8 *)mem + (at - gpa) : kind == MEM_RAM ? f->ram + at : NULL;
    }
}

static void fake_a20(void *ctx, bool on)
{
    ((struct fake *)ctx)->a20 = on;
}

static void fake_end(void *ctx, int end, const char *why)
{
    struct fake *f = ctx;
    f->end = end;
    f->why = why;
}

static void fake_put(void *ctx, u8 byte)
{
    struct fake *f = ctx;
    f->out[f->out_count++ % sizeof f->out] = (char)byte;
}

static int fake_get(void *ctx)
{
    struct fake *f = ctx;
    return f->in_at < f->in_count ? f->in[f->in_at++] : -1;
}

static void fake_mark(void *ctx, unsigned kind, unsigned id)
{
    struct fake *f = ctx;
    f->marks++;
    f->mark_kind = kind;
    f->mark_id = id;
}

static void fake_log(void *ctx, const char *text)
{
    struct fake *f = ctx;
    f->logs++;
    snprintf(f->last_log, sizeof f->last_log, "%s", text);
}

static void *fake_alloc(void *ctx, u64 size)
{
    struct fake *f = ctx;
    assert_true(f->allocs < FAKE_ALLOCS);
    void *p = aligned_alloc(4096, (size + 4095) & ~4095ull);
    assert_non_null(p);
    memset(p, 0, size);
    f->alloc[f->allocs++] = p;
    return p;
}

static void fake_cpu_init(void *ctx)
{
    ((struct fake *)ctx)->inits++;
}

static const struct machine_ops fake_ops = {
    .read = fake_read,
    .write = fake_write,
    .ptr = fake_ptr,
    .will_write = fake_will_write,
    .map = fake_map,
    .a20 = fake_a20,
    .end = fake_end,
    .console_put = fake_put,
    .console_get = fake_get,
    .mark = fake_mark,
    .log = fake_log,
    .alloc = fake_alloc,
    .cpu_init = fake_cpu_init,
};

static const u8 fake_vga_rom[512] = {0x55, 0xaa, 1};

/* 2000-02-29 23:59:50 UTC, a Tuesday: the day before a century leap year's first of March. */
#define FAKE_UNIX 951868790ull

static struct machine_config fake_config(struct fake *f)
{
    return (struct machine_config){
        .ram_bytes = FAKE_RAM,
        .firmware = f->rom,
        .firmware_bytes = FAKE_ROM,
        .vga_rom = fake_vga_rom,
        .vga_rom_bytes = sizeof fake_vga_rom,
        .tsc_hz = FAKE_HZ,
        .rtc_unix = FAKE_UNIX,
        .cpu_count = 1,
    };
}

/* A fresh machine with the devices that the test links. */
static __attribute__((unused)) int fake_setup(void **state)
{
    struct fake *f = calloc(1, sizeof *f);
    char text[128];
    f->ram = calloc(1, FAKE_RAM);
    f->rom = malloc(FAKE_ROM);
    f->a20 = true;
    for (unsigned i = 0; i < FAKE_ROM; i++)
        f->rom[i] = (u8)(i >> 8 ^ i);
    struct machine_config config = fake_config(f);
    f->m = machine_create(&config, &fake_ops, f, text, sizeof text);
    if (!f->m)
        fail_msg("%s", text);
    *state = f;
    return 0;
}

static __attribute__((unused)) int fake_teardown(void **state)
{
    struct fake *f = *state;
    for (unsigned i = 0; i < f->allocs; i++)
        free(f->alloc[i]);
    free(f->ram);
    free(f->rom);
    free(f);
    return 0;
}

static __attribute__((unused)) u8 inb(struct fake *f, u16 port)
{
    return (u8)machine_in(f->m, port, 1);
}

static __attribute__((unused)) void outb(struct fake *f, u16 port, u8 value)
{
    machine_out(f->m, port, 1, value);
}

/* Lets ns pass, which are TSC ticks at 1 GHz. */
static __attribute__((unused)) void fake_pass(struct fake *f, u64 ns)
{
    f->now += ns;
    machine_set_time(f->m, f->now);
}

static __attribute__((unused)) u32 pci_read(struct fake *f, unsigned fn, unsigned offset,
                                            unsigned size)
{
    machine_out(f->m, 0xcf8, 4, 0x80000000u | fn << 8 | (offset & 0xfc));
    return machine_in(f->m, (u16)(0xcfc + (offset & 3)), size);
}

static __attribute__((unused)) void pci_write(struct fake *f, unsigned fn, unsigned offset,
                                              unsigned size, u32 value)
{
    machine_out(f->m, 0xcf8, 4, 0x80000000u | fn << 8 | (offset & 0xfc));
    machine_out(f->m, (u16)(0xcfc + (offset & 3)), size, value);
}

#define FAKE_TEST(t) cmocka_unit_test_setup_teardown(t, fake_setup, fake_teardown)
