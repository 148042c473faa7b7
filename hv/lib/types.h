#pragma once

/* Integer types of the whole hypervisor, and the address spaces. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

typedef u64 gva_t; /* guest-virtual (linear) address */
typedef u64 gpa_t; /* guest-physical address */
typedef u64 hpa_t; /* physical address of the machine below */

#define PAGE_SHIFT 12
#define PAGE_SIZE ((u64)4096)
#define PAGE_MASK (~(PAGE_SIZE - 1))

#define KiB ((u64)1024)
#define MiB (1024 * KiB)
#define GiB (1024 * MiB)

#define array_size(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define min(a, b)                                                                                  \
    ({                                                                                             \
        __typeof__(a) a_ = (a);                                                                    \
        __typeof__(b) b_ = (b);                                                                    \
        a_ < b_ ? a_ : b_;                                                                         \
    })
#define max(a, b)                                                                                  \
    ({                                                                                             \
        __typeof__(a) c_ = (a);                                                                    \
        __typeof__(b) d_ = (b);                                                                    \
        c_ > d_ ? c_ : d_;                                                                         \
    })

/* Rounds up and down to a power of two. */
#define align_up(x, a) (((x) + (a)-1) & ~((__typeof__(x))(a)-1))
#define align_down(x, a) ((x) & ~((__typeof__(x))(a)-1))
