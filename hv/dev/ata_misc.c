/* The disk's settings: SET FEATURES, power management, and the host protected area. */

#include "dev/ata.h"

/* ---- SET FEATURES (ATA/ATAPI-6, 8.46). ---- */

bool ata_set_transfer_mode(struct ata_drive *d, u8 mode)
{
    u8 number = mode & 7;
    switch (mode >> 3) {
    case 0: return number <= 1; /* PIO default mode, with or without IORDY */
    case 1: return number <= 4; /* PIO with flow control */
    case 4:                     /* multiword DMA */
        if (number > 2)
            return false;
        d->mwdma = number;
        d->mode_is_udma = false;
        return true;
    case 8: /* ultra DMA */
        if (number > 5)
            return false;
        d->udma = number;
        d->mode_is_udma = true;
        return true;
    default: return false;
    }
}

static void cache_flushed(struct ata_drive *d, enum block_status status)
{
    if (status == BLOCK_OK)
        ata_done(d);
    else
        ata_fail(d, ATA_ABRT);
}

void ata_set_features(struct ata_drive *d)
{
    enum block_status status;
    switch (d->feature[0]) {
    case 0x02: d->write_cache = true; break;
    case 0x03:
        if (!ata_set_transfer_mode(d, d->count[0])) {
            ata_fail(d, ATA_ABRT);
            return;
        }
        break;
    case 0x55: d->look_ahead = false; break;
    case 0x66:
    case 0xcc: break; /* keep settings over SRST or not: they are kept */
    case 0x82:        /* the cache is emptied first */
        d->write_cache = false;
        status = ata_flush(d, cache_flushed);
        if (status != BLOCK_PENDING)
            cache_flushed(d, status);
        return;
    case 0xaa: d->look_ahead = true; break;
    default: ata_fail(d, ATA_ABRT); return;
    }
    ata_done(d);
}

/* ---- Power (6.11). The low nibble is the same in the retired codes 94h to 99h. ---- */

void ata_power_command(struct ata_drive *d, u8 code)
{
    static const u8 retired[6] = {0xe0, 0xe1, 0xe2, 0xe3, 0xe5, 0xe6};
    if (code >= 0x94 && code <= 0x99)
        code = retired[code - 0x94];
    switch (code) {
    case 0xe0:
    case 0xe2: d->power = ATA_STANDBY; break;
    case 0xe1:
    case 0xe3: d->power = ATA_POWER_IDLE; break;
    case 0xe5:
        d->count[0] = d->power == ATA_STANDBY ? 0x00 : d->power == ATA_POWER_IDLE ? 0x80 : 0xff;
        break;
    default: d->power = ATA_SLEEP; break;
    }
    ata_done(d);
}

/* ---- READ NATIVE MAX ADDRESS and SET MAX ADDRESS, with their EXT forms (6.9, 8.32, 8.47). ---- */

static void native_max(struct ata_drive *d)
{
    u64 last = d->block->sectors - 1;
    if (!d->ext) {
        last = min(last, 0x0ffffffeull);
        d->device = (u8)((d->device & 0xf0) | (last >> 24));
    } else {
        d->low[1] = (u8)(last >> 24);
        d->mid[1] = (u8)(last >> 32);
        d->high[1] = (u8)(last >> 40);
    }
    d->low[0] = (u8)last;
    d->mid[0] = (u8)(last >> 8);
    d->high[0] = (u8)(last >> 16);
}

static void set_max(struct ata_drive *d)
{
    u64 last = d->low[0] | (u32)d->mid[0] << 8 | (u32)d->high[0] << 16;
    if (d->ext)
        last |= (u64)(d->low[1] | (u32)d->mid[1] << 8 | (u32)d->high[1] << 16) << 24;
    else
        last |= (u32)(d->device & 0xf) << 24;
    if (!d->native_max_read || (!d->ext && d->feature[0])) {
        ata_fail(d, ATA_ABRT); /* out of order, or the security part that we do not have */
    } else if (last >= d->block->sectors) {
        ata_fail(d, ATA_IDNF);
    } else {
        d->capacity = last + 1;
        ata_default_geometry(d);
        ata_done(d);
    }
}

void ata_max_address(struct ata_drive *d, u8 code)
{
    if (code == 0xf9 || code == 0x37) {
        set_max(d);
        return;
    }
    if (!d->ext && !(d->device & ATA_LBA)) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    native_max(d);
    d->native_max_read = true;
    ata_done(d);
}
