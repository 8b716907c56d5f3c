/* SPDX-License-Identifier: Apache-2.0 */
/* latelog_format.h - the bytes of a log of late writes, as docs/disk-format.md says; for latelog.c and its tests. */
#ifndef XDC_STORE_LATELOG_FORMAT_H
#define XDC_STORE_LATELOG_FORMAT_H

#include "store/latelog.h"

#define LATELOG_MAGIC		0x4c4c4458u	/* "XDLL" */
#define LATELOG_ENTRY_MAGIC	0x454c4458u	/* "XDLE" */
#define LATELOG_VERSION		1u

/* The header, and each entry */
#define LATELOG_MAGIC_AT	0u
#define LATELOG_CRC_AT		4u		/* over all of it, as if these four bytes were 0 */

/* The header */
#define LATELOG_HEADER_SIZE	4096u
#define LATELOG_VERSION_AT	8u		/* 16 bits */
#define LATELOG_BOOT_AT		16u		/* of the kernel, 16 bytes */

/* An entry; the first stands behind the header, the others at this distance */
#define LATELOG_SLOT_SIZE		20480u
#define LATELOG_ENTRY_LEN_AT		8u
#define LATELOG_ENTRY_SEQUENCE_AT	16u
#define LATELOG_ENTRY_OFFSET_AT		24u	/* in the volume */
#define LATELOG_ENTRY_DATA_AT		32u

struct latelog_entry {
	uint32_t len;
	uint64_t sequence, offset;	/* in the volume */
};

/* Fills in what stands before the data, which stand in the entry already. */
void latelog_encode_entry(const struct latelog_entry *entry, uint8_t *bytes);

/* False: it was void, or was never put whole. size: of what was read. */
bool latelog_decode_entry(const uint8_t *bytes, size_t size, struct latelog_entry *entry);

_Static_assert(LATELOG_ENTRY_DATA_AT + LATELOG_DATA_MAX <= LATELOG_SLOT_SIZE, "as documented");

#endif
