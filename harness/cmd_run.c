#include "commands.h"
#include "insns.h"
#include "prepare.h"
#include "run.h"
#include "verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { key_guest = 512, key_set, key_only, key_seed, key_samples, key_timeout, key_total };

struct run_options {
    struct machine_options machine;
    const char *output, *only, *set, *seed, *samples;
    struct limits limits;
    bool quiet;
};

static const struct argp_option options[] = {
    {"guest", 'g', "NAME", 0, "Guest to run, a name of `penumbra guests` (default linux-686)", 0},
    {"output", 'o', "FILE", 0, "TAP file to make; logs and records go beside it (required)", 0},
    {"set", key_set, "NAME", 0, "Size of the work: quick (default), standard, paper", 0},
    {"only", key_only, "GLOBS", 0, "Only these tests, separated by commas", 0},
    {"samples", key_samples, "N", 0, "Samples a test", 0},
    {"seed", key_seed, "N", 0, "Seed of the order of the tests and of their data", 0},
    {"timeout", key_timeout, "S", 0,
     "Watchdog: end a machine silent for S seconds (default 120, 0 never)", 0},
    {"total-timeout", key_total, "S", 0, "End the run after S seconds (default 7200, 0 never)", 0},
    {"quiet", 'q', NULL, 0, "No progress line", 0},
    {0},
};

static void take_seconds(struct argp_state *state, const char *option, const char *arg, double *out)
{
    if (!parse_number(arg, out) || *out < 0)
        argp_error(state, "--%s: '%s' is not a number of seconds", option, arg);
}

static void take_count(struct argp_state *state, const char *option, const char *arg,
                       const char **out)
{
    unsigned long n;
    if (!parse_count(arg, 4294967295ul, &n))
        argp_error(state, "--%s: '%s' is not a whole number", option, arg);
    *out = arg;
}

static void take_word(struct argp_state *state, const char *option, const char *arg,
                      const char **out)
{
    if (!*arg || strpbrk(arg, " \t\n\"'"))
        argp_error(state, "--%s: '%s' is not one word", option, arg);
    *out = arg;
}

static void take_set(struct argp_state *state, const char *arg, const char **out)
{
    if (strcmp(arg, "quick") && strcmp(arg, "standard") && strcmp(arg, "paper"))
        argp_error(state, "unknown set '%s'; sets: quick standard paper", arg);
    *out = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct run_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &o->machine; return 0;
    case 'g': o->machine.guest = arg; return 0;
    case 'o': o->output = arg; return 0;
    case 'q': o->quiet = true; return 0;
    case key_set: take_set(state, arg, &o->set); return 0;
    case key_only: take_word(state, "only", arg, &o->only); return 0;
    case key_samples: take_count(state, "samples", arg, &o->samples); return 0;
    case key_seed: take_count(state, "seed", arg, &o->seed); return 0;
    case key_timeout: take_seconds(state, "timeout", arg, &o->limits.silence_s); return 0;
    case key_total: take_seconds(state, "total-timeout", arg, &o->limits.total_s); return 0;
    case ARGP_KEY_ARG: argp_error(state, "unexpected argument '%s'", arg); return 0;
    case ARGP_KEY_END:
        if (!o->output)
            argp_error(state, "-o FILE is missing");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void options_read(struct run_options *o, int argc, char **argv)
{
    const struct argp_child children[] = {{&machine_argp, 0, "The machine:", 1}, {0}};
    const struct argp argp = {
        .options = options,
        .parser = parse,
        .children = children,
        .doc =
            "Runs a guest's benchmarks and writes their TAP.\vWhile it runs the results go to "
            "FILE.partial, which stays after a failure. Exit status: 0 complete, 1 complete with "
            "`not ok` points, 2 bad input, 3 the guest did not come to its end, 4 the watchdog "
            "ended it, 130 interrupted."};
    *o = (struct run_options){.set = "quick", .limits = {.silence_s = 120, .total_s = 7200}};
    machine_defaults(&o->machine);
    o->machine.guest = "linux-686";
    argp_parse(&argp, argc, argv, 0, NULL, o);
}

// The job's words for guestbench and the person's words for the kernel.
static char *job_words(const struct run_options *o)
{
    struct words words = {0};
    words_printf(&words, "guestbench.set=%s guestbench.side=%s", o->set,
                 side_name(o->machine.side));
    const struct {
        const char *key, *value;
    } job[] = {{"only", o->only}, {"samples", o->samples}, {"seed", o->seed}};
    for (size_t i = 0; i < sizeof(job) / sizeof(*job); i++)
        if (job[i].value)
            words_printf(&words, "guestbench.%s=%s", job[i].key, job[i].value);
    words_split(&words, o->machine.append);
    char *text = words_join(&words);
    words_free(&words);
    return text;
}

static void facts_before(struct outset *out, const struct prepared *p, const char *words)
{
    struct buf text = {0}, engine = {0}, missing = {0};
    char date[32];
    time_t now = time(NULL);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    p->engine->probe(p->job.side, &engine, &missing);
    facts_print(&text, "date", date);
    facts_print(&text, "engine", p->engine->name);
    facts_print(&text, "engine_version", engine.data ? engine.data : "");
    facts_print(&text, "side", side_name(p->job.side));
    facts_print(&text, "guest", p->guest->name);
    if (p->job.serial)
        facts_print(&text, "serial", p->job.serial);
    else
        facts_print(&text, "image", p->guest->image);
    buf_printf(&text, "memory_mib: %llu\n", p->guest->memory_bytes >> 20);
    facts_print(&text, "time_unit", p->job.exact ? "instructions" : "nanoseconds");
    if (p->job.cpu)
        facts_print(&text, "cpu_model", p->job.cpu);
    facts_print(&text, "words", words);
    outset_write(out, out_facts, text.data, text.len);
    buf_free(&text);
    buf_free(&engine);
    buf_free(&missing);
}

static void facts_after(struct outset *out, const struct run_result *result)
{
    struct buf text = {0};
    facts_print(&text, "end", result->stop == stop_none ? result->ending.name : "stopped");
    buf_printf(&text, "wall_s: %.1f\npoints: %lu\nplan: %lu\n", result->wall_s, result->points,
               result->plan);
    if (result->ending.ticks)
        buf_printf(&text, "ticks: %llu\n", result->ending.ticks);
    outset_write(out, out_facts, text.data, text.len);
    buf_free(&text);
}

// Adds the engine's counts between the marks to the records.
static void add_insns(struct outset *out, const struct prepared *p)
{
    struct tap_file tap;
    struct buf lines = {0}, why = {0};
    if (!p->dir)
        return;
    char *path = xasprintf("%s/insns", p->dir);
    char *counts = file_read(path, 1 << 20, NULL);
    free(path);
    if (!counts)
        return;
    if (!tap_read(out->partial[out_tap], &tap, &why)) {
        insns_join(&tap, counts, &lines, &why);
        tap_free(&tap);
    }
    if (why.len)
        say("instructions are not counted: %s", why.data);
    if (lines.len)
        outset_write(out, out_records, lines.data, lines.len);
    buf_free(&lines);
    buf_free(&why);
    free(counts);
}

static int run_prepared(struct prepared *p, const struct run_options *o, const char *words)
{
    struct outset out;
    struct run_result result = {0};
    if (outset_open(&out, o->output)) {
        outset_close(&out, false);
        return exit_trouble;
    }
    facts_before(&out, p, words);
    run_machine(p->engine, &p->job, &out, &o->limits, o->quiet, &result);
    facts_after(&out, &result);
    if (result.where)
        outset_write(&out, out_engine, result.where, strlen(result.where));
    int rc = verdict_say(&result, p->job.side, o->output);
    bool complete = result.complete && result.stop != stop_output;
    if (complete)
        add_insns(&out, p);
    if (outset_close(&out, complete))
        rc = exit_trouble;
    if (!complete && result.points)
        say("%lu of %lu points are kept in %s.partial", result.points, result.plan, o->output);
    run_result_free(&result);
    return rc;
}

int cmd_run(int argc, char **argv)
{
    struct run_options o;
    options_read(&o, argc, argv);
    char *words = job_words(&o);
    struct prepared p = {0};
    int rc =
        machine_prepare(&p, &o.machine, words, true) ? exit_trouble : run_prepared(&p, &o, words);
    machine_clean(&p);
    words_free(&o.machine.qemu_args);
    free(words);
    return rc;
}
