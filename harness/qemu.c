#include "qemu.h"
#include "child.h"
#include "monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char qemu_program[] = "qemu-system-x86_64";

// Runs `program WORDS` and reports whether its output has `needle`.
static bool says(const char *words, const char *needle, struct buf *out)
{
    struct words argv = {0};
    words_add(&argv, qemu_program);
    words_split(&argv, words);
    int status = child_capture(&argv, out, 20);
    words_free(&argv);
    return status == 0 && strstr(out->data, needle);
}

int qemu_probe(const char *words, const char *needle, struct buf *found, struct buf *missing)
{
    struct buf version = {0}, help = {0};
    int rc = -1;
    if (!child_in_path(qemu_program))
        buf_printf(missing, "%s is not installed (Debian package qemu-system-x86)", qemu_program);
    else if (!says("--version", "version", &version))
        buf_printf(missing, "%s --version fails: %s", qemu_program, version.data);
    else if (!says(words, needle, &help))
        buf_printf(missing, "%s %s has no %s", qemu_program, words, needle);
    else if (access(firmware_bios, R_OK) || access(firmware_vga, R_OK))
        buf_printf(missing, "%s or %s is missing (Debian package seabios)", firmware_bios,
                   firmware_vga);
    else
        rc = 0;
    if (version.data)
        buf_printf(found, "%.*s", (int)strcspn(version.data, "\n"), version.data);
    buf_free(&version);
    buf_free(&help);
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

static void native_words(const struct job *job, struct words *argv, const char *cpu)
{
    words_printf(argv, "-machine");
    words_printf(argv, "pc,hpet=off");
    words_add(argv, "-cpu");
    words_add(argv, cpu);
    words_add(argv, "-m");
    words_printf(argv, "%llu", mib(job->guest->memory_bytes));
    words_split(argv, "-vga std");
    words_add(argv, "-drive");
    words_add(argv, "file=disk0,format=raw,if=ide,index=0,media=disk,cache=unsafe");
}

// QEMU splits -initrd at commas and gives the hypervisor each module's file name as the first word
// of its command line, so the working folder holds the files under the module names.
static int hvm_words(const struct job *job, struct words *argv, const char *cpu)
{
    if (access(job->hypervisor, R_OK)) {
        say("hypervisor %s: %s (make builds it)", job->hypervisor, strerror(errno));
        return -1;
    }
    if (job_link(job, job->hypervisor, "hv.elf") || job_link(job, firmware_bios, "seabios") ||
        job_link(job, firmware_vga, "vgabios"))
        return -1;
    words_split(argv, "-machine pc,hpet=off -vga none -cpu");
    words_add(argv, cpu);
    words_add(argv, "-m");
    words_printf(argv, "%llu",
                 mib(job->guest->memory_bytes) + mib(job->image_bytes) + hv_extra_mib);
    words_split(argv, "-kernel hv.elf -initrd seabios,vgabios,disk0 -append");
    words_printf(argv, "mem=%lluM console=com1 log=com2%s%s%s%s", mib(job->guest->memory_bytes),
                 *job->guest->hv ? " " : "", job->guest->hv, *job->hv_words ? " " : "",
                 job->hv_words);
    words_split(argv, "-device isa-debug-exit,iobase=0xf4,iosize=4");
    return 0;
}

int qemu_command(const struct job *job, struct words *argv, const char *accel, const char *cpu,
                 const char *hvm_cpu)
{
    words_add(argv, qemu_program);
    words_split(argv, "-no-user-config -nodefaults -display none -no-reboot -smp 1 -seed 1 -accel");
    words_add(argv, accel);
    words_split(argv, "-rtc base=2026-01-01T00:00:00,clock=vm");
    if (!job->wires.interactive)
        words_split(argv, "-monitor none");
    if (job->side == side_native)
        native_words(job, argv, cpu);
    else if (hvm_words(job, argv, hvm_cpu))
        return -1;
    add_wires(job, argv);
    for (size_t i = 0; i < job->extra.n; i++)
        words_add(argv, job->extra.word[i]);
    return 0;
}

// isa-debug-exit makes status (code << 1) | 1 of the code written to port F4h. With -no-reboot QEMU
// itself ends with 0 on ACPI power-off, on reset and on a triple fault.
struct ending qemu_ending(const struct remains *remains)
{
    struct ending ending = {.name = "error", .code = -1};
    if (WIFSIGNALED(remains->wait_status)) {
        snprintf(ending.name, sizeof(ending.name), "signal-%d", WTERMSIG(remains->wait_status));
        return ending;
    }
    int status = WEXITSTATUS(remains->wait_status);
    if (status == 0) {
        // The hypervisor never ends this way: it was the machine below that was reset.
        strcpy(ending.name, remains->side == side_native ? "poweroff" : "reset");
        ending.clean = remains->side == side_native;
        return ending;
    }
    const char *name = remains->side == side_hvm && status & 1 ? end_name(status >> 1) : NULL;
    if (name) {
        strcpy(ending.name, name);
        ending.code = status >> 1;
        ending.clean = !strcmp(name, "poweroff");
    }
    return ending;
}

char *qemu_where(pid_t pid, int monitor_fd)
{
    (void)pid;
    return monitor_registers(monitor_fd);
}
