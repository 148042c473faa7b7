/*
 * The web server's files and the requests for them: four classes of nine sizes
 * in each directory, drawn by fixed frequencies.
 */
#ifndef GUESTBENCH_WEB_FILES_H
#define GUESTBENCH_WEB_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WEB_CLASSES = 4,
    WEB_SIZES = 9,
    WEB_DIRECTORY_MB = 5, /* what a directory's 36 files take */
    WEB_DIRECTORIES_MAX = 800,
    WEB_PATH_MAX = 32,
    WEB_REQUEST_MAX = 512,
    WEB_RECORD = 64, /* bytes that a POST adds to the log */
    WEB_ADS = 360,
    WEB_HUNDRED = 100, /* requests of files, in which each class has its share */
};

#define WEB_POST_LOG "post.log"

enum web_kind { WEB_STATIC, WEB_DYNAMIC, WEB_AD, WEB_POST, WEB_CGI, WEB_KINDS };

struct web_request {
    enum web_kind kind;
    int directory, class, size; /* the file; size is 1 to 9 */
    uint32_t user;              /* of the cookie or the POST */
    uint32_t last_ad;
    bool keep_alive;
};

/*
 * What may be requested: directories by Zipf's law, files by the shares of their classes and each
 * size as often as any other, both spread evenly. A reply of the largest class keeps one of few
 * lines busy for up to 18 s, so with files drawn independently the rate is a matter of luck.
 */
struct web_mix {
    int directories;
    double cumulative[WEB_DIRECTORIES_MAX];
    int owed[WEB_CLASSES];                 /* hundredths of a request */
    uint8_t sizes[WEB_CLASSES][WEB_SIZES]; /* a round of each class */
    int left[WEB_CLASSES];                 /* of it */
};

void web_mix_init(struct web_mix *mix, int directories);
void web_mix_draw(struct web_mix *mix, uint64_t *random, struct web_request *request);

/* Requests of the next connection: 1, or a number with mean 10 (70 % of all requests). */
int web_draw_requests(uint64_t *random);

size_t web_file_size(int class, int size);
void web_file_path(int directory, int class, int size, char path[WEB_PATH_MAX]);

/* length (at most 64 KiB) bytes of a file's contents, from offset on. */
const char *web_file_bytes(int directory, int class, int size, size_t offset);

/*
 * Makes the files of one directory below the working directory. Returns 0 or -1
 * (errno).
 */
int web_files_make(int directory);

/* The text of a request. Returns its length. */
int web_request_format(const struct web_request *request, char text[WEB_REQUEST_MAX]);

/* Reads a request back, as the server does. Returns false if it is none. */
bool web_request_parse(const char *text, struct web_request *request);

/* The line that a POST adds to the log. */
void web_record_format(const struct web_request *request, char record[WEB_RECORD + 1]);

/* The advertisement that comes after last_ad for a user. */
uint32_t web_ad_choose(uint32_t user, uint32_t last_ad);

/* A reply's body: a head, the file and a tail (static: the file; POST: the head). */
struct web_body {
    char head[160];
    size_t head_bytes, file_bytes, tail_bytes;
    const struct web_request *request;
};

void web_body_init(struct web_body *body, const struct web_request *request);
size_t web_body_bytes(const struct web_body *body);
const char *web_body_tail(void);

/* Are these length bytes, at most 16 KiB, those of the body at offset? */
bool web_body_matches(const struct web_body *body, size_t offset, const char *bytes, size_t length);

#endif
