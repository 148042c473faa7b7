#include "boot/multiboot.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define MB_LOADER_MAGIC 0x2badb002

enum { MB_INFO_CMDLINE = 1 << 2, MB_INFO_MODS = 1 << 3, MB_INFO_MMAP = 1 << 6 };

struct mb_info {
    u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4],
        mmap_length, mmap_addr;
};

struct mb_module {
    u32 start, end, string, reserved;
};

struct mb_mmap {
    u32 size; /* of what follows */
    u64 addr, length;
    u32 type;
} __attribute__((packed));

enum { MB_MMAP_RAM = 1, MB_MMAP_MAX = 1024 };

/* Copies the last word of text: GRUB hands over a module's words alone, QEMU its path before them. */
static void copy_name(char *out, size_t size, const char *text)
{
    size_t n = 0;
    for (bool space = true; *text; space = *text++ == ' ') {
        if (*text == ' ')
            continue;
        if (space)
            n = 0;
        if (n + 1 < size)
            out[n++] = *text;
    }
    out[n] = '\0';
}

static bool copy_cmdline(struct boot_info *out, const char *text, char *why, size_t why_size)
{
    size_t n = 0;
    while (n < BOOT_CMDLINE && text[n])
        n++;
    if (n == BOOT_CMDLINE) {
        fmt_snprintf(why, why_size, "command line: longer than %d characters", BOOT_CMDLINE - 1);
        return false;
    }
    memcpy(out->cmdline, text, n + 1);
    return true;
}

static bool copy_modules(struct boot_info *out, const struct mb_info *mb, intptr_t hpa_ptr,
                         char *why, size_t why_size)
{
    const struct mb_module *mods = (const void *)(mb->mods_addr + hpa_ptr);
    if (mb->mods_count > BOOT_MODULES) {
        fmt_snprintf(why, why_size, "%u modules: at most %d expected", mb->mods_count,
                     BOOT_MODULES);
        return false;
    }
    for (u32 i = 0; i < mb->mods_count; i++) {
        struct boot_module *m = &out->module[out->modules++];
        if (mods[i].string)
            copy_name(m->name, sizeof m->name, (const char *)(mods[i].string + hpa_ptr));
        if (mods[i].end < mods[i].start) {
            fmt_snprintf(why, why_size, "module %s: ends below its start", m->name);
            return false;
        }
        m->hpa = mods[i].start;
        m->bytes = mods[i].end - mods[i].start;
    }
    return true;
}

static void copy_mmap(struct boot_info *out, const struct mb_info *mb, intptr_t hpa_ptr)
{
    u32 at = 0;
    for (unsigned i = 0; i < MB_MMAP_MAX && at + sizeof(struct mb_mmap) <= mb->mmap_length; i++) {
        struct mb_mmap e;
        memcpy(&e, (const void *)(mb->mmap_addr + at + hpa_ptr), sizeof e);
        if (e.type == MB_MMAP_RAM && e.length && e.addr + e.length > e.addr &&
            out->regions < BOOT_REGIONS)
            out->region[out->regions++] = (struct boot_region){e.addr, e.length};
        if (e.size < sizeof e - sizeof e.size || e.size > mb->mmap_length)
            return;
        at += e.size + (u32)sizeof e.size;
    }
}

bool multiboot_parse(u32 magic, u32 info, intptr_t hpa_ptr, struct boot_info *out, char *why,
                     size_t why_size)
{
    const struct mb_info *mb = (const void *)(info + hpa_ptr);

    memset(out, 0, sizeof *out);
    if (magic != MB_LOADER_MAGIC) {
        fmt_snprintf(why, why_size, "boot loader magic %08x: a Multiboot 1 loader (%08x) expected",
                     magic, MB_LOADER_MAGIC);
        return false;
    }
    if (mb->flags & MB_INFO_CMDLINE &&
        !copy_cmdline(out, (const char *)(mb->cmdline + hpa_ptr), why, why_size))
        return false;
    if (mb->flags & MB_INFO_MODS && !copy_modules(out, mb, hpa_ptr, why, why_size))
        return false;
    if (!(mb->flags & MB_INFO_MMAP)) {
        fmt_snprintf(why, why_size, "the boot loader gave no memory map");
        return false;
    }
    copy_mmap(out, mb, hpa_ptr);
    if (!out->regions) {
        fmt_snprintf(why, why_size, "the boot loader's memory map names no RAM");
        return false;
    }
    return true;
}

const struct boot_module *boot_module(const struct boot_info *b, const char *name)
{
    for (unsigned i = 0; i < b->modules; i++)
        if (!strcmp(b->module[i].name, name))
            return &b->module[i];
    return NULL;
}
