#include "bochs_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { report_lines = 60 };

static void name_end(struct ending *ending, const char *name)
{
    snprintf(ending->name, sizeof(ending->name), "%s", name);
    ending->code = end_code(ending->name);
    ending->clean = !strcmp(ending->name, "poweroff");
}

// Refused VM entries and, from the panic on, the CPU's state.
static char *report(const char *log)
{
    struct buf out = {0};
    unsigned lines = 0;
    bool panic = false;
    for (const char *line = log; *line && lines < report_lines;) {
        size_t len = strcspn(line, "\n");
        char *text = xstrndup(line, len);
        panic |= strstr(text, ">>PANIC<<") != NULL;
        if (panic || strstr(text, "VMENTER FAIL") || strstr(text, "VMFAIL")) {
            buf_printf(&out, "%s\n", text);
            lines++;
        }
        free(text);
        line += len + (line[len] == '\n');
    }
    return out.data;
}

struct ending bochs_verdict(const struct remains *remains, const char *log)
{
    struct ending ending = {.name = "error", .code = -1};
    int status = remains->wait_status;
    const char *panic = strstr(log, ">>PANIC<<");
    if (!panic && WIFSIGNALED(status))
        snprintf(ending.name, sizeof(ending.name), "signal-%d", WTERMSIG(status));
    else if (!panic && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        name_end(&ending, "ticks");
    else if (panic && strstr(panic, "exception with no resolution"))
        // Of the machine: a guest's triple fault under the hypervisor has a record.
        name_end(&ending, remains->side == side_native ? "triple-fault" : "reset");
    else if (panic && remains->side == side_native && strstr(panic, "ACPI control: soft power off"))
        name_end(&ending, "poweroff");
    else if (panic && remains->side == side_hvm && remains->hv_end &&
             strstr(panic, "Shutdown port: shutdown requested"))
        name_end(&ending, remains->hv_end);
    if (!ending.clean)
        ending.report = report(log);
    return ending;
}

unsigned long long bochs_ticks(const char *log)
{
    size_t len = strlen(log);
    while (len && log[len - 1] == '\n')
        len--;
    while (len && log[len - 1] != '\n')
        len--;
    return strtoull(log + len, NULL, 10);
}

void bochs_models(const char *help, struct words *models)
{
    static const char title[] = "Supported CPU models:\n";
    const char *at = strstr(help, title);
    for (at = at ? at + strlen(title) : ""; *at;) {
        size_t len = strcspn(at, "\n");
        bool name = len && len == strcspn(at, " :\n");
        if (!name && models->n)
            break;
        if (name)
            words_printf(models, "%.*s", (int)len, at);
        at += len + (at[len] == '\n');
    }
}
