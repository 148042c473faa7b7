#include "prepare.h"
#include "commands.h"
#include "image.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    key_image = 256,
    key_hypervisor,
    key_hv,
    key_append,
    key_no_icount,
    key_qemu_arg,
    key_keep,
    key_mem,
    key_cpu,
    key_ticks,
    key_serial,
    key_log_serial
};

static const struct argp_option options[] = {
    {"engine", 'e', "NAME", 0, "Engine: auto (default) or a name of `penumbra engines`", 1},
    {"side", 's', "SIDE", 0, "native, or hvm: under the hypervisor (default native)", 1},
    {"image", key_image, "FILE", 0, "Another image for the guest", 1},
    {"memory", key_mem, "SIZE", 0, "Another memory size for the guest, such as 512M", 1},
    {"hypervisor", key_hypervisor, "FILE", 0, "Hypervisor to run (default build/hv.elf)", 1},
    {"hv", key_hv, "WORDS", 0, "Words added to the hypervisor's command line", 1},
    {"append", key_append, "WORDS", 0, "Words added to the guest kernel's command line", 1},
    {"no-icount", key_no_icount, NULL, 0, "tcg: the host's time instead of counted instructions",
     1},
    {"qemu-arg", key_qemu_arg, "ARG", 0, "tcg, kvm: one more argument for QEMU; may be repeated",
     1},
    {"cpu", key_cpu, "MODEL", 0, "bochs: the processor (default core2_penryn_t9600)", 1},
    {"ticks", key_ticks, "N", 0, "bochs: end the machine after N instructions (default 10^12)", 1},
    {"serial", key_serial, "PATH", 0, "hw: the port or the captured file of the machine's COM1", 1},
    {"log-serial", key_log_serial, "PATH", 0, "hw: that of COM2 (default: the log is on COM1)", 1},
    {"keep", key_keep, NULL, 0, "Keep the working folder and say where it is", 1},
    {0},
};

void machine_defaults(struct machine_options *o)
{
    *o = (struct machine_options){.engine = "auto", .hv = "", .append = ""};
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct machine_options *o = state->input;
    unsigned long long bytes;
    char *end;
    switch (key) {
    case 'e': o->engine = arg; return 0;
    case 's':
        if (!side_parse(arg, &o->side))
            argp_error(state, "unknown side '%s'; sides: native hvm", arg);
        return 0;
    case key_image: o->image = arg; return 0;
    case key_mem:
        if (!parse_size(arg, &bytes))
            argp_error(state, "--memory: '%s' is not a size such as 256M", arg);
        o->memory = arg;
        return 0;
    case key_hypervisor: o->hypervisor = arg; return 0;
    case key_hv: o->hv = arg; return 0;
    case key_append: o->append = arg; return 0;
    case key_no_icount: o->no_icount = true; return 0;
    case key_qemu_arg: words_add(&o->qemu_args, arg); return 0;
    case key_cpu: o->cpu = arg; return 0;
    case key_ticks:
        o->ticks = strtoull(arg, &end, 10);
        if (!isdigit((unsigned char)*arg) || *end || !o->ticks)
            argp_error(state, "--ticks: '%s' is not a number of instructions", arg);
        return 0;
    case key_serial: o->serial = arg; return 0;
    case key_log_serial: o->log_serial = arg; return 0;
    case key_keep: o->keep = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp machine_argp = {.options = options, .parser = parse};

static char *make_dir(void)
{
    const char *base = getenv("TMPDIR");
    char *dir = xasprintf("%s/penumbra.XXXXXX", base && *base ? base : "/tmp");
    if (mkdtemp(dir))
        return dir;
    say("cannot make a working folder %s: %s", dir, strerror(errno));
    free(dir);
    return NULL;
}

static int find_guest(struct prepared *p, const struct machine_options *o)
{
    char *dir = guest_dir();
    p->guest = guest_load(dir, o->guest);
    free(dir);
    if (!p->guest)
        return -1;
    if (o->image) {
        free(p->guest->image);
        p->guest->image = xstrdup(o->image);
    }
    return 0;
}

// Options that the engine has no use for are refused, not ignored.
static int check_options(const struct engine *engine, const struct machine_options *o)
{
    const char *what = NULL;
    if (o->cpu && !engine->check_cpu)
        what = "--cpu";
    else if (o->ticks && !engine->check_cpu)
        what = "--ticks";
    else if (o->qemu_args.n && !engine->qemu_arguments)
        what = "--qemu-arg";
    else if ((o->serial || o->log_serial) && !engine->open)
        what = "--serial";
    else if (o->no_icount && !engine->clocks)
        what = "--no-icount";
    if (what) {
        say("engine %s has no %s", engine->name, what);
        return -1;
    }
    return o->cpu ? engine->check_cpu(o->cpu) : 0;
}

int machine_prepare(struct prepared *p, const struct machine_options *o, const char *append,
                    bool guest_image)
{
    p->keep = o->keep;
    unsigned long long bytes = 0;
    if ((!p->guest && find_guest(p, o)) || !(p->engine = engine_choose(o->engine, o->side)) ||
        check_options(p->engine, o))
        return -1;
    if (o->memory)
        parse_size(o->memory, &p->guest->memory_bytes);
    p->job = (struct job){.side = o->side,
                          .guest = p->guest,
                          .hv_words = o->hv,
                          .cpu = o->cpu,
                          .ticks = o->ticks,
                          .serial = o->serial,
                          .log_serial = o->log_serial,
                          .exact = p->engine->counts && !o->no_icount,
                          .extra = o->qemu_args};
    if (p->engine->open)
        return 0; // the machine has its own image
    if (guest_image ? image_check(p->guest->image, &bytes)
                    : image_check_disk(p->guest->image, &bytes))
        return -1;
    p->hypervisor =
        o->hypervisor ? xstrdup(o->hypervisor) : xasprintf("%s/build/hv.elf", top_dir());
    p->dir = make_dir();
    if (!p->dir)
        return -1;
    p->job.image_bytes = bytes;
    p->job.hypervisor = p->hypervisor;
    p->job.dir = p->dir;
    char *copy = xasprintf("%s/disk0", p->dir);
    int rc = image_copy(p->guest->image, copy, append);
    free(copy);
    return rc;
}

void machine_clean(struct prepared *p)
{
    if (p->dir && p->keep)
        say("the working folder %s is kept", p->dir);
    DIR *dir = p->dir && !p->keep ? opendir(p->dir) : NULL;
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    if (p->dir && !p->keep && rmdir(p->dir))
        say("cannot remove %s: %s", p->dir, strerror(errno));
    free(p->dir);
    free(p->hypervisor);
    guest_free(p->guest);
}
