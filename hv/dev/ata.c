/* The ATA task file: registers, interrupts, resets and the data register, for disk and CD drive
 * alike (ATA/ATAPI-6, clauses 6, 7 and 9). */

#include "dev/ata.h"
#include "lib/string.h"

/* What a read finds where no drive answers: the lines float high, DD7 is pulled down (82371SB). */
#define FLOATING 0x7f

#define COMMAND_DEVICE_RESET 0x08
#define COMMAND_DIAGNOSTIC 0x90
#define DIAGNOSTIC_PASSED 0x01

static void interrupt_update(struct ata_channel *c)
{
    struct ata_drive *d = c->drive[c->selected];
    bool level = d && d->irq && !(c->control & (ATA_NIEN | ATA_SRST));
    if (level == c->intrq)
        return;
    c->intrq = level;
    if (level)
        c->bm.status |= 0x04; /* BMISX: set by the line's rising edge */
    dev_irq(c->dev, c->irq, level);
}

void ata_interrupt(struct ata_drive *d)
{
    d->irq = true;
    interrupt_update(d->channel);
}

static void end_command(struct ata_drive *d, u8 status, u8 error)
{
    d->phase = ATA_IDLE;
    d->pos = d->len = 0;
    d->sectors = 0;
    d->status = status;
    d->error = error;
}

void ata_done_silently(struct ata_drive *d)
{
    end_command(d, ATA_DRDY | ATA_DSC, 0);
}

void ata_done(struct ata_drive *d)
{
    ata_done_silently(d);
    ata_interrupt(d);
}

void ata_fail(struct ata_drive *d, u8 error)
{
    end_command(d, ATA_DRDY | ATA_DSC | ATA_ERR, error);
    ata_interrupt(d);
}

/* ---- Transfers. ---- */

void ata_pio_in(struct ata_drive *d, const void *in, u32 len, void (*moved)(struct ata_drive *))
{
    d->phase = ATA_PIO_IN;
    d->in = in;
    d->pos = 0;
    d->len = len;
    d->moved = moved;
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    ata_interrupt(d);
}

void ata_pio_out(struct ata_drive *d, u32 len, void (*moved)(struct ata_drive *))
{
    d->phase = ATA_PIO_OUT;
    d->pos = 0;
    d->len = len;
    d->moved = moved;
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
}

void ata_dma_begin(struct ata_drive *d, enum ata_phase phase)
{
    d->phase = phase;
    d->pos = 0;
    if (phase == ATA_DMA_OUT)
        d->len = 0;
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    bmdma_run(d->channel);
}

/* The backing has done what was asked: its sectors are behind us. */
static void advance(struct ata_drive *d)
{
    d->lba += d->asked;
    d->sectors -= d->asked;
    d->pos = 0;
    d->len = d->asked_len;
}

/* Takes the answer of a request for d->asked sectors. */
static enum block_status asked(struct ata_drive *d, enum block_status status, ata_resume *resume)
{
    if (status == BLOCK_OK) {
        advance(d);
    } else if (status == BLOCK_PENDING) {
        d->pos = d->len = 0;
        d->resume = resume;
        d->waiting = true;
        d->status = ATA_BSY | ATA_DRDY | ATA_DSC;
    }
    return status;
}

enum block_status ata_fetch(struct ata_drive *d, u32 max, ata_resume *resume)
{
    struct block *b = d->block;
    d->asked = min(d->sectors, max);
    d->asked_len = d->asked * ATA_SECTOR;
    const u8 *medium = b->direct ? b->direct(b, d->lba, d->asked) : NULL;
    if (medium) {
        d->in = medium;
        return asked(d, BLOCK_OK, resume);
    }
    d->in = d->buffer;
    return asked(d, b->read(b, d->lba, d->asked, d->buffer), resume);
}

enum block_status ata_store(struct ata_drive *d, u32 count, ata_resume *resume)
{
    d->asked = count;
    d->asked_len = 0;
    return asked(d, d->block->write(d->block, d->lba, count, d->buffer), resume);
}

enum block_status ata_flush(struct ata_drive *d, ata_resume *resume)
{
    d->asked = d->asked_len = 0;
    return asked(d, d->block->flush ? d->block->flush(d->block) : BLOCK_OK, resume);
}

void ata_poll(struct ata_drive *d)
{
    if (!d->waiting || !d->block->poll)
        return;
    enum block_status status = d->block->poll(d->block);
    if (status == BLOCK_PENDING)
        return;
    d->waiting = false;
    if (d->dropped) { /* the reset ends now, with what it has set */
        d->dropped = false;
        d->status &= ~ATA_BSY;
        return;
    }
    bool dma = d->phase == ATA_DMA_IN || d->phase == ATA_DMA_OUT;
    d->status = ATA_DRDY | ATA_DSC | (dma ? ATA_DRQ : 0);
    if (status == BLOCK_OK)
        advance(d);
    d->resume(d, status);
}

/* ---- The data register. ---- */

static struct ata_drive *data_drive(struct ata_channel *c, enum ata_phase phase)
{
    struct ata_drive *d = c->drive[c->selected];
    return d && d->phase == phase && d->pos < d->len ? d : NULL;
}

u32 ata_read_data(struct ata_channel *c, unsigned size)
{
    struct ata_drive *d = data_drive(c, ATA_PIO_IN);
    if (!d)
        return ~0u;
    u32 left = d->len - d->pos, value = 0;
    if (size == 4 && left < 4) { /* the controller makes two cycles */
        value = ata_read_data(c, 2);
        return value | ata_read_data(c, 2) << 16;
    }
    u32 bytes = min(size == 4 ? 4u : 2u, left);
    memcpy(&value, d->in + d->pos, bytes);
    d->pos += bytes;
    if (d->pos == d->len)
        d->moved(d);
    return value;
}

void ata_write_data(struct ata_channel *c, unsigned size, u32 value)
{
    struct ata_drive *d = data_drive(c, ATA_PIO_OUT);
    if (!d)
        return;
    u32 left = d->len - d->pos;
    if (size == 4 && left < 4) {
        ata_write_data(c, 2, value & 0xffff);
        ata_write_data(c, 2, value >> 16);
        return;
    }
    u32 bytes = min(size == 4 ? 4u : 2u, left);
    memcpy(d->buffer + d->pos, &value, bytes);
    d->pos += bytes;
    if (d->pos == d->len)
        d->moved(d);
}

u32 ata_read_string(struct ata_channel *c, unsigned size, void *buf, u32 count)
{
    struct ata_drive *d = data_drive(c, ATA_PIO_IN);
    if (!d) {
        memset(buf, 0xff, (size_t)count * size);
        return count;
    }
    if (size == 1)
        return 0;
    u32 n = min(count, (d->len - d->pos) / size);
    memcpy(buf, d->in + d->pos, n * size);
    d->pos += n * size;
    if (d->pos == d->len)
        d->moved(d);
    return n;
}

u32 ata_write_string(struct ata_channel *c, unsigned size, const void *buf, u32 count)
{
    struct ata_drive *d = data_drive(c, ATA_PIO_OUT);
    if (!d)
        return count;
    if (size == 1)
        return 0;
    u32 n = min(count, (d->len - d->pos) / size);
    memcpy(d->buffer + d->pos, buf, n * size);
    d->pos += n * size;
    if (d->pos == d->len)
        d->moved(d);
    return n;
}

/* ---- Resets. ---- */

void ata_reset(struct ata_drive *d, bool hard)
{
    if (d->waiting)
        d->dropped = true;
    end_command(d, 0, DIAGNOSTIC_PASSED);
    d->irq = false;
    d->device = 0;
    d->ext = false;
    d->power = ATA_ACTIVE;
    d->native_max_read = false;
    if (hard)
        d->kind->reset(d);
    d->kind->signature(d);
    if (d->waiting)
        d->status |= ATA_BSY;
}

static void channel_reset(struct ata_channel *c)
{
    c->selected = 0;
    for (unsigned i = 0; i < 2; i++)
        if (c->drive[i])
            ata_reset(c->drive[i], false);
    interrupt_update(c);
}

void ata_write_control(struct ata_channel *c, u8 value)
{
    u8 old = c->control;
    c->control = value;
    if (value & ~old & ATA_SRST)
        channel_reset(c);
    interrupt_update(c);
}

/* ---- Registers. ---- */

/* Device 0 answers for a device 1 that is not there (9.16.1); its own status is not shown. */
static u8 status_of(const struct ata_channel *c)
{
    const struct ata_drive *d = c->drive[c->selected];
    if (d)
        return c->control & ATA_SRST ? ATA_BSY : d->status;
    return c->drive[0] ? 0 : FLOATING;
}

/* A driver that spins on the status makes a late request go on. */
static void status_poll(struct ata_channel *c)
{
    struct ata_drive *d = c->drive[c->selected];
    if (unlikely(d && d->waiting))
        ata_poll(d);
}

u8 ata_alternate_status(struct ata_channel *c)
{
    status_poll(c);
    return status_of(c);
}

u8 ata_read_register(struct ata_channel *c, unsigned reg)
{
    struct ata_drive *d = c->drive[c->selected];
    if (reg == 7) {
        status_poll(c);
        u8 status = status_of(c);
        if (d && d->irq) {
            d->irq = false;
            interrupt_update(c);
        }
        return status;
    }
    if (!d)
        d = c->drive[0];
    if (!d)
        return FLOATING;
    unsigned hob = c->control & ATA_HOB ? 1 : 0;
    switch (reg) {
    case 1: return d->error;
    case 2: return d->count[hob];
    case 3: return d->low[hob];
    case 4: return d->mid[hob];
    case 5: return d->high[hob];
    default: return d->device | ATA_OBSOLETE;
    }
}

static void push(u8 *reg, u8 value)
{
    reg[1] = reg[0];
    reg[0] = value;
}

/* Both drives latch what the host writes. */
static void drive_write(struct ata_drive *d, unsigned reg, u8 value)
{
    if (d->status & ATA_BSY)
        return;
    switch (reg) {
    case 1: push(d->feature, value); break;
    case 2: push(d->count, value); break;
    case 3: push(d->low, value); break;
    case 4: push(d->mid, value); break;
    case 5: push(d->high, value); break;
    default: d->device = value; break;
    }
}

/* EXECUTE DEVICE DIAGNOSTIC (8.11): both drives do it, device 0 answers. */
static void diagnostic(struct ata_channel *c)
{
    channel_reset(c);
    if (c->drive[0])
        ata_interrupt(c->drive[0]);
}

static void command_write(struct ata_channel *c, u8 code)
{
    struct ata_drive *d = c->drive[c->selected];
    if (code == COMMAND_DIAGNOSTIC) {
        diagnostic(c);
        return;
    }
    if (!d || (d->waiting && code != COMMAND_DEVICE_RESET))
        return;
    if (d->power == ATA_SLEEP && code != COMMAND_DEVICE_RESET)
        return; /* only a reset wakes it (6.11) */
    d->irq = false;
    interrupt_update(c);
    if (d->phase != ATA_IDLE && code != COMMAND_DEVICE_RESET)
        end_command(d, ATA_DRDY | ATA_DSC, 0);
    d->ext = false;
    d->kind->command(d, code);
}

void ata_write_register(struct ata_channel *c, unsigned reg, u8 value)
{
    c->control &= ~ATA_HOB; /* any write to the command block clears it (6.20) */
    if (c->control & ATA_SRST)
        return;
    if (reg == 7) {
        command_write(c, value);
        return;
    }
    for (unsigned i = 0; i < 2; i++)
        if (c->drive[i])
            drive_write(c->drive[i], reg, value);
    if (reg == 6) {
        c->selected = value & ATA_DEV ? 1 : 0;
        interrupt_update(c);
    }
}

void ata_drive_init(struct ata_drive *d, struct ata_channel *c, unsigned index, struct block *b)
{
    d->channel = c;
    d->index = (u8)index;
    d->block = b;
    c->drive[index] = d;
}

/* ---- IDENTIFY data. ---- */

void ata_identify_text(u16 *words, unsigned count, const char *text)
{
    for (unsigned i = 0; i < count; i++) {
        u8 first = ' ', second = ' ';
        if (text && *text)
            first = (u8)*text++;
        if (text && *text)
            second = (u8)*text++;
        words[i] = (u16)(first << 8 | second);
    }
}

void ata_identify_seal(u16 *words)
{
    u8 sum = 0xa5;
    for (unsigned i = 0; i < 255; i++)
        sum = (u8)(sum + words[i] + (words[i] >> 8));
    words[255] = (u16)((u8)-sum << 8 | 0xa5);
}
