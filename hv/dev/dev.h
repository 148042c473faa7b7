#pragma once

/* What a device model sees of the machine: ports, memory, interrupt lines, time, timers and the
 * guest's RAM. A device is one file that ends in DEVICE(...); nothing else is edited to add one. */

#include "lib/types.h"

struct machine;
struct block; /* dev/block.h: a disk's or CD's backing */

/* ---- What the outside gives (the hypervisor, or a test). ---- */

struct machine_ops {
    /* Guest memory. False where a byte of the range is no RAM. DMA stores go through `write`, or
     * through `ptr` after `will_write` (both keep shadow tables right). */
    bool (*read)(void *ctx, gpa_t gpa, void *buf, u64 len);
    bool (*write)(void *ctx, gpa_t gpa, const void *buf, u64 len);
    void *(*ptr)(void *ctx, gpa_t gpa, u64 len); /* contiguous RAM, or NULL */
    void (*will_write)(void *ctx, gpa_t gpa, u64 len);
    /* The guest-physical map: what an address range is from now on. mem: for RAM and ROM the memory
     * that backs it (size bytes; NULL: the guest RAM of the same gpa); for MMIO, NULL. */
    void (*map)(void *ctx, gpa_t gpa, u64 size, int kind /* enum mem_kind */, void *mem);
    void (*a20)(void *ctx, bool on);
    /* The VM is to end after this exit. */
    void (*end)(void *ctx, int end /* enum vm_end */, const char *why);
    /* A byte of the guest's serial port, and one for it (-1: none). */
    void (*console_put)(void *ctx, u8 byte);
    int (*console_get)(void *ctx);
    void (*mark)(void *ctx, unsigned kind, unsigned id);
    /* A line of text for the log; no newline. Ring-buffered, cheap. */
    void (*log)(void *ctx, const char *text);
    /* Host-contiguous zeroed memory at start, page aligned; never in an exit path. NULL: none left. */
    void *(*alloc)(void *ctx, u64 size);
    /* Optional: the CPU's INIT pin alone, memory and devices untouched (8042 pulse or port 92h with a
     * CMOS shutdown code, the way 286 software leaves protected mode). NULL: the VM ends by reboot. */
    void (*cpu_init)(void *ctx);
};

enum mem_kind { MEM_MMIO, MEM_RAM, MEM_ROM };

/* How a VM ends: the codes of docs/reference.md. */
enum vm_end {
    VM_RUNS = 0,
    VM_POWEROFF = 16,
    VM_REBOOT,
    VM_TRIPLE_FAULT,
    VM_HANG,
    VM_CONFIG,
    VM_ERROR,
    VM_PANIC,
};

struct machine_config {
    u64 ram_bytes;
    const void *firmware; /* the BIOS image: 64 KiB to 4 MiB, ends at 4 GiB */
    u32 firmware_bytes;
    const void *vga_rom; /* offered to the firmware through fw_cfg, or NULL */
    u32 vga_rom_bytes;
    struct block *disk[4]; /* ata0-master, ata0-slave, ata1-master, ata1-slave; NULL: none */
    struct block *cdrom;   /* in the first place that has no disk, ata1-master if free */
    bool boot_cdrom;       /* the firmware tries the CD first */
    u64 tsc_hz;
    u64 rtc_unix; /* seconds since 1970 at guest power-on */
    unsigned cpu_count;
};

/* ---- Building a machine. ---- */

/* Creates all registered devices and resets them. NULL: config says why in text. */
struct machine *machine_create(const struct machine_config *config, const struct machine_ops *ops,
                               void *ctx, char *text, size_t text_size);

/* ---- What the vcpu loop calls. ---- */

/* Guest TSC at this exit; all device time is a function of it. Runs the timers that are due. */
void machine_set_time(struct machine *m, u64 guest_tsc);
/* Guest TSC at which the next timer is due, or ~0. */
u64 machine_next_deadline(const struct machine *m);
u32 machine_in(struct machine *m, u16 port, unsigned size);
void machine_out(struct machine *m, u16 port, unsigned size, u32 value);
/* String I/O in one go: count elements of size bytes; returns how many were moved (0: do it singly). */
u32 machine_in_string(struct machine *m, u16 port, unsigned size, void *buf, u32 count);
u32 machine_out_string(struct machine *m, u16 port, unsigned size, const void *buf, u32 count);
u64 machine_mmio_read(struct machine *m, gpa_t gpa, unsigned size);
void machine_mmio_write(struct machine *m, gpa_t gpa, unsigned size, u64 value);
/* The CPU's pins: INTR is a level; of NMI what the CPU has latched. */
enum cpu_pin { CPU_INTR = 1, CPU_NMI = 2 };
u8 machine_pins(const struct machine *m);
bool machine_intr(const struct machine *m);
/* The interrupt-acknowledge cycle. */
u8 machine_intr_ack(struct machine *m);
/* nmi.c: a request for an NMI. status: bit 7 (SERR#) or 6 (IOCHK#) of port 61h, or 0 for a button. */
void machine_nmi_request(struct machine *m, u8 status);
/* Has the CPU latched one? It takes it. */
bool machine_nmi(const struct machine *m);
void machine_nmi_take(struct machine *m);
/* Host events that devices wait for (console input, block completions): called when one came. */
void machine_poll(struct machine *m);
/* Draws the text screen into text (lines ended by \n), for reports. */
void machine_screen(struct machine *m, char *text, size_t size);

/* ---- What a device uses. ---- */

struct dev;

struct dev_type {
    const char *name;
    size_t state_bytes;
    /* Claims ports, memory, PCI slots. False: text says why. */
    bool (*init)(struct dev *d, const struct machine_config *config);
    void (*reset)(struct dev *d); /* as by the RESET pin */
    unsigned order; /* init order: lower first (PCI host bridge 0, ISA bridge 1, others 10) */
    /* Optional: machine_poll and machine_screen reach the device by these. screen: the first one wins. */
    void (*poll)(struct dev *d);
    void (*screen)(struct dev *d, char *text, size_t size);
};

struct dev {
    const struct dev_type *type;
    struct machine *machine;
    void *state;
};

/* Registers a device type: a pointer in a section that the linker collects (hosted and freestanding:
 * __start_dev_types and __stop_dev_types). */
#define DEVICE(type_name)                                                                          \
    static const struct dev_type *const type_name##_ref                                            \
        __attribute__((used, section("dev_types"))) = &type_name

struct port_ops {
    u32 (*read)(void *state, u16 port, unsigned size);
    void (*write)(void *state, u16 port, unsigned size, u32 value);
    /* Optional: string transfers. Return the elements moved. */
    u32 (*read_string)(void *state, u16 port, unsigned size, void *buf, u32 count);
    u32 (*write_string)(void *state, u16 port, unsigned size, const void *buf, u32 count);
    u8 sizes; /* access sizes the device takes, a mask of 1, 2 and 4; others are split into bytes */
};
struct mmio_ops {
    u64 (*read)(void *state, gpa_t gpa, unsigned size);
    void (*write)(void *state, gpa_t gpa, unsigned size, u64 value);
};

/* An unclaimed port reads all ones. Later claims win; unclaim for moving BARs. */
bool dev_claim_ports(struct dev *d, u16 first, u32 count, const struct port_ops *ops);
void dev_unclaim_ports(struct dev *d, u16 first, u32 count);
bool dev_claim_mmio(struct dev *d, gpa_t first, u64 size, const struct mmio_ops *ops);
void dev_unclaim_mmio(struct dev *d, gpa_t first, u64 size);

/* Guest TSC now. */
u64 dev_tsc(const struct dev *d);
/* Now in ticks of a clock of hz that started with the TSC; the TSC at which that clock reaches ticks. */
u64 dev_ticks(const struct dev *d, u64 hz);
u64 dev_tsc_of_ticks(const struct dev *d, u64 ticks, u64 hz);

struct dev_timer {
    u64 due; /* guest TSC; ~0: not running */
    void (*fire)(void *state);
    struct dev *dev;
};
void dev_timer_init(struct dev *d, struct dev_timer *t, void (*fire)(void *state));
void dev_timer_set(struct dev_timer *t, u64 due_tsc); /* ~0 stops it */

/* ISA line 0 to 15, wired-OR by device for PCI. */
void dev_irq(struct dev *d, unsigned irq, bool level);
/* What an interrupt controller gives: d's set_irq sees each line's changes, ack answers the
 * interrupt-acknowledge cycle, and it drives the INTR pin by dev_intr. */
struct irq_chip {
    void (*set_irq)(void *state, unsigned irq, bool level);
    u8 (*ack)(void *state);
};
void dev_irq_chip(struct dev *d, const struct irq_chip *chip);
void dev_intr(struct dev *d, bool level);
/* The board's gate before the NMI pin: the mask of port 70h; of port 61h what was written, and bits 7 and 6. */
void dev_nmi_mask(struct dev *d, bool masked);
void dev_nmi_sources(struct dev *d, u8 p61);
u8 dev_nmi_status(const struct dev *d);
const struct machine_ops *dev_ops(const struct dev *d, void **ctx);
const struct machine_config *dev_config(const struct dev *d);
/* Looks a device up by its type's name: for the few wired to each other (PIC, PIT and port 61h...). */
struct dev *dev_find(struct machine *m, const char *name);

/* PCI (bus 0 only; host bridge owns CF8h/CFCh). */
struct pci_func {
    u8 config[256];
    u8 writable[256]; /* bits that a write changes */
    u8 w1c[256];      /* bits that a write of 1 clears */
    void (*written)(void *state, unsigned offset, unsigned size); /* after a config write */
    void *state;
};
bool dev_pci_add(struct dev *d, unsigned slot, unsigned function, struct pci_func *f);
void dev_pci_irq(struct dev *d, unsigned slot, unsigned pin /* 0: INTA# */, bool level);
