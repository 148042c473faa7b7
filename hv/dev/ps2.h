#pragma once

/* PS/2 keyboard and mouse as seen from the keyboard controller's cables. */

#include "lib/types.h"

#define PS2_QUEUE 32u

struct ps2_queue {
    u8 byte[PS2_QUEUE];
    unsigned at, count;
};

struct ps2_keyboard {
    struct ps2_queue out;
    u8 argument_of; /* the command whose argument comes next; 0: none */
    u8 set;         /* scan code set, 1 to 3 */
    u8 leds, rate;
    u8 last; /* for RESEND */
    bool scanning;
};

struct ps2_mouse {
    struct ps2_queue out;
    u8 argument_of;
    u8 resolution, rate;
    u8 last;
    bool reporting, scaling, remote, wrap;
};

bool ps2_get(struct ps2_queue *q, u8 *byte);
void ps2_keyboard_reset(struct ps2_keyboard *k);
void ps2_keyboard_write(struct ps2_keyboard *k, u8 byte);
/* Key codes as the keys' switches give them, in scan code set 2. False: scanning is off, or no room. */
bool ps2_keyboard_keys(struct ps2_keyboard *k, const u8 *codes, unsigned count);
void ps2_mouse_reset(struct ps2_mouse *m);
void ps2_mouse_write(struct ps2_mouse *m, u8 byte);
/* The controller's translation of a set 2 byte to set 1; *release is kept between the bytes. False: the
 * byte was a release prefix and gives nothing yet. */
bool ps2_translate(u8 *byte, bool *release);
