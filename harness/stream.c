#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char version_line[] = "TAP version 13";
enum { line_max = 65536 };

static bool starts(const char *line, const char *with)
{
    return !strncmp(line, with, strlen(with));
}

// Firmware and kernel may leave the cursor in the middle of a line; the document starts where its
// version line does.
static const char *find_version(const char *line)
{
    size_t len = strlen(line), want = strlen(version_line);
    return len >= want && !strcmp(line + len - want, version_line) ? line + len - want : NULL;
}

static bool is_point(const char *line)
{
    return starts(line, "ok ") || starts(line, "not ok ");
}

static void note_point(struct stream *stream, const char *line)
{
    const char *dash = strstr(line, " - ");
    const char *text = dash ? dash + 3 : line;
    snprintf(stream->last_point, sizeof(stream->last_point), "%.*s", (int)strcspn(text, " \r\n"),
             text);
    stream->points++;
    stream->not_ok += starts(line, "not ok ");
    if (stream->point)
        stream->point(stream->self, stream);
}

// A line for people: without control characters and the escape sequences of terminals.
static void copy_printable(char *to, size_t size, const char *line)
{
    size_t n = 0;
    for (const char *p = line; *p && n + 1 < size; p++) {
        if (*p == '\033' && p[1] == '[') {
            p += 2 + strcspn(p + 2, "ABCDHJKfhlmn");
            if (!*p)
                break;
        } else if ((unsigned char)*p >= ' ') {
            to[n++] = *p;
        }
    }
    to[n] = '\0';
}

static int to_console(struct stream *stream, const char *line)
{
    char text[sizeof(stream->last_console)];
    copy_printable(text, sizeof(text), line);
    if (*text)
        strcpy(stream->last_console, text);
    return stream->console(stream->self, line, strlen(line));
}

bool stream_complete(const struct stream *stream)
{
    return stream->plan && stream->points >= stream->plan && !stream->in_yaml;
}

// A kernel message may come between two lines of TAP; it belongs to the console's log.
static bool is_tap(const struct stream *stream, const char *line)
{
    if (stream->in_yaml && starts(line, "  "))
        return true;
    return is_point(line) || starts(line, "  ---") || starts(line, "1..") || line[0] == '#' ||
           starts(line, "Bail out!");
}

static int tap_line(struct stream *stream, const char *line)
{
    bool yaml = stream->in_yaml || starts(line, "  ---");
    if (stream_complete(stream) && !yaml && line[0] != '#') {
        stream->done = true;
        return to_console(stream, line);
    }
    if (!is_tap(stream, line))
        return to_console(stream, line);
    if (starts(line, "  ---"))
        stream->in_yaml = true;
    else if (starts(line, "  ...") || is_point(line))
        stream->in_yaml = false;
    if (is_point(line))
        note_point(stream, line);
    else if (starts(line, "1.."))
        stream->plan = strtoul(line + 3, NULL, 10);
    return stream->tap(stream->self, line, strlen(line));
}

static int take_line(struct stream *stream)
{
    struct buf *line = &stream->line;
    const char *version;
    int rc;
    while (line->len && line->data[line->len - 1] == '\r')
        line->data[--line->len] = '\0';
    if (!stream->in_tap && (version = find_version(line->data ? line->data : ""))) {
        stream->in_tap = true;
        size_t before = (size_t)(version - line->data);
        rc = before ? stream->console(stream->self, line->data, before) : 0;
        if (!rc)
            rc = stream->tap(stream->self, "TAP version 13\n", sizeof(version_line));
    } else {
        buf_add(line, "\n", 1);
        rc = stream->in_tap && !stream->done ? tap_line(stream, line->data)
                                             : to_console(stream, line->data);
    }
    line->len = 0;
    return rc;
}

int stream_take(struct stream *stream, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int rc = 0;
        if (data[i] == '\n' || stream->line.len >= line_max)
            rc = take_line(stream);
        if (data[i] != '\n')
            buf_add(&stream->line, data[i] ? &data[i] : "?", 1);
        if (rc)
            return rc;
    }
    return 0;
}

int stream_end(struct stream *stream)
{
    return stream->line.len ? take_line(stream) : 0;
}

void stream_free(struct stream *stream)
{
    buf_free(&stream->line);
}
