/* Ports of the board that belong to no chip: POST codes (80h), the marks of docs/reference.md (EDh), port
 * 92h with the fast A20 gate and reset, and the firmware's debug port 402h. */

#include "dev/sysports.h"
#include "dev/rtc.h"

#define P92_RESET 0x01
#define P92_A20 0x02
#define MARK_START 0x50
#define DEBUG_PRESENT 0xe9 /* what a read of the debug port returns where there is one */

struct sysports {
    struct dev *dev;
    bool a20;
    u8 p92, post;
    unsigned mark_have; /* bytes of a mark received, its 50h included */
    u8 mark[4];         /* kind, id low, id high */
    unsigned line_length;
    char line[128];
};

static struct sysports *sysports_of(struct machine *m)
{
    struct dev *d = dev_find(m, "sysports");
    return d ? d->state : NULL;
}

bool sys_a20(struct machine *m)
{
    const struct sysports *s = sysports_of(m);
    return !s || s->a20;
}

void sys_a20_set(struct machine *m, bool on)
{
    struct sysports *s = sysports_of(m);
    if (!s || s->a20 == on)
        return;
    s->a20 = on;
    void *ctx;
    const struct machine_ops *ops = dev_ops(s->dev, &ctx);
    ops->a20(ctx, on);
}

void sys_cpu_reset(struct machine *m, const char *why)
{
    struct sysports *s = sysports_of(m);
    void *ctx;
    const struct machine_ops *ops = dev_ops(s->dev, &ctx);
    u8 code = rtc_cmos_get(m, RTC_SHUTDOWN);
    /* 05h and 09h to 0Ch continue where 40h:67h points (IBM AT BIOS). */
    bool returns = code == 0x05 || (code >= 0x09 && code <= 0x0c);
    if (returns && ops->cpu_init)
        ops->cpu_init(ctx);
    else
        ops->end(ctx, VM_REBOOT, why);
}

/* 50h, kind, id low, id high, FFh xor kind xor low xor high; a 50h may also be one of the others, so a
 * wrong sum drops the whole and starts over. */
static void mark_byte(struct sysports *s, u8 byte)
{
    if (s->mark_have == 0) {
        s->mark_have = byte == MARK_START;
        return;
    }
    if (s->mark_have < 4) {
        s->mark[s->mark_have++ - 1] = byte;
        return;
    }
    u8 sum = 0xff ^ s->mark[0] ^ s->mark[1] ^ s->mark[2];
    s->mark_have = 0;
    if (byte == sum && s->mark[0] >= 1 && s->mark[0] <= 3) {
        void *ctx;
        const struct machine_ops *ops = dev_ops(s->dev, &ctx);
        ops->mark(ctx, s->mark[0], s->mark[1] | (unsigned)s->mark[2] << 8);
    } else if (byte == MARK_START) {
        s->mark_have = 1;
    }
}

static void debug_flush(struct sysports *s)
{
    void *ctx;
    const struct machine_ops *ops = dev_ops(s->dev, &ctx);
    s->line[s->line_length] = 0;
    s->line_length = 0;
    ops->log(ctx, s->line);
}

static void debug_byte(struct sysports *s, u8 byte)
{
    if (byte == '\n' || s->line_length == sizeof s->line - 1)
        debug_flush(s);
    if (byte >= ' ' && byte < 0x7f)
        s->line[s->line_length++] = (char)byte;
}

static u32 sysports_read(void *state, u16 port, unsigned size)
{
    struct sysports *s = state;
    (void)size;
    switch (port) {
    case 0x80: return s->post;
    case 0x92: return (s->p92 & ~(P92_A20 | P92_RESET)) | (s->a20 ? P92_A20 : 0);
    case 0x402: return DEBUG_PRESENT;
    default: return 0xff;
    }
}

static void sysports_write(void *state, u16 port, unsigned size, u32 value)
{
    struct sysports *s = state;
    (void)size;
    switch (port) {
    case 0x80: s->post = (u8)value; break;
    case 0x92:
        if ((value & P92_RESET) && !(s->p92 & P92_RESET))
            sys_cpu_reset(s->dev->machine, "reset by port 92h");
        s->p92 = (u8)value;
        sys_a20_set(s->dev->machine, value & P92_A20);
        break;
    case 0xed: mark_byte(s, (u8)value); break;
    case 0x402: debug_byte(s, (u8)value); break;
    }
}

static const struct port_ops sys_ops = {.read = sysports_read, .write = sysports_write, .sizes = 1};

static bool sysports_init(struct dev *d, const struct machine_config *config)
{
    struct sysports *s = d->state;
    (void)config;
    s->dev = d;
    s->a20 = true;
    return dev_claim_ports(d, 0x80, 1, &sys_ops) && dev_claim_ports(d, 0x92, 1, &sys_ops) &&
           dev_claim_ports(d, 0xed, 1, &sys_ops) && dev_claim_ports(d, 0x402, 1, &sys_ops);
}

static void sysports_reset(struct dev *d)
{
    struct sysports *s = d->state;
    s->p92 = 0;
    s->mark_have = s->line_length = 0;
    sys_a20_set(d->machine, true);
}

static const struct dev_type sysports_type = {
    .name = "sysports",
    .state_bytes = sizeof(struct sysports),
    .init = sysports_init,
    .reset = sysports_reset,
    .order = 10,
};
DEVICE(sysports_type);
