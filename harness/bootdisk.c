#include "bootdisk.h"
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// GRUB's boot sector, its core image from sector 1 on (where the boot sector looks for it), and from
// sector 2048 on the files as they are: GRUB reads them as lists of blocks, no file system is needed.
enum { sector = 512, core_lba = 1, files_lba = 2048, boot_code = 440, file_max = 64 << 20 };

#define GRUB_DIR "/usr/lib/grub/i386-pc"
static const char boot_sector[] = GRUB_DIR "/boot.img";
static const char mkimage[] = "grub-mkimage";

const char *bootdisk_lacks(void)
{
    if (!child_in_path(mkimage))
        return "grub-mkimage is not installed (Debian package grub-common)";
    return access(boot_sector, R_OK) ? GRUB_DIR " is missing (Debian package grub-pc-bin)" : NULL;
}

bool bootdisk_config(struct buf *out, const struct bootdisk_file *files, size_t n, size_t lba,
                     const char *words)
{
    if (strpbrk(words, "'\n"))
        return false;
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "%s (hd0)%zu+%zu", files[i].module ? "module" : "multiboot", lba,
                   files[i].sectors);
        if (files[i].module)
            buf_printf(out, " %s", files[i].module);
        struct words split = {0};
        words_split(&split, files[i].module ? "" : words);
        for (size_t w = 0; w < split.n; w++)
            buf_printf(out, " '%s'", split.word[w]);
        words_free(&split);
        buf_printf(out, "\n");
        lba += files[i].sectors;
    }
    buf_printf(out, "boot\n");
    return true;
}

// Appends a file to the disk, filled up to a whole sector. Its sectors, or -1.
static ssize_t put_file(int disk, const char *path, size_t lba, size_t most)
{
    size_t len;
    char *data = file_read(path, file_max, &len);
    ssize_t sectors = -1;
    if (!data) {
        say("%s: %s", path, strerror(errno));
    } else if (len > most) {
        say("%s: %zu bytes do not fit where %zu are left", path, len, most);
    } else {
        sectors = (ssize_t)((len + sector - 1) / sector);
        if (pwrite(disk, data, len, (off_t)(lba * sector)) != (ssize_t)len) {
            say("cannot write the boot disk: %s", strerror(errno));
            sectors = -1;
        }
    }
    free(data);
    return sectors;
}

// GRUB's core image with `config` inside.
static int make_core(const char *path, const char *config_path, const char *config)
{
    struct words argv = {0};
    struct buf output = {0};
    if (file_replace(config_path, config, strlen(config))) {
        say("cannot write %s: %s", config_path, strerror(errno));
        return -1;
    }
    words_add(&argv, mkimage);
    words_split(&argv, "-O i386-pc -d " GRUB_DIR " -p (hd0) -o");
    words_add(&argv, path);
    words_add(&argv, "-c");
    words_add(&argv, config_path);
    words_split(&argv, "biosdisk multiboot");
    int rc = child_capture(&argv, &output, 20) ? -1 : 0;
    if (rc)
        say("%s fails: %s", mkimage, output.data);
    words_free(&argv);
    buf_free(&output);
    return rc;
}

static int put_boot_sector(int disk)
{
    static const char signature[] = {0x55, (char)0xaa};
    char code[boot_code];
    int fd = open(boot_sector, O_RDONLY | O_CLOEXEC);
    int rc = fd >= 0 && read(fd, code, sizeof(code)) == sizeof(code) &&
                     pwrite(disk, code, sizeof(code), 0) == sizeof(code) &&
                     pwrite(disk, signature, 2, sector - 2) == 2
                 ? 0
                 : -1;
    if (rc)
        say("cannot write the boot disk's first sector: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}

static int fill(int disk, const struct job *job, const char *words)
{
    struct bootdisk_file files[] = {{.path = job->hypervisor},
                                    {.path = firmware_bios, .module = "seabios"},
                                    {.path = firmware_vga, .module = "vgabios"}};
    enum { n = sizeof(files) / sizeof(*files) };
    size_t lba = files_lba;
    for (size_t i = 0; i < n; i++) {
        ssize_t sectors = put_file(disk, files[i].path, lba, file_max);
        if (sectors < 0)
            return -1;
        files[i].sectors = (size_t)sectors;
        lba += (size_t)sectors;
    }
    struct buf config = {0};
    if (!bootdisk_config(&config, files, n, files_lba, words)) {
        say("the hypervisor's words have a character that GRUB cannot be given: %s", words);
        buf_free(&config);
        return -1;
    }
    char *core = xasprintf("%s/core", job->dir), *path = xasprintf("%s/core.cfg", job->dir);
    int rc = make_core(core, path, config.data);
    if (!rc && put_file(disk, core, core_lba, (files_lba - core_lba) * sector) < 0)
        rc = -1;
    if (!rc)
        rc = put_boot_sector(disk);
    // Cylinders are whole, for firmware that counts in them: 16 heads, 63 sectors.
    enum { cylinder = 16 * 63 };
    if (!rc && ftruncate(disk, (off_t)((lba + cylinder - 1) / cylinder * cylinder * sector)))
        rc = -1;
    free(core);
    free(path);
    buf_free(&config);
    return rc;
}

int bootdisk_make(const struct job *job, const char *name, const char *words)
{
    char *path = xasprintf("%s/%s", job->dir, name);
    int disk = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int rc = disk < 0 ? -1 : fill(disk, job, words);
    if (disk < 0)
        say("cannot write %s: %s", path, strerror(errno));
    else
        close(disk);
    free(path);
    return rc;
}
