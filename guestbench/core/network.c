#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

bool network_parse(const char *text, uint32_t *address, uint32_t *mask)
{
    char host[INET_ADDRSTRLEN], *end;
    const char *slash = strchr(text, '/');
    struct in_addr parsed;
    if (!slash || slash - text >= (long)sizeof host || slash[1] < '0' || slash[1] > '9')
        return false;
    memcpy(host, text, (size_t)(slash - text));
    host[slash - text] = '\0';
    unsigned long bits = strtoul(slash + 1, &end, 10);
    if (*end || bits < 1 || bits > 32 || inet_pton(AF_INET, host, &parsed) != 1)
        return false;
    *address = ntohl(parsed.s_addr);
    *mask = UINT32_MAX << (32 - bits);
    return true;
}

static bool find_interface(int fd, struct ifreq *request)
{
    struct if_nameindex *all = if_nameindex();
    bool found = false;
    for (struct if_nameindex *at = all; at && at->if_index && !found; at++) {
        memset(request, 0, sizeof *request);
        snprintf(request->ifr_name, sizeof request->ifr_name, "%s", at->if_name);
        found = ioctl(fd, SIOCGIFFLAGS, request) == 0 && !(request->ifr_flags & IFF_LOOPBACK);
    }
    if (all)
        if_freenameindex(all);
    return found;
}

static bool set_address(int fd, struct ifreq *request, int option, uint32_t address)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    memcpy(&request->ifr_addr, &name, sizeof name);
    return ioctl(fd, option, request) == 0;
}

static bool raise_interface(int fd, struct ifreq *request)
{
    if (ioctl(fd, SIOCGIFFLAGS, request) != 0)
        return false;
    request->ifr_flags |= IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, request) == 0;
}

bool network_raise(const char *text, char *error, size_t size)
{
    uint32_t address, mask;
    struct ifreq request;
    if (!network_parse(text, &address, &mask)) {
        snprintf(error, size, "address '%s' is not A.B.C.D/BITS", text);
        return false;
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool found = fd >= 0 && find_interface(fd, &request);
    bool good = found && set_address(fd, &request, SIOCSIFADDR, address) &&
                set_address(fd, &request, SIOCSIFNETMASK, mask) && raise_interface(fd, &request);
    if (fd >= 0 && !found)
        snprintf(error, size, "no network interface but the loopback");
    else if (!good)
        snprintf(error, size, "cannot set address %s: %s", text, strerror(errno));
    if (fd >= 0)
        close(fd);
    return good;
}
