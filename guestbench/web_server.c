#define _GNU_SOURCE
#include "web_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/self.h"
#include "helper.h"
#include "web_files.h"

enum { BUFFER = 16 * 1024, HEADER_MAX = 512 };

static char output[BUFFER];
static size_t pending; /* bytes in output */

static bool flush(int fd)
{
    bool good = helper_write(fd, output, pending);
    pending = 0;
    return good;
}

static bool put(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t part = length < sizeof output - pending ? length : sizeof output - pending;
        memcpy(output + pending, bytes, part);
        pending += part;
        bytes += part;
        length -= part;
        if (pending == sizeof output && !flush(fd))
            return false;
    }
    return true;
}

/* Copies exactly length bytes from a file or a pipe. */
static bool put_from(int fd, int from, size_t length)
{
    while (length > 0) {
        size_t part = length < sizeof output - pending ? length : sizeof output - pending;
        ssize_t got = read(from, output + pending, part);
        if (got <= 0)
            return false;
        pending += (size_t)got;
        length -= (size_t)got;
        if (pending == sizeof output && !flush(fd))
            return false;
    }
    return true;
}

static bool put_header(int fd, const struct web_request *request, size_t body_bytes)
{
    char header[HEADER_MAX], cookie[64] = "";
    if (request->kind == WEB_AD)
        snprintf(cookie, sizeof cookie, "Set-Cookie: user=%u; ad=%u\r\n", request->user,
                 web_ad_choose(request->user, request->last_ad));
    int length = snprintf(header, sizeof header,
                          "HTTP/1.1 200 OK\r\nServer: guestbench\r\nContent-Type: text/html\r\n"
                          "Content-Length: %zu\r\nConnection: %s\r\n%s\r\n",
                          body_bytes, request->keep_alive ? "keep-alive" : "close", cookie);
    return put(fd, header, (size_t)length);
}

static bool send_error(int fd, const char *status)
{
    char text[128];
    int length = snprintf(text, sizeof text,
                          "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    put(fd, text, (size_t)length);
    flush(fd);
    return false;
}

/* The CGI program is this program again, writing the file to a pipe. */
static pid_t start_cgi(char *path, int *output_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        char *argv[] = {"guestbench", "--cat", path, NULL};
        dup2(ends[1], STDOUT_FILENO);
        self_exec(argv);
        _exit(127);
    }
    close(ends[1]);
    *output_end = ends[0];
    return pid;
}

static bool send_page(int fd, const struct web_request *request)
{
    struct web_body body;
    struct stat info;
    char path[WEB_PATH_MAX];
    pid_t cgi = 0;
    web_file_path(request->directory, request->class, request->size, path);
    web_body_init(&body, request);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &info) != 0) {
        if (file >= 0)
            close(file);
        return send_error(fd, "404 Not Found");
    }
    body.file_bytes = (size_t)info.st_size;
    if (request->kind == WEB_CGI) {
        close(file);
        if ((cgi = start_cgi(path, &file)) < 0)
            return send_error(fd, "500 Internal Server Error");
    }
    bool good = put_header(fd, request, web_body_bytes(&body)) &&
                put(fd, body.head, body.head_bytes) && put_from(fd, file, body.file_bytes) &&
                put(fd, web_body_tail(), body.tail_bytes) && flush(fd);
    close(file);
    if (cgi > 0)
        waitpid(cgi, NULL, 0);
    return good;
}

/* One record behind the others, whoever else writes. */
static bool append_record(const struct web_request *request)
{
    char record[WEB_RECORD + 1];
    web_record_format(request, record);
    int fd = open(WEB_POST_LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    bool good = flock(fd, LOCK_EX) == 0 && helper_write(fd, record, WEB_RECORD);
    close(fd); /* and unlock */
    return good;
}

static bool answer(int fd, const struct web_request *request)
{
    struct web_body body;
    pending = 0;
    if (request->kind != WEB_POST)
        return send_page(fd, request);
    if (!append_record(request))
        return send_error(fd, "507 Insufficient Storage");
    web_body_init(&body, request);
    return put_header(fd, request, web_body_bytes(&body)) && put(fd, body.head, body.head_bytes) &&
           flush(fd);
}

/* Reads one request with its body. Returns false at the end of the connection. */
static bool receive(int fd, char text[WEB_REQUEST_MAX])
{
    size_t length = 0;
    for (;;) {
        ssize_t got = recv(fd, text + length, WEB_REQUEST_MAX - 1 - length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        length += (size_t)got;
        text[length] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        size_t body = strncmp(text, "POST", 4) == 0 ? WEB_RECORD : 0;
        if (end && length >= (size_t)(end - text) + 4 + body)
            return true;
        if (length == WEB_REQUEST_MAX - 1)
            return send_error(fd, "431 Request Header Fields Too Large");
    }
}

void web_server_work(int listener)
{
    char text[WEB_REQUEST_MAX];
    for (;;) {
        struct web_request request;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            _exit(1);
        do {
            if (!receive(fd, text))
                break;
            if (!web_request_parse(text, &request)) {
                send_error(fd, "400 Bad Request");
                break;
            }
        } while (answer(fd, &request) && request.keep_alive);
        close(fd);
    }
}
