#pragma once

/* The machine core's own state; devices see dev.h only. */

#include "dev/dev.h"

#define MACHINE_DEVS 32
#define MACHINE_TIMERS 32
#define MACHINE_CLAIMS 64
#define MACHINE_MMIO 32
#define MACHINE_PORTS 0x10000u

struct port_claim {
    const struct port_ops *ops; /* NULL: the place is free */
    struct dev *dev;
    u32 first, count;
    u32 age; /* claims made later win */
};

struct mmio_claim {
    const struct mmio_ops *ops;
    struct dev *dev;
    gpa_t first;
    u64 size;
    u32 age;
};

/* nmi.c */
struct nmi_gate {
    bool masked; /* port 70h, bit 7 */
    bool button; /* a pulse that the mask holds back */
    bool level;  /* what the sources of port 61h drive behind the mask */
    u8 off;      /* these sources are shut, by port 61h */
    u8 status;   /* these ask for an NMI */
};

struct machine {
    struct machine_config config;
    const struct machine_ops *ops;
    void *ctx;

    u64 tsc;
    u64 second_tsc; /* the TSC at the last full second, and that second's number */
    u64 second;

    u64 deadline; /* the least `due` of all timers */
    struct dev_timer *timers[MACHINE_TIMERS];
    unsigned timer_count;

    u8 pins; /* enum cpu_pin */
    struct nmi_gate nmi;
    const struct irq_chip *chip;
    void *chip_state;
    u32 irq_drivers[16]; /* one bit for each device that holds the line up */

    struct dev devs[MACHINE_DEVS];
    unsigned dev_count;

    /* The claims, and for each port the number of the claim that has it plus one. */
    struct port_claim ports[MACHINE_CLAIMS];
    struct mmio_claim mmio[MACHINE_MMIO];
    u32 claim_age;
    u8 port_map[MACHINE_PORTS];
};
