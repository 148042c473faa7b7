#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../net_server.h"
#include "cli.h"
#include "mark.h"
#include "modules.h"
#include "network.h"
#include "scratch.h"
#include "system.h"
#include "tap.h"

static void mount_kernel_file_systems(void)
{
    static const struct {
        const char *type, *path;
    } mounts[] = {{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}};
    for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
        mkdir(mounts[i].path, 0755);
        mount(mounts[i].type, mounts[i].path, mounts[i].type, 0, NULL);
    }
}

/* Standard streams on the serial port, bytes as they are; whatever console there is otherwise. */
static void open_console(void)
{
    static const char *const paths[] = {"/dev/ttyS0", "/dev/console", "/dev/null"};
    int fd = -1;
    for (size_t i = 0; fd < 0 && i < sizeof paths / sizeof paths[0]; i++)
        fd = open(paths[i], O_RDWR | O_NOCTTY);
    if (fd < 0)
        return;
    for (int stream = 0; stream < 3; stream++)
        dup2(fd, stream);
    if (fd > 2)
        close(fd);
}

static void set_raw_output(void)
{
    struct termios line;
    if (tcgetattr(STDOUT_FILENO, &line) != 0)
        return;
    line.c_oflag &= ~(tcflag_t)OPOST;
    tcsetattr(STDOUT_FILENO, TCSANOW, &line);
}

static void run_shell(void)
{
    pid_t child = fork();
    if (child == 0) {
        char *argv[] = {"/bin/sh", NULL};
        char *environment[] = {"PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/", "TERM=vt100", NULL};
        setsid();
        ioctl(STDIN_FILENO, TIOCSCTTY, 1);
        execve(argv[0], argv, environment);
        printf("guestbench: /bin/sh: %s\n", strerror(errno));
        _exit(127);
    }
    while (child > 0 && waitpid(-1, NULL, 0) != child)
        ;
}

static void run(struct config *config)
{
    char error[256];
    set_raw_output();
    /* what the firmware and the kernel wrote last may not have ended its line */
    putchar('\n');
    if (cli_run(config, stdout, error, sizeof error) == CLI_USAGE)
        tap_bail(stdout, error);
}

/* Work of another kind than a run. */
static void serve_or_shell(const struct config *config)
{
    if (config->serve)
        net_serve_command(config->port);
    else
        run_shell();
}

static void start(char *cmdline)
{
    /* a machine of its own, where counted time does not drift */
    struct config config = {.rounds = 1};
    char error[256];
    static char disk[64];
    if (config_parse_words(&config, cmdline, error, sizeof error) != 0 ||
        config_resolve(&config, error, sizeof error) != 0) {
        set_raw_output();
        putchar('\n');
        tap_bail(stdout, error);
        return;
    }
    if (scratch_mount(disk, sizeof disk)) {
        config.dir = config.dir ? config.dir : SCRATCH_DIR;
        config.disk = config.disk ? config.disk : disk;
    }
    if (config.address && !network_raise(config.address, error, sizeof error))
        printf("# network: %s\n", error);
    if (config.shell || config.serve)
        serve_or_shell(&config);
    else
        run(&config);
}

void init_main(void)
{
    static char cmdline[4096];
    enum { SYSLOG_CONSOLE_LEVEL = 8 };
    mount_kernel_file_systems();
    open_console();
    mark_write(MARK_NOTE, 0);
    system_read_text("/proc/cmdline", cmdline, sizeof cmdline);
    modules_load(cmdline);
    klogctl(SYSLOG_CONSOLE_LEVEL, NULL, 1);
    system_loopback_raise();
    setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
    start(cmdline);
    fflush(stdout);
    tcdrain(STDOUT_FILENO);
    umount(SCRATCH_DIR);
    sync();
    reboot(RB_POWER_OFF);
    /* a kernel without a way to cut the power comes back here or stops in reboot(2) */
    for (;;)
        pause();
}
