#pragma once

/* The IDE controller's parts: a channel with its bus-master engine and two drives. ide.c has the
 * ports, bmdma.c the engine, ata.c the task file and what drives share, ata_disk.c, ata_identify.c
 * and ata_misc.c the disk, atapi.c the CD drive. Registers and bits by the names of ATA/ATAPI-6
 * (T13 1410D), the controller's by those of the 82371SB (PIIX3) data sheet. */

#include "dev/block.h"
#include "dev/dev.h"

#define ATA_SECTOR 512u
/* Sectors that a drive's buffer holds: one LBA28 command's worth. */
#define ATA_BUFFER_SECTORS 256u
/* READ and WRITE MULTIPLE take this many sectors at most (IDENTIFY DEVICE word 47). */
#define ATA_MAX_MULTIPLE 16u

/* Status register (7.15). */
#define ATA_BSY 0x80
#define ATA_DRDY 0x40
#define ATA_DF 0x20
#define ATA_DSC 0x10
#define ATA_DRQ 0x08
#define ATA_ERR 0x01

/* Error register (7.9). */
#define ATA_UNC 0x40
#define ATA_IDNF 0x10
#define ATA_ABRT 0x04

/* Device register (7.7). */
#define ATA_LBA 0x40
#define ATA_DEV 0x10
#define ATA_OBSOLETE 0xa0 /* read as ones since ATA-1 */

/* Device control register (7.8). */
#define ATA_HOB 0x80
#define ATA_SRST 0x04
#define ATA_NIEN 0x02

enum ata_phase {
    ATA_IDLE,
    ATA_PIO_IN,  /* the host reads the data register */
    ATA_PIO_OUT, /* the host writes it */
    ATA_DMA_IN,  /* the bus master moves data to memory */
    ATA_DMA_OUT,
};

enum ata_power { ATA_ACTIVE, ATA_POWER_IDLE, ATA_STANDBY, ATA_SLEEP };

/* Bus-master registers and the engine's place in the descriptor table (82371SB, 2.7). */
struct bmdma {
    u8 command, status;
    u32 table;   /* BMIDTP */
    u32 entry;   /* address of the next descriptor */
    u32 entries; /* descriptors taken since the start */
    u32 address; /* of the present region, and the bytes left in it */
    u32 left;
    bool last; /* the present region is the table's last */
};

struct ata_channel {
    struct dev *dev;
    unsigned irq;
    bool decoded; /* its ports are claimed */
    bool intrq;   /* the line as driven */
    u8 selected;  /* bit DEV as last written */
    u8 control;
    struct bmdma bm;
    bool bus_master_on;         /* PCI command bit 2 */
    struct ata_drive *drive[2]; /* NULL: none there */
};

struct ata_drive {
    struct ata_channel *channel;
    const struct ata_kind *kind;
    struct block *block;
    u8 index;

    /* The task file; [1] is the content before the last write (ATA-6, 6.20). */
    u8 feature[2], count[2], low[2], mid[2], high[2];
    u8 device, status, error;
    bool irq; /* an interrupt is pending */

    /* The transfer under way: a piece of pos to len bytes at `in` (PIO in, DMA in) or in the
     * buffer (out), and the sectors of the backing that follow it. */
    enum ata_phase phase;
    u8 *buffer;
    const u8 *in;
    u32 pos, len;
    u32 rest; /* PIO: bytes of the piece that follow the DRQ block */
    u64 lba;
    u32 sectors;
    u32 per_block;                      /* sectors in a DRQ block */
    bool ext;                           /* a 48-bit command */
    void (*moved)(struct ata_drive *d); /* the host has moved the DRQ block */
    void (*resume)(struct ata_drive *d, enum block_status status);
    u32 asked; /* sectors of the backing's request, and the piece it makes */
    u32 asked_len;
    bool waiting; /* a backing's request is under way: it calls resume */
    bool dropped; /* a reset came meanwhile: its result is not wanted */

    /* Settings (SET FEATURES, SET MULTIPLE MODE, INITIALIZE DEVICE PARAMETERS, power). */
    u8 multiple, mwdma, udma;
    bool mode_is_udma, write_cache, look_ahead;
    u16 heads, track_sectors, cylinders; /* current translation */
    enum ata_power power;
    u64 capacity;         /* sectors the host may use (SET MAX ADDRESS) */
    bool native_max_read; /* the last command was READ NATIVE MAX ADDRESS */
    u8 write_buffer[ATA_SECTOR];

    /* A CD drive. */
    u8 packet[12];
    bool packet_dma;
    u32 byte_limit; /* of a DRQ block */
    u8 sense_key, asc, ascq;
    u8 attention; /* unit attention: its additional sense code, 0: none */
    bool locked, ejected;
};

/* What tells a disk from a CD drive. */
struct ata_kind {
    void (*command)(struct ata_drive *d, u8 code);
    void (*signature)(struct ata_drive *d);
    void (*reset)(struct ata_drive *d);          /* by the RESET pin */
    void (*dma_end)(struct ata_drive *d);        /* all data of a DMA command have moved */
    void (*backing_failed)(struct ata_drive *d); /* d->lba is the place */
};

extern const struct ata_kind ata_disk, ata_cdrom;

/* ---- ata.c: the task file. ---- */

void ata_drive_init(struct ata_drive *d, struct ata_channel *c, unsigned index, struct block *b);
/* A reset: of the RESET pin (hard) or by SRST, which keeps the settings. */
void ata_reset(struct ata_drive *d, bool hard);
u8 ata_read_register(struct ata_channel *c, unsigned reg);
void ata_write_register(struct ata_channel *c, unsigned reg, u8 value);
u8 ata_alternate_status(struct ata_channel *c);
void ata_write_control(struct ata_channel *c, u8 value);
u32 ata_read_data(struct ata_channel *c, unsigned size);
void ata_write_data(struct ata_channel *c, unsigned size, u32 value);
/* Moves up to one DRQ block; returns the elements moved. */
u32 ata_read_string(struct ata_channel *c, unsigned size, void *buf, u32 count);
u32 ata_write_string(struct ata_channel *c, unsigned size, const void *buf, u32 count);
/* Asks a backing whose request is under way. */
void ata_poll(struct ata_drive *d);

/* Raises the drive's interrupt. */
void ata_interrupt(struct ata_drive *d);
/* Ends the command: without an error, without an interrupt (PIO reads), or with these bits of the
 * error register. */
void ata_done(struct ata_drive *d);
void ata_done_silently(struct ata_drive *d);
void ata_fail(struct ata_drive *d, u8 error);
/* Begins a DRQ block of len bytes: from `in` (and interrupts), or into the buffer; `moved` is called
 * at its end. */
void ata_pio_in(struct ata_drive *d, const void *in, u32 len, void (*moved)(struct ata_drive *));
void ata_pio_out(struct ata_drive *d, u32 len, void (*moved)(struct ata_drive *));
/* Begins the DMA phase; the data move when the bus master runs. */
void ata_dma_begin(struct ata_drive *d, enum ata_phase phase);
/* Fetches up to max of d->sectors, or stores count sectors of the buffer; sets the next piece.
 * PENDING: d->resume will be called. */
typedef void ata_resume(struct ata_drive *d, enum block_status status);
enum block_status ata_fetch(struct ata_drive *d, u32 max, ata_resume *resume);
enum block_status ata_store(struct ata_drive *d, u32 count, ata_resume *resume);
enum block_status ata_flush(struct ata_drive *d, ata_resume *resume);
/* Puts text into a field of IDENTIFY words, padded with blanks, first character in the high byte. */
void ata_identify_text(u16 *words, unsigned count, const char *text);
/* Word 255: A5h and a sum that makes all bytes' zero. */
void ata_identify_seal(u16 *words);

/* ---- ata_identify.c, ata_misc.c: parts of the disk. ---- */

void ata_identify(struct ata_drive *d, u16 *words);
/* Cylinders, heads and sectors that the drive powers up with. */
void ata_default_geometry(struct ata_drive *d);
void ata_set_features(struct ata_drive *d);
void ata_power_command(struct ata_drive *d, u8 code);
void ata_max_address(struct ata_drive *d, u8 code);
/* True and the interrupt mode kept: the transfer mode in the sector count register is one we have. */
bool ata_set_transfer_mode(struct ata_drive *d, u8 mode);

/* ---- atapi.c, atapi_mmc.c: parts of the CD drive. ---- */

/* Ends a packet command: good; CHECK CONDITION with this sense; or with n bytes of the buffer,
 * cut at the allocation length, to send first. */
void atapi_good(struct ata_drive *d);
void atapi_check(struct ata_drive *d, u8 key, u8 asc, u8 ascq);
void atapi_reply(struct ata_drive *d, u32 n, u32 allocation);
/* Sends count 2048-byte blocks of the medium. */
void atapi_send_blocks(struct ata_drive *d, u32 block, u32 count);
u32 atapi_blocks(const struct ata_drive *d);
/* Carries out d->packet. */
void atapi_execute(struct ata_drive *d);

#define SENSE_NOT_READY 2
#define SENSE_MEDIUM 3
#define SENSE_ILLEGAL 5
#define SENSE_ATTENTION 6

#define ASC_LBA 0x21
#define ASC_FIELD 0x24
#define ASC_CHANGED 0x28
#define ASC_RESET 0x29
#define ASC_NO_MEDIUM 0x3a

/* ---- bmdma.c: the bus master. ---- */

u32 bmdma_read(struct ata_channel *c, unsigned reg, unsigned size);
void bmdma_write(struct ata_channel *c, unsigned reg, unsigned size, u32 value);
void bmdma_reset(struct ata_channel *c);
/* Moves what can be moved now: called when the engine starts, a drive asks, or a backing is done. */
void bmdma_run(struct ata_channel *c);
