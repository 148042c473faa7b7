#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "result.h"

enum kind { FLAG, TEXT, INTEGER, REAL, SEED };

struct option_row {
    struct config_option option;
    enum kind kind;
    size_t offset;
    double min, max;
    const char *expected;
};

#define AT(field) offsetof(struct config, field)

static const struct option_row rows[] = {
    {{"set", "SET", "sizes: quick, standard or paper (quick)"}, TEXT, AT(set), 0, 0, NULL},
    {{"table", "LIST", "tables to run (see list), or all"}, TEXT, AT(tables), 0, 0, NULL},
    {{"only", "GLOBS", "benchmarks to run, by name: page_test,aim9.add_*"},
     TEXT,
     AT(only),
     0,
     0,
     NULL},
    {{"samples", "N", "samples of each benchmark, after one warm-up"},
     INTEGER,
     AT(samples),
     1,
     RESULT_MAX_SAMPLES,
     "a whole number from 1 to 101"},
    {{"rounds", "N", "visits of all benchmarks that the samples are spread over"},
     INTEGER,
     AT(rounds),
     1,
     RESULT_MAX_SAMPLES,
     "a whole number from 1 to 101"},
    {{"seconds", "S", "least duration of a sample"},
     REAL,
     AT(sample_s),
     1e-4,
     3600,
     "seconds from 0.0001 to 3600"},
    {{"seed", "N", "seed of all pseudo-random choices (1)"},
     SEED,
     AT(seed),
     0,
     0,
     "a whole number"},
    {{"shuffle", NULL, "run in an order drawn from the seed"}, FLAG, AT(shuffle), 0, 0, NULL},
    {{"dir", "DIR", "where disk tests work; they are skipped without it"},
     TEXT,
     AT(dir),
     0,
     0,
     NULL},
    {{"tmp", "DIR", "where other tests make files (/tmp)"}, TEXT, AT(tmp), 0, 0, NULL},
    {{"web-mb", "MB", "most that the web server's files take"},
     INTEGER,
     AT(web_mb),
     5,
     4000,
     "a whole number of MB from 5 to 4000"},
    {{"tcc", "FILE", "the C compiler of compile.tcc (/bin/tcc)"}, TEXT, AT(tcc), 0, 0, NULL},
    {{"toolchain", "DIR", "where bin/gcc is, for compile.gcc"}, TEXT, AT(toolchain), 0, 0, NULL},
    {{"disk", "DEV", "block device for direct reads (only read)"}, TEXT, AT(disk), 0, 0, NULL},
    {{"filesize", "KIB", "size of the disk tests' files"},
     INTEGER,
     AT(file_kib),
     16,
     1 << 20,
     "KiB from 16 to 1048576"},
    {{"peer", "HOST", "where guestbench --serve runs, for network tests"},
     TEXT,
     AT(peer),
     0,
     0,
     NULL},
    {{"port", "N", "of the peer, or to serve at (18767)"},
     INTEGER,
     AT(port),
     1,
     65535,
     "a port from 1 to 65535"},
    {{"timeout", "S", "limit for one benchmark"},
     REAL,
     AT(timeout_s),
     0.1,
     86400,
     "seconds from 0.1 to 86400"},
    {{"side", "WORD", "copied to the report: native, hvm"}, TEXT, AT(side), 0, 0, NULL},
    {{"output", "FILE", "write the report there (-o FILE)"}, TEXT, AT(output), 0, 0, NULL},
    {{"address", "A/BITS", "as init: address of the first network interface"},
     TEXT,
     AT(address),
     0,
     0,
     NULL},
    {{"serve", NULL, "be the peer of another machine's network tests, until stopped"},
     FLAG,
     AT(serve),
     0,
     0,
     NULL},
    {{"shell", NULL, "as init: a shell on the console instead of a run"},
     FLAG,
     AT(shell),
     0,
     0,
     NULL},
    {{"help", NULL, "this text (-h)"}, FLAG, AT(help), 0, 0, NULL},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

/*
 * Sizes of each set. MemoryMotion's paper size is derived from the paper's own
 * counters. The times of the file server's load and of network transfers are of
 * all samples together here: Dbench runs for 60 s, NetIO for 6 s a size.
 */
static const struct config sets[] = {
    {.set = "quick",
     .sample_s = 0.01,
     .samples = 7,
     .rounds = 7,
     .file_kib = 512,
     .sync_file_kib = 64,
     .mm_processes = 1,
     .mm_mib = 100,
     .client_kib = 3 << 10,
     .load_sample_s = 1.4,
     .net_sample_s = 0.07,
     .db_rows = 5000,
     .web_mb = 5,
     .compile_files = 10},
    {.set = "standard",
     .sample_s = 1.0,
     .samples = 7,
     .rounds = 1,
     .file_kib = 5120,
     .sync_file_kib = 5120,
     .mm_processes = 16,
     .mm_mib = 100,
     .client_kib = 23633,
     .load_sample_s = 3.5,
     .net_sample_s = 1.75,
     .db_rows = 100000,
     .web_mb = 20,
     .compile_files = 200},
    {.set = "paper",
     .sample_s = 1.0,
     .samples = 11,
     .rounds = 1,
     .file_kib = 5120,
     .sync_file_kib = 5120,
     .mm_processes = 416,
     .mm_mib = 100,
     .client_kib = 23633,
     .load_sample_s = 60,
     .net_sample_s = 6,
     .db_rows = 100000,
     .web_mb = 4000,
     .compile_files = 2000},
};

static int fail(char *error, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(char *error, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, size, format, args);
    va_end(args);
    return -1;
}

const struct config_option *config_options(size_t *count)
{
    static struct config_option list[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        list[i] = rows[i].option;
    *count = ROWS;
    return list;
}

static const struct option_row *find_row(const char *name, size_t length)
{
    for (size_t i = 0; i < ROWS; i++) {
        const char *known = rows[i].option.name;
        if (strlen(known) == length && memcmp(known, name, length) == 0)
            return &rows[i];
    }
    return NULL;
}

/* A whole decimal number and nothing else. */
static bool parse_number(const char *text, bool fraction, double *value)
{
    if (!isdigit((unsigned char)text[0]))
        return false;
    for (const char *c = text; *c; c++) {
        if (!isdigit((unsigned char)*c) && !(fraction && *c == '.'))
            return false;
    }
    char *end;
    *value = strtod(text, &end);
    return *end == '\0';
}

static bool store_number(const struct option_row *row, void *field, const char *value)
{
    double number;
    if (row->kind == SEED) {
        char *end;
        errno = 0;
        *(uint64_t *)field = strtoull(value, &end, 10);
        return isdigit((unsigned char)value[0]) && *end == '\0' && errno == 0;
    }
    if (!parse_number(value, row->kind == REAL, &number) || number < row->min || number > row->max)
        return false;
    if (row->kind == REAL)
        *(double *)field = number;
    else if (row->offset == AT(file_kib))
        *(long *)field = (long)number;
    else
        *(int *)field = (int)number;
    return true;
}

int config_set(struct config *config, const char *name, const char *value, char *error, size_t size)
{
    const struct option_row *row = find_row(name, strlen(name));
    if (!row)
        return fail(error, size, "unknown option '%s'; see --help", name);
    void *field = (char *)config + row->offset;
    if (row->kind == FLAG) {
        if (value)
            return fail(error, size, "option '%s' takes no value, got '%s'", name, value);
        *(bool *)field = true;
        return 0;
    }
    if (!value || !*value)
        return fail(error, size, "option '%s' needs a value (%s)", name, row->option.arg);
    if (row->kind == TEXT) {
        *(const char **)field = value;
        return 0;
    }
    if (!store_number(row, field, value))
        return fail(error, size, "option '%s': '%s' is not %s", name, value, row->expected);
    return 0;
}

/* One argument; *used says whether the next one was its value. */
static int parse_arg(struct config *config, char *arg, char *next, bool *used, char *error,
                     size_t size)
{
    *used = false;
    if (strcmp(arg, "-h") == 0)
        return config_set(config, "help", NULL, error, size);
    if (strcmp(arg, "-o") == 0) {
        *used = true;
        return config_set(config, "output", next, error, size);
    }
    if (strncmp(arg, "--", 2) != 0)
        return fail(error, size, "unexpected argument '%s'; names go into --only=%s", arg, arg);
    char *name = arg + 2;
    char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct option_row *row = find_row(name, length);
    if (!row || (row->offset == AT(shell)))
        return fail(error, size, "unknown option '--%.*s'; see --help", (int)length, name);
    if (equals)
        return config_set(config, row->option.name, equals + 1, error, size);
    *used = row->kind != FLAG;
    return config_set(config, row->option.name, *used ? next : NULL, error, size);
}

int config_parse_args(struct config *config, int argc, char **argv, char *error, size_t size)
{
    for (int i = 0; i < argc; i++) {
        bool used;
        char *next = i + 1 < argc ? argv[i + 1] : NULL;
        if (parse_arg(config, argv[i], next, &used, error, size) != 0)
            return -1;
        i += used;
    }
    return 0;
}

int config_parse_words(struct config *config, char *cmdline, char *error, size_t size)
{
    static const char prefix[] = "guestbench.";
    char *save = NULL;
    for (char *word = strtok_r(cmdline, " \t\r\n", &save); word;
         word = strtok_r(NULL, " \t\r\n", &save)) {
        if (strncmp(word, prefix, sizeof prefix - 1) != 0)
            continue;
        char *name = word + sizeof prefix - 1;
        char *value = strchr(name, '=');
        if (value)
            *value++ = '\0';
        char message[160];
        if (config_set(config, name, value, message, sizeof message) != 0)
            return fail(error, size, "kernel command line, %s%s: %s", prefix, name, message);
    }
    return 0;
}

int config_resolve(struct config *config, char *error, size_t size)
{
    const char *name = config->set ? config->set : "quick";
    const struct config *set = NULL;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (strcmp(sets[i].set, name) == 0)
            set = &sets[i];
    }
    if (!set)
        return fail(error, size, "unknown set '%s': expected quick, standard or paper", name);
    config->set = set->set;
    config->sync_file_kib = config->file_kib ? config->file_kib : set->sync_file_kib;
    config->file_kib = config->file_kib ? config->file_kib : set->file_kib;
    config->own_seconds = config->sample_s > 0;
    config->samples = config->samples ? config->samples : set->samples;
    config->rounds = config->rounds ? config->rounds : set->rounds;
    if (config->rounds > config->samples)
        config->rounds = config->samples;
    config->load_sample_s = config->net_sample_s = config->sample_s;
    if (config->sample_s <= 0) {
        config->sample_s = set->sample_s;
        config->load_sample_s = set->load_sample_s / config->samples;
        config->net_sample_s = set->net_sample_s / config->samples;
    }
    config->client_kib = set->client_kib;
    config->mm_processes = config->mm_processes ? config->mm_processes : set->mm_processes;
    config->mm_mib = config->mm_mib ? config->mm_mib : set->mm_mib;
    config->db_rows = set->db_rows;
    config->web_mb = config->web_mb ? config->web_mb : set->web_mb;
    config->compile_files = set->compile_files;
    config->tcc = config->tcc ? config->tcc : "/bin/tcc";
    config->seed = config->seed ? config->seed : 1;
    config->tmp = config->tmp ? config->tmp : "/tmp";
    config->side = config->side ? config->side : "unknown";
    return 0;
}

bool config_list_matches(const char *list, const char *name)
{
    const char *dot = strchr(name, '.');
    const char *bare = dot ? dot + 1 : name;
    char glob[128];
    while (*list) {
        size_t length = strcspn(list, ",");
        if (length > 0 && length < sizeof glob) {
            memcpy(glob, list, length);
            glob[length] = '\0';
            if (fnmatch(glob, name, 0) == 0 || fnmatch(glob, bare, 0) == 0)
                return true;
        }
        list += length + (list[length] == ',');
    }
    return false;
}
