/*
 * Each sector (512 bytes) that is written begins with a tag of the file and its
 * place; all tags in what is read are checked. A file's serial number is in the
 * tag, so that blocks of a removed file are noticed in a new one.
 */
#define _GNU_SOURCE
#include "fileserver_client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/random.h"

enum { SECTOR = 512, NAME_BYTES = 40, NAME_AT = 4 };

static union {
    uint64_t words[FILELOAD_WRITE_MOST / 8];
    char bytes[FILELOAD_WRITE_MOST];
} data, arrived;
static int fds[FILELOAD_HANDLES];

static bool fail(struct fileserver_client *client, int error, const char *what)
{
    client->failed = true;
    client->error = error;
    snprintf(client->what, sizeof client->what, "%s", what);
    return false;
}

static bool differs(struct fileserver_client *client, const char *what, double expected, double got)
{
    client->expected = expected;
    client->got = got;
    return fail(client, 0, what);
}

static bool expect(struct fileserver_client *client, const char *what, double expected, double got)
{
    return expected == got || differs(client, what, expected, got);
}

/* "dNN/fileNNN.dat", or a name that is never made. */
static void format_name(char name[NAME_BYTES], int file, bool missing)
{
    snprintf(name, NAME_BYTES, "d%02d/%s%03d.dat", file / FILELOAD_DIRECTORY,
             missing ? "none" : "file", file);
}

static void directory_of(char directory[NAME_BYTES], const char *name)
{
    snprintf(directory, NAME_BYTES, "%.*s", NAME_AT - 1, name);
}

static uint64_t tag_of(uint32_t serial, uint32_t at)
{
    return ((uint64_t)serial << 32 | at) ^ 0x5ca1ab1e0ddba115u;
}

/* Offset from the start of a transfer to the first sector that begins in it. */
static uint32_t first_sector(uint32_t offset)
{
    return (SECTOR - offset % SECTOR) % SECTOR;
}

static bool write_data(struct fileserver_client *client, int fd, const struct fileload_file *file,
                       uint32_t offset, uint32_t length)
{
    for (uint32_t at = first_sector(offset); at + 8 <= length; at += SECTOR)
        data.words[at / 8] = tag_of(file->serial, offset + at);
    ssize_t done = pwrite(fd, data.bytes, length, offset);
    if (done != (ssize_t)length)
        return fail(client, done < 0 ? errno : ENOSPC, "cannot write");
    client->bytes_written += length;
    return true;
}

static bool read_data(struct fileserver_client *client, int fd, const struct fileload_step *step)
{
    const struct fileload_file *file = &client->load.file[step->file];
    ssize_t done = pread(fd, arrived.bytes, step->length, step->offset);
    if (done < 0)
        return fail(client, errno, "cannot read");
    if (done != (ssize_t)step->length)
        return differs(client, "short read", step->length, (double)done);
    for (uint32_t at = first_sector(step->offset); at + 8 <= step->length; at += SECTOR) {
        uint64_t tag = tag_of(file->serial, step->offset + at), got = arrived.words[at / 8];
        if (got != tag && !(got == 0 && file->sparse))
            return differs(client, "wrong data", (double)tag, (double)got);
    }
    client->bytes_read += step->length;
    return true;
}

bool fileserver_make_files(struct fileserver_client *client)
{
    const struct fileload *load = &client->load;
    char name[NAME_BYTES], directory[NAME_BYTES];
    for (int i = 0; i < load->files; i++) {
        const struct fileload_file *file = &load->file[i];
        format_name(name, i, false);
        directory_of(directory, name);
        if (i % FILELOAD_DIRECTORY == 0 && mkdir(directory, 0700) != 0)
            return fail(client, errno, "cannot make a directory");
        if (!file->exists)
            continue;
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (fd < 0)
            return fail(client, errno, "cannot make a file");
        for (uint32_t at = 0; at < file->size; at += FILELOAD_WRITE_MOST) {
            uint32_t left = file->size - at;
            if (!write_data(client, fd, file, at,
                            left < FILELOAD_WRITE_MOST ? left : FILELOAD_WRITE_MOST))
                return false;
        }
        if (close(fd) != 0)
            return fail(client, errno, "cannot close a file");
    }
    return true;
}

bool fileserver_open_files(struct fileserver_client *client)
{
    uint64_t state = client->load.random;
    char name[NAME_BYTES];
    for (size_t i = 0; i < sizeof data.words / sizeof data.words[0]; i++)
        data.words[i] = random_next(&state);
    for (int i = 0; i < FILELOAD_HANDLES; i++) {
        if (client->load.handle[i].file < 0)
            continue;
        format_name(name, client->load.handle[i].file, false);
        fds[i] = open(name, O_RDWR);
        if (fds[i] < 0)
            return fail(client, errno, "cannot open a file again");
    }
    return true;
}

/* Reads the names of a directory until one matches, whatever its case. */
static bool find_name(struct fileserver_client *client, const char *name, bool wanted)
{
    char directory[NAME_BYTES];
    bool found = false;
    directory_of(directory, name);
    DIR *dir = opendir(directory);
    if (!dir)
        return fail(client, errno, "cannot read a directory");
    for (struct dirent *entry; !found && (entry = readdir(dir));)
        found = strcasecmp(entry->d_name, name + NAME_AT) == 0;
    closedir(dir);
    return expect(client, "wrong directory", wanted, found);
}

/* How a server finds a name: as it is, and if it is not there, in another case. */
static bool resolve(struct fileserver_client *client, const char *name, bool wanted, off_t size)
{
    struct stat info;
    if (stat(name, &info) == 0)
        return expect(client, "a name that should be gone", wanted, 1) &&
               (size < 0 || expect(client, "wrong size", (double)size, (double)info.st_size));
    if (errno != ENOENT)
        return fail(client, errno, "cannot look a name up");
    return find_name(client, name, false) && expect(client, "a name is gone", wanted, 0);
}

/* A file that is to be made is not there before. */
static bool open_file(struct fileserver_client *client, const struct fileload_step *step,
                      const char *name)
{
    struct stat info;
    if (!resolve(client, name, !step->create, -1))
        return false;
    int fd = open(name, O_RDWR | (step->create ? O_CREAT | O_TRUNC : 0), 0600);
    if (fd < 0)
        return fail(client, errno, "cannot open a file");
    fds[step->handle] = fd;
    if (fstat(fd, &info) != 0)
        return fail(client, errno, "cannot stat a file");
    return expect(client, "wrong size", client->load.file[step->file].size, (double)info.st_size);
}

static bool open_missing(struct fileserver_client *client, const char *name)
{
    if (!resolve(client, name, false, -1))
        return false;
    if (open(name, O_RDWR) >= 0)
        return differs(client, "a name that should be gone", 0, 1);
    return errno == ENOENT || fail(client, errno, "cannot look a name up");
}

static bool flush(struct fileserver_client *client, int fd)
{
    uint64_t start = clock_ns();
    if (fsync(fd) != 0)
        return fail(client, errno, "cannot flush");
    latency_add(&client->flush, clock_ns() - start);
    return true;
}

static bool lock_file(struct fileserver_client *client, int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    if (fcntl(fd, F_SETLKW, &lock) != 0)
        return fail(client, errno, "cannot lock");
    lock.l_type = F_UNLCK;
    return fcntl(fd, F_SETLKW, &lock) == 0 || fail(client, errno, "cannot unlock");
}

static bool check_info(struct fileserver_client *client, int fd, int file)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return fail(client, errno, "cannot stat a file");
    return expect(client, "wrong size", client->load.file[file].size, (double)info.st_size);
}

static bool rename_file(struct fileserver_client *client, const char *name, int to)
{
    char new_name[NAME_BYTES];
    format_name(new_name, to, false);
    return rename(name, new_name) == 0 || fail(client, errno, "cannot rename");
}

static bool perform(struct fileserver_client *client, const struct fileload_step *step)
{
    char name[NAME_BYTES];
    struct statvfs space;
    const struct fileload_file *file = &client->load.file[step->file >= 0 ? step->file : 0];
    int fd = step->handle >= 0 ? fds[step->handle] : -1;
    bool missing = step->op == FILELOAD_OPEN_MISSING || step->op == FILELOAD_PATH_MISSING ||
                   step->op == FILELOAD_FIND_MISSING;
    format_name(name, step->file >= 0 ? step->file : 0, missing);
    switch (step->op) {
    case FILELOAD_READ: return read_data(client, fd, step);
    case FILELOAD_WRITE: return write_data(client, fd, file, step->offset, step->length);
    case FILELOAD_OPEN: return open_file(client, step, name);
    case FILELOAD_CLOSE: return close(fd) == 0 || fail(client, errno, "cannot close a file");
    case FILELOAD_PATH_INFO: return resolve(client, name, true, file->size);
    case FILELOAD_PATH_MISSING: return resolve(client, name, false, -1);
    case FILELOAD_OPEN_MISSING: return open_missing(client, name);
    case FILELOAD_FIND: return find_name(client, name, true);
    case FILELOAD_FIND_MISSING: return find_name(client, name, false);
    case FILELOAD_UNLINK: return unlink(name) == 0 || fail(client, errno, "cannot remove a file");
    case FILELOAD_FS_INFO:
        return statvfs(".", &space) == 0 || fail(client, errno, "cannot tell the free space");
    case FILELOAD_FILE_INFO: return check_info(client, fd, step->file);
    case FILELOAD_SET_INFO:
        return futimens(fd, NULL) == 0 || fail(client, errno, "cannot set a file's times");
    case FILELOAD_FLUSH: return flush(client, fd);
    case FILELOAD_RENAME: return rename_file(client, name, step->to);
    default: return lock_file(client, fd);
    }
}

void fileserver_work(struct fileserver_client *client, const volatile sig_atomic_t *stop)
{
    struct fileload_step step;
    while (!*stop) {
        fileload_next(&client->load, &step);
        if (!perform(client, &step))
            return;
        client->steps++;
    }
}
