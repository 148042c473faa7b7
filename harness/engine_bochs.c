// Bochs: an emulator of whole processors by their models, with VT-x (and SVM). Its time is the count of
// executed instructions, and a run repeats bit by bit.

#include "bochs_text.h"
#include "bootdisk.h"
#include "child.h"
#include "qemu.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char program[] = "bochs-bin";
static const char display[] = "/usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so";
static const char default_cpu[] = "core2_penryn_t9600";

// One instruction is a nanosecond, as with engine tcg. A run ends after 10^12 of them by default, idle
// time included: the guest's quarter of an hour.
enum { ips = 1000000000 };
static const unsigned long long default_ticks = 1000000000000ull;

static int models_read(struct words *models, struct buf *help)
{
    struct words argv = {0};
    words_add(&argv, program);
    words_split(&argv, "--help cpu");
    child_capture(&argv, help, 20);
    words_free(&argv);
    bochs_models(help->data, models);
    return models->n ? 0 : -1;
}

static int bochs_probe(enum side side, struct buf *found, struct buf *missing)
{
    struct words models = {0};
    struct buf help = {0};
    int rc = -1;
    if (!child_in_path(program))
        buf_printf(missing, "%s is not installed (Debian packages bochs and bochs-term)", program);
    else if (access(display, R_OK))
        buf_printf(missing, "%s is missing (Debian package bochs-term)", display);
    else if (access(firmware_bios, R_OK) || access(firmware_vga, R_OK))
        buf_printf(missing, "%s or %s is missing (Debian package seabios)", firmware_bios,
                   firmware_vga);
    else if (side == side_hvm && bootdisk_lacks())
        buf_printf(missing, "%s", bootdisk_lacks());
    else if (models_read(&models, &help))
        buf_printf(missing, "%s --help cpu lists no processors", program);
    else
        rc = 0;
    const char *version = help.data ? strstr(help.data, "Bochs x86 Emulator") : NULL;
    if (version)
        buf_printf(found, "%.*s", (int)strcspn(version, "\n"), version);
    words_free(&models);
    buf_free(&help);
    return rc;
}

static int bochs_check_cpu(const char *model)
{
    struct words models = {0};
    struct buf help = {0};
    bool known = false;
    models_read(&models, &help);
    for (size_t i = 0; i < models.n; i++)
        known |= !strcmp(models.word[i], model);
    if (!known) {
        char *list = words_join(&models);
        say("unknown CPU model '%s'; Bochs has: %s", model, list);
        free(list);
    }
    words_free(&models);
    buf_free(&help);
    return known ? 0 : -1;
}

static void machine_text(const struct job *job, unsigned long long mib, struct buf *out)
{
    buf_printf(out,
               "config_interface: textconfig\n"
               "display_library: term\n"
               "plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, "
               "gameport=0, iodebug=0, serial=1\n"
               "romimage: file=%s\nvgaromimage: file=%s\n"
               "clock: sync=none, time0=1767225600\n" // 2026-01-01
               "pci: enabled=1, chipset=i440fx\n"
               "vga: extension=vbe, update_freq=1, realtime=0\n"
               "boot: disk\nlog: bochs.log\nlogprefix: %%t%%e%%d\n"
               "panic: action=fatal\nerror: action=report\ninfo: action=report\n"
               "debug: action=ignore\n",
               firmware_bios, firmware_vga);
    buf_printf(out, "memory: guest=%llu, host=%llu\n", mib, mib);
    buf_printf(out, "cpu: model=%s, count=1, ips=%d, reset_on_triple_fault=0, ignore_bad_msrs=1\n",
               job->cpu ? job->cpu : default_cpu, ips);
    buf_printf(out, "com1: enabled=1, mode=file, dev=/dev/fd/%d\n", job->wires.console);
    if (job->side == side_hvm)
        buf_printf(out, "com2: enabled=1, mode=file, dev=/dev/fd/%d\n", job->wires.log);
}

// Under the hypervisor the first disk starts it, and the second is the guest's: loading a copy of the
// guest's disk as a module would cost 20 instructions a byte.
static void disks_text(const struct job *job, struct buf *out)
{
    static const char *const places[] = {"master", "slave"};
    const char *const names[] = {"boot", "disk0"};
    size_t first = job->side == side_hvm ? 0 : 1;
    buf_printf(out, "ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14\n");
    for (size_t i = first; i < 2; i++)
        buf_printf(out, "ata0-%s: type=disk, mode=flat, path=%s\n", places[i - first], names[i]);
}

static int write_file(const struct job *job, const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", job->dir, name);
    int rc = file_replace(path, text, strlen(text));
    if (rc)
        say("cannot write %s: %s", path, strerror(errno));
    free(path);
    return rc;
}

// The debugger runs the machine for so many instructions, then shows the CPU and quits; so it does when
// a signal interrupts the run.
static int write_debugger(const struct job *job)
{
    char *text =
        xasprintf("sb %llu\nc\nr\nsreg\ncreg\nq\n", job->ticks ? job->ticks : default_ticks);
    int rc = write_file(job, "debugger", text);
    free(text);
    return rc;
}

static int make_boot_disk(const struct job *job, unsigned long long mib)
{
    char *words = xasprintf("mem=%lluM console=com1 log=com2 disk0=host:1 %s %s", mib,
                            job->guest->hv, job->hv_words);
    int rc = bootdisk_make(job, "boot", words);
    free(words);
    return rc;
}

static int bochs_command(const struct job *job, struct words *argv)
{
    unsigned long long mib = (job->guest->memory_bytes + (1 << 20) - 1) >> 20;
    struct buf text = {0};
    machine_text(job, job->side == side_hvm ? mib + hv_extra_mib : mib, &text);
    disks_text(job, &text);
    int rc = job->side == side_hvm ? make_boot_disk(job, mib) : 0;
    if (!rc)
        rc = write_file(job, "bochsrc", text.data);
    if (!rc)
        rc = write_debugger(job);
    buf_free(&text);
    // With a terminal's name unset the display does not start.
    words_split(argv, "env TERM=dumb");
    words_add(argv, program);
    words_split(argv, "-q -f bochsrc -rc debugger -dbglog debugger.log");
    return rc;
}

// At most the last 256 KiB of a file of the working folder; "" where there is none.
static char *tail(const char *dir, const char *name)
{
    enum { most = 256 << 10 };
    char *path = xasprintf("%s/%s", dir, name), *text = xcalloc(most + 1, 1);
    FILE *file = fopen(path, "re");
    if (file) {
        struct stat st;
        if (!fstat(fileno(file), &st) && st.st_size > most)
            fseek(file, st.st_size - most, SEEK_SET);
        size_t n = fread(text, 1, most, file);
        for (size_t i = 0; i < n; i++)
            if (!text[i])
                text[i] = '?';
        fclose(file);
    }
    free(path);
    return text;
}

static struct ending bochs_ending(const struct remains *remains)
{
    char *log = tail(remains->dir, "bochs.log"), *debugger = tail(remains->dir, "debugger.log");
    struct ending ending = bochs_verdict(remains, log);
    ending.ticks = bochs_ticks(log);
    if (!ending.clean && *debugger) {
        char *both = xasprintf("%s%s", ending.report ? ending.report : "", debugger);
        free(ending.report);
        ending.report = both;
    }
    free(log);
    free(debugger);
    return ending;
}

// Has the debugger show the CPU and quit. A CPU halted with interrupts off does not listen.
static char *bochs_where(pid_t pid, int monitor_fd)
{
    (void)monitor_fd;
    kill(pid, SIGINT);
    for (int i = 0; i < 100; i++) {
        siginfo_t info = {0};
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid == pid)
            break;
        usleep(100000);
    }
    return NULL;
}

const struct engine engine_bochs = {
    .name = "bochs",
    .summary = "Bochs with VT-x of a chosen CPU; instruction-exact time, slow",
    .is_auto = true,
    .counts = true,
    .pipes = true,
    .probe = bochs_probe,
    .check_cpu = bochs_check_cpu,
    .command = bochs_command,
    .ending = bochs_ending,
    .where = bochs_where,
};
