#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void say_va(const char *format, va_list ap)
{
    fputs("penumbra: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
}

void say(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    say_va(format, ap);
    va_end(ap);
}

void die(int status, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    say_va(format, ap);
    va_end(ap);
    exit(status);
}

void *xcalloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p)
        die(2, "out of memory");
    return p;
}

void *xrealloc(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);
    if (!p)
        die(2, "out of memory");
    return p;
}

char *xstrdup(const char *text)
{
    return xstrndup(text, strlen(text));
}

char *xstrndup(const char *text, size_t length)
{
    char *copy = xcalloc(length + 1, 1);
    memcpy(copy, text, length);
    return copy;
}

char *xasprintf(const char *format, ...)
{
    char *out = NULL;
    va_list ap;
    va_start(ap, format);
    int n = vasprintf(&out, format, ap);
    va_end(ap);
    if (n < 0)
        die(2, "out of memory");
    return out;
}

void buf_add(struct buf *buf, const char *data, size_t len)
{
    if (buf->len + len + 1 > buf->cap) {
        buf->cap = (buf->len + len + 1) * 2;
        buf->data = xrealloc(buf->data, buf->cap);
    }
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, format);
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    if (n < 0)
        die(2, "out of memory");
    buf_add(buf, text, (size_t)n);
    free(text);
}

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

static void words_take(struct words *words, char *word)
{
    if (words->n + 2 > words->cap) {
        words->cap = (words->n + 2) * 2;
        words->word = xrealloc(words->word, words->cap * sizeof(*words->word));
    }
    words->word[words->n++] = word;
    words->word[words->n] = NULL;
}

void words_add(struct words *words, const char *word)
{
    words_take(words, xstrdup(word));
}

void words_printf(struct words *words, const char *format, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, format);
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    if (n < 0)
        die(2, "out of memory");
    words_take(words, text);
}

void words_split(struct words *words, const char *text)
{
    for (;;) {
        text += strspn(text, " \t\n");
        size_t len = strcspn(text, " \t\n");
        if (!len)
            return;
        words_take(words, xstrndup(text, len));
        text += len;
    }
}

char *words_join(const struct words *words)
{
    struct buf out = {0};
    buf_add(&out, "", 0);
    for (size_t i = 0; i < words->n; i++)
        buf_printf(&out, "%s%s", i ? " " : "", words->word[i]);
    return out.data;
}

void words_free(struct words *words)
{
    for (size_t i = 0; i < words->n; i++)
        free(words->word[i]);
    free(words->word);
    *words = (struct words){0};
}

static char *fd_read(int fd, size_t max, size_t *len)
{
    struct buf out = {0};
    char block[65536];
    for (;;) {
        ssize_t n = read(fd, block, sizeof(block));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || out.len + (size_t)n > max) {
            int saved = n < 0 ? errno : EFBIG;
            buf_free(&out);
            errno = saved;
            return NULL;
        }
        buf_add(&out, block, (size_t)n);
        if (n == 0)
            break;
    }
    if (len)
        *len = out.len;
    return out.data;
}

char *file_read(const char *path, size_t max, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *text = fd_read(fd, max, len);
    int saved = errno;
    close(fd);
    errno = saved;
    return text;
}

int write_all(int fd, const void *data, size_t len)
{
    const char *p = data;
    while (len) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

// A device, a pipe or a terminal cannot be replaced by a rename; it is written in place.
static int file_write_in_place(const char *path, const char *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int rc = write_all(fd, data, len);
    int saved = errno;
    if (close(fd) && !rc)
        return -1;
    errno = saved;
    return rc;
}

int file_replace(const char *path, const char *data, size_t len)
{
    struct stat st;
    if (!stat(path, &st) && !S_ISREG(st.st_mode))
        return file_write_in_place(path, data, len);
    char *temp = xasprintf("%s.tmp.%d", path, (int)getpid());
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int rc = fd < 0 ? -1 : write_all(fd, data, len);
    if (!rc)
        rc = fsync(fd);
    int saved = errno;
    if (fd >= 0 && close(fd) && !rc) {
        rc = -1;
        saved = errno;
    }
    if (!rc && rename(temp, path)) {
        rc = -1;
        saved = errno;
    }
    if (rc && fd >= 0)
        unlink(temp);
    free(temp);
    errno = saved;
    return rc;
}

const char *top_dir(void)
{
    static char path[PATH_MAX];
    const char *set = getenv("PENUMBRA_TOP");
    if (set && *set)
        return set;
    if (path[0])
        return path;
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (n <= 0) {
        strcpy(path, ".");
        return path;
    }
    path[n] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(path, '/');
        if (slash && slash != path)
            *slash = '\0';
    }
    return path;
}

double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

bool parse_count(const char *text, unsigned long max, unsigned long *out)
{
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || *end || value > max)
        return false;
    *out = value;
    return true;
}

bool parse_size(const char *text, unsigned long long *bytes)
{
    static const char units[] = "KMG";
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    unsigned shift = 0;
    if (*end) {
        const char *unit = strchr(units, *end);
        if (!unit || end[1])
            return false;
        shift = 10 * (unsigned)(unit - units + 1);
    }
    if (errno || value > (UINT64_MAX >> shift) || !value)
        return false;
    *bytes = value << shift;
    return true;
}

bool parse_number(const char *text, double *out)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end || errno == ERANGE || !isfinite(value))
        return false;
    *out = value;
    return true;
}
