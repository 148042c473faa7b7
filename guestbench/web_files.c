#define _GNU_SOURCE
#include "web_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/random.h"

enum { PATTERN = 64 * 1024 };

static char pattern[2 * PATTERN]; /* twice the same, so that a piece is in one part */

/* Of 10,000 requests; and of a hundred for files. */
static const uint32_t kind_limits[] = {7000, 8245, 9505, 9985, 10000};
static const int class_shares[WEB_CLASSES] = {35, 50, 14, 1};

/* Of all orders the one in which about as many lines are busy with large files at any time. */
static const uint8_t largest_sizes[WEB_SIZES] = {5, 1, 7, 2, 6, 4, 8, 3, 9};

static const char *const prefixes[] = {"", "/dynamic", "/ad", "/post", "/cgi"};
static const char tail[] = "\n</pre>\n</body></html>\n";

static uint32_t draw_by_limits(uint64_t *random, const uint32_t *limits)
{
    uint32_t draw = random_below(random, 10000), i = 0;
    while (draw >= limits[i])
        i++;
    return i;
}

void web_mix_init(struct web_mix *mix, int directories)
{
    double sum = 0;
    memset(mix, 0, sizeof *mix);
    mix->directories = directories;
    for (int i = 0; i < directories; i++)
        mix->cumulative[i] = sum += 1.0 / (i + 1);
    for (int i = 0; i < directories; i++)
        mix->cumulative[i] /= sum;
}

/* The class that has got the least of its share. */
static int next_class(struct web_mix *mix)
{
    int most = 0;
    for (int class = 0; class < WEB_CLASSES; class ++) {
        mix->owed[class] += class_shares[class];
        if (mix->owed[class] > mix->owed[most])
            most = class;
    }
    mix->owed[most] -= WEB_HUNDRED;
    return most;
}

/* Each size once, in a new order; the largest class in one that is always the same. */
static void deal_sizes(struct web_mix *mix, int class, uint64_t *random)
{
    uint8_t *sizes = mix->sizes[class];
    memcpy(sizes, largest_sizes, WEB_SIZES);
    for (int i = WEB_SIZES - 1; i > 0 && class < WEB_CLASSES - 1; i--) {
        int j = (int)random_below(random, (uint32_t)i + 1);
        uint8_t other = sizes[i];
        sizes[i] = sizes[j];
        sizes[j] = other;
    }
    mix->left[class] = WEB_SIZES;
}

static void draw_file(struct web_mix *mix, uint64_t *random, struct web_request *request)
{
    request->class = next_class(mix);
    if (mix->left[request->class] == 0)
        deal_sizes(mix, request->class, random);
    request->size = mix->sizes[request->class][--mix->left[request->class]];
}

void web_mix_draw(struct web_mix *mix, uint64_t *random, struct web_request *request)
{
    double where = (double)(random_next(random) >> 11) / (double)(1ull << 53);
    request->kind = (enum web_kind)draw_by_limits(random, kind_limits);
    request->directory = 0;
    while (request->directory + 1 < mix->directories &&
           mix->cumulative[request->directory] <= where)
        request->directory++;
    request->user = random_below(random, 10000);
    request->last_ad = random_below(random, WEB_ADS);
    request->class = 0;
    request->size = 1;
    if (request->kind != WEB_POST) /* which gets no file */
        draw_file(mix, random, request);
}

/* With p of the connections kept for k = 10 requests, pk / (pk + 1 - p) is 0.7 at p = 0.189. */
int web_draw_requests(uint64_t *random)
{
    if (random_below(random, 1000) >= 189)
        return 1;
    return 5 + (int)random_below(random, 11);
}

size_t web_file_size(int class, int size)
{
    static const size_t steps[WEB_CLASSES] = {102, 1024, 10240, 102400};
    return steps[class] * (size_t)size;
}

void web_file_path(int directory, int class, int size, char path[WEB_PATH_MAX])
{
    snprintf(path, WEB_PATH_MAX, "dir%05d/class%d_%d", directory, class, size);
}

static void make_pattern(void)
{
    uint64_t random = 99;
    for (size_t i = 0; i < PATTERN; i++)
        pattern[i] = pattern[i + PATTERN] = (char)(' ' + random_below(&random, 95));
}

const char *web_file_bytes(int directory, int class, int size, size_t offset)
{
    if (!pattern[0])
        make_pattern();
    return &pattern[(offset + 977u * (size_t)directory + 7919u * (size_t) class +
                     331u * (size_t)size) %
                    PATTERN];
}

static int make_file(int directory, int class, int size)
{
    char path[WEB_PATH_MAX];
    size_t left = web_file_size(class, size), at = 0;
    web_file_path(directory, class, size, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    while (fd >= 0 && at < left) {
        size_t part = left - at < PATTERN ? left - at : PATTERN;
        ssize_t done = write(fd, web_file_bytes(directory, class, size, at), part);
        if (done <= 0) {
            int error = done == 0 ? ENOSPC : errno;
            close(fd);
            errno = error;
            return -1;
        }
        at += (size_t)done;
    }
    return fd < 0 ? -1 : close(fd);
}

int web_files_make(int directory)
{
    char path[WEB_PATH_MAX];
    snprintf(path, sizeof path, "dir%05d", directory);
    if (mkdir(path, 0755) != 0)
        return -1;
    for (int class = 0; class < WEB_CLASSES; class ++) {
        for (int size = 1; size <= WEB_SIZES; size++) {
            if (make_file(directory, class, size) != 0)
                return -1;
        }
    }
    return 0;
}

void web_record_format(const struct web_request *request, char record[WEB_RECORD + 1])
{
    snprintf(record, WEB_RECORD + 1, "user=%05u&dir=%05d&class=%d&size=%d%*s\n", request->user,
             request->directory, request->class, request->size, WEB_RECORD - 36, "");
}

int web_request_format(const struct web_request *request, char text[WEB_REQUEST_MAX])
{
    char path[WEB_PATH_MAX], cookie[64] = "", record[WEB_RECORD + 1] = "", length[40] = "";
    web_file_path(request->directory, request->class, request->size, path);
    if (request->kind == WEB_AD)
        snprintf(cookie, sizeof cookie, "Cookie: user=%u; ad=%u\r\n", request->user,
                 request->last_ad);
    if (request->kind == WEB_POST) {
        web_record_format(request, record);
        snprintf(length, sizeof length, "Content-Length: %d\r\n", WEB_RECORD);
    }
    return snprintf(text, WEB_REQUEST_MAX,
                    "%s %s/%s HTTP/1.1\r\nHost: guestbench\r\nConnection: %s\r\n%s%s\r\n%s",
                    request->kind == WEB_POST ? "POST" : "GET", prefixes[request->kind], path,
                    request->keep_alive ? "keep-alive" : "close", cookie, length, record);
}

static bool parse_file(const char *path, struct web_request *request)
{
    return sscanf(path, "/dir%5d/class%1d_%1d", &request->directory, &request->class,
                  &request->size) == 3 &&
           request->directory >= 0 && request->class >= 0 && request->class < WEB_CLASSES &&
           request->size >= 1 && request->size <= WEB_SIZES;
}

bool web_request_parse(const char *text, struct web_request *request)
{
    bool post = strncmp(text, "POST ", 5) == 0;
    if (!post && strncmp(text, "GET ", 4) != 0)
        return false;
    const char *path = strchr(text, ' ') + 1, *field;
    memset(request, 0, sizeof *request);
    for (int kind = WEB_KINDS - 1; kind > WEB_STATIC && request->kind == WEB_STATIC; kind--) {
        if (strncmp(path, prefixes[kind], strlen(prefixes[kind])) == 0)
            request->kind = (enum web_kind)kind;
    }
    request->keep_alive = strstr(text, "Connection: keep-alive") != NULL;
    if ((field = strstr(text, "Cookie: ")) != NULL)
        sscanf(field, "Cookie: user=%u; ad=%u", &request->user, &request->last_ad);
    if (post && (field = strstr(text, "\r\n\r\n")) != NULL)
        sscanf(field, "\r\n\r\nuser=%u", &request->user);
    return post == (request->kind == WEB_POST) &&
           parse_file(path + strlen(prefixes[request->kind]), request);
}

uint32_t web_ad_choose(uint32_t user, uint32_t last_ad)
{
    return (last_ad + 1 + user % 7) % WEB_ADS;
}

void web_body_init(struct web_body *body, const struct web_request *request)
{
    uint32_t ad = request->kind == WEB_AD ? web_ad_choose(request->user, request->last_ad) : 0;
    char path[WEB_PATH_MAX];
    *body = (struct web_body){.request = request};
    web_file_path(request->directory, request->class, request->size, path);
    if (request->kind == WEB_STATIC) {
        body->file_bytes = web_file_size(request->class, request->size);
    } else if (request->kind == WEB_POST) {
        web_record_format(request, body->head);
        body->head_bytes = strlen(body->head);
    } else {
        body->head_bytes = (size_t)snprintf(
            body->head, sizeof body->head,
            "<html><head><title>%s</title></head><body><img src=\"/ads/%u\"><pre>\n", path, ad);
        body->file_bytes = web_file_size(request->class, request->size);
        body->tail_bytes = sizeof tail - 1;
    }
}

size_t web_body_bytes(const struct web_body *body)
{
    return body->head_bytes + body->file_bytes + body->tail_bytes;
}

const char *web_body_tail(void)
{
    return tail;
}

/* Compares what of the bytes at *offset lies in a part that begins with source; steps over it. */
static bool part_matches(const char *source, size_t part_left, const char **bytes, size_t *length)
{
    size_t common = *length < part_left ? *length : part_left;
    bool same = memcmp(source, *bytes, common) == 0;
    *bytes += common;
    *length -= common;
    return same;
}

bool web_body_matches(const struct web_body *body, size_t offset, const char *bytes, size_t length)
{
    const struct web_request *r = body->request;
    bool same = true;
    if (length > web_body_bytes(body) - offset)
        return false;
    if (offset < body->head_bytes) {
        size_t left = body->head_bytes - offset;
        same &= part_matches(body->head + offset, left, &bytes, &length);
        offset = body->head_bytes;
    }
    offset -= body->head_bytes;
    if (length > 0 && offset < body->file_bytes) {
        size_t left = body->file_bytes - offset;
        same &= part_matches(web_file_bytes(r->directory, r->class, r->size, offset), left, &bytes,
                             &length);
        offset = body->file_bytes;
    }
    offset -= offset < body->file_bytes ? offset : body->file_bytes;
    return same && (length == 0 || memcmp(tail + offset, bytes, length) == 0);
}
