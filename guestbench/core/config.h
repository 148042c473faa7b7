/* The options of a run, from the command line or from the kernel's. */
#ifndef GUESTBENCH_CONFIG_H
#define GUESTBENCH_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero or NULL means "not given" until config_resolve has filled the gaps. */
struct config {
    const char *set;       /* quick, standard, paper */
    const char *tables;    /* comma-separated, NULL: all of the paper's */
    const char *only;      /* comma-separated globs */
    int samples;           /* a benchmark */
    int rounds;            /* visits of all benchmarks over which the samples are spread */
    double sample_s;       /* least duration of a sample */
    uint64_t seed;         /* of all pseudo-random choices */
    bool shuffle;          /* run in an order drawn from the seed */
    const char *dir;       /* where disk tests work */
    const char *tmp;       /* where others make files */
    const char *disk;      /* block device for direct reads */
    long file_kib;         /* size of AIM9's files */
    long sync_file_kib;    /* same, for the sync_* tests */
    int mm_processes;      /* MemoryMotion: how many processes */
    int mm_mib;            /* MemoryMotion: what each writes */
    int client_kib;        /* file server: files of a client */
    double load_sample_s;  /* same, a sample */
    double net_sample_s;   /* network transfers, a sample */
    const char *peer;      /* host that network tests talk to */
    int port;              /* of it, or to serve at */
    int db_rows;           /* of the databases' table */
    int web_mb;            /* size of the web server's files at most */
    int compile_files;     /* C sources of the tree that is compiled */
    const char *tcc;       /* the C compiler of `compile` */
    const char *toolchain; /* directory of another one, for `compile.gcc` */
    double warm_s;         /* unmeasured load of servers before their samples */
    bool own_seconds;      /* sample_s was given */
    double timeout_s;      /* a benchmark */
    const char *side;      /* native, hvm: copied to the report */
    const char *output;    /* file for the report */
    const char *address;   /* init: ADDRESS/BITS of the first network interface */
    bool serve;            /* be the peer of another machine's network tests */
    bool shell;            /* init: a shell instead of a run */
    bool help;
    /* No option sets these. */
    bool progress;  /* a line on standard error */
    uint64_t iters; /* iterations of a sample, known from an earlier visit */
};

/* One option; the table behind config_options serves both kinds of command line. */
struct config_option {
    const char *name;
    const char *arg; /* NULL for a flag */
    const char *help;
};

const struct config_option *config_options(size_t *count);

/*
 * Sets one option by name. Returns 0, or -1 with a message in error that names
 * the option and says what was expected.
 */
int config_set(struct config *config, const char *name, const char *value, char *error,
               size_t size);

/*
 * Reads the arguments of `run` (argv without the command itself). Returns 0 or
 * -1 with a message.
 */
int config_parse_args(struct config *config, int argc, char **argv, char *error, size_t size);

/*
 * Reads the words that begin with "guestbench." from a kernel command line,
 * which is cut up in place and must outlive the config. Returns 0 or -1 with a
 * message.
 */
int config_parse_words(struct config *config, char *cmdline, char *error, size_t size);

/* Fills what was not given from the set. Returns 0 or -1 with a message. */
int config_resolve(struct config *config, char *error, size_t size);

/* Does name match a glob of the comma-separated list, with or without its group prefix? */
bool config_list_matches(const char *list, const char *name);

#endif
