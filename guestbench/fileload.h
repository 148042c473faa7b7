/*
 * The load of an office file server: which operation a client does next, on
 * which file, where and how much. Frequencies and sizes are those measured on
 * the load file that Dbench 4.0 comes with; the stream is drawn from a seed. The
 * generator keeps book of files and handles, so that each step can be done and
 * its outcome is known.
 */
#ifndef GUESTBENCH_FILELOAD_H
#define GUESTBENCH_FILELOAD_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FILELOAD_FILES_MAX = 196,
    FILELOAD_HANDLES = 23,   /* most that are open at once */
    FILELOAD_DIRECTORY = 14, /* files in a directory */
    FILELOAD_WRITE_MOST = 65536,
    FILELOAD_READ_MOST = 61440,
    FILELOAD_ALIGN = 8, /* sizes and offsets are multiples, but for single bytes at the end */
};

enum fileload_op {
    FILELOAD_READ,
    FILELOAD_PATH_INFO,
    FILELOAD_OPEN,
    FILELOAD_CLOSE,
    FILELOAD_WRITE,
    FILELOAD_FIND,
    FILELOAD_PATH_MISSING, /* of a name that is not there */
    FILELOAD_OPEN_MISSING, /* same */
    FILELOAD_UNLINK,
    FILELOAD_FIND_MISSING, /* same */
    FILELOAD_FS_INFO,
    FILELOAD_FILE_INFO,
    FILELOAD_SET_INFO,
    FILELOAD_FLUSH,
    FILELOAD_RENAME,
    FILELOAD_LOCK, /* and unlock */
    FILELOAD_OPS,
};

struct fileload_step {
    enum fileload_op op;
    bool create;             /* open: the file is not there yet */
    int file;                /* number of the name, -1 for FS_INFO */
    int to;                  /* rename: number of the new name */
    int handle;              /* open, close and what needs an open file */
    uint32_t offset, length; /* read and write */
};

struct fileload_file {
    uint32_t serial; /* another one for each file created */
    uint32_t limit;  /* it grows up to that */
    uint32_t size;
    bool exists;
    bool scratch; /* may be written, renamed and removed */
    bool sparse;  /* some of it was never written */
    uint8_t opens;
};

struct fileload_handle {
    int file; /* -1: closed */
    uint32_t position;
};

struct fileload {
    uint64_t random;
    uint32_t next_serial;
    int files;
    int open;
    struct fileload_file file[FILELOAD_FILES_MAX];
    struct fileload_handle handle[FILELOAD_HANDLES];
};

/* Bytes of the original's files at their peak. */
enum { FILELOAD_FULL_BYTES = 24200000 };

/*
 * Starts a stream. bytes is the most that all files together may have: with
 * less than FILELOAD_FULL_BYTES there are fewer files of the same sizes. Files
 * that exist at the start have their full size.
 */
void fileload_start(struct fileload *load, uint64_t seed, uint32_t bytes);

/* Draws the next step and enters its effect in the books. */
void fileload_next(struct fileload *load, struct fileload_step *step);

/* How often an operation occurs in the original, of 458,086. */
uint32_t fileload_weight(enum fileload_op op);

#endif
