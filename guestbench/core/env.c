#define _GNU_SOURCE
#include "env.h"

#include <dirent.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "mark.h"
#include "self.h"
#include "sha256.h"
#include "system.h"
#include "tap.h"

static uint64_t boot_tsc;

void env_set_boot_tsc(uint64_t tsc)
{
    boot_tsc = tsc;
}

static void report_file(FILE *out, const char *key, const char *path)
{
    char line[2048];
    if (system_read_line(path, line, sizeof line))
        tap_text(out, key, line);
}

static void report_binary(FILE *out)
{
    struct sha256 hash;
    char hex[65], data[4096];
    off_t at = 0;
    ssize_t part;
    sha256_init(&hash);
    while (self_fd() >= 0 && (part = pread(self_fd(), data, sizeof data, at)) > 0) {
        sha256_update(&hash, data, (size_t)part);
        at += part;
    }
    sha256_final(&hash, hex);
    if (at > 0)
        tap_text(out, "binary_sha256", hex);
    tap_text(out, "abi", sizeof(void *) == 8 ? "amd64" : "i386");
}

static void report_kernel(FILE *out)
{
    struct utsname name;
    if (uname(&name) == 0) {
        tap_text(out, "kernel", name.release);
        tap_text(out, "kernel_version", name.version);
        tap_text(out, "machine", name.machine);
    }
    report_file(out, "cmdline", "/proc/cmdline");
}

/* The direct map's large page size tells 2-level (4 MiB) from PAE and long mode (2 MiB). */
static void report_paging(FILE *out)
{
    char text[2048], value[64];
    struct utsname name;
    if (uname(&name) == 0 && strcmp(name.machine, "x86_64") == 0)
        tap_text(out, "page_tables", "4-level");
    else if (system_read_text("/proc/meminfo", text, sizeof text) > 0 &&
             system_find_value(text, "DirectMap4M", value, sizeof value))
        tap_text(out, "page_tables", "2-level");
    else if (system_find_value(text, "DirectMap2M", value, sizeof value))
        tap_text(out, "page_tables", "pae");
}

static void report_cpu(FILE *out)
{
    static const struct {
        const char *key, *line;
    } facts[] = {{"cpu", "model name"},  {"cpu_family", "cpu family"},
                 {"cpu_model", "model"}, {"cpu_stepping", "stepping"},
                 {"cpu_mhz", "cpu MHz"}, {"cpu_flags", "flags"}};
    char text[4096], value[2048], signature[13];
    system_read_text("/proc/cpuinfo", text, sizeof text);
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (system_find_value(text, facts[i].line, value, sizeof value))
            tap_text(out, facts[i].key, value);
    }
    tap_integer(out, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
    system_hypervisor(signature);
    tap_text(out, "hypervisor", signature);
    report_paging(out);
}

static void report_memory(FILE *out)
{
    struct sysinfo info;
    if (sysinfo(&info) == 0) {
        tap_integer(out, "memory_kib", (long long)((uint64_t)info.totalram * info.mem_unit >> 10));
        tap_integer(out, "swap_kib", (long long)((uint64_t)info.totalswap * info.mem_unit >> 10));
    }
    tap_integer(out, "available_mib", system_available_mib());
    tap_integer(out, "page_bytes", sysconf(_SC_PAGESIZE));
    report_file(out, "thp", "/sys/kernel/mm/transparent_hugepage/enabled");
    report_file(out, "overcommit", "/proc/sys/vm/overcommit_memory");
}

/* Ticks of the TSC over 5 ms of the clock: a guest clock that lies shows here. */
static void report_clock(FILE *out)
{
    enum { READS = 1000 };
    uint64_t start = clock_ns();
    for (int i = 0; i < READS; i++)
        clock_ns();
    double read_ns = (double)(clock_ns() - start) / READS;
    uint64_t tsc = clock_tsc(), end;
    start = clock_ns();
    do
        end = clock_ns();
    while (end - start < 5000000);
    tsc = clock_tsc() - tsc;
    report_file(out, "clocksource",
                "/sys/devices/system/clocksource/clocksource0/current_clocksource");
    tap_text(out, "clock", "CLOCK_MONOTONIC");
    tap_real(out, "clock_read_ns", read_ns, 1);
    tap_real(out, "tsc_mhz", (double)tsc * 1e3 / (double)(end - start), 3);
    if (boot_tsc)
        tap_integer(out, "boot_tsc", (long long)boot_tsc);
}

static void report_mitigations(FILE *out)
{
    static const char directory[] = "/sys/devices/system/cpu/vulnerabilities";
    DIR *dir = opendir(directory);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[400], key[280];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        snprintf(key, sizeof key, "mitigation_%s", entry->d_name);
        report_file(out, key, path);
    }
    closedir(dir);
}

/* Mount options of the file system that is mounted at dir itself. */
static void report_mount(FILE *out, const char *dir)
{
    char text[4096], device[128], point[128], type[32], options[256];
    system_read_text("/proc/mounts", text, sizeof text);
    for (char *line = text; *line;) {
        if (sscanf(line, "%127s %127s %31s %255s", device, point, type, options) == 4 &&
            strcmp(point, dir) == 0) {
            tap_text(out, "dir_device", device);
            tap_text(out, "dir_options", options);
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
}

static void report_storage(FILE *out, const struct config *config)
{
    char type[32], path[128];
    if (config->dir) {
        tap_text(out, "dir", config->dir);
        if (system_fs_type(config->dir, type, sizeof type))
            tap_text(out, "dir_fs", type);
        report_mount(out, config->dir);
    }
    if (system_fs_type(config->tmp, type, sizeof type))
        tap_text(out, "tmp_fs", type);
    if (config->disk) {
        const char *name = strrchr(config->disk, '/');
        tap_text(out, "disk", config->disk);
        snprintf(path, sizeof path, "/sys/class/block/%.40s/queue/write_cache",
                 name ? name + 1 : config->disk);
        report_file(out, "disk_write_cache", path);
    }
}

/* The image's own description of itself, "key=value" lines. */
static void report_image(FILE *out)
{
    char text[2048], key[64], *save = NULL;
    system_read_text("/etc/guest", text, sizeof text);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        size_t length = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_");
        if (length == 0 || length > 40 || line[length] != '=')
            continue;
        snprintf(key, sizeof key, "image_%.*s", (int)length, line);
        tap_text(out, key, line + length + 1);
    }
}

static void report_options(FILE *out, const struct config *config)
{
    char date[32];
    time_t now = time(NULL);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    tap_text(out, "date", date);
    tap_text(out, "set", config->set);
    tap_integer(out, "samples", config->samples);
    tap_integer(out, "rounds", config->rounds);
    tap_real(out, "sample_s", config->sample_s, 6);
    tap_integer(out, "seed", (long long)config->seed);
    tap_raw(out, "shuffle", config->shuffle ? "true" : "false");
    tap_integer(out, "file_kib", config->file_kib);
    tap_integer(out, "sync_file_kib", config->sync_file_kib);
    tap_raw(out, "init", getpid() == 1 ? "true" : "false");
}

void env_report(const struct config *config, FILE *out)
{
    tap_point(out, "ok", 1, "env");
    tap_block_begin(out);
    tap_text(out, "schema", "vmcmp/1");
    tap_text(out, "side", config->side);
    report_binary(out);
    report_options(out, config);
    report_kernel(out);
    report_cpu(out);
    report_memory(out);
    report_clock(out);
    report_mitigations(out);
    report_storage(out, config);
    report_image(out);
    tap_text(out, "loopback", system_loopback_up() ? "up" : "down");
    tap_text(out, "marks", mark_write(MARK_NOTE, 1) ? "written" : "off");
    tap_block_end(out);
}
