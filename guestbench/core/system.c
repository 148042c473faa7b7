#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>

size_t system_read_text(const char *path, char *buffer, size_t size)
{
    size_t length = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t part;
        while (length + 1 < size && (part = read(fd, buffer + length, size - 1 - length)) > 0)
            length += (size_t)part;
        close(fd);
    }
    buffer[length] = '\0';
    return length;
}

bool system_read_line(const char *path, char *buffer, size_t size)
{
    system_read_text(path, buffer, size);
    buffer[strcspn(buffer, "\n")] = '\0';
    return buffer[0] != '\0';
}

bool system_find_value(const char *text, const char *key, char *value, size_t size)
{
    size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) != 0 || !strchr(": \t=", line[length]) || !line[length])
            continue;
        line += length + strspn(line + length, ": \t=");
        snprintf(value, size, "%.*s", (int)strcspn(line, "\n"), line);
        return true;
    }
    return false;
}

long system_available_mib(void)
{
    char text[2048], value[64];
    system_read_text("/proc/meminfo", text, sizeof text);
    if (system_find_value(text, "MemAvailable", value, sizeof value))
        return strtol(value, NULL, 10) / 1024;
    struct sysinfo info;
    if (sysinfo(&info) != 0)
        return 0;
    return (long)(((uint64_t)info.freeram + info.bufferram) * info.mem_unit >> 20);
}

long system_steal_ms(void)
{
    char text[256] = "", value[200];
    system_read_text("/proc/stat", text, sizeof text);
    if (!system_find_value(text, "cpu", value, sizeof value))
        return -1;
    /* user nice system idle iowait irq softirq steal, in clock ticks */
    char *at = value;
    long ticks = 0;
    for (int field = 0; field < 8; field++) {
        char *end;
        ticks = strtol(at, &end, 10);
        if (end == at)
            return -1;
        at = end;
    }
    return ticks * 1000 / sysconf(_SC_CLK_TCK);
}

static void cpuid(uint32_t leaf, uint32_t out[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "0"(leaf), "2"(0));
}

void system_hypervisor(char signature[13])
{
    uint32_t out[4];
    strcpy(signature, "none");
    cpuid(1, out);
    if (!(out[2] >> 31))
        return;
    cpuid(0x40000000, out);
    memcpy(signature, &out[1], 12);
    signature[12] = '\0';
    if (!signature[0])
        strcpy(signature, "unnamed");
}

bool system_fs_type(const char *path, char *buffer, size_t size)
{
    static const struct {
        unsigned long magic; /* statfs(2) */
        const char *name;
    } known[] = {
        {0xEF53, "ext4"},        {0x01021994, "tmpfs"},    {0x858458F6, "ramfs"},
        {0x794C7630, "overlay"}, {0x58465342, "xfs"},      {0x9123683E, "btrfs"},
        {0x4D44, "vfat"},        {0x6969, "nfs"},          {0x01021997, "9p"},
        {0xF2F52010, "f2fs"},    {0x73717368, "squashfs"}, {0x65735546, "fuse"},
    };
    struct statfs info;
    if (statfs(path, &info) != 0)
        return false;
    unsigned long magic = (unsigned long)info.f_type & 0xFFFFFFFF;
    snprintf(buffer, size, "0x%lx", magic);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].magic == magic)
            snprintf(buffer, size, "%s", known[i].name);
    }
    return true;
}

static bool loopback_flags(unsigned long request, short *flags)
{
    struct ifreq interface = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    interface.ifr_flags = *flags;
    bool good = ioctl(fd, (int)request, &interface) == 0;
    *flags = interface.ifr_flags;
    close(fd);
    return good;
}

bool system_loopback_up(void)
{
    short flags = 0;
    return loopback_flags(SIOCGIFFLAGS, &flags) && (flags & IFF_UP);
}

bool system_loopback_raise(void)
{
    short flags = 0;
    if (!loopback_flags(SIOCGIFFLAGS, &flags))
        return false;
    flags |= IFF_UP | IFF_RUNNING;
    return loopback_flags(SIOCSIFFLAGS, &flags);
}
