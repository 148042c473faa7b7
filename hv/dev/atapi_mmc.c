/* The CD drive's packet commands (SFF-8020i; MMC-2, T10 1228D): one data track in one session. */

#include "dev/ata.h"
#include "lib/string.h"

#define LEAD_OUT 0xaa
#define DATA_TRACK 0x14 /* ADR 1, control: data */

static u32 get16(const u8 *p)
{
    return (u32)p[0] << 8 | p[1];
}

static u32 get32(const u8 *p)
{
    return get16(p) << 16 | get16(p + 2);
}

static void put16(u8 *p, u32 value)
{
    p[0] = (u8)(value >> 8);
    p[1] = (u8)value;
}

static void put32(u8 *p, u32 value)
{
    put16(p, value >> 16);
    put16(p + 2, value);
}

/* A block address as the packet's MSF bit wants it: minutes, seconds, frames begin at 00:02:00. */
static void put_address(u8 *p, u32 block, bool msf)
{
    if (!msf) {
        put32(p, block);
        return;
    }
    block += 150;
    p[0] = 0;
    p[1] = (u8)(block / (60 * 75));
    p[2] = (u8)(block / 75 % 60);
    p[3] = (u8)(block % 75);
}

static u8 *reply_clear(struct ata_drive *d)
{
    memset(d->buffer, 0, 512);
    return d->buffer;
}

static void bad_field(struct ata_drive *d)
{
    atapi_check(d, SENSE_ILLEGAL, ASC_FIELD, 0);
}

static void test_unit_ready(struct ata_drive *d)
{
    atapi_good(d);
}

static void request_sense(struct ata_drive *d)
{
    u8 *r = reply_clear(d);
    if (d->attention && !d->sense_key) {
        d->sense_key = SENSE_ATTENTION;
        d->asc = d->attention;
        d->attention = 0;
    }
    r[0] = 0x70; /* current error, fixed format */
    r[2] = d->sense_key;
    r[7] = 10;
    r[12] = d->asc;
    r[13] = d->ascq;
    d->sense_key = d->asc = d->ascq = 0;
    atapi_reply(d, 18, d->packet[4]);
}

static void inquiry(struct ata_drive *d)
{
    if (d->packet[1] & 1) { /* vital product data */
        bad_field(d);
        return;
    }
    u8 *r = reply_clear(d);
    r[0] = 0x05; /* CD-ROM */
    r[1] = 0x80; /* removable */
    r[3] = 0x21; /* ATAPI */
    r[4] = 31;
    memcpy(r + 8, "PENUMBRACD-ROM          1.0 ", 28);
    atapi_reply(d, 36, d->packet[4]);
}

static void start_stop(struct ata_drive *d)
{
    bool load_eject = d->packet[4] & 2, start = d->packet[4] & 1;
    if (load_eject && !start && d->locked) {
        atapi_check(d, SENSE_ILLEGAL, 0x53, 2); /* medium removal prevented */
        return;
    }
    if (load_eject && start && d->ejected)
        d->attention = ASC_CHANGED;
    if (load_eject)
        d->ejected = !start;
    atapi_good(d);
}

static void prevent_allow(struct ata_drive *d)
{
    d->locked = d->packet[4] & 1;
    atapi_good(d);
}

static void read_capacity(struct ata_drive *d)
{
    u8 *r = reply_clear(d);
    put32(r, atapi_blocks(d) - 1);
    put32(r + 4, 2048);
    atapi_reply(d, 8, 8);
}

static void read10(struct ata_drive *d)
{
    atapi_send_blocks(d, get32(d->packet + 2), get16(d->packet + 7));
}

static void read12(struct ata_drive *d)
{
    atapi_send_blocks(d, get32(d->packet + 2), get32(d->packet + 6));
}

static void seek(struct ata_drive *d)
{
    if (get32(d->packet + 2) >= atapi_blocks(d))
        atapi_check(d, SENSE_ILLEGAL, ASC_LBA, 0);
    else
        atapi_good(d);
}

/* READ CD: user data of mode 1 sectors is what the backing has. */
static void read_cd(struct ata_drive *d)
{
    u8 type = d->packet[1] >> 2 & 7, flags = d->packet[9];
    u32 count = (u32)d->packet[6] << 16 | get16(d->packet + 7);
    if (type != 0 && type != 2)
        atapi_check(d, SENSE_ILLEGAL, 0x64, 0); /* illegal mode for this track */
    else if (!(flags & 0xf8) || !count)
        atapi_good(d);
    else if (flags != 0x10 || d->packet[10] & 7)
        bad_field(d);
    else
        atapi_send_blocks(d, get32(d->packet + 2), count);
}

/* ---- READ TOC/PMA/ATIP (MMC-2, 9.1.30). ---- */

static u32 toc_tracks(struct ata_drive *d, u8 *r, bool msf)
{
    u8 start = d->packet[6];
    u32 n = 4;
    r[2] = r[3] = 1; /* first and last track */
    if (start <= 1) {
        r[n + 1] = DATA_TRACK;
        r[n + 2] = 1;
        put_address(r + n + 4, 0, msf);
        n += 8;
    }
    r[n + 1] = DATA_TRACK;
    r[n + 2] = LEAD_OUT;
    put_address(r + n + 4, atapi_blocks(d), msf);
    return n + 8;
}

static u32 toc_sessions(u8 *r, bool msf)
{
    r[2] = r[3] = 1; /* first and last session */
    r[5] = DATA_TRACK;
    r[6] = 1;
    put_address(r + 8, 0, msf);
    return 12;
}

/* Format 2: the points of the lead-in, always in MSF. */
static u32 toc_raw(struct ata_drive *d, u8 *r)
{
    static const u8 points[4] = {0xa0, 0xa1, 0xa2, 1};
    r[2] = r[3] = 1;
    u8 *p = r + 4;
    for (unsigned i = 0; i < 4; i++, p += 11) {
        p[0] = 1; /* session */
        p[1] = DATA_TRACK;
        p[3] = points[i];
        if (points[i] == 0xa2)
            put_address(p + 7, atapi_blocks(d), true);
        else if (points[i] == 1)
            put_address(p + 7, 0, true);
        else
            p[8] = 1; /* first, last track */
    }
    return 4 + 4 * 11;
}

static void read_toc(struct ata_drive *d)
{
    u8 *r = reply_clear(d), format = d->packet[2] & 0xf, start = d->packet[6];
    bool msf = d->packet[1] & 2;
    u32 n;
    if (!format)
        format = d->packet[9] >> 6; /* where SFF-8020i has it */
    if (format > 2 || (format == 0 && start > 1 && start != LEAD_OUT)) {
        bad_field(d);
        return;
    }
    n = format == 0 ? toc_tracks(d, r, msf) : format == 1 ? toc_sessions(r, msf) : toc_raw(d, r);
    put16(r, n - 2);
    atapi_reply(d, n, get16(d->packet + 7));
}

static void read_subchannel(struct ata_drive *d)
{
    u8 *r = reply_clear(d);
    r[1] = 0x15; /* no audio status */
    if (d->packet[2] & 0x40)
        bad_field(d); /* there is no audio to have a position in */
    else
        atapi_reply(d, 4, get16(d->packet + 7));
}

static void read_disc_information(struct ata_drive *d)
{
    u8 *r = reply_clear(d);
    put16(r, 32);
    r[2] = 0x0e; /* complete disc, complete last session */
    r[3] = r[4] = r[5] = r[6] = 1;
    atapi_reply(d, 34, get16(d->packet + 7));
}

/* ---- MODE SENSE(10) (MMC-2, 8.1): current and default values; nothing is changeable. ---- */

static u32 mode_page(u8 *p, u8 page, bool changeable)
{
    static const u8 error_recovery[8] = {0x01, 6, 0, 5, 0, 0, 0, 0};
    static const u8 cd_device[8] = {0x0d, 6, 0, 0x0d, 0, 60, 0, 75};
    static const u8 power[12] = {0x1a, 10};
    /* Capabilities: lock, eject, tray; 16x (2822 KB/s), 512 KiB of buffer. */
    static const u8 capabilities[20] = {0x2a, 18,   0, 0, 0,    0, 0x29, 0,
                                        0x0b, 0x06, 0, 0, 0x02, 0, 0x0b, 0x06};
    const u8 *from = page == 0x01   ? error_recovery
                     : page == 0x0d ? cd_device
                     : page == 0x1a ? power
                     : page == 0x2a ? capabilities
                                    : NULL;
    if (!from)
        return 0;
    u32 n = from[1] + 2u;
    memcpy(p, from, n);
    if (changeable)
        memset(p + 2, 0, n - 2);
    return n;
}

static void mode_sense(struct ata_drive *d)
{
    static const u8 all[] = {0x01, 0x0d, 0x1a, 0x2a};
    u8 *r = reply_clear(d), page = d->packet[2] & 0x3f, control = d->packet[2] >> 6;
    u32 n = 8;
    if (control == 3) {
        atapi_check(d, SENSE_ILLEGAL, 0x39, 0); /* saving is not supported */
        return;
    }
    for (unsigned i = 0; i < array_size(all); i++)
        if (page == 0x3f || page == all[i])
            n += mode_page(r + n, all[i], control == 1);
    if (n == 8) {
        bad_field(d);
        return;
    }
    put16(r, n - 2);
    r[2] = d->ejected ? 0x71 : 0x01; /* door open; 120 mm data disc */
    atapi_reply(d, n, get16(d->packet + 7));
}

/* ---- GET CONFIGURATION and GET EVENT STATUS NOTIFICATION (MMC-2, 9.1.5 and 9.1.6). ---- */

struct feature {
    u16 code;
    u8 flags; /* version, persistent, current */
    u8 length;
    u8 data[8];
};

static const struct feature features[] = {
    {0x0000, 0x03, 4, {0x00, 0x08, 1}},                      /* profiles: CD-ROM */
    {0x0001, 0x03, 4, {0, 0, 0, 2}},                         /* core: ATAPI */
    {0x0003, 0x03, 4, {0x29}},                               /* removable: tray, eject, lock */
    {0x0010, 0x01, 8, {0x00, 0x00, 0x08, 0x00, 0, 1, 0, 0}}, /* random readable, 2048 */
    {0x001e, 0x01, 4, {0}},                                  /* CD read */
};

static void get_configuration(struct ata_drive *d)
{
    u8 *r = reply_clear(d), type = d->packet[1] & 3;
    u32 start = get16(d->packet + 2), n = 8;
    if (type == 3) {
        bad_field(d);
        return;
    }
    for (unsigned i = 0; i < array_size(features); i++) {
        const struct feature *f = &features[i];
        if (type == 2 ? f->code != start : f->code < start)
            continue;
        put16(r + n, f->code);
        r[n + 2] = d->ejected && f->code >= 0x10 ? f->flags & ~1u : f->flags;
        r[n + 3] = f->length;
        memcpy(r + n + 4, f->data, f->length);
        if (f->code == 0 && !d->ejected)
            r[n + 6] = 1; /* the profile is current */
        n += 4u + f->length;
    }
    put32(r, n - 4);
    put16(r + 6, d->ejected ? 0 : 8);
    atapi_reply(d, n, get16(d->packet + 7));
}

static void get_event_status(struct ata_drive *d)
{
    u8 *r = reply_clear(d);
    if (!(d->packet[1] & 1)) { /* asynchronous operation is not supported */
        bad_field(d);
        return;
    }
    r[3] = 0x10; /* media events */
    u32 n = 4;
    if (d->packet[4] & 0x10) {
        r[2] = 4;
        r[5] = d->ejected ? 1 : 2; /* tray open, or a medium */
        n = 8;
    } else {
        r[2] = 0x80; /* no event available */
    }
    put16(r, n - 2);
    atapi_reply(d, n, get16(d->packet + 7));
}

static void mechanism_status(struct ata_drive *d)
{
    u8 *r = reply_clear(d);
    if (d->ejected)
        r[1] = 0x10; /* door open */
    atapi_reply(d, 8, get16(d->packet + 8));
}

/* ---- The table. ---- */

struct packet_command {
    void (*run)(struct ata_drive *d);
    u8 flags;
};

#define NEEDS_MEDIUM 1
#define ANY_TIME 2 /* carried out while a unit attention is pending */

static const struct packet_command commands[256] = {
    [0x00] = {test_unit_ready, NEEDS_MEDIUM},
    [0x03] = {request_sense, ANY_TIME},
    [0x12] = {inquiry, ANY_TIME},
    [0x1b] = {start_stop, 0},
    [0x1e] = {prevent_allow, 0},
    [0x25] = {read_capacity, NEEDS_MEDIUM},
    [0x28] = {read10, NEEDS_MEDIUM},
    [0x2b] = {seek, NEEDS_MEDIUM},
    [0x42] = {read_subchannel, NEEDS_MEDIUM},
    [0x43] = {read_toc, NEEDS_MEDIUM},
    [0x46] = {get_configuration, ANY_TIME},
    [0x4a] = {get_event_status, ANY_TIME},
    [0x51] = {read_disc_information, NEEDS_MEDIUM},
    [0x5a] = {mode_sense, 0},
    [0xa8] = {read12, NEEDS_MEDIUM},
    [0xbb] = {test_unit_ready, 0}, /* SET CD SPEED: nothing spins */
    [0xbd] = {mechanism_status, 0},
    [0xbe] = {read_cd, NEEDS_MEDIUM},
};

void atapi_execute(struct ata_drive *d)
{
    const struct packet_command *c = &commands[d->packet[0]];
    if (d->attention && !(c->flags & ANY_TIME)) {
        u8 asc = d->attention;
        d->attention = 0;
        atapi_check(d, SENSE_ATTENTION, asc, 0);
    } else if (!c->run) {
        atapi_check(d, SENSE_ILLEGAL, 0x20, 0);
    } else if ((c->flags & NEEDS_MEDIUM) && d->ejected) {
        atapi_check(d, SENSE_NOT_READY, ASC_NO_MEDIUM, 2); /* tray open */
    } else {
        c->run(d);
    }
}
