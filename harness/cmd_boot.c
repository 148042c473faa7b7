#include "child.h"
#include "commands.h"
#include "image.h"
#include "prepare.h"
#include "verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

struct boot_options {
    struct machine_options machine;
    const char *log;
};

static const struct argp_option options[] = {
    {"log", 'l', "FILE", 0, "hvm: the hypervisor's log (default: thrown away unless it refuses)",
     0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct boot_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &o->machine; return 0;
    case 'l': o->log = arg; return 0;
    case ARGP_KEY_ARG:
        if (o->machine.guest)
            argp_error(state, "unexpected argument '%s'", arg);
        o->machine.guest = arg;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "a guest or an image file is missing"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

// The log port ends in a file, so that nothing of it lands on the guest's console.
static int open_log(const struct boot_options *o, const char *dir, char **path)
{
    *path = o->log ? xstrdup(o->log) : xasprintf("%s/log", dir);
    int fd = open(*path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        say("cannot write %s: %s", *path, strerror(errno));
    return fd;
}

// The last line of the log that is no record.
static void say_refusal(const char *path)
{
    size_t len;
    char *text = file_read(path, 64 << 20, &len), *last = NULL;
    for (char *line = text ? strtok(text, "\r\n") : NULL; line; line = strtok(NULL, "\r\n"))
        if (strncmp(line, "@hv ", 4))
            last = line;
    verdict_refusal(last);
    free(text);
}

static int boot_wait(pid_t pid)
{
    int status = 0;
    signal(SIGINT, SIG_IGN);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static int boot_prepared(struct prepared *p, const struct boot_options *o)
{
    char *log_path;
    if (!p->engine->has_terminal) {
        say("engine %s has no console on a terminal; engines that have: kvm tcg", p->engine->name);
        return exit_trouble;
    }
    int log = open_log(o, p->dir, &log_path);
    if (log < 0)
        return exit_trouble;
    p->job.exact = false; // a person waits
    p->job.wires = (struct wires){.interactive = true, .log = log, .log_is_file = true};
    struct words argv = {0};
    struct termios saved;
    bool terminal = !tcgetattr(0, &saved);
    int rc = exit_trouble;
    if (!p->engine->command(&p->job, &argv)) {
        pid_t pid = child_start(&(struct child_spec){.argv = &argv,
                                                     .dir = p->dir,
                                                     .keep = &log,
                                                     .n_keep = 1,
                                                     .output = -1,
                                                     .interactive = true});
        if (pid < 0) {
            say("cannot start %s: %s", argv.word[0], strerror(errno));
        } else {
            int status = boot_wait(pid);
            struct ending ending = p->engine->ending(
                &(struct remains){.side = p->job.side, .wait_status = status, .dir = p->dir});
            ending.clean |= status == 0; // ended by the person
            free(ending.report);
            if (terminal)
                tcsetattr(0, TCSANOW, &saved);
            rc = ending.clean ? exit_ok : exit_guest;
            if (!strcmp(ending.name, "config"))
                say_refusal(log_path);
            else if (!ending.clean)
                say("the machine ended with '%s'", ending.name);
        }
    }
    close(log);
    if (!o->log && !p->keep)
        unlink(log_path);
    free(log_path);
    words_free(&argv);
    return rc;
}

int cmd_boot(int argc, char **argv)
{
    struct boot_options o = {0};
    const struct argp_child children[] = {{&machine_argp, 0, "The machine:", 1}, {0}};
    const struct argp argp = {
        .options = options,
        .parser = parse,
        .children = children,
        .args_doc = "GUEST|IMAGE",
        .doc = "Boots a guest by name, or a disk image by file, with its serial console here.\vA "
               "guest of this project starts a shell instead of the benchmarks. Ctrl-A X ends the "
               "machine, Ctrl-A C reaches QEMU's monitor."};
    machine_defaults(&o.machine);
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    bool is_file = strchr(o.machine.guest, '/') || !access(o.machine.guest, F_OK);
    struct prepared p = {0};
    if (is_file)
        p.guest = guest_for_image(o.machine.guest);
    char *words =
        is_file ? xstrdup(o.machine.append) : xasprintf("guestbench.shell %s", o.machine.append);
    int rc = machine_prepare(&p, &o.machine, words, *words) ? exit_trouble : boot_prepared(&p, &o);
    machine_clean(&p);
    words_free(&o.machine.qemu_args);
    free(words);
    return rc;
}
