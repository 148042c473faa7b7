#pragma once

/* What chipset devices share with pci.c beyond dev.h. */

#include "dev/dev.h"

/* Tells the machine's interrupt router of each change of a PIRQ line (0: PIRQA#). */
void pci_set_router(struct machine *m, void (*pirq)(void *state, unsigned pirq, bool level),
                    void *state);

/* Configuration space in its fields' sizes. */
static inline void pci_put16(u8 *config, unsigned offset, u16 value)
{
    config[offset] = (u8)value;
    config[offset + 1] = (u8)(value >> 8);
}

static inline void pci_put32(u8 *config, unsigned offset, u32 value)
{
    pci_put16(config, offset, (u16)value);
    pci_put16(config, offset + 2, (u16)(value >> 16));
}

static inline u32 pci_get32(const u8 *config, unsigned offset)
{
    return config[offset] | (u32)config[offset + 1] << 8 | (u32)config[offset + 2] << 16 |
           (u32)config[offset + 3] << 24;
}

/* Identity of a function: revision and class code are one dword at 08h. */
static inline void pci_identify(struct pci_func *f, u16 vendor, u16 device, u32 class_code,
                                u8 revision)
{
    pci_put16(f->config, 0x00, vendor);
    pci_put16(f->config, 0x02, device);
    pci_put32(f->config, 0x08, class_code << 8 | revision);
}

/* Command register bits. */
#define PCI_COMMAND 0x04
#define PCI_COMMAND_IO 1u
#define PCI_COMMAND_MEMORY 2u
#define PCI_COMMAND_MASTER 4u
