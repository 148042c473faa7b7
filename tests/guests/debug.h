#pragma once

#include "core/guest.h"

/* Debug registers, and a handler that notes every #DB (SDM vol. 3, 17.2 and 17.3). */

#define DR_ACCESS(n)                                                                               \
    static inline ulong read_dr##n(void)                                                           \
    {                                                                                              \
        ulong v;                                                                                   \
        __asm__ volatile("mov %%dr" #n ", %0" : "=r"(v));                                          \
        return v;                                                                                  \
    }                                                                                              \
    static inline void write_dr##n(ulong v)                                                        \
    {                                                                                              \
        __asm__ volatile("mov %0, %%dr" #n : : "r"(v));                                            \
    }
DR_ACCESS(0)
DR_ACCESS(1)
DR_ACCESS(2)
DR_ACCESS(3)
DR_ACCESS(6)
DR_ACCESS(7)

#define DR6_BD (1ul << 13)
#define DR6_BS (1ul << 14)
#define DR7_GD (1ul << 13)
#define DR7_SET 0x400ul /* bit 10 is always 1 */

enum { BREAK_X, BREAK_W, BREAK_IO, BREAK_RW };
#define DR7_ON(n, kind, bytes)                                                                     \
    (2ul << (n)*2 | 1ul << 9 | DR7_SET |                                                           \
     ((ulong)(kind) | ((bytes) == 8 ? 2ul : (bytes)-1ul) << 2) << (16 + (n)*4))

enum { STEPS = 32 };
extern volatile unsigned steps;                 /* how many #DB there were */
extern volatile ulong step_ip[STEPS], step_dr6; /* where, and DR6 of the last */

/* From here every #DB is noted and the code goes on; at ip `until` and after STEPS of them TF is cleared. */
void debug_begin(ulong until);
void debug_end(void);
