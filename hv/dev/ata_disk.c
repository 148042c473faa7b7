/* The ATA disk's commands (ATA/ATAPI-6, clause 8). A write is complete when the backing has it;
 * FLUSH CACHE reaches the backing's flush; a failure there is UNC (reads) or ABRT (others) here. */

#include "dev/ata.h"
#include "lib/string.h"

/* ---- Addresses. ---- */

/* The LBA in the task file by the command's and the device register's kind of address. False: a
 * CHS address outside the current translation. */
static bool address_get(const struct ata_drive *d, u64 *lba)
{
    u32 low24 = d->low[0] | (u32)d->mid[0] << 8 | (u32)d->high[0] << 16;
    if (d->ext) {
        *lba = low24 | (u64)(d->low[1] | (u32)d->mid[1] << 8 | (u32)d->high[1] << 16) << 24;
        return true;
    }
    if (d->device & ATA_LBA) {
        *lba = low24 | (u32)(d->device & 0xf) << 24;
        return true;
    }
    u32 cylinder = low24 >> 8, head = d->device & 0xf, sector = d->low[0];
    *lba = ((u64)cylinder * d->heads + head) * d->track_sectors + sector - 1;
    return sector >= 1 && sector <= d->track_sectors && head < d->heads && cylinder < d->cylinders;
}

static void address_put(struct ata_drive *d, u64 lba)
{
    if (d->ext) {
        d->low[1] = (u8)(lba >> 24);
        d->mid[1] = (u8)(lba >> 32);
        d->high[1] = (u8)(lba >> 40);
    } else if (d->device & ATA_LBA) {
        d->device = (d->device & 0xf0) | ((lba >> 24) & 0xf);
    } else {
        u32 cylinder = (u32)(lba / (d->heads * d->track_sectors));
        d->device = (u8)((d->device & 0xf0) | (lba / d->track_sectors % d->heads));
        lba = (u64)cylinder << 8 | (lba % d->track_sectors + 1);
    }
    d->low[0] = (u8)lba;
    d->mid[0] = (u8)(lba >> 8);
    d->high[0] = (u8)(lba >> 16);
}

static u32 sector_count(const struct ata_drive *d)
{
    u32 count = d->ext ? (u32)d->count[1] << 8 | d->count[0] : d->count[0];
    return count ? count : d->ext ? 65536 : 256;
}

/* Sets the transfer's place and length from the task file. False: the command has failed with IDNF. */
static bool transfer_begin(struct ata_drive *d, u32 per_block)
{
    u64 lba;
    u32 count = sector_count(d);
    if (!address_get(d, &lba) || lba >= d->capacity || count > d->capacity - lba) {
        ata_fail(d, ATA_IDNF);
        return false;
    }
    d->lba = lba;
    d->sectors = count;
    d->per_block = per_block;
    return true;
}

static void backing_failed(struct ata_drive *d)
{
    bool read = d->phase == ATA_PIO_IN || d->phase == ATA_DMA_IN;
    address_put(d, d->lba);
    ata_fail(d, read ? ATA_UNC : ATA_ABRT);
}

/* ---- The ends of transfers. ---- */

static void write_flushed(struct ata_drive *d, enum block_status status)
{
    if (status == BLOCK_OK)
        ata_done(d);
    else
        backing_failed(d);
}

/* With the write cache off a write ends when the medium has it. */
static void write_end(struct ata_drive *d)
{
    address_put(d, d->lba - 1);
    d->count[0] = 0;
    enum block_status status = d->write_cache ? BLOCK_OK : ata_flush(d, write_flushed);
    if (status != BLOCK_PENDING)
        write_flushed(d, status);
}

static void dma_end(struct ata_drive *d)
{
    if (d->phase == ATA_DMA_OUT) {
        write_end(d);
        return;
    }
    address_put(d, d->lba - 1);
    d->count[0] = 0;
    ata_done(d);
}

/* ---- PIO and DMA reads and writes. ---- */

static void read_next(struct ata_drive *d);
static void read_fetch(struct ata_drive *d, u32 sectors);

/* A piece of the command's data has come. A failed one is asked for again block by block, so that the
 * host gets what lies before the bad sector, and its address. */
static void read_arrived(struct ata_drive *d, enum block_status status)
{
    if (status == BLOCK_OK) {
        d->rest = d->len;
        d->len = 0;
        read_next(d);
    } else if (d->asked > d->per_block) {
        read_fetch(d, d->per_block);
    } else {
        backing_failed(d);
    }
}

static void read_fetch(struct ata_drive *d, u32 sectors)
{
    enum block_status status = ata_fetch(d, sectors, read_arrived);
    if (status != BLOCK_PENDING)
        read_arrived(d, status);
}

/* The next DRQ block of the piece, the next piece, or the end. */
static void read_next(struct ata_drive *d)
{
    if (d->rest) {
        u32 bytes = min(d->rest, d->per_block * ATA_SECTOR);
        d->rest -= bytes;
        ata_pio_in(d, d->in + d->len, bytes, read_next);
    } else if (d->sectors) {
        bool good_so_far = d->asked != d->per_block;
        read_fetch(d, good_so_far ? ATA_BUFFER_SECTORS : d->per_block);
    } else {
        address_put(d, d->lba - 1);
        d->count[0] = 0;
        ata_done_silently(d);
    }
}

static void read_pio(struct ata_drive *d, u32 per_block)
{
    if (!transfer_begin(d, per_block))
        return;
    d->phase = ATA_PIO_IN;
    d->pos = d->len = d->rest = 0;
    d->asked = 0;
    read_next(d);
}

static void write_block(struct ata_drive *d);

static void write_ask(struct ata_drive *d)
{
    ata_pio_out(d, min(d->sectors, d->per_block) * ATA_SECTOR, write_block);
}

static void write_stored(struct ata_drive *d, enum block_status status)
{
    if (status != BLOCK_OK) {
        backing_failed(d);
    } else if (d->sectors) {
        write_ask(d);
        ata_interrupt(d);
    } else {
        write_end(d);
    }
}

static void write_block(struct ata_drive *d)
{
    enum block_status status = ata_store(d, d->len / ATA_SECTOR, write_stored);
    if (status != BLOCK_PENDING)
        write_stored(d, status);
}

static void write_pio(struct ata_drive *d, u32 per_block)
{
    if (d->block->read_only)
        ata_fail(d, ATA_ABRT);
    else if (transfer_begin(d, per_block))
        write_ask(d);
}

static void command_read(struct ata_drive *d, u8 code)
{
    (void)code;
    read_pio(d, 1);
}

static void command_write(struct ata_drive *d, u8 code)
{
    (void)code;
    write_pio(d, 1);
}

static void command_multiple(struct ata_drive *d, u8 code)
{
    if (!d->multiple)
        ata_fail(d, ATA_ABRT);
    else if (code == 0xc4 || code == 0x29)
        read_pio(d, d->multiple);
    else
        write_pio(d, d->multiple);
}

static void command_read_dma(struct ata_drive *d, u8 code)
{
    (void)code;
    if (!transfer_begin(d, 0))
        return;
    d->len = 0;
    ata_dma_begin(d, ATA_DMA_IN);
}

static void command_write_dma(struct ata_drive *d, u8 code)
{
    (void)code;
    if (d->block->read_only)
        ata_fail(d, ATA_ABRT);
    else if (transfer_begin(d, 0))
        ata_dma_begin(d, ATA_DMA_OUT);
}

/* READ VERIFY SECTOR(S): the sectors are read and dropped. */
static void verify_next(struct ata_drive *d, enum block_status status)
{
    while (status == BLOCK_OK && d->sectors)
        status = ata_fetch(d, ATA_BUFFER_SECTORS, verify_next);
    if (status == BLOCK_ERROR) {
        backing_failed(d);
    } else if (status == BLOCK_OK) {
        address_put(d, d->lba - 1);
        d->count[0] = 0;
        ata_done(d);
    }
}

static void command_verify(struct ata_drive *d, u8 code)
{
    (void)code;
    if (!transfer_begin(d, 0))
        return;
    d->phase = ATA_PIO_IN; /* an error is a read's */
    d->pos = d->len = 0;
    verify_next(d, BLOCK_OK);
}

/* ---- Commands without data, and with data of the drive's own. ---- */

static void command_flush(struct ata_drive *d, u8 code)
{
    (void)code;
    d->lba = 0;
    enum block_status status = ata_flush(d, write_flushed);
    if (status != BLOCK_PENDING)
        write_flushed(d, status);
}

static void command_nop(struct ata_drive *d, u8 code)
{
    (void)code;
    ata_fail(d, ATA_ABRT); /* 8.26: always */
}

static void command_recalibrate(struct ata_drive *d, u8 code)
{
    (void)code;
    d->mid[0] = d->high[0] = 0;
    ata_done(d);
}

static void command_seek(struct ata_drive *d, u8 code)
{
    u64 lba;
    (void)code;
    if (!address_get(d, &lba) || lba >= d->capacity)
        ata_fail(d, ATA_IDNF);
    else
        ata_done(d);
}

/* INITIALIZE DEVICE PARAMETERS (ATA-5, 8.16): the CHS translation that follows. */
static void command_parameters(struct ata_drive *d, u8 code)
{
    (void)code;
    if (!d->count[0]) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    d->track_sectors = d->count[0];
    d->heads = (d->device & 0xf) + 1;
    u64 cylinders = min(d->capacity, 16514064ull) / (d->track_sectors * d->heads);
    d->cylinders = (u16)min(cylinders, 65535ull);
    ata_done(d);
}

static void command_set_multiple(struct ata_drive *d, u8 code)
{
    u8 n = d->count[0];
    (void)code;
    if (n > ATA_MAX_MULTIPLE || (n & (n - 1))) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    d->multiple = n; /* 0 turns the MULTIPLE commands off */
    ata_done(d);
}

static void command_identify(struct ata_drive *d, u8 code)
{
    (void)code;
    ata_identify(d, (u16 *)d->buffer);
    d->sectors = 0;
    ata_pio_in(d, d->buffer, ATA_SECTOR, ata_done_silently);
}

static void command_read_buffer(struct ata_drive *d, u8 code)
{
    (void)code;
    d->sectors = 0;
    ata_pio_in(d, d->write_buffer, ATA_SECTOR, ata_done_silently);
}

static void write_buffer_end(struct ata_drive *d)
{
    memcpy(d->write_buffer, d->buffer, ATA_SECTOR);
    ata_done(d);
}

static void command_write_buffer(struct ata_drive *d, u8 code)
{
    (void)code;
    ata_pio_out(d, ATA_SECTOR, write_buffer_end);
}

static void command_features(struct ata_drive *d, u8 code)
{
    (void)code;
    ata_set_features(d);
}

/* ---- The table. ---- */

struct disk_command {
    void (*run)(struct ata_drive *d, u8 code);
    bool ext; /* takes the 48-bit task file */
};

static const struct disk_command commands[256] = {
    [0x00] = {command_nop, false},          [0x10] = {command_recalibrate, false},
    [0x20] = {command_read, false},         [0x21] = {command_read, false},
    [0x24] = {command_read, true},          [0x25] = {command_read_dma, true},
    [0x27] = {ata_max_address, true},       [0x29] = {command_multiple, true},
    [0x30] = {command_write, false},        [0x31] = {command_write, false},
    [0x34] = {command_write, true},         [0x35] = {command_write_dma, true},
    [0x37] = {ata_max_address, true},       [0x39] = {command_multiple, true},
    [0x40] = {command_verify, false},       [0x41] = {command_verify, false},
    [0x42] = {command_verify, true},        [0x70] = {command_seek, false},
    [0x91] = {command_parameters, false},   [0x94] = {ata_power_command, false},
    [0x95] = {ata_power_command, false},    [0x96] = {ata_power_command, false},
    [0x97] = {ata_power_command, false},    [0x98] = {ata_power_command, false},
    [0x99] = {ata_power_command, false},    [0xc4] = {command_multiple, false},
    [0xc5] = {command_multiple, false},     [0xc6] = {command_set_multiple, false},
    [0xc8] = {command_read_dma, false},     [0xc9] = {command_read_dma, false},
    [0xca] = {command_write_dma, false},    [0xcb] = {command_write_dma, false},
    [0xe0] = {ata_power_command, false},    [0xe1] = {ata_power_command, false},
    [0xe2] = {ata_power_command, false},    [0xe3] = {ata_power_command, false},
    [0xe4] = {command_read_buffer, false},  [0xe5] = {ata_power_command, false},
    [0xe6] = {ata_power_command, false},    [0xe7] = {command_flush, false},
    [0xe8] = {command_write_buffer, false}, [0xea] = {command_flush, true},
    [0xec] = {command_identify, false},     [0xef] = {command_features, false},
    [0xf8] = {ata_max_address, false},      [0xf9] = {ata_max_address, false},
};

static void disk_command(struct ata_drive *d, u8 code)
{
    if ((code & 0xf0) == 0x10)
        code = 0x10; /* RECALIBRATE: the low bits were a step rate */
    const struct disk_command *c = &commands[code];
    if (!c->run) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    d->ext = c->ext;
    c->run(d, code);
    if (code != 0xf8 && code != 0x27)
        d->native_max_read = false; /* SET MAX ADDRESS must follow at once (8.48) */
}

static void disk_signature(struct ata_drive *d)
{
    d->count[0] = d->low[0] = 1;
    d->mid[0] = d->high[0] = 0;
    d->status = ATA_DRDY | ATA_DSC;
}

static void disk_reset(struct ata_drive *d)
{
    d->capacity = min(d->block->sectors, 1ull << 48);
    d->multiple = ATA_MAX_MULTIPLE; /* as QEMU's disk: drivers take the setting they find */
    d->write_cache = d->look_ahead = true;
    d->mwdma = 2;
    d->udma = 0;
    d->mode_is_udma = false;
    memset(d->write_buffer, 0, sizeof(d->write_buffer));
    ata_default_geometry(d);
}

const struct ata_kind ata_disk = {
    .command = disk_command,
    .signature = disk_signature,
    .reset = disk_reset,
    .dma_end = dma_end,
    .backing_failed = backing_failed,
};
