/* SPDX-License-Identifier: Apache-2.0 */
/* dirtylog_format.h - the bytes of a dirty log, as docs/disk-format.md says; for dirtylog.c and its tests. */
#ifndef XDC_STORE_DIRTYLOG_FORMAT_H
#define XDC_STORE_DIRTYLOG_FORMAT_H

#include <stdint.h>

#define DIRTYLOG_BLOCK_SIZE		4096u
#define DIRTYLOG_MAGIC			0x4c444458u	/* "XDDL" */
#define DIRTYLOG_VERSION		2u
#define DIRTYLOG_REGIONS_MAX		(1u << 20)

#define DIRTYLOG_MAGIC_AT		0u
#define DIRTYLOG_CRC_AT			4u		/* over the whole block, as if these four bytes were 0 */
#define DIRTYLOG_VERSION_AT		8u		/* 16 bits */
#define DIRTYLOG_SLOTS_AT		10u		/* 16 bits: slots in a block; 0: it has volumes */
#define DIRTYLOG_INDEX_AT		12u
#define DIRTYLOG_BLOCKS_AT		16u
#define DIRTYLOG_GENERATION_AT		24u		/* 64 bits */
#define DIRTYLOG_HEADER_SIZE		64u

#define DIRTYLOG_SLOT_SIZE		16u
#define DIRTYLOG_SLOT_VOLUME_AT		0u		/* 16 bits */
#define DIRTYLOG_SLOT_STATE_AT		2u		/* 16 bits: 0 free, 1 dirty */
#define DIRTYLOG_SLOT_REGION_AT		4u
#define DIRTYLOG_SLOT_SEQUENCE_AT	8u		/* 64 bits */
#define DIRTYLOG_SLOT_DIRTY		1u

#define DIRTYLOG_SLOTS_PER_BLOCK	252u
_Static_assert(DIRTYLOG_HEADER_SIZE + DIRTYLOG_SLOTS_PER_BLOCK * DIRTYLOG_SLOT_SIZE == DIRTYLOG_BLOCK_SIZE,
	       "a block is exactly full");

/* Blocks with volumes: a bit for each, set when all of the volume is in doubt. Version 1 had none. */
#define DIRTYLOG_VOLUMES		(1u << 16)
#define DIRTYLOG_VOLUME_BYTES		(DIRTYLOG_BLOCK_SIZE - DIRTYLOG_HEADER_SIZE)
#define DIRTYLOG_VOLUMES_PER_BLOCK	(8 * DIRTYLOG_VOLUME_BYTES)
#define DIRTYLOG_VOLUME_BLOCKS \
	((DIRTYLOG_VOLUMES + DIRTYLOG_VOLUMES_PER_BLOCK - 1) / DIRTYLOG_VOLUMES_PER_BLOCK)
_Static_assert(DIRTYLOG_VOLUME_BLOCKS == 3, "as documented");

/* Two copies of as many blocks as the largest number of regions, and the volumes, take. */
#define DIRTYLOG_FILE_MAX \
	(2u * DIRTYLOG_BLOCK_SIZE * (DIRTYLOG_VOLUME_BLOCKS + \
	 (DIRTYLOG_REGIONS_MAX + DIRTYLOG_SLOTS_PER_BLOCK - 1) / DIRTYLOG_SLOTS_PER_BLOCK))

#endif
