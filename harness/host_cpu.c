#include "host_cpu.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// A claim is a name of the abstract socket name space (unix(7)), which ends with its owner.
static bool claim(int fd, int cpu)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int length = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "penumbra-cpu-%d", cpu);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    return bind(fd, (struct sockaddr *)&name, size) == 0;
}

bool host_cpu_claim(cpu_set_t *cpu)
{
    cpu_set_t allowed;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || sched_getaffinity(0, sizeof(allowed), &allowed)) {
        close(fd);
        return false;
    }
    for (int i = CPU_SETSIZE - 1; i >= 0; i--) {
        if (CPU_ISSET(i, &allowed) && claim(fd, i)) {
            CPU_ZERO(cpu);
            CPU_SET(i, cpu);
            return true;
        }
    }
    close(fd);
    return false;
}
