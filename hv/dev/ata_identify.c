/* What the disk says of itself: IDENTIFY DEVICE (ATA/ATAPI-6, 8.15, table 26). */

#include "dev/ata.h"
#include "lib/string.h"

#define LBA28_SECTORS 0x0fffffffull
/* Disks from this size on report 16383 cylinders (annex B). */
#define CHS_LIMIT 16514064ull

static void default_geometry(u64 sectors, u16 *cylinders, u16 *heads, u16 *track)
{
    *heads = 16;
    *track = 63;
    if (sectors < 16 * 63) { /* too small for that: one head, short tracks */
        *heads = 1;
        *track = (u16)min(max(sectors, 1ull), 63ull);
    }
    u64 count = sectors >= CHS_LIMIT ? 16383 : sectors / (*heads * *track);
    *cylinders = (u16)max(count, 1ull);
}

void ata_default_geometry(struct ata_drive *d)
{
    default_geometry(d->capacity, &d->cylinders, &d->heads, &d->track_sectors);
}

static void put32(u16 *words, u32 value)
{
    words[0] = (u16)value;
    words[1] = (u16)(value >> 16);
}

static void put_geometry(const struct ata_drive *d, u16 *w)
{
    u16 cylinders, heads, track;
    default_geometry(d->capacity, &cylinders, &heads, &track);
    w[1] = cylinders;
    w[3] = heads;
    w[6] = track;
    w[54] = d->cylinders;
    w[55] = d->heads;
    w[56] = d->track_sectors;
    put32(w + 57, (u32)d->cylinders * d->heads * d->track_sectors);
}

static void put_features(const struct ata_drive *d, u16 *w)
{
    w[82] = 1u << 14 | 1u << 13 | 1u << 12 |
            1u << 10                       /* NOP, READ and WRITE BUFFER, host protected area */
            | 1u << 6 | 1u << 5 | 1u << 3; /* look-ahead, write cache, power management */
    w[83] = 1u << 14 | 1u << 13 | 1u << 12 | 1u << 10; /* FLUSH CACHE EXT, FLUSH CACHE, 48-bit */
    w[84] = 1u << 14;
    w[85] = (u16)((w[82] & ~(1u << 6 | 1u << 5)) | (d->look_ahead ? 1u << 6 : 0) |
                  (d->write_cache ? 1u << 5 : 0));
    w[86] = w[83] & 0x3fff;
    w[87] = 1u << 14;
}

/* Word 93: how the reset went; bit 6 where device 0 answers for a missing device 1. */
static u16 reset_result(const struct ata_drive *d)
{
    u16 common = 1u << 14 | 1u << 13;
    if (d->index)
        return common | 0x0b00;
    return (u16)(common | 0x000b | (d->channel->drive[1] ? 0 : 0x0040));
}

void ata_identify(struct ata_drive *d, u16 *w)
{
    memset(w, 0, ATA_SECTOR);
    w[0] = 0x0040; /* fixed */
    put_geometry(d, w);
    ata_identify_text(w + 10, 10, d->block->serial ? d->block->serial : "PNB00001");
    ata_identify_text(w + 23, 4, "1.0");
    ata_identify_text(w + 27, 20, d->block->model ? d->block->model : "PENUMBRA DISK");
    w[47] = 0x8000 | ATA_MAX_MULTIPLE;
    w[49] = 1u << 13 | 1u << 11 | 1u << 10 | 1u << 9 | 1u << 8; /* standby timer, IORDY, LBA, DMA */
    w[50] = 1u << 14;
    w[51] = 0x0200;
    w[53] = 7; /* words 54 to 58, 64 to 70 and 88 are valid */
    w[59] = d->multiple ? 0x0100 | d->multiple : 0;
    put32(w + 60, (u32)min(d->capacity, LBA28_SECTORS));
    w[63] = 7 | (u16)(d->mode_is_udma ? 0 : 1u << (8 + d->mwdma));
    w[64] = 3; /* PIO modes 3 and 4 */
    w[65] = w[66] = w[67] = w[68] = 120;
    w[80] = 0x007e; /* ATA-1 to ATA/ATAPI-6 */
    put_features(d, w);
    w[88] = 0x003f | (u16)(d->mode_is_udma ? 1u << (8 + d->udma) : 0);
    w[93] = reset_result(d);
    put32(w + 100, (u32)d->capacity);
    put32(w + 102, (u32)(d->capacity >> 32));
    ata_identify_seal(w);
}
