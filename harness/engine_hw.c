// A real machine, started by a person from a stick (images/stick.sh). Nothing is run here: its serial
// ports, or files that captured them, are read.

#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static int hw_probe(enum side side, struct buf *found, struct buf *missing)
{
    (void)side;
    (void)missing;
    buf_printf(found, "reads --serial");
    return 0;
}

// 115200 8N1, raw, as GRUB, the guest and the hypervisor set their ports.
static int set_line(int fd)
{
    struct termios line;
    if (tcgetattr(fd, &line))
        return -1;
    cfmakeraw(&line);
    line.c_cflag |= CLOCAL | CREAD;
    line.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS);
    line.c_cc[VMIN] = 1;
    line.c_cc[VTIME] = 0;
    cfsetspeed(&line, B115200);
    return tcsetattr(fd, TCSANOW, &line);
}

static int open_port(const char *path)
{
    int fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) {
        say("serial port %s: %s", path, strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        say("serial port %s: a terminal device or a file was expected", path);
    } else if (isatty(fd) && set_line(fd)) {
        say("serial port %s cannot be set to 115200 8N1: %s", path, strerror(errno));
    } else {
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static int hw_open(const struct job *job, int *console, int *log)
{
    if (!job->serial) {
        say("engine hw needs --serial: the port, or the file, that the machine's COM1 comes from");
        return -1;
    }
    *log = -1;
    *console = open_port(job->serial);
    if (*console < 0)
        return -1;
    if (job->log_serial && (*log = open_port(job->log_serial)) < 0) {
        close(*console);
        *console = -1;
        return -1;
    }
    return 0;
}

// The hypervisor's record tells; natively the whole of the TAP does.
static struct ending hw_ending(const struct remains *remains)
{
    struct ending ending = {.name = "cut", .code = -1};
    const char *end = remains->hv_end;
    if (!end && remains->complete)
        end = "poweroff";
    if (end) {
        strncpy(ending.name, end, sizeof(ending.name) - 1);
        ending.code = end_code(ending.name);
        ending.clean = !strcmp(ending.name, "poweroff");
    }
    return ending;
}

const struct engine engine_hw = {
    .name = "hw",
    .summary = "a real machine started from a stick; time",
    .clocks = true,
    .probe = hw_probe,
    .open = hw_open,
    .ending = hw_ending,
};
