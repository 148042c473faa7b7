/* From the boot loader to the benchmarks and to power-off. */

#include "../core/sha256.h"
#include "bare.h"

enum { MB_LOADER_MAGIC = 0x2badb002, MB_CMDLINE = 1 << 2 };

void guest_main(u32 magic, const u32 *info) __attribute__((noreturn));

void image_print_hash(void)
{
    extern const u8 image_start[], image_end[];
    struct sha256 hash;
    char hex[65];
    sha256_init(&hash);
    sha256_update(&hash, image_start, (size_t)(image_end - image_start));
    sha256_final(&hash, hex);
    print("  binary_sha256: \"%s\"\n", hex);
}

/* GRUB puts the words of one variable between quotes. */
static void copy_words(char *to, size_t size, const char *from)
{
    size_t n = 0;
    for (; *from && n + 1 < size; from++)
        if (*from != '"')
            to[n++] = *from;
    to[n] = '\0';
}

void guest_main(u32 magic, const u32 *info)
{
    static char cmdline[1024];
    static struct settings settings;
    console_init();
    trap_init();
    pic_init(IRQ_BASE, IRQ_BASE + 8, 0xffff);
    if (magic != MB_LOADER_MAGIC)
        bail_out("boot loader magic %x", magic);
    if (!cpu_has(EDX_SSE2))
        bail_out("the CPU has no LFENCE (SSE2)");
    if (info[0] & MB_CMDLINE)
        copy_words(cmdline, sizeof cmdline, (const char *)(ulong)info[4]);
    settings_read(&settings, cmdline);
    mark(MARK_NOTE, 1);
    run_all(&settings);
    power_off();
}
