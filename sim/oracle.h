/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oracle.h - the proof that an image over many volumes is one moment. Writers (chains) write numbered blocks over all
 * volumes of all source boxes, one after the other: write k+1 of a chain is issued after write k was answered, or
 * after somebody read it, and remembers how far every other chain had been seen at that time. So an image is a moment
 * exactly if it is closed under "had seen": of each chain it shows a prefix, and every write that any shown write had
 * seen.
 */
#ifndef XDC_SIM_ORACLE_H
#define XDC_SIM_ORACLE_H

#include "box.h"

#define ORACLE_CHAINS		4u
#define ORACLE_WRITES_MAX	4096u
#define ORACLE_BLOCKS		8u		/* of each chain on each volume */
#define ORACLE_PLACES_MAX	64u		/* volumes of all source boxes */

struct oracle_place {
	struct box *box;
	unsigned volume;
};

struct oracle_write {
	uint8_t place;
	uint8_t block;
	uint32_t seen[ORACLE_CHAINS];		/* of every chain, when it was issued */
};

struct oracle_chain {
	uint32_t issued, answered;		/* numbers; 0: none */
	uint32_t flushed;			/* durable at the source whatever happens to its power */
	uint32_t required; /* must be in every image from now on: answered before a CG that exists */
	struct oracle_write writes[ORACLE_WRITES_MAX + 1];
};

struct oracle {
	unsigned place_count;
	struct oracle_place places[ORACLE_PLACES_MAX];
	struct oracle_chain chains[ORACLE_CHAINS];
	bool stop;
	unsigned running;
};

void oracle_init(struct oracle *oracle);
void oracle_add_box(struct oracle *oracle, struct box *box);

/* Starts the writers in a group of outside; they stop when oracle->stop is set or all numbers are used. -ENOMEM. */
RT_MUST_CHECK int oracle_start(struct oracle *oracle, struct rt_group *group);

/* The block of a chain on a volume. */
uint64_t oracle_block(unsigned chain, unsigned block);

/*
 * Looks at an image: read(arg, place, block, data) gives the block of what was the volume of that place. Returns
 * NULL, or a sentence why this image is no moment, or lacks what it must have. Suspends.
 */
typedef int (*oracle_read)(void *arg, unsigned place, uint64_t block, void *data);
const char *oracle_check(struct oracle *oracle, oracle_read read, void *arg);

/* All that is answered at this moment is in any image of a CG whose coordination begins later. */
void oracle_snapshot(const struct oracle *oracle, uint32_t answered[ORACLE_CHAINS]);
void oracle_require(struct oracle *oracle, const uint32_t answered[ORACLE_CHAINS]);

#endif
