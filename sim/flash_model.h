/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash_model.h - full copies: what a few volumes hold, sector by sector, after what chains of requests wrote to them
 * and what crashes left of that; and whether copies of them are one moment. Knows nothing of how FlashCopy works.
 */
#ifndef XDC_SIM_FLASH_MODEL_H
#define XDC_SIM_FLASH_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "store/vdisk.h"

#define FLASH_VOLUMES		4u
#define FLASH_CHAINS		4u
#define FLASH_UNITS		32u	/* runs of two blocks, every other across the border of a zone */
#define FLASH_BLOCK_SECTORS	(XDC_BLOCK_SIZE / XDC_SECTOR_SIZE)
#define FLASH_UNIT_SECTORS	(2u * FLASH_BLOCK_SECTORS)
#define FLASH_SECTORS		(FLASH_UNITS * FLASH_UNIT_SECTORS)
#define FLASH_BYTES		(UINT64_C(33) << 20)	/* of a volume */
#define FLASH_MAYBES		8u
#define FLASH_LOG_MAX		4096u

struct flash_sector {
	uint32_t now;			/* what a read shows; 0: zeros */
	uint32_t durable;		/* what is there at least after a loss of power, or else */
	uint32_t maybe[FLASH_MAYBES];	/* one of these, written since */
	unsigned maybes;
};

struct flash_request {
	unsigned volume, first, count;	/* sectors */
	uint32_t value;
};

struct flash_chain {
	bool pending;			/* a write is under way */
	struct flash_request request;
	unsigned logged;		/* requests since the moment began, with the one that was under way then */
	struct flash_request log[FLASH_LOG_MAX];
};

struct flash_model {
	bool direct;			/* what is answered is durable */
	struct {
		struct flash_sector sectors[FLASH_SECTORS];
		bool unknown;		/* nobody knows what is on it, until it is learned */
	} volumes[FLASH_VOLUMES];
	struct flash_chain chains[FLASH_CHAINS];
	uint32_t last_value;
	bool moment;			/* requests are logged */
	uint32_t base[FLASH_VOLUMES][FLASH_SECTORS];	/* when that began */
};

/* ---- where sectors are ---- */

uint64_t flash_unit_offset(unsigned unit);	/* bytes in the volume */
unsigned flash_sector_of(uint64_t offset);	/* of an offset in some unit */
/* The chain that writes it. A unit has another one on each volume, and each chain one volume with the unit. */
unsigned flash_owner(unsigned volume, unsigned unit);

/* The bytes of a sector with this value, and back; 0 are zeros; UINT32_MAX: it holds no value. */
void flash_fill_sector(uint8_t *bytes, uint32_t value);
uint32_t flash_value_of(const uint8_t *bytes);

/* ---- what chains do ---- */

/* Notes the request before it is given to the volume; NULL: too much is not flushed there. zero: it writes zeros. */
const struct flash_request *flash_begin_write(struct flash_model *model, unsigned chain, unsigned volume,
					      unsigned first, unsigned count, bool zero);
void flash_end_write(struct flash_model *model, unsigned chain, bool durable);

/* A write of the volume is under way, or what became of it at a crash is not settled. */
bool flash_has_pending(const struct flash_model *model, unsigned volume);

/* The chain has flushed the volume. */
void flash_flushed(struct flash_model *model, unsigned chain, unsigned volume);

/* ---- crashes ---- */

/*
 * What is found on a volume after a crash, of the power or of the process alone, is true from here on. NULL; or a
 * sentence: it cannot be.
 */
const char *flash_settle(struct flash_model *model, unsigned volume, const uint32_t *found, bool power);

/* The same after the disk has failed a call: what was not durable may be gone without a loss of power, and again. */
const char *flash_settle_failed(struct flash_model *model, unsigned volume, const uint32_t *found);

/* After all volumes were settled: no request is under way any more. */
void flash_end_crash(struct flash_model *model);

/* The volume holds this, durably. */
void flash_learn(struct flash_model *model, unsigned volume, const uint32_t *found);

/* ---- copies ---- */

struct flash_copy {
	unsigned source;
	const uint32_t *found;		/* FLASH_SECTORS values */
};

/* From here to flash_end_moment there is a moment that copies show. */
void flash_begin_moment(struct flash_model *model);
void flash_end_moment(struct flash_model *model);

/* NULL; or a sentence: the copies do not show one moment between the two. */
const char *flash_judge(const struct flash_model *model, const struct flash_copy *copies, unsigned count);

#endif
