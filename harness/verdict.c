#include "verdict.h"
#include "commands.h"

#include <stdlib.h>
#include <string.h>

static void say_where(const struct run_result *result)
{
    if (result->last_point[0])
        say("last test point: %s (%lu of %lu)", result->last_point, result->points, result->plan);
    if (result->last_console[0])
        say("last line of the console: %s", result->last_console);
    if (result->last_log)
        say("last line of the hypervisor: %s", result->last_log);
}

// The line of QEMU's register dump that has the instruction pointer, and the one that has CR3.
static void say_registers(const char *dump)
{
    static const char *const marks[] = {"EIP=", "RIP=", "CR3=", "rip: "};
    for (const char *line = dump; *line;) {
        size_t len = strcspn(line, "\r\n");
        char *text = xstrndup(line, len);
        for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
            if (strstr(text, marks[i]))
                say("the CPU was at: %s", text);
        free(text);
        line += len + strspn(line + len, "\r\n");
    }
}

static int say_watchdog(const struct run_result *result, const char *tap_path)
{
    if (result->stop == stop_silence)
        say("%s: the watchdog ended the machine: nothing came from it any more (%.0f s in all)",
            tap_path, result->wall_s);
    else
        say("%s: the watchdog ended the machine: the run's total time was over after %.0f s",
            tap_path, result->wall_s);
    say_where(result);
    if (result->where)
        say_registers(result->where);
    else
        say("the engine did not say where the CPU was");
    return exit_hung;
}

int verdict_refusal(const char *line)
{
    static const char prefix[] = "error: ";
    if (line && !strncmp(line, prefix, sizeof(prefix) - 1))
        line += sizeof(prefix) - 1;
    say("the hypervisor refuses: %s", line ? line : "(its log has no reason)");
    return exit_trouble;
}

static int say_ending(const struct run_result *result, enum side side, const char *tap_path)
{
    const char *name = result->ending.name;
    if (!strcmp(name, "config"))
        return verdict_refusal(result->config_line);
    if (!strcmp(name, "error"))
        say("%s: the engine failed; its log beside the TAP says why", tap_path);
    else if (!strcmp(name, "cut"))
        say("%s: what the serial port said ends too early", tap_path);
    else if (!strcmp(name, "ticks"))
        say("%s: the run's ticks were used up (--ticks)", tap_path);
    else if (!result->ending.clean)
        say("%s: the machine ended with '%s'", tap_path, name);
    else if (!result->points)
        say("%s: the guest switched off and sent no TAP", tap_path);
    else
        say("%s: the guest switched off before its TAP was complete", tap_path);
    say_where(result);
    if (result->where)
        say_registers(result->where);
    if (side == side_hvm && result->config_line && result->config_line != result->last_log)
        say("the hypervisor's last message: %s", result->config_line);
    return exit_guest;
}

int verdict_say(const struct run_result *result, enum side side, const char *tap_path)
{
    switch (result->stop) {
    case stop_start:
    case stop_output: return exit_trouble;
    case stop_signal:
        say("%s: interrupted after %.0f s", tap_path, result->wall_s);
        say_where(result);
        return exit_signal;
    case stop_silence:
    case stop_total: return say_watchdog(result, tap_path);
    case stop_none: break;
    }
    if (!result->complete || !result->ending.clean)
        return say_ending(result, side, tap_path);
    say("%s: %lu points in %.1f s, %lu not ok", tap_path, result->points, result->wall_s,
        result->not_ok);
    return result->not_ok ? exit_not_ok : exit_ok;
}
