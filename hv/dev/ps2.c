/* PS/2 keyboard (IBM 101-key, "Personal System/2 Hardware Interface Technical Reference", Keyboard) and
 * a two-button PS/2 mouse that nobody moves, so that what probes for one finds it answering. */

#include "dev/ps2.h"

#define ACK 0xfa
#define RESEND 0xfe
#define BAT_OK 0xaa

static void put(struct ps2_queue *q, u8 byte)
{
    if (q->count < PS2_QUEUE)
        q->byte[(q->at + q->count++) % PS2_QUEUE] = byte;
}

static void clear(struct ps2_queue *q)
{
    q->at = q->count = 0;
}

bool ps2_get(struct ps2_queue *q, u8 *byte)
{
    if (!q->count)
        return false;
    *byte = q->byte[q->at];
    q->at = (q->at + 1) % PS2_QUEUE;
    q->count--;
    return true;
}

/* ---- Keyboard. ---- */

static void keyboard_defaults(struct ps2_keyboard *k)
{
    k->set = 2;
    k->rate = 0x2b; /* 10.9 characters a second after 500 ms */
    k->argument_of = 0;
}

void ps2_keyboard_reset(struct ps2_keyboard *k)
{
    clear(&k->out);
    keyboard_defaults(k);
    k->leds = 0;
    k->scanning = true;
    k->last = BAT_OK;
}

static void keyboard_reply(struct ps2_keyboard *k, u8 byte)
{
    k->last = byte;
    put(&k->out, byte);
}

static void keyboard_argument(struct ps2_keyboard *k, u8 byte)
{
    u8 command = k->argument_of;
    k->argument_of = 0;
    keyboard_reply(k, ACK);
    switch (command) {
    case 0xed: k->leds = byte & 7; break;
    case 0xf3: k->rate = byte & 0x7f; break;
    case 0xf0:
        if (byte == 0)
            keyboard_reply(k, k->set);
        else if (byte <= 3)
            k->set = byte;
        break;
    default: break; /* FBh to FDh: a set 3 key's type */
    }
}

void ps2_keyboard_write(struct ps2_keyboard *k, u8 byte)
{
    if (k->argument_of && byte < 0xed) {
        keyboard_argument(k, byte);
        return;
    }
    k->argument_of = 0;
    if (byte == 0xfe) {
        put(&k->out, k->last);
        return;
    }
    clear(&k->out); /* a command ends what was being sent */
    switch (byte) {
    case 0xee: keyboard_reply(k, 0xee); return;
    case 0xed:
    case 0xf0:
    case 0xf3:
    case 0xfb:
    case 0xfc:
    case 0xfd: k->argument_of = byte; break;
    case 0xf2:
        keyboard_reply(k, ACK);
        keyboard_reply(k, 0xab);
        keyboard_reply(k, 0x83);
        return;
    case 0xf4: k->scanning = true; break;
    case 0xf5:
        keyboard_defaults(k);
        k->scanning = false;
        break;
    case 0xf6:
        keyboard_defaults(k);
        k->scanning = true;
        break;
    case 0xf7:
    case 0xf8:
    case 0xf9:
    case 0xfa: break; /* all keys' types in set 3 */
    case 0xff:
        ps2_keyboard_reset(k);
        keyboard_reply(k, ACK);
        keyboard_reply(k, BAT_OK);
        return;
    default: keyboard_reply(k, RESEND); return;
    }
    keyboard_reply(k, ACK);
}

bool ps2_keyboard_keys(struct ps2_keyboard *k, const u8 *codes, unsigned count)
{
    if (!k->scanning || count > PS2_QUEUE - k->out.count)
        return false;
    for (unsigned i = 0; i < count; i++)
        put(&k->out, codes[i]);
    return true;
}

/* ---- Mouse. ---- */

static void mouse_defaults(struct ps2_mouse *m)
{
    m->resolution = 2;
    m->rate = 100;
    m->reporting = m->scaling = m->remote = m->wrap = false;
    m->argument_of = 0;
}

void ps2_mouse_reset(struct ps2_mouse *m)
{
    clear(&m->out);
    mouse_defaults(m);
    m->last = BAT_OK;
}

static void mouse_reply(struct ps2_mouse *m, u8 byte)
{
    m->last = byte;
    put(&m->out, byte);
}

static void mouse_status(struct ps2_mouse *m)
{
    mouse_reply(m, (u8)(m->remote << 6 | m->reporting << 5 | m->scaling << 4));
    mouse_reply(m, m->resolution);
    mouse_reply(m, m->rate);
}

static void mouse_command(struct ps2_mouse *m, u8 byte)
{
    mouse_reply(m, ACK);
    switch (byte) {
    case 0xe6: m->scaling = false; break;
    case 0xe7: m->scaling = true; break;
    case 0xe8:
    case 0xf3: m->argument_of = byte; break;
    case 0xe9: mouse_status(m); break;
    case 0xea: m->remote = false; break;
    case 0xeb: /* read data: it has not moved */
        mouse_reply(m, 0x08);
        mouse_reply(m, 0);
        mouse_reply(m, 0);
        break;
    case 0xec: m->wrap = false; break;
    case 0xee: m->wrap = true; break;
    case 0xf0: m->remote = true; break;
    case 0xf2: mouse_reply(m, 0); break;
    case 0xf4: m->reporting = true; break;
    case 0xf5: m->reporting = false; break;
    case 0xf6: mouse_defaults(m); break;
    case 0xff:
        mouse_defaults(m);
        mouse_reply(m, BAT_OK);
        mouse_reply(m, 0);
        break;
    default:
        clear(&m->out);
        mouse_reply(m, RESEND);
        break;
    }
}

void ps2_mouse_write(struct ps2_mouse *m, u8 byte)
{
    if (m->wrap && byte != 0xec && byte != 0xff) {
        mouse_reply(m, byte);
        return;
    }
    if (m->argument_of) {
        if (m->argument_of == 0xe8)
            m->resolution = byte & 3;
        else
            m->rate = byte;
        m->argument_of = 0;
        mouse_reply(m, ACK);
        return;
    }
    if (byte == 0xfe) {
        put(&m->out, m->last);
        return;
    }
    clear(&m->out);
    mouse_command(m, byte);
}

/* ---- Translation. ---- */

/* Set 1 code of each set 2 code up to 7Fh. */
static const u8 set1_of[128] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58,
    0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59, /* 00 */
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a,
    0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b, /* 10 */
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c,
    0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d, /* 20 */
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e,
    0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f, /* 30 */
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60,
    0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61, /* 40 */
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e,
    0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, /* 50 */
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b,
    0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, /* 60 */
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
    0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54, /* 70 */
};

bool ps2_translate(u8 *byte, bool *release)
{
    if (*byte == 0xf0) {
        *release = true;
        return false;
    }
    u8 code = *byte;
    if (code < 0x80)
        code = set1_of[code];
    else if (code == 0x83)
        code = 0x41; /* F7 */
    else if (code == 0x84)
        code = 0x54; /* SysRq */
    if (*release && code < 0x80)
        code |= 0x80;
    *release = false;
    *byte = code;
    return true;
}
