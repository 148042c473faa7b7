#pragma once

/* Disks of the machine below behind IDE controllers with a PIIX-compatible bus master, as block
 * backings. Requests are DMA straight to and from the caller's memory; an interrupt of the disk's
 * line ends the guest's turn, and the backing's poll then finds the request done. */

#include "dev/block.h"

/* Opens ATA disk n (controllers in PCI order, then channel, master before slave; CD drives do not
 * count). Memory comes from alloc. NULL: why says what is missing. Requests take an even address below
 * 4 GiB. */
struct block *ide_host_open(unsigned n, void *(*alloc)(void *ctx, u64 size), void *ctx, char *why,
                            size_t why_size);
