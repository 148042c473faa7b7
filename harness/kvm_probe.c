#include "kvm_probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct vendor {
    const char *flag, *name, *module;
} vendors[] = {{"vmx", "VT-x", "kvm_intel"}, {"svm", "SVM", "kvm_amd"}};

// The vendor whose flag is in the first "flags" line of /proc/cpuinfo; NULL without one.
static const struct vendor *find_vendor(const char *cpuinfo)
{
    const char *flags = cpuinfo ? strstr(cpuinfo, "\nflags") : NULL;
    if (!flags)
        return NULL;
    struct words words = {0};
    char *line = xstrndup(flags + 1, strcspn(flags + 1, "\n"));
    const struct vendor *found = NULL;
    words_split(&words, line);
    for (size_t i = 0; i < words.n; i++)
        for (size_t v = 0; v < sizeof(vendors) / sizeof(*vendors); v++)
            if (!strcmp(words.word[i], vendors[v].flag))
                found = &vendors[v];
    words_free(&words);
    free(line);
    return found;
}

static void lack(struct buf *missing, const char *what)
{
    bool first = !missing->len || missing->data[missing->len - 1] == ' ';
    buf_printf(missing, "%s%s", first ? "" : ", ", what);
}

// /proc files have no size, so they are read until their end, as far as it matters.
static char *read_start(const char *root, const char *path)
{
    enum { most = 65536 };
    char *full = xasprintf("%s%s", root, path), *text = NULL;
    FILE *file = fopen(full, "re");
    if (file) {
        text = xcalloc(most + 1, 1);
        if (!fread(text, 1, most, file))
            text[0] = '\0';
        fclose(file);
    }
    free(full);
    return text;
}

static void check_nesting(const char *root, const struct vendor *vendor, struct buf *missing)
{
    char *path = xasprintf("/sys/module/%s/parameters/nested", vendor->module);
    char *text = read_start(root, path);
    char *what = NULL;
    if (!text)
        what = xasprintf("%s cannot be read: module %s is not loaded", path, vendor->module);
    else if (text[0] != 'Y' && text[0] != '1')
        what = xasprintf("%s is %.*s: nesting is off (modprobe %s nested=1)", path,
                         (int)strcspn(text, "\n"), text, vendor->module);
    if (what)
        lack(missing, what);
    free(what);
    free(text);
    free(path);
}

int kvm_probe_host(const char *root, enum side side, struct buf *missing)
{
    size_t before = missing->len;
    char *cpuinfo = read_start(root, "/proc/cpuinfo");
    const struct vendor *vendor = find_vendor(cpuinfo);
    if (!vendor)
        lack(missing, "the processor shows neither vmx nor svm in /proc/cpuinfo");
    char *device = xasprintf("%s/dev/kvm", root);
    if (access(device, R_OK | W_OK)) {
        char *what = xasprintf("/dev/kvm: %s", strerror(errno));
        lack(missing, what);
        free(what);
    }
    if (vendor && side == side_hvm)
        check_nesting(root, vendor, missing);
    free(device);
    free(cpuinfo);
    return missing->len == before ? 0 : -1;
}
