/* The CD drive's side of the PACKET protocol (ATA/ATAPI-6, 8.27 and 9.7, 9.8): the packet, PIO data
 * in DRQ blocks within the byte count limit, DMA, status with the interrupt reason. */

#include "dev/ata.h"
#include "lib/string.h"

#define CD_BLOCK 2048u
#define SECTORS_PER_BLOCK (CD_BLOCK / ATA_SECTOR)

/* Interrupt reason, in the sector count register. */
#define REASON_CD 1
#define REASON_IO 2

#define FEATURE_DMA 1
#define FEATURE_OVERLAP 2

u32 atapi_blocks(const struct ata_drive *d)
{
    return (u32)min(d->block->sectors / SECTORS_PER_BLOCK, 0x3fffffffull);
}

/* ---- Ends. ---- */

void atapi_good(struct ata_drive *d)
{
    d->count[0] = REASON_IO | REASON_CD;
    d->sense_key = d->asc = d->ascq = 0;
    ata_done(d);
}

void atapi_check(struct ata_drive *d, u8 key, u8 asc, u8 ascq)
{
    d->count[0] = REASON_IO | REASON_CD;
    d->sense_key = key;
    d->asc = asc;
    d->ascq = ascq;
    ata_fail(d, (u8)(key << 4 | ATA_ABRT));
}

static void backing_failed(struct ata_drive *d)
{
    atapi_check(d, SENSE_MEDIUM, 0x11, 0); /* unrecovered read error */
}

/* ---- Data to the host. ---- */

static void pio_next(struct ata_drive *d);

static void pio_fetched(struct ata_drive *d, enum block_status status)
{
    if (status != BLOCK_OK) {
        backing_failed(d);
        return;
    }
    d->rest = d->len;
    d->len = 0;
    pio_next(d);
}

/* The next DRQ block: the rest of the piece or the byte count limit, which but for the last block
 * is even. */
static void pio_next(struct ata_drive *d)
{
    if (d->rest) {
        u32 limit = max(d->byte_limit & ~1u, 2u);
        u32 bytes = d->rest <= d->byte_limit ? d->rest : limit;
        d->rest -= bytes;
        d->count[0] = REASON_IO;
        d->mid[0] = (u8)bytes;
        d->high[0] = (u8)(bytes >> 8);
        ata_pio_in(d, d->in + d->len, bytes, pio_next);
    } else if (d->sectors) {
        enum block_status status = ata_fetch(d, ATA_BUFFER_SECTORS, pio_fetched);
        if (status != BLOCK_PENDING)
            pio_fetched(d, status);
    } else {
        atapi_good(d);
    }
}

/* Sends n bytes of the buffer, then d->sectors of the medium. */
static void data_begin(struct ata_drive *d, u32 n)
{
    d->in = d->buffer;
    if (d->packet_dma) {
        d->len = n;
        d->count[0] = REASON_IO;
        ata_dma_begin(d, ATA_DMA_IN);
    } else if (!d->byte_limit) {
        d->sectors = 0;
        atapi_check(d, SENSE_ILLEGAL, ASC_FIELD, 0); /* no room for a byte was given */
    } else {
        d->phase = ATA_PIO_IN;
        d->len = 0;
        d->rest = n;
        pio_next(d);
    }
}

void atapi_reply(struct ata_drive *d, u32 n, u32 allocation)
{
    d->sectors = 0;
    n = min(n, allocation);
    if (n)
        data_begin(d, n);
    else
        atapi_good(d);
}

void atapi_send_blocks(struct ata_drive *d, u32 block, u32 count)
{
    if (block > atapi_blocks(d) || count > atapi_blocks(d) - block) {
        atapi_check(d, SENSE_ILLEGAL, ASC_LBA, 0);
        return;
    }
    d->lba = (u64)block * SECTORS_PER_BLOCK;
    d->sectors = count * SECTORS_PER_BLOCK;
    if (count)
        data_begin(d, 0);
    else
        atapi_good(d);
}

/* ---- ATA commands. ---- */

static void packet_received(struct ata_drive *d)
{
    memcpy(d->packet, d->buffer, sizeof(d->packet));
    d->phase = ATA_IDLE;
    d->len = d->pos = 0;
    d->status = ATA_BSY;
    atapi_execute(d);
}

static void command_packet(struct ata_drive *d)
{
    u32 limit = d->mid[0] | (u32)d->high[0] << 8;
    if (d->feature[0] & FEATURE_OVERLAP) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    d->packet_dma = d->feature[0] & FEATURE_DMA;
    d->byte_limit = limit == 0xffff ? 0xfffe : limit;
    d->sectors = 0;
    d->count[0] = REASON_CD;
    ata_pio_out(d, sizeof(d->packet), packet_received);
}

static void signature(struct ata_drive *d)
{
    d->count[0] = d->low[0] = 1;
    d->mid[0] = 0x14;
    d->high[0] = 0xeb;
    d->status = 0;
    d->attention = ASC_RESET;
    d->locked = false;
}

static void identify_packet(struct ata_drive *d)
{
    u16 *w = (u16 *)d->buffer;
    memset(w, 0, ATA_SECTOR);
    w[0] = 0x85c0; /* ATAPI, CD-ROM, removable, DRQ within 50 us, 12-byte packets */
    ata_identify_text(w + 10, 10, d->block->serial ? d->block->serial : "PNB00003");
    ata_identify_text(w + 23, 4, "1.0");
    ata_identify_text(w + 27, 20, d->block->model ? d->block->model : "PENUMBRA CD-ROM");
    w[49] = 1u << 11 | 1u << 9 | 1u << 8; /* IORDY, LBA, DMA */
    w[50] = 1u << 14;
    w[51] = 0x0200;
    w[53] = 6; /* words 64 to 70 and 88 are valid */
    w[63] = 7 | (u16)(d->mode_is_udma ? 0 : 1u << (8 + d->mwdma));
    w[64] = 3;
    w[65] = w[66] = w[67] = w[68] = 120;
    w[80] = 0x0070;                                         /* ATA/ATAPI-4 to 6 */
    w[82] = w[85] = 1u << 14 | 1u << 9 | 1u << 4 | 1u << 3; /* NOP, DEVICE RESET, PACKET, power */
    w[83] = w[84] = w[87] = 1u << 14;
    w[88] = 0x003f | (u16)(d->mode_is_udma ? 1u << (8 + d->udma) : 0);
    w[93] = d->index ? 0x6b00 : 0x600b | (d->channel->drive[1] ? 0 : 0x0040);
    ata_identify_seal(w);
    d->sectors = 0;
    d->count[0] = REASON_IO;
    ata_pio_in(d, d->buffer, ATA_SECTOR, ata_done_silently);
}

static void set_features(struct ata_drive *d)
{
    bool known = d->feature[0] == 0x03 || d->feature[0] == 0x66 || d->feature[0] == 0xcc;
    if (known)
        ata_set_features(d);
    else
        ata_fail(d, ATA_ABRT);
}

static void cd_command(struct ata_drive *d, u8 code)
{
    switch (code) {
    case 0x08: /* DEVICE RESET: no interrupt (9.12) */
        ata_reset(d, false);
        d->device = d->index ? ATA_DEV : 0;
        break;
    case 0xa0: command_packet(d); break;
    case 0xa1: identify_packet(d); break;
    case 0xef: set_features(d); break;
    case 0xe0:
    case 0xe1:
    case 0xe2:
    case 0xe3:
    case 0xe5:
    case 0xe6: ata_power_command(d, code); break;
    case 0x20:
    case 0xec: /* these say "not a disk": the signature, and ABRT (8.15.5, 8.33.5) */
        d->count[0] = d->low[0] = 1;
        d->mid[0] = 0x14;
        d->high[0] = 0xeb;
        ata_fail(d, ATA_ABRT);
        break;
    default: ata_fail(d, ATA_ABRT); break;
    }
}

static void cd_reset(struct ata_drive *d)
{
    d->mwdma = 2;
    d->mode_is_udma = false;
    d->ejected = false;
    d->sense_key = d->asc = d->ascq = 0;
}

const struct ata_kind ata_cdrom = {
    .command = cd_command,
    .signature = signature,
    .reset = cd_reset,
    .dma_end = atapi_good,
    .backing_failed = backing_failed,
};
