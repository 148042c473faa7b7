// QEMU's emulator: SVM in software, and with -icount a clock that counts instructions.

#include "child.h"
#include "cpu_mask.h"
#include "engine.h"
#include "monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char program[] = "qemu-system-x86_64";
static const char firmware[] = "/usr/share/seabios/bios-256k.bin";
static const char vga_firmware[] = "/usr/share/seabios/vgabios-stdvga.bin";

// The hypervisor, its page tables and pools beside the guest's RAM and the disk's copy.
enum { hv_extra_mib = 96 };

// Runs `program WORDS` and reports whether its output has `needle`.
static bool says(const char *words, const char *needle, struct buf *out)
{
    struct words argv = {0};
    words_add(&argv, program);
    words_split(&argv, words);
    int status = child_capture(&argv, out, 20);
    words_free(&argv);
    return status == 0 && strstr(out->data, needle);
}

static int tcg_probe(struct buf *found, struct buf *missing)
{
    struct buf version = {0}, accel = {0}, cpu = {0};
    int rc = -1;
    if (!child_in_path(program))
        buf_printf(missing, "%s is not installed (Debian package qemu-system-x86)", program);
    else if (!says("--version", "version", &version))
        buf_printf(missing, "%s --version fails: %s", program, version.data);
    else if (!says("-accel help", "tcg", &accel))
        buf_printf(missing, "%s was built without TCG", program);
    else if (!says("-cpu help", "svm", &cpu))
        buf_printf(missing, "%s knows no SVM", program);
    else if (access(firmware, R_OK) || access(vga_firmware, R_OK))
        buf_printf(missing, "%s or %s is missing (Debian package seabios)", firmware, vga_firmware);
    else
        rc = 0;
    if (version.data)
        buf_printf(found, "%.*s", (int)strcspn(version.data, "\n"), version.data);
    buf_free(&version);
    buf_free(&accel);
    buf_free(&cpu);
    return rc;
}

static void add_port(struct words *argv, const char *id, int fd)
{
    words_add(argv, "-chardev");
    words_printf(argv, "socket,id=%s,fd=%d", id, fd);
}

static void add_serial(struct words *argv, const char *id, int fd)
{
    add_port(argv, id, fd);
    words_add(argv, "-serial");
    words_printf(argv, "chardev:%s", id);
}

static void add_wires(const struct job *job, struct words *argv)
{
    const struct wires *wires = &job->wires;
    if (wires->interactive) {
        words_split(argv, "-serial mon:stdio");
    } else {
        add_serial(argv, "console", wires->console);
        add_port(argv, "control", wires->monitor);
        words_split(argv, "-mon chardev=control,mode=readline");
    }
    if (job->side == side_hvm && wires->log_is_file) {
        words_add(argv, "-serial");
        words_printf(argv, "file:/proc/self/fd/%d", wires->log);
    } else if (job->side == side_hvm) {
        add_serial(argv, "log", wires->log);
    }
}

static unsigned long long mib(unsigned long long bytes)
{
    return (bytes + (1 << 20) - 1) >> 20;
}

static void native_words(const struct job *job, struct words *argv)
{
    char *cpu = cpu_native_model();
    words_printf(argv, "-machine");
    words_printf(argv, "pc,hpet=off");
    words_add(argv, "-cpu");
    words_add(argv, cpu);
    words_add(argv, "-m");
    words_printf(argv, "%llu", mib(job->guest->memory_bytes));
    words_split(argv, "-vga std");
    words_add(argv, "-drive");
    words_add(argv, "file=disk0,format=raw,if=ide,index=0,media=disk,cache=unsafe");
    free(cpu);
}

static int link_file(const struct job *job, const char *from, const char *name)
{
    char *full = realpath(from, NULL);
    char *to = xasprintf("%s/%s", job->dir, name);
    int rc = full && !symlink(full, to) ? 0 : -1;
    if (rc)
        say("%s: %s", from, strerror(errno));
    free(full);
    free(to);
    return rc;
}

// QEMU splits -initrd at commas and gives the hypervisor each module's file name as the first word
// of its command line, so the working folder holds the files under the module names.
static int hvm_words(const struct job *job, struct words *argv)
{
    if (access(job->hypervisor, R_OK)) {
        say("hypervisor %s: %s (make builds it)", job->hypervisor, strerror(errno));
        return -1;
    }
    if (link_file(job, job->hypervisor, "hv.elf") || link_file(job, firmware, "seabios") ||
        link_file(job, vga_firmware, "vgabios"))
        return -1;
    words_split(argv, "-machine pc,hpet=off -cpu max -vga none -m");
    words_printf(argv, "%llu",
                 mib(job->guest->memory_bytes) + mib(job->image_bytes) + hv_extra_mib);
    words_split(argv, "-kernel hv.elf -initrd seabios,vgabios,disk0 -append");
    words_printf(argv, "mem=%lluM console=com1 log=com2%s%s%s%s", mib(job->guest->memory_bytes),
                 *job->guest->hv ? " " : "", job->guest->hv, *job->hv_words ? " " : "",
                 job->hv_words);
    words_split(argv, "-device isa-debug-exit,iobase=0xf4,iosize=4");
    return 0;
}

// The plugin that counts instructions, where the build made it.
static int counter_words(const struct job *job, struct words *argv)
{
    char *plugin = xasprintf("%s/build/insns.so", top_dir());
    int rc = access(plugin, R_OK) ? 0 : link_file(job, plugin, "insns.so");
    if (!rc && !access(plugin, R_OK)) {
        words_add(argv, "-plugin");
        words_add(argv, "./insns.so,out=insns");
    }
    free(plugin);
    return rc;
}

static int tcg_command(const struct job *job, struct words *argv)
{
    words_add(argv, program);
    words_split(argv, "-no-user-config -nodefaults -display none -no-reboot -smp 1 -seed 1 -accel "
                      "tcg,tb-size=512 -rtc base=2026-01-01T00:00:00,clock=vm");
    if (!job->wires.interactive)
        words_split(argv, "-monitor none");
    if (job->exact)
        words_split(argv, "-icount shift=0,sleep=off");
    if (job->exact && counter_words(job, argv))
        return -1;
    if (job->side == side_native)
        native_words(job, argv);
    else if (hvm_words(job, argv))
        return -1;
    add_wires(job, argv);
    for (size_t i = 0; i < job->extra.n; i++)
        words_add(argv, job->extra.word[i]);
    return 0;
}

// isa-debug-exit makes status (code << 1) | 1 of the code written to port F4h. With -no-reboot QEMU
// itself ends with 0 on ACPI power-off, on reset and on a triple fault.
static struct ending tcg_ending(enum side side, int wait_status)
{
    static const struct {
        int code;
        const char *name;
    } table[] = {{16, "poweroff"}, {17, "reboot"},   {18, "triple-fault"}, {19, "hang"},
                 {20, "config"},   {21, "vm-error"}, {22, "panic"}};
    struct ending ending = {.name = "error", .code = -1};
    if (WIFSIGNALED(wait_status)) {
        snprintf(ending.name, sizeof(ending.name), "signal-%d", WTERMSIG(wait_status));
        return ending;
    }
    int status = WEXITSTATUS(wait_status);
    if (status == 0) {
        // The hypervisor never ends this way: it was the machine below that was reset.
        strcpy(ending.name, side == side_native ? "poweroff" : "reset");
        ending.clean = side == side_native;
        return ending;
    }
    for (size_t i = 0; side == side_hvm && i < sizeof(table) / sizeof(*table); i++) {
        if (status == (table[i].code << 1 | 1)) {
            strcpy(ending.name, table[i].name);
            ending.code = table[i].code;
            ending.clean = table[i].code == 16;
        }
    }
    return ending;
}

const struct engine engine_tcg = {
    .name = "tcg",
    .summary = "QEMU's emulator with SVM; instruction-exact time",
    .probe = tcg_probe,
    .command = tcg_command,
    .ending = tcg_ending,
    .where = monitor_registers,
};
