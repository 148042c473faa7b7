#include "fileload.h"

#include <stddef.h>
#include <string.h>

#include "core/random.h"

enum { PAGE = 4096, FILES_WRITTEN = 106, OPENS = 58200, CREATIONS = 16106 };

static const uint32_t weights[FILELOAD_OPS] = {
    [FILELOAD_READ] = 124199,        [FILELOAD_PATH_INFO] = 71814 - 24256,
    [FILELOAD_OPEN] = OPENS,         [FILELOAD_CLOSE] = OPENS,
    [FILELOAD_WRITE] = 39502,        [FILELOAD_FIND] = 27765 - 14328,
    [FILELOAD_PATH_MISSING] = 24256, [FILELOAD_OPEN_MISSING] = 21030,
    [FILELOAD_UNLINK] = 16000,       [FILELOAD_FIND_MISSING] = 14328,
    [FILELOAD_FS_INFO] = 13168,      [FILELOAD_FILE_INFO] = 12585,
    [FILELOAD_SET_INFO] = 6454,      [FILELOAD_FLUSH] = 5553,
    [FILELOAD_RENAME] = 3355,        [FILELOAD_LOCK] = 258,
};

struct length_row {
    uint32_t length, weight;
};

/* What is left has other lengths, evenly spread up to a limit that gives the original's mean. */
static const struct length_row reads[] = {{4096, 83172}, {61440, 16641}, {2048, 4644},
                                          {8192, 4644},  {16384, 1937},  {0, 13161}};
static const struct length_row writes[] = {{65536, 12658}, {4096, 9942}, {1, 7424},
                                           {2048, 1677},   {8192, 1164}, {0, 6637}};
enum { OTHER_READ = 4496, OTHER_WRITE = 39944 };

uint32_t fileload_weight(enum fileload_op op)
{
    return weights[op];
}

static uint32_t below(struct fileload *load, uint32_t limit)
{
    return random_below(&load->random, limit);
}

/* Three of five files are small. */
static uint32_t draw_limit(struct fileload *load)
{
    if (below(load, 5) < 3)
        return PAGE * (1 + below(load, 8));
    double part = below(load, 1 << 20) * 0x1p-20;
    double power = part * part * part * part;
    return PAGE * (18 + (uint32_t)(power * power * 439));
}

/* Each gets a page and its share of what is left. */
static void shrink_limits(struct fileload *load, uint32_t bytes)
{
    uint64_t sum = 0, left = bytes - (uint32_t)load->files * PAGE;
    for (int i = 0; i < load->files; i++)
        sum += load->file[i].limit;
    for (int i = 0; i < load->files && sum > bytes; i++)
        load->file[i].limit = PAGE * (1 + (uint32_t)(load->file[i].limit * left / sum / PAGE));
}

void fileload_start(struct fileload *load, uint64_t seed, uint32_t bytes)
{
    enum { FEWEST = 16 };
    memset(load, 0, sizeof *load);
    load->random = seed;
    uint64_t files = (uint64_t)FILELOAD_FILES_MAX * bytes / FILELOAD_FULL_BYTES;
    load->files = files < FEWEST               ? FEWEST
                  : files > FILELOAD_FILES_MAX ? FILELOAD_FILES_MAX
                                               : (int)files;
    for (int i = 0; i < load->files; i++)
        load->file[i].limit = draw_limit(load);
    shrink_limits(load, bytes);
    for (int i = 0; i < load->files; i++) {
        struct fileload_file *file = &load->file[i];
        file->serial = ++load->next_serial;
        file->scratch = i * FILELOAD_FILES_MAX < FILES_WRITTEN * load->files;
        file->exists = !file->scratch || below(load, 2);
        file->size = file->exists ? file->limit : 0;
    }
    for (int i = 0; i < FILELOAD_HANDLES; i++)
        load->handle[i].file = -1;
}

/* Which files a step may take. */
enum wanted { ANY_THERE, ABSENT, CLOSED_SCRATCH };

static bool suits(const struct fileload_file *file, enum wanted wanted)
{
    if (wanted == ABSENT)
        return !file->exists;
    return file->exists && (wanted == ANY_THERE || (file->scratch && file->opens == 0));
}

/* A file that suits, from a random place on; -1 if there is none. */
static int pick_file(struct fileload *load, enum wanted wanted)
{
    int start = (int)below(load, (uint32_t)load->files);
    for (int i = 0; i < load->files; i++) {
        int at = (start + i) % load->files;
        if (suits(&load->file[at], wanted))
            return at;
    }
    return -1;
}

/*
 * An open handle: for writing, of a file that may be written and grow to the
 * length; for reading, of one that is so long. Else the one that comes closest;
 * -1 if none will do.
 */
static int pick_handle(struct fileload *load, bool write, uint32_t length)
{
    int start = (int)below(load, FILELOAD_HANDLES), best = -1;
    uint32_t most = 0;
    for (int i = 0; i < FILELOAD_HANDLES; i++) {
        int at = (start + i) % FILELOAD_HANDLES;
        if (load->handle[at].file < 0)
            continue;
        const struct fileload_file *file = &load->file[load->handle[at].file];
        uint32_t room = write ? file->limit : file->size;
        if ((write && !file->scratch) || room <= most)
            continue;
        best = at;
        most = room;
        if (most >= length)
            break;
    }
    return best;
}

static int any_handle(struct fileload *load)
{
    int start = (int)below(load, FILELOAD_HANDLES);
    for (int i = 0; i < FILELOAD_HANDLES; i++) {
        int at = (start + i) % FILELOAD_HANDLES;
        if (load->handle[at].file >= 0)
            return at;
    }
    return -1;
}

static uint32_t draw_length(struct fileload *load, const struct length_row *row, uint32_t total,
                            uint32_t other)
{
    uint32_t at = below(load, total);
    while (at >= row->weight) {
        at -= row->weight;
        row++;
    }
    if (row->length)
        return row->length;
    return FILELOAD_ALIGN * (1 + below(load, other / FILELOAD_ALIGN));
}

/* Where in a range of size bytes: behind the last access, or at any page. */
static uint32_t draw_offset(struct fileload *load, struct fileload_handle *handle, uint32_t size,
                            uint32_t length, uint32_t sequential_percent)
{
    uint32_t offset = handle->position;
    if (below(load, 100) >= sequential_percent)
        offset = PAGE * below(load, (size - length) / PAGE + 1);
    if (offset > size - length)
        offset = 0;
    handle->position = (offset + length + FILELOAD_ALIGN - 1) / FILELOAD_ALIGN * FILELOAD_ALIGN;
    return offset;
}

static bool take_handle(struct fileload *load, struct fileload_step *step, int handle)
{
    if (handle < 0)
        return false;
    step->handle = handle;
    step->file = load->handle[handle].file;
    return true;
}

static bool draw_read(struct fileload *load, struct fileload_step *step)
{
    enum { SEQUENTIAL_PERCENT = 50 };
    uint32_t length = draw_length(load, reads, 124199, OTHER_READ);
    if (!take_handle(load, step, pick_handle(load, false, length)))
        return false;
    uint32_t size = load->file[step->file].size;
    step->length = length < size ? length : size;
    step->offset =
        draw_offset(load, &load->handle[step->handle], size, step->length, SEQUENTIAL_PERCENT);
    return true;
}

/* A single byte goes to the end of what the file will become, as SMB clients extend files. */
static bool draw_write(struct fileload *load, struct fileload_step *step)
{
    enum { SEQUENTIAL_PERCENT = 30 };
    uint32_t length = draw_length(load, writes, 39502, OTHER_WRITE);
    if (!take_handle(load, step, pick_handle(load, true, length)))
        return false;
    struct fileload_file *file = &load->file[step->file];
    step->length = length < file->limit ? length : file->limit;
    if (length == 1)
        step->offset = file->limit - 1;
    else
        step->offset = draw_offset(load, &load->handle[step->handle], file->limit, step->length,
                                   SEQUENTIAL_PERCENT);
    file->sparse |= step->offset > file->size;
    if (step->offset + step->length > file->size)
        file->size = step->offset + step->length;
    return true;
}

static bool draw_open(struct fileload *load, struct fileload_step *step)
{
    step->create = below(load, OPENS) < CREATIONS;
    step->file = pick_file(load, step->create ? ABSENT : ANY_THERE);
    for (step->handle = 0; step->handle < FILELOAD_HANDLES; step->handle++) {
        if (load->handle[step->handle].file < 0)
            break;
    }
    if (step->file < 0 || step->handle == FILELOAD_HANDLES)
        return false;
    struct fileload_file *file = &load->file[step->file];
    if (step->create) {
        file->serial = ++load->next_serial;
        file->exists = true;
        file->sparse = false;
        file->size = 0;
    }
    file->opens++;
    load->open++;
    load->handle[step->handle] = (struct fileload_handle){.file = step->file};
    return true;
}

static bool draw_close(struct fileload *load, struct fileload_step *step)
{
    if (!take_handle(load, step, any_handle(load)))
        return false;
    load->file[step->file].opens--;
    load->open--;
    load->handle[step->handle].file = -1;
    return true;
}

static bool draw_unlink(struct fileload *load, struct fileload_step *step)
{
    step->file = pick_file(load, CLOSED_SCRATCH);
    if (step->file < 0)
        return false;
    load->file[step->file].exists = false;
    load->file[step->file].size = 0;
    return true;
}

static bool draw_rename(struct fileload *load, struct fileload_step *step)
{
    step->file = pick_file(load, CLOSED_SCRATCH);
    step->to = pick_file(load, ABSENT);
    if (step->file < 0 || step->to < 0)
        return false;
    struct fileload_file moved = load->file[step->file];
    load->file[step->file] = load->file[step->to];
    load->file[step->to] = moved;
    return true;
}

/* The name that is not there is made from any number. */
static bool draw_missing(struct fileload *load, struct fileload_step *step)
{
    step->file = (int)below(load, (uint32_t)load->files);
    return true;
}

static bool draw(struct fileload *load, struct fileload_step *step)
{
    switch (step->op) {
    case FILELOAD_READ: return draw_read(load, step);
    case FILELOAD_WRITE: return draw_write(load, step);
    case FILELOAD_OPEN: return draw_open(load, step);
    case FILELOAD_CLOSE: return draw_close(load, step);
    case FILELOAD_UNLINK: return draw_unlink(load, step);
    case FILELOAD_RENAME: return draw_rename(load, step);
    case FILELOAD_OPEN_MISSING:
    case FILELOAD_PATH_MISSING:
    case FILELOAD_FIND_MISSING: return draw_missing(load, step);
    case FILELOAD_PATH_INFO:
    case FILELOAD_FIND: return (step->file = pick_file(load, ANY_THERE)) >= 0;
    case FILELOAD_FS_INFO: return true;
    case FILELOAD_FLUSH:
    case FILELOAD_LOCK: return take_handle(load, step, pick_handle(load, true, 1));
    default: return take_handle(load, step, any_handle(load));
    }
}

static enum fileload_op draw_op(struct fileload *load)
{
    enum { FEW = 3, MANY = 20 };
    uint32_t total = 0;
    for (int i = 0; i < FILELOAD_OPS; i++)
        total += weights[i];
    uint32_t at = below(load, total);
    int op = 0;
    for (; at >= weights[op]; op++)
        at -= weights[op];
    /* with few files open, more are opened, so that the others find one; with many, closed */
    if (op == FILELOAD_CLOSE && load->open <= FEW)
        return FILELOAD_OPEN;
    if (op == FILELOAD_OPEN && load->open >= MANY)
        return FILELOAD_CLOSE;
    return (enum fileload_op)op;
}

void fileload_next(struct fileload *load, struct fileload_step *step)
{
    do {
        *step = (struct fileload_step){.op = draw_op(load), .file = -1, .to = -1, .handle = -1};
    } while (!draw(load, step));
}
