#include "scratch.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* %d is the partition; where ATA, SCSI, virtio, the old IDE driver and NVMe put disks. */
static const char *const patterns[] = {"/dev/sda%d", "/dev/vda%d", "/dev/hda%d",
                                       "/dev/sdb%d", "/dev/vdb%d", "/dev/nvme0n1p%d"};

static char mounted[64]; /* the partition */

static int mount_it(const char *partition)
{
    return mount(partition, SCRATCH_DIR, "ext4", MS_NOATIME, NULL);
}

static bool try_mount(const char *pattern, char *disk, size_t size)
{
    char path[sizeof mounted];
    snprintf(path, sizeof path, pattern, 2);
    if (access(path, F_OK) != 0 || mount_it(path) != 0)
        return false;
    strcpy(mounted, path);
    snprintf(disk, size, pattern, 1);
    return true;
}

bool scratch_mount(char *disk, size_t size)
{
    enum { TRIES = 100 };
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    mkdir(SCRATCH_DIR, 0755);
    for (int i = 0; i < TRIES; i++) {
        for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++) {
            if (try_mount(patterns[p], disk, size))
                return true;
        }
        nanosleep(&pause, NULL);
    }
    return false;
}

int scratch_renew(const char *dir)
{
    if (!*mounted || strcmp(dir, SCRATCH_DIR) != 0 || umount(SCRATCH_DIR) != 0)
        return 0;
    return mount_it(mounted);
}
