/* 8042 keyboard controller of a PS/2 (IBM "Personal System/2 Hardware Interface Technical Reference",
 * Keyboard and Auxiliary Device Controller) at ports 60h and 64h: IRQ 1 for the keyboard, 12 for the mouse.
 *
 * A device's next byte reaches the output buffer as soon as the last one is read. */

#include "dev/kbd.h"
#include "dev/ps2.h"
#include "dev/sysports.h"
#include "lib/string.h"

#define STATUS_OBF 0x01
#define STATUS_SYS 0x04
#define STATUS_CMD 0x08
#define STATUS_UNLOCKED 0x10
#define STATUS_AUX 0x20
#define CB_KBD_INT 0x01
#define CB_AUX_INT 0x02
#define CB_SYS 0x04
#define CB_KBD_OFF 0x10
#define CB_AUX_OFF 0x20
#define CB_XLATE 0x40
#define OUT_RESET 0x01
#define OUT_A20 0x02
#define OUT_KBD_IRQ 0x10
#define OUT_AUX_IRQ 0x20

struct kbd {
    struct dev *dev;
    struct ps2_keyboard keyboard;
    struct ps2_mouse mouse;
    u8 ram[32]; /* byte 0 is the command byte */
    u8 outport; /* bits that are no others' */
    u8 data;
    bool full, aux;       /* the output buffer, and that it is the mouse's byte */
    bool from_controller; /* ... or the controller's answer */
    bool held, held_aux;  /* a device's byte that an answer has put off */
    u8 held_data;
    bool last_cmd; /* the last write was to port 64h */
    bool release;  /* translation is after an F0h */
    u8 command;    /* whose data byte is awaited; 0: none */
};

/* Both lines follow the output buffer; a new byte is a new edge. */
static void lines_update(struct kbd *k)
{
    dev_irq(k->dev, 1, k->full && !k->aux && (k->ram[0] & CB_KBD_INT));
    dev_irq(k->dev, 12, k->full && k->aux && (k->ram[0] & CB_AUX_INT));
}

static void buffer_put(struct kbd *k, u8 byte, bool aux)
{
    k->data = byte;
    k->aux = aux;
    k->full = true;
    k->from_controller = false;
}

/* Fills an empty output buffer, from the keyboard before the mouse. */
static void buffer_fill(struct kbd *k)
{
    u8 byte;
    if (!k->full && k->held) {
        k->held = false;
        buffer_put(k, k->held_data, k->held_aux);
    }
    while (!k->full && !(k->ram[0] & CB_KBD_OFF) && ps2_get(&k->keyboard.out, &byte))
        if (!(k->ram[0] & CB_XLATE) || ps2_translate(&byte, &k->release))
            buffer_put(k, byte, false);
    if (!k->full && !(k->ram[0] & CB_AUX_OFF) && ps2_get(&k->mouse.out, &byte))
        buffer_put(k, byte, true);
    lines_update(k);
}

/* An answer of the controller takes the buffer; a device's byte in it comes again after. */
static void reply(struct kbd *k, u8 byte, bool aux)
{
    if (k->full && !k->from_controller) {
        k->held = true;
        k->held_data = k->data;
        k->held_aux = k->aux;
    }
    k->full = false;
    lines_update(k);
    buffer_put(k, byte, aux);
    k->from_controller = true;
    lines_update(k);
}

static u8 outport_read(const struct kbd *k)
{
    u8 value = k->outport | OUT_RESET;
    if (sys_a20(k->dev->machine))
        value |= OUT_A20;
    if (k->full)
        value |= k->aux ? OUT_AUX_IRQ : OUT_KBD_IRQ;
    return value;
}

static void outport_write(struct kbd *k, u8 value)
{
    k->outport = value & (u8) ~(OUT_RESET | OUT_A20 | OUT_KBD_IRQ | OUT_AUX_IRQ);
    sys_a20_set(k->dev->machine, value & OUT_A20);
    if (!(value & OUT_RESET))
        sys_cpu_reset(k->dev->machine, "reset by the keyboard controller's output port");
}

static void command_byte_write(struct kbd *k, u8 value)
{
    k->ram[0] = value;
    buffer_fill(k);
}

static void command_write(struct kbd *k, u8 command)
{
    k->command = 0;
    switch (command) {
    case 0x20 ... 0x3f: reply(k, k->ram[command & 31], false); break;
    case 0x60 ... 0x7f: k->command = command; break;
    case 0xa4: reply(k, 0xf1, false); break; /* no password */
    case 0xa7: command_byte_write(k, k->ram[0] | CB_AUX_OFF); break;
    case 0xa8: command_byte_write(k, k->ram[0] & (u8)~CB_AUX_OFF); break;
    case 0xa9: reply(k, 0x00, false); break; /* mouse lines are good */
    case 0xaa:
        k->ram[0] = CB_KBD_OFF | CB_AUX_OFF | CB_SYS | (k->ram[0] & CB_XLATE);
        reply(k, 0x55, false);
        break;
    case 0xab: reply(k, 0x00, false); break; /* keyboard lines are good */
    case 0xad: command_byte_write(k, k->ram[0] | CB_KBD_OFF); break;
    case 0xae: command_byte_write(k, k->ram[0] & (u8)~CB_KBD_OFF); break;
    case 0xc0: reply(k, 0xa0, false); break; /* input port: not locked, no manufacturing jumper */
    case 0xd0: reply(k, outport_read(k), false); break;
    case 0xd1 ... 0xd4: k->command = command; break;
    case 0xdd: sys_a20_set(k->dev->machine, false); break;
    case 0xdf: sys_a20_set(k->dev->machine, true); break;
    case 0xe0: reply(k, 0x00, false); break; /* test inputs: both clocks low */
    case 0xf0 ... 0xff:
        if (!(command & 1)) /* bit 0 clear: 6 us of low on the reset line */
            sys_cpu_reset(k->dev->machine, "reset by the keyboard controller");
        break;
    default: break;
    }
}

static void data_write(struct kbd *k, u8 value)
{
    u8 command = k->command;
    k->command = 0;
    switch (command) {
    case 0x60: command_byte_write(k, value); break;
    case 0x61 ... 0x7f: k->ram[command & 31] = value; break;
    case 0xd1: outport_write(k, value); break;
    case 0xd2: reply(k, value, false); break;
    case 0xd3: reply(k, value, true); break;
    case 0xd4:
        k->ram[0] &= (u8)~CB_AUX_OFF; /* the line is opened to send */
        ps2_mouse_write(&k->mouse, value);
        buffer_fill(k);
        break;
    default:
        k->ram[0] &= (u8)~CB_KBD_OFF;
        ps2_keyboard_write(&k->keyboard, value);
        buffer_fill(k);
        break;
    }
}

static u32 kbd_read(void *state, u16 port, unsigned size)
{
    struct kbd *k = state;
    (void)size;
    if (port == 0x64)
        return (k->full ? STATUS_OBF | (k->aux ? STATUS_AUX : 0) : 0) |
               (k->ram[0] & CB_SYS ? STATUS_SYS : 0) | (k->last_cmd ? STATUS_CMD : 0) |
               STATUS_UNLOCKED;
    u8 value = k->data; /* an empty buffer reads its last byte */
    if (k->full) {
        k->full = false;
        lines_update(k);
        buffer_fill(k);
    }
    return value;
}

static void kbd_write(void *state, u16 port, unsigned size, u32 value)
{
    struct kbd *k = state;
    (void)size;
    k->last_cmd = port == 0x64;
    if (k->last_cmd)
        command_write(k, (u8)value);
    else
        data_write(k, (u8)value);
}

bool kbd_keys(struct machine *m, const u8 *codes, unsigned count)
{
    struct dev *d = dev_find(m, "kbd");
    if (!d)
        return false;
    struct kbd *k = d->state;
    if (!ps2_keyboard_keys(&k->keyboard, codes, count))
        return false;
    buffer_fill(k);
    return true;
}

static const struct port_ops kbd_ops = {.read = kbd_read, .write = kbd_write, .sizes = 1};

static bool kbd_init(struct dev *d, const struct machine_config *config)
{
    struct kbd *k = d->state;
    (void)config;
    k->dev = d;
    return dev_claim_ports(d, 0x60, 1, &kbd_ops) && dev_claim_ports(d, 0x64, 1, &kbd_ops);
}

static void kbd_reset(struct dev *d)
{
    struct kbd *k = d->state;
    memset(k, 0, sizeof *k);
    k->dev = d;
    k->ram[0] = CB_XLATE | CB_KBD_OFF | CB_AUX_OFF;
    ps2_keyboard_reset(&k->keyboard);
    ps2_mouse_reset(&k->mouse);
    lines_update(k);
}

static const struct dev_type kbd_type = {
    .name = "kbd",
    .state_bytes = sizeof(struct kbd),
    .init = kbd_init,
    .reset = kbd_reset,
    .order = 11,
};
DEVICE(kbd_type);
