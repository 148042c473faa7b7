// Small helpers that every part of the command uses: messages, memory that does not fail, growing
// text, whole-file reads.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// Prints "penumbra: " and the message as one line on standard error.
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

// say(), then exit with `status`.
__attribute__((format(printf, 2, 3), noreturn)) void die(int status, const char *format, ...);

// malloc and friends that end the program with a message when memory is out.
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
__attribute__((format(printf, 1, 2))) char *xasprintf(const char *format, ...);

// Growing text; `data` is always terminated, or NULL while nothing was added.
struct buf {
    char *data;
    size_t len, cap;
};
void buf_add(struct buf *buf, const char *data, size_t len);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *buf, const char *format, ...);
void buf_free(struct buf *buf);

// A growing argument vector, NULL-terminated; owns its words.
struct words {
    char **word;
    size_t n, cap;
};
void words_add(struct words *words, const char *word);
__attribute__((format(printf, 2, 3))) void words_printf(struct words *words, const char *format,
                                                        ...);
void words_split(struct words *words, const char *text);
char *words_join(const struct words *words);
void words_free(struct words *words);

// Reads a whole file of at most `max` bytes. Returns terminated text the caller frees, or NULL with
// errno set (EFBIG where it is larger).
char *file_read(const char *path, size_t max, size_t *len);

// Writes all bytes; 0, or -1 with errno.
int write_all(int fd, const void *data, size_t len);

// Writes `len` bytes to `path` by a temporary name and a rename, so that a full disk leaves what
// was there before. 0, or -1 with errno; nothing is left behind on failure.
int file_replace(const char *path, const char *data, size_t len);

// The folder that holds build/ and images/: $PENUMBRA_TOP, or the parent of the folder of this
// program.
const char *top_dir(void);

// Seconds of CLOCK_MONOTONIC.
double now_s(void);

// Parses a whole unsigned decimal number, a size with K, M or G, or a finite number. False if
// `text` is anything else.
bool parse_count(const char *text, unsigned long max, unsigned long *out);
bool parse_size(const char *text, unsigned long long *bytes);
bool parse_number(const char *text, double *out);
