/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flashmap_format.h - the bytes of the map of a FlashCopy, as docs/disk-format.md says; for flashmap.c and its tests.
 */
#ifndef XDC_STORE_FLASHMAP_FORMAT_H
#define XDC_STORE_FLASHMAP_FORMAT_H

#include <stdint.h>

/* What is written at once; each unit in it stands for itself. */
#define FLASHMAP_PAGE_SIZE	4096u
#define FLASHMAP_UNIT_SIZE	512u
#define FLASHMAP_PAGE_UNITS	(FLASHMAP_PAGE_SIZE / FLASHMAP_UNIT_SIZE)

#define FLASHMAP_MAGIC		0x4d464458u	/* "XDFM" */
#define FLASHMAP_VERSION	1u

#define FLASHMAP_MAGIC_AT	0u
#define FLASHMAP_CRC_AT		4u	/* over the id of the map, and the unit as if these four bytes were 0 */
#define FLASHMAP_VERSION_AT	8u	/* 16 bits */
#define FLASHMAP_UNIT_AT	16u	/* 64 bits: its number */
#define FLASHMAP_BITS_AT	32u	/* the lowest bit of the first byte first */

#define FLASHMAP_UNIT_BITS	(8u * (FLASHMAP_UNIT_SIZE - FLASHMAP_BITS_AT))
#define FLASHMAP_PAGE_BITS	(FLASHMAP_PAGE_UNITS * FLASHMAP_UNIT_BITS)
_Static_assert(FLASHMAP_UNIT_BITS == 3840, "as documented");

#endif
