#define _GNU_SOURCE
#include "modules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PARAMETERS_MAX = 1024 };

static char underscore(char c)
{
    return c == '-' ? '_' : c;
}

/* Is word "name.something", where name is the first length characters of module? */
static bool belongs(const char *word, const char *module, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (underscore(word[i]) != underscore(module[i]))
            return false;
    }
    return word[length] == '.';
}

void modules_parameters(const char *file, const char *cmdline, char *parameters, size_t size)
{
    const char *module = file + strspn(file, "0123456789");
    module += *module == '-';
    size_t length = strcspn(module, "."), at = 0;
    parameters[0] = '\0';
    for (const char *word = cmdline; *(word += strspn(word, " \t\n"));) {
        size_t word_length = strcspn(word, " \t\n");
        if (word_length > length && belongs(word, module, length)) {
            size_t part = word_length - length - 1;
            if (at + part + 2 > size)
                return;
            at += (size_t)sprintf(parameters + at, "%s%.*s", at ? " " : "", (int)part,
                                  word + length + 1);
        }
        word += word_length;
    }
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_module(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 3 && strcmp(entry->d_name + length - 3, ".ko") == 0;
}

static void load(const char *name, const char *cmdline)
{
    char path[300], parameters[PARAMETERS_MAX];
    snprintf(path, sizeof path, "/modules/%s", name);
    modules_parameters(name, cmdline, parameters, sizeof parameters);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (syscall(SYS_finit_module, fd, parameters, 0) != 0 && errno != EEXIST))
        printf("# module %s: %s\n", name, strerror(errno));
    if (fd >= 0)
        close(fd);
}

void modules_load(const char *cmdline)
{
    struct dirent **names;
    int count = scandir("/modules", &names, is_module, by_name);
    for (int i = 0; i < count; i++) {
        load(names[i]->d_name, cmdline);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}
